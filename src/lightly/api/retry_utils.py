"""Errors of calls that were tried again and again, where newer programs look for them.

Every call of `ApiWorkflowClient` is tried again by itself where that is safe; see the reference of
the SDK.
"""

from lightly.api.errors import ConnectionFailed, DatasetNotFoundError

__all__ = ["DatasetNotFoundError", "MaxRetryError"]

#: Raised when nobody answers however often one tries.
MaxRetryError = ConnectionFailed
