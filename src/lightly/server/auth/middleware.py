"""Deny by default: every path needs a token but a short literal list."""

from __future__ import annotations

import re
from urllib.parse import parse_qs

from starlette.concurrency import run_in_threadpool
from starlette.requests import ClientDisconnect, Request
from starlette.types import ASGIApp, Receive, Scope, Send

from lightly.server.auth import web_sessions
from lightly.server.auth.body_tokens import read_body_token, takes_body_token
from lightly.server.auth.service import Authenticator
from lightly.server.auth.users import User
from lightly.server.errors import ApiError
from lightly.server.http.responses import error_response
from lightly.server.platform import PlatformState

#: Open to everybody. The redirects carry a `publicToken`, blob URLs a signature of their own.
OPEN_PATHS = frozenset(
    {
        "/healthz",
        "/readyz",
        "/v1/versions/pip/latest",
        "/v1/versions/pip/minimum",
        "/pip/version",
        "/ping",
        # Signing in to the web app: a cookie, or the token in the body, is looked at there.
        "/ext/v1/session",
    }
)
#: Below these prefixes the path itself is a signed capability.
SIGNED_PREFIXES = ("/blobs/", "/files/")
#: Paths that a `publicToken` opens. Names in other paths may have slashes, and any end.
REDIRECT_PATHS = re.compile(r"/v1/datasets/[^/]+/(?:datasource|samples/[^/]+)/readurlRedirect")


def is_open(path: str) -> bool:
    """Tell whether a path can be reached without an API token."""
    return (
        path in OPEN_PATHS
        or path.startswith(SIGNED_PREFIXES)
        or REDIRECT_PATHS.fullmatch(path) is not None
    )


def read_token(scope: Scope) -> str | None:
    """Return the token of a request: the header first, else the query parameter."""
    for name, value in scope["headers"]:
        if name == b"authorization":
            kind, _, token = value.decode("latin-1").partition(" ")
            if kind.lower() == "bearer":
                return str(token.strip())
    query = parse_qs(scope["query_string"].decode("latin-1"), keep_blank_values=True)
    return query["token"][-1] if "token" in query else None


def find_caller_again(request: Request) -> User:
    """Return who makes a request that lasts: as the token or session is now.

    Raises:
        NotAuthenticated: If it has ended.
    """
    platform: PlatformState = request.app.state.platform
    authenticator: Authenticator = request.app.state.authenticator
    token = read_token(request.scope)
    secret = web_sessions.read_session_cookie(request.scope, platform.settings)
    if token is None and secret is not None:
        return web_sessions.find_session_user(platform, secret)
    address = request.client.host if request.client else ""
    return authenticator.authenticate(token, address)


class AuthenticationMiddleware:
    """Sets `scope["caller"]`, or answers 401 before anything else is looked at."""

    def __init__(self, app: ASGIApp, authenticator: Authenticator, platform: PlatformState) -> None:
        self._app = app
        self._authenticator = authenticator
        self._platform = platform

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Let the request through with its caller, or refuse it."""
        if scope["type"] != "http" or is_open(scope["path"]):
            await self._app(scope, receive, send)
            return
        try:
            token = read_token(scope)
            if token is None and takes_body_token(scope):
                token, receive = await read_body_token(receive)
            session = None
            if token is None:
                session = web_sessions.read_session_cookie(scope, self._platform.settings)
            if session is not None:
                scope["caller"] = await self._find_session_user(scope, session)
            else:
                scope["caller"] = await self._find_caller(scope, token)
        except ApiError as error:
            await error_response(error, scope)(scope, receive, send)
            return
        except ClientDisconnect:
            return
        await self._app(scope, receive, send)

    async def _find_caller(self, scope: Scope, token: str | None) -> User:
        known = self._authenticator.recall(token) if token else None
        if known is not None:
            return known
        address = scope["client"][0] if scope.get("client") else ""
        return await run_in_threadpool(self._authenticator.authenticate, token, address)

    async def _find_session_user(self, scope: Scope, secret: str) -> User:
        web_sessions.require_own_page(scope, self._platform.settings)
        return await run_in_threadpool(web_sessions.find_session_user, self._platform, secret)
