"""Keeping secrets out of whatever people read: logs, error texts, reprs.

The wire contract carries the API token in the query, and 1.0 clients in JSON bodies, so any text
with a URL, a header or a request in it may hold one. Rather too much is masked than too little.
"""

from __future__ import annotations

import logging
import re

#: What stands in a text where a secret was.
MASK = "***"

_WORDS = (
    "token|secret|signature|credentials?|password|(?:api|access|account|secret|private)[_-]?key"
)
#: `token=`, `"publicToken": `, `X-Amz-Signature%3D`, also in JSON within JSON.
_NAME = rf"(?<![\w-])(?:[\w-]*(?:{_WORDS})|sig)\\*[\"']?\s*(?:[=:]|%3D)\s*"
#: In quotes that may be escaped or cut off, or up to whatever ends a parameter.
_VALUE = r"(?:\\+\"[^\"]*\"?|\\+'[^']*'?|\"(?:[^\"\\]|\\.)*\"?|'(?:[^'\\]|\\.)*'?|[^&\s\"'<>)]+)"
_SECRET_PARAMETERS = re.compile(f"(?i)({_NAME}){_VALUE}")
_BEARER = re.compile(r"(?i)\bbearer\s+[^\s\"',)]+")
_AUTHORIZATION = re.compile(r"(?i)\b(authorization[\"']?\s*[:=]\s*[\"']?(?:\w+\s+)?)[^\s\"',)]+")
_COOKIE = re.compile(r"(?i)\b(cookie[\"']?\s*:\s*)[^\r\n]+")
_PASSWORD_IN_URL = re.compile(r"(://[^\s:/@]*:)[^\s/@]+(?=@)")


def redact(text: str) -> str:
    """Return `text` with passwords, tokens, signatures and the like masked.

    >>> redact("GET /v1/jobs?token=abc&x=1")
    'GET /v1/jobs?token=***&x=1'
    >>> redact("{'token': 'abc', 'x': 1}")
    "{'token': ***, 'x': 1}"
    """
    text = _SECRET_PARAMETERS.sub(rf"\1{MASK}", text)
    text = _BEARER.sub(f"Bearer {MASK}", text)
    text = _AUTHORIZATION.sub(rf"\1{MASK}", text)
    text = _COOKIE.sub(rf"\1{MASK}", text)
    return _PASSWORD_IN_URL.sub(rf"\1{MASK}", text)


class RedactingFilter(logging.Filter):
    """Masks secrets in every record that passes: in its message, its traceback and its stack."""

    def filter(self, record: logging.LogRecord) -> bool:
        """Redact the record in place and let it pass."""
        message = _write_message(record)
        redacted = redact(message)
        if redacted != message:
            record.msg, record.args = redacted, ()
        if record.exc_info and not record.exc_text:
            record.exc_text = logging.Formatter().formatException(record.exc_info)
        if record.exc_text:
            # Formatters print this text rather than the exception itself.
            record.exc_text = redact(record.exc_text)
        if record.stack_info:
            record.stack_info = redact(record.stack_info)
        return True


def _write_message(record: logging.LogRecord) -> str:
    try:
        return record.getMessage()
    except (TypeError, ValueError, KeyError):
        # A wrong log line must neither stop the work that logs it, nor reach the logging module's
        # own complaint, which prints the arguments as they are.
        message = f"{record.msg} (does not fit its arguments {record.args!r})"
        record.msg, record.args = message, ()
        return message
