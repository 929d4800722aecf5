"""HTTP in and out of what belongs to one user; see `openapi/ext-v1.json`."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Path, Request
from pydantic import StringConstraints
from starlette.responses import Response

from lightly.openapi_generated.wire.model import WireModel
from lightly.server.account import service
from lightly.server.account.repository import ApiToken
from lightly.server.auth.web_sessions import read_session_cookie
from lightly.server.http.parameters import ID_PATTERN, DatasetId
from lightly.server.http.requests import ContractRoute, JsonBody
from lightly.server.http.responses import json_response
from lightly.server.platform import Caller, Platform

router = APIRouter(prefix="/ext/v1/account", route_class=ContractRoute)

TokenId = Annotated[str, Path(alias="tokenId", pattern=ID_PATTERN)]


class TokenCreateRequest(WireModel):
    """What a new token is called."""

    name: Annotated[str, StringConstraints(strict=True, min_length=1, max_length=100)]


def _write_token(token: ApiToken, *, is_of_session: bool) -> dict[str, Any]:
    body: dict[str, Any] = {
        "id": token.id,
        "createdAt": token.created_at_ms,
        "isOfSession": is_of_session,
    }
    return body if token.name is None else body | {"name": token.name}


@router.get("/teams")
def get_teams(platform: Platform, caller: Caller) -> Response:
    """List the teams of the caller."""
    found = service.list_teams(platform, caller)
    return json_response(
        [{"id": team.id, "name": team.name, "role": role.value} for team, role in found]
    )


@router.get("/tokens")
def get_tokens(request: Request, platform: Platform, caller: Caller) -> Response:
    """List the API tokens of the caller: everything but the tokens."""
    session = read_session_cookie(request.scope, platform.settings)
    found = service.list_tokens(platform, caller, session)
    return json_response([_write_token(token, is_of_session=used) for token, used in found])


@router.post("/tokens", status_code=201)
def create_token(
    body: JsonBody[TokenCreateRequest], platform: Platform, caller: Caller
) -> Response:
    """Make an API token; this is the only time that it is shown."""
    token_id, token = service.create_token(platform, caller, body.name)
    return json_response({"id": token_id, "token": token}, 201)


@router.delete("/tokens/{tokenId}", status_code=204)
def delete_token(token_id: TokenId, platform: Platform, caller: Caller) -> Response:
    """Revoke an API token."""
    service.delete_token(platform, caller, token_id)
    return Response(status_code=204)


@router.get("/favourites")
def get_favourites(platform: Platform, caller: Caller) -> Response:
    """List the ids of the datasets that the caller marked."""
    return json_response(service.list_favourites(platform, caller))


@router.put("/favourites/{datasetId}", status_code=204)
def mark_favourite(dataset_id: DatasetId, platform: Platform, caller: Caller) -> Response:
    """Mark a dataset for the caller."""
    service.set_favourite(platform, caller, dataset_id, is_favourite=True)
    return Response(status_code=204)


@router.delete("/favourites/{datasetId}", status_code=204)
def unmark_favourite(dataset_id: DatasetId, platform: Platform, caller: Caller) -> Response:
    """Take the mark away."""
    service.set_favourite(platform, caller, dataset_id, is_favourite=False)
    return Response(status_code=204)
