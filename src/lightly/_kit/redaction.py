"""Keeping secrets out of whatever people read: logs, error texts, reprs.

The wire contract carries the API token in the query, so any text with a URL in it may hold one.
"""

from __future__ import annotations

import logging
import re

_SECRET_PARAMETERS = re.compile(
    r"(?i)\b(token|publicToken|secret|signature|sig|X-Amz-Signature|X-Amz-Credential)=[^&\s\"'<>)]*"
)
_BEARER = re.compile(r"(?i)\bbearer\s+[^\s\"',)]+")

#: What stands in a text where a secret was.
MASK = "***"


def redact(text: str) -> str:
    """Return `text` with the values of secret parameters and bearer tokens masked.

    >>> redact("GET /v1/jobs?token=abc&x=1")
    'GET /v1/jobs?token=***&x=1'
    """
    return _BEARER.sub(f"Bearer {MASK}", _SECRET_PARAMETERS.sub(rf"\1={MASK}", text))


class RedactingFilter(logging.Filter):
    """Masks secrets in the finished message of every record that passes."""

    def filter(self, record: logging.LogRecord) -> bool:
        """Redact the record in place and let it pass."""
        message = record.getMessage()
        redacted = redact(message)
        if redacted != message:
            record.msg, record.args = redacted, ()
        return True
