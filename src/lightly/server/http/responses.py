"""Answers as bytes. Long answers are streamed from pieces of JSON text."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

import orjson
from starlette.responses import Response, StreamingResponse
from starlette.types import Scope

from lightly.server.errors import ApiError

#: Pieces of a streamed answer are about this long: few system calls, little memory.
CHUNK_BYTES = 256 * 1024
MAX_ERROR_CHARACTERS = 460
_JSON = "application/json"


def json_response(content: Any, status: int = 200) -> Response:
    """Return `content` as JSON. `orjson.Fragment` splices text that already is JSON."""
    return Response(orjson.dumps(content), status, media_type=_JSON)


def created(entity_id: str, **more: object) -> Response:
    """Return the contract's 201 answer of a create operation."""
    return json_response({"id": entity_id, **more}, 201)


def stream_json_list(items: Iterable[Any]) -> Response:
    """Return a JSON list whose items are encoded while they are sent."""
    return StreamingResponse(_join_json(items), media_type=_JSON)


def _join_json(items: Iterable[Any]) -> Iterator[bytes]:
    buffer = bytearray(b"[")
    is_first = True
    for item in items:
        if not is_first:
            buffer += b","
        is_first = False
        buffer += orjson.dumps(item)
        if len(buffer) >= CHUNK_BYTES:
            yield bytes(buffer)
            buffer.clear()
    buffer += b"]"
    yield bytes(buffer)


def error_response(error: ApiError, scope: Scope) -> Response:
    """Return the contract's error body."""
    text = str(error)
    if len(text) > MAX_ERROR_CHARACTERS:
        text = text[: MAX_ERROR_CHARACTERS - 1] + "…"
    body = {"code": error.code, "error": text}
    if request_id := scope.get("request_id"):
        body["requestId"] = request_id
    response = json_response(body, error.status)
    if error.retry_after_s is not None:
        response.headers["Retry-After"] = str(error.retry_after_s)
    return response
