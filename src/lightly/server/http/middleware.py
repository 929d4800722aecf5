"""Around every request: an id, a cleaned path, safe headers, one redacted log line."""

from __future__ import annotations

import logging
import re
import secrets
import time

from starlette.datastructures import MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

log = logging.getLogger("lightly.server.access")

_SLASHES = re.compile(r"//+")


class RequestMiddleware:
    """Gives each request an id, folds `//`, adds headers, writes the access log.

    Clients up to 1.2 keep a trailing slash of the configured address, so `//v1/...` arrives. A
    redirect would turn their POST into a GET, so the path is served as if it were right.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle one request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        request_id = secrets.token_hex(8)
        scope["request_id"] = request_id
        scope["path"] = _SLASHES.sub("/", scope["path"])
        started = time.perf_counter()
        status = 500

        async def send_with_headers(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                headers = MutableHeaders(scope=message)
                headers.setdefault("X-Request-Id", request_id)
                headers.setdefault("X-Content-Type-Options", "nosniff")
                headers.setdefault("Referrer-Policy", "no-referrer")
                headers.setdefault("Cache-Control", "no-store")
            await send(message)

        try:
            await self._app(scope, receive, send_with_headers)
        finally:
            # The path only: the query of the contract carries the token.
            log.info(
                "%s %s %d %.1f ms %s",
                scope["method"],
                ascii(scope["path"])[1:-1][:200],
                status,
                1000 * (time.perf_counter() - started),
                request_id,
            )
