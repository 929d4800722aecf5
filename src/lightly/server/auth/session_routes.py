"""Signing in and out of the web app; see `openapi/ext-v1.json`."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Request
from pydantic import StringConstraints
from starlette.concurrency import run_in_threadpool
from starlette.responses import Response

from lightly import __version__
from lightly.openapi_generated.wire.model import WireModel
from lightly.server.auth import web_sessions
from lightly.server.auth.service import MAX_TOKEN_LENGTH, Authenticator
from lightly.server.auth.users import User
from lightly.server.errors import NotAuthenticated
from lightly.server.http.requests import ContractRoute, JsonBody
from lightly.server.http.responses import json_response
from lightly.server.platform import Platform

router = APIRouter(prefix="/ext/v1/session", route_class=ContractRoute)


class SessionCreateRequest(WireModel):
    """An API token to sign in with."""

    token: Annotated[str, StringConstraints(strict=True, max_length=MAX_TOKEN_LENGTH)]


def write_session(user: User | None) -> dict[str, Any]:
    """Return the extension document's `Session`."""
    body: dict[str, Any] = {"version": __version__}
    if user is not None:
        body["user"] = {"id": user.id, "email": user.email, "isAdmin": user.is_admin}
    return body


@router.get("")
async def get_session(request: Request, platform: Platform) -> Response:
    """Tell who is signed in; nobody is no error, so that the app can ask at its start."""
    secret = web_sessions.read_session_cookie(request.scope, platform.settings)
    web_sessions.require_own_page(request.scope, platform.settings)
    user = None
    if secret is not None:
        try:
            user = await run_in_threadpool(web_sessions.find_session_user, platform, secret)
        except NotAuthenticated:
            user = None
    return json_response(write_session(user))


@router.post("", status_code=201)
async def create_session(
    request: Request, body: JsonBody[SessionCreateRequest], platform: Platform
) -> Response:
    """Begin a session. One that the browser had already ends with it."""
    web_sessions.require_own_page(request.scope, platform.settings, uses_session=False)
    authenticator: Authenticator = request.app.state.authenticator
    address = request.client.host if request.client else ""
    token = body.token.strip()
    user = await run_in_threadpool(authenticator.authenticate, token, address)
    earlier = web_sessions.read_session_cookie(request.scope, platform.settings)
    if earlier is not None:
        await run_in_threadpool(web_sessions.end_session, platform, earlier)
    secret = await run_in_threadpool(web_sessions.begin_session, platform, user, token)
    response = json_response(write_session(user), 201)
    response.set_cookie(
        web_sessions.name_cookie(platform.settings),
        secret,
        max_age=web_sessions.SESSION_TTL_S,
        path="/",
        httponly=True,
        samesite="strict",
        secure=web_sessions.is_secure(platform.settings),
    )
    return response


@router.delete("", status_code=204)
async def delete_session(request: Request, platform: Platform) -> Response:
    """End the session, if there is one."""
    secret = web_sessions.read_session_cookie(request.scope, platform.settings)
    web_sessions.require_own_page(request.scope, platform.settings, uses_session=secret is not None)
    if secret is not None:
        await run_in_threadpool(web_sessions.end_session, platform, secret)
    response = Response(status_code=204)
    # What the browser has kept of answers belongs to whoever was signed in.
    response.headers["Clear-Site-Data"] = '"cache"'
    response.delete_cookie(
        web_sessions.name_cookie(platform.settings), path="/", httponly=True, samesite="strict"
    )
    return response
