"""Cursors of listings: everything that it takes to go on, signed, with nothing kept here.

So they work after a restart and on any server that has the same key.
"""

from __future__ import annotations

import base64
import binascii
import hmac
from dataclasses import dataclass

import orjson

from lightly.server.datasources.stores import Span
from lightly.server.errors import CursorInvalid
from lightly.server.secrets.keys import ServerKeys

_VERSION = "1"
_MAX_CHARACTERS = 64 * 1024


@dataclass(frozen=True)
class Cursor:
    """Where a listing goes on.

    Attributes:
        span: What is left of it.
        from_s: Only files that were written in this second or later.
        to_s: Only files that were written in this second or earlier; None for all.
    """

    span: Span
    from_s: int
    to_s: int | None


def write_cursor(keys: ServerKeys, listing: str, cursor: Cursor) -> str:
    """Return a cursor as text.

    Args:
        keys: Sign it.
        listing: What the cursor is good for; nothing else.
        cursor: The cursor.
    """
    content = [cursor.span.after, cursor.span.last, cursor.from_s, cursor.to_s]
    text = base64.urlsafe_b64encode(orjson.dumps(content)).decode().rstrip("=")
    return f"{_VERSION}.{text}.{_sign(keys, listing, text)}"


def read_cursor(keys: ServerKeys, listing: str, text: str) -> Cursor:
    """Return the cursor that was written as a text.

    Raises:
        CursorInvalid: If it was changed, or written for another listing.
    """
    version, _, rest = text.partition(".")
    encoded, _, signature = rest.partition(".")
    if version != _VERSION or len(text) > _MAX_CHARACTERS:
        raise CursorInvalid
    expected = _sign(keys, listing, encoded)
    if not hmac.compare_digest(expected.encode(), signature.encode("utf-8", "surrogatepass")):
        raise CursorInvalid
    try:
        content = orjson.loads(base64.urlsafe_b64decode(encoded + "=" * (-len(encoded) % 4)))
    except (binascii.Error, orjson.JSONDecodeError) as error:
        raise CursorInvalid from error
    after, last, from_s, to_s = content
    return Cursor(Span(after, last), from_s, to_s)


def _sign(keys: ServerKeys, listing: str, text: str) -> str:
    message = f"cursor\n{_VERSION}\n{listing}\n{text}".encode("utf-8", "surrogatepass")
    return keys.sign(message)
