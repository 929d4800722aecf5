"""Tokens in JSON bodies: the way of client 1.0.8, on the few routes that only it calls.

The body has to be read before anybody is known, so it is bounded in size, in time and in number.
"""

from __future__ import annotations

import re

import anyio
from anyio.lowlevel import RunVar
from starlette.concurrency import run_in_threadpool
from starlette.requests import ClientDisconnect
from starlette.types import Message, Receive, Scope

from lightly.server.errors import ApiError, PayloadTooLarge, RequestTimedOut, Unavailable
from lightly.server.http.requests import INLINE_BYTES, decode_json

#: The client sends 32 rows of an embedding at once: 1.5 MB when they have 2,048 numbers each.
MAX_BODY_BYTES = 8 * 1024 * 1024
#: Longest time for such a body to arrive.
BODY_TIMEOUT_S = 30.0
#: Bodies of callers not yet known that are held at once: at most 256 MB of memory.
MAX_WAITING = 32

_PATHS = re.compile(
    r"/users/(?:docker(?:/authorization)?|datasets/[a-f0-9]{24}/(?:tags|samples|embeddings))/?"
)
_waiting: RunVar[anyio.CapacityLimiter] = RunVar("body_token_limiter")


def takes_body_token(scope: Scope) -> bool:
    """Tell whether the token of a request may be in its body."""
    return scope["method"] == "POST" and _PATHS.fullmatch(scope["path"]) is not None


async def read_body_token(receive: Receive) -> tuple[str | None, Receive]:
    """Read a request's body for the token in it.

    Returns:
        The token, None when there is none; and what delivers the body once more.

    Raises:
        PayloadTooLarge: If the body is larger than `MAX_BODY_BYTES`.
        RequestTimedOut: If it does not arrive within `BODY_TIMEOUT_S`.
        Unavailable: If too many callers send such bodies at once.
    """
    limiter = _waiting.get(None)
    if limiter is None:
        limiter = anyio.CapacityLimiter(MAX_WAITING)
        _waiting.set(limiter)
    try:
        limiter.acquire_nowait()
    except anyio.WouldBlock as full:
        raise Unavailable from full
    try:
        body = await _read_body(receive)
    finally:
        limiter.release()
    if len(body) > INLINE_BYTES:
        return await run_in_threadpool(_find_token, body), _replay(body, receive)
    return _find_token(body), _replay(body, receive)


async def _read_body(receive: Receive) -> bytes:
    body = bytearray()
    with anyio.move_on_after(BODY_TIMEOUT_S):
        while True:
            message = await receive()
            if message["type"] == "http.disconnect":
                raise ClientDisconnect
            body += message.get("body", b"")
            if len(body) > MAX_BODY_BYTES:
                raise PayloadTooLarge(
                    f"A body with a token in it may have {MAX_BODY_BYTES} bytes. Send less at "
                    "once, or the token in the query."
                )
            if not message.get("more_body", False):
                return bytes(body)
    raise RequestTimedOut


def _find_token(body: bytes) -> str | None:
    try:
        content = decode_json(body)
    except ApiError:
        return None
    token = content.get("token") if isinstance(content, dict) else None
    return token if isinstance(token, str) else None


def _replay(body: bytes, receive: Receive) -> Receive:
    """Return a `receive` that delivers a body that was read already, then goes on."""
    is_delivered = False

    async def receive_again() -> Message:
        nonlocal is_delivered
        if is_delivered:
            return await receive()
        is_delivered = True
        return {"type": "http.request", "body": body, "more_body": False}

    return receive_again
