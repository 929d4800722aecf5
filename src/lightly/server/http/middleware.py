"""Around every request: an id, a cleaned path, safe headers, one redacted log line."""

from __future__ import annotations

import logging
import re
import secrets
import time
from urllib.parse import unquote

from starlette.datastructures import MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from lightly.server.log_records import request_id as current_request_id
from lightly.server.metrics import UNMATCHED, ServerMetrics

log = logging.getLogger("lightly.server.access")

_SLASHES = re.compile(r"//+")


class RequestMiddleware:
    """Gives each request an id, folds `//`, adds headers, writes the access log.

    Clients up to 1.2 keep a trailing slash of the configured address, so `//v1/...` arrives. A
    redirect would turn their POST into a GET, so the path is served as if it were right.
    """

    def __init__(self, app: ASGIApp, metrics: ServerMetrics) -> None:
        self._app = app
        self._metrics = metrics

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle one request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        request_id = secrets.token_hex(8)
        scope["request_id"] = request_id
        current_request_id.set(request_id)
        scope["path"] = _fold_slashes(scope)
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
            with self._metrics.requests_in_progress.track_inprogress():
                await self._app(scope, receive, send_with_headers)
        finally:
            self._note(scope, status, time.perf_counter() - started)

    def _note(self, scope: Scope, status: int, duration_s: float) -> None:
        route = scope.get("route")
        template = getattr(route, "path_format", UNMATCHED)
        # Any word can be sent as a method, and each would make a series.
        method = scope["method"] if route is not None else UNMATCHED
        self._metrics.observe(method, template, status, duration_s)
        # The path only: the query of the contract carries the token.
        path = ascii(scope["path"])[1:-1][:200]
        duration_ms = round(1000 * duration_s, 1)
        fields = {"path": path, "status": status, "duration_ms": duration_ms}
        log.info(
            "%s %s %d %.1f ms",
            scope["method"],
            path,
            status,
            duration_ms,
            extra={"method": scope["method"], **fields},
        )


def _fold_slashes(scope: Scope) -> str:
    """Return the path with one slash for several. Those of a name are sent as `%2F` and stay."""
    path: str = scope["path"]
    if "//" not in path:
        return path
    return unquote(_SLASHES.sub("/", scope["raw_path"].decode("ascii")))
