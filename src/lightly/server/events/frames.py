"""Server-sent events as text.

Source: HTML standard, section "Server-sent events".
"""

from __future__ import annotations

import re

import orjson

from lightly.server.errors import ApiError
from lightly.server.events.topics import Event, Mark

MEDIA_TYPE = "text/event-stream"
#: Lines that begin with a colon say nothing; they keep the connection from being taken for dead.
HEARTBEAT = b": alive\n\n"
#: How long a browser waits before it connects again.
RETRY = b"retry: 2000\n\n"
_MARK = re.compile(r"(\d{1,15})-(\d{1,15})")


def write_event(event: Event, mark: Mark) -> bytes:
    """Return the text of an event. JSON of ours has no line breaks, so its data is one line."""
    return b"id: %d-%d\nevent: %s\ndata: %s\n\n" % (
        mark.at_ms,
        mark.log_end,
        event.name.encode(),
        event.data,
    )


def write_gone(error: ApiError) -> bytes:
    """Return the event that what was watched is not there any more."""
    body = orjson.dumps({"code": error.code, "error": str(error)})
    return b"event: gone\ndata: %s\n\n" % body


def read_mark(last_event_id: str) -> Mark | None:
    """Return what an id of ours stands for; None of anything else.

    >>> read_mark("1700000000000-42")
    Mark(at_ms=1700000000000, log_end=42)
    """
    match = _MARK.fullmatch(last_event_id)
    return None if match is None else Mark(int(match[1]), int(match[2]))
