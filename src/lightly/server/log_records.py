"""What the server logs: one line per record, as text or as JSON, with the request it belongs to."""

from __future__ import annotations

import logging
from contextvars import ContextVar
from datetime import UTC, datetime

import orjson

from lightly._kit.redaction import RedactingFilter

#: Id of the request that is being answered; also in the answer's header and in error bodies.
request_id: ContextVar[str | None] = ContextVar("request_id", default=None)

#: Attributes that records may bring along, with their names in JSON.
FIELDS = ("method", "path", "status", "duration_ms", "run_id", "job_id")
FORMATS = ("text", "json")


class RequestIdFilter(logging.Filter):
    """Adds the request's id to every record that is logged while it is answered."""

    def filter(self, record: logging.LogRecord) -> bool:
        """Let the record pass."""
        if not hasattr(record, "request_id"):
            record.request_id = request_id.get()
        return True


class JsonFormatter(logging.Formatter):
    """One JSON object per line: time, level, logger, message, request, and what else is known."""

    def format(self, record: logging.LogRecord) -> str:
        """Return the line."""
        entry = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname,
            "logger": record.name,
            "message": record.getMessage(),
            "request_id": getattr(record, "request_id", None),
            **{name: getattr(record, name) for name in FIELDS if hasattr(record, name)},
        }
        if record.exc_info and not record.exc_text:
            record.exc_text = self.formatException(record.exc_info)
        if record.exc_text:
            entry["exception"] = record.exc_text
        found = {name: value for name, value in entry.items() if value is not None}
        return orjson.dumps(found, default=str, option=orjson.OPT_NON_STR_KEYS).decode()


class TextFormatter(logging.Formatter):
    """A line for people; the request's id stands at its end."""

    def __init__(self) -> None:
        super().__init__("%(asctime)s %(levelname)s %(name)s %(message)s")

    def formatMessage(self, record: logging.LogRecord) -> str:
        """Return the first line of a record."""
        line = super().formatMessage(record)
        found = getattr(record, "request_id", None)
        return line if found is None else f"{line} {found}"


def configure_logging(log_format: str) -> None:
    """Log to standard error, every record redacted.

    Args:
        log_format: `text` or `json`.
    """
    handler = logging.StreamHandler()
    handler.setFormatter(JsonFormatter() if log_format == "json" else TextFormatter())
    handler.addFilter(RequestIdFilter())
    handler.addFilter(RedactingFilter())
    logging.basicConfig(level=logging.INFO, handlers=[handler], force=True)
    logging.getLogger("alembic").setLevel(logging.WARNING)
