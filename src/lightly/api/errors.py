"""What can go wrong between this client and a server.

LightlyError
├── ApiException              the server answered with an error
│   ├── UnauthorizedException, ForbiddenException, NotFoundException, ServiceException by status
│   ├── DatasetNotFoundError  ... because there is no such dataset; a NotFoundException
│   ├── BlobTransferFailed    ... to a signed URL
│   └── UnexpectedAnswer      ... with something that is no answer of a Lightly server
├── ConnectionFailed          no answer came at all
├── JobFailed                 a job of the server ended without a result
├── CopyTargetFailed          the folder or bucket that a selection is copied to cannot be used
└── UploadInterrupted         an upload stopped; a second start goes on from there

All are `RuntimeError` too. No message holds a token or the query of a URL.
"""

from __future__ import annotations

from lightly._kit.errors import LightlyError
from lightly.openapi_generated.wire.exceptions import ApiException, NotFoundException

__all__ = [
    "ApiException",
    "BlobTransferFailed",
    "ConnectionFailed",
    "CopyTargetFailed",
    "CorruptImagesWarning",
    "DatasetNotFoundError",
    "IncompleteCopyWarning",
    "IncompleteDownloadWarning",
    "IncompleteListingWarning",
    "IncompleteUploadWarning",
    "JobFailed",
    "UnexpectedAnswer",
    "UploadInterrupted",
]


class DatasetNotFoundError(NotFoundException):
    """The dataset does not exist, or this user does not see it."""


class BlobTransferFailed(ApiException):
    """An upload or download by signed URL failed. `status` is 0 if it broke off."""


class UnexpectedAnswer(ApiException):
    """The answer does not look like one of a Lightly server. Check LIGHTLY_SERVER_LOCATION."""


class ConnectionFailed(LightlyError, RuntimeError):
    """The server cannot be reached."""

    code = "connection_failed"


class JobFailed(LightlyError, RuntimeError):
    """A job of the server failed."""

    code = "job_failed"


class UploadInterrupted(LightlyError, RuntimeError):
    """The upload stopped. Start it again: what the server has acknowledged is not sent twice."""

    code = "upload_interrupted"


class CorruptImagesWarning(UserWarning):
    """Some images cannot be decoded. They are left out of the dataset."""


class IncompleteUploadWarning(UserWarning):
    """Some files could not be uploaded."""


class IncompleteDownloadWarning(UserWarning):
    """Some files could not be downloaded."""


class IncompleteListingWarning(UserWarning):
    """A listing had names that are no relative paths. They are left out."""


class IncompleteCopyWarning(UserWarning):
    """Files of a selection could not be copied."""


class CopyTargetFailed(LightlyError, RuntimeError):
    """The folder or bucket that files are copied to cannot be used."""

    code = "copy_target_failed"
