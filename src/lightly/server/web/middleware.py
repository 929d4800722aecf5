"""The web app in front of the API: its files, and its first page for every address of its own."""

from __future__ import annotations

from starlette.datastructures import Headers
from starlette.responses import Response
from starlette.types import ASGIApp, Receive, Scope, Send

from lightly.server.web.files import AppFile, AppFiles

#: First segments of the paths of the API, which the app never answers for.
API_SEGMENTS = frozenset(
    {"v1", "ext", "users", "blobs", "files", "pip", "ping", "healthz", "readyz", "metrics"}
)


class WebAppMiddleware:
    """Answers what browsers ask for when somebody opens the app; lets everything else through.

    Args:
        app: The API.
        app_files: The built app.
    """

    def __init__(self, app: ASGIApp, app_files: AppFiles) -> None:
        self._app = app
        self._files = app_files

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer with a file, or let the request through."""
        if scope["type"] != "http" or scope["method"] not in {"GET", "HEAD"}:
            await self._app(scope, receive, send)
            return
        path: str = scope["path"]
        headers = Headers(scope=scope)
        file = self._files.by_path.get(path)
        if file is not None:
            await _answer(file, 200, headers)(scope, receive, send)
        elif _is_page(path, headers):
            await _answer(self._files.index, self._files.status, headers)(scope, receive, send)
        else:
            await self._app(scope, receive, send)


def _is_page(path: str, headers: Headers) -> bool:
    """Tell whether a browser opens a page; programs that ask for anything get the API's answer."""
    first, _, _ = path.lstrip("/").partition("/")
    return first not in API_SEGMENTS and "text/html" in headers.get("accept", "")


def _answer(file: AppFile, status: int, asked: Headers) -> Response:
    etag = file.headers.get("ETag")
    if etag is not None and etag in asked.get("if-none-match", ""):
        return Response(status_code=304, headers=file.headers)
    if file.gzip is not None and "gzip" in asked.get("accept-encoding", ""):
        return Response(file.gzip, status, headers=file.headers | {"Content-Encoding": "gzip"})
    return Response(file.content, status, headers=file.headers)
