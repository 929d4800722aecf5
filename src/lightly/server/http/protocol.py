"""HTTP/1.1 on a socket, bounded before anything looks at a request.

The web server reads heads of any length and waits for ever. Here a head has a ceiling, and whoever
keeps a request open without sending is let go, so that nobody without a token takes memory or
connections for nothing.
"""

from __future__ import annotations

import asyncio
import functools
from typing import Any, cast

import orjson
from uvicorn.protocols.http.httptools_impl import STATUS_LINE, HttpToolsProtocol

from lightly.server.errors import ApiError, HeadTooLarge, MalformedRequest, RequestTimedOut
from lightly.server.settings import Settings


class BoundedHttpProtocol(HttpToolsProtocol):
    """One connection.

    Args:
        max_head_bytes: Most bytes of a request before its body. What arrives in the same read as
            the end of the head does not count.
        idle_timeout_s: How long a head may take altogether, and a body may pause.
        **options: Of the web server.
    """

    def __init__(self, *, max_head_bytes: int, idle_timeout_s: float, **options: Any) -> None:
        super().__init__(**options)
        self._max_head_bytes = max_head_bytes
        self._idle_timeout_s = idle_timeout_s
        self._head_bytes = 0
        self._is_in_head = True
        self._has_begun = False
        self._deadline: asyncio.TimerHandle | None = None

    # The base class narrows the transport in the same way.
    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Begin to wait for the first request."""
        super().connection_made(transport)
        self._wait()

    def connection_lost(self, exc: Exception | None) -> None:
        """Stop waiting."""
        self._stop_waiting()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Take what arrived, unless the head becomes too long."""
        if self._is_in_head:
            self._head_bytes += len(data)
        super().data_received(data)
        if self.transport.is_closing():
            return
        if self._is_in_head and self._head_bytes > self._max_head_bytes:
            self._refuse(HeadTooLarge(f"Path and headers may have {self._max_head_bytes} bytes."))
        elif not self._is_in_head:
            self._stop_waiting()
            if self.cycle.more_body:
                self._wait()

    def on_message_begin(self) -> None:
        """Begin to count and to wait for the end of the head."""
        super().on_message_begin()
        self._is_in_head = True
        self._has_begun = True
        self._stop_waiting()
        self._wait()

    def on_headers_complete(self) -> None:
        """Stop counting."""
        super().on_headers_complete()
        self._is_in_head = False
        self._head_bytes = 0

    def send_400_response(self, msg: str) -> None:
        """Refuse what is not HTTP, with the contract's error body."""
        self._refuse(MalformedRequest(msg))

    def _unsupported_upgrade_warning(self) -> None:
        """Say nothing: the request is served as if it had not asked for another protocol."""

    def _wait(self) -> None:
        self._deadline = self.loop.call_later(self._idle_timeout_s, self._give_up)

    def _stop_waiting(self) -> None:
        if self._deadline is not None:
            self._deadline.cancel()
            self._deadline = None

    def _give_up(self) -> None:
        self._deadline = None
        if self.transport.is_closing():
            return
        if self.flow.read_paused or self._is_busy_before:
            # It is the application that has to go on.
            self._wait()
        elif self._has_begun:
            self._refuse(RequestTimedOut())
        else:
            # Browsers connect just in case; they expect no answer to nothing.
            self.transport.close()

    @property
    def _is_busy_before(self) -> bool:
        """Whether an earlier request than the one whose head arrives is not answered yet."""
        return self._is_in_head and self.cycle is not None and not self.cycle.response_complete

    @property
    def _is_answering(self) -> bool:
        """Whether the answer to the request whose body arrives has begun, or is even sent."""
        cycle = self.cycle
        if self._is_in_head or cycle is None or not cycle.response_started:
            return False
        return cycle.more_body or not cycle.response_complete

    def _refuse(self, error: ApiError) -> None:
        if self._is_answering or self._is_busy_before:
            # What would be written now would be taken for a part of that answer.
            self.transport.close()
            return
        body = orjson.dumps({"code": error.code, "error": str(error)})
        head = (
            b"content-type: application/json\r\ncontent-length: %d\r\n"
            b"x-content-type-options: nosniff\r\ncache-control: no-store\r\n"
            b"connection: close\r\n\r\n"
        )
        self.transport.write(STATUS_LINE[error.status] + head % len(body) + body)
        self.transport.close()


def make_protocol(settings: Settings) -> type[asyncio.Protocol]:
    """Return what the web server calls for each connection."""
    factory = functools.partial(
        BoundedHttpProtocol,
        max_head_bytes=settings.max_head_bytes,
        idle_timeout_s=settings.idle_timeout_s,
    )
    # The web server asks for a class but only ever calls it.
    return cast("type[asyncio.Protocol]", factory)
