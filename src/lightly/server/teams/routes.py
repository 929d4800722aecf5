"""HTTP in and out of teams."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Path
from starlette.responses import Response

from lightly.openapi_generated.swagger_client.models.create_team_membership_request import (
    CreateTeamMembershipRequest,
)
from lightly.openapi_generated.swagger_client.models.update_team_membership_request import (
    UpdateTeamMembershipRequest,
)
from lightly.server.http.parameters import ID_PATTERN
from lightly.server.http.requests import ContractRoute, JsonBody
from lightly.server.http.responses import json_response
from lightly.server.platform import Caller, Platform
from lightly.server.teams import service
from lightly.server.teams.models import NEVER_MS, Member, Team

router = APIRouter(prefix="/v1/teams/{teamId}", route_class=ContractRoute)

#: Only a keyed hash of a token is kept, so there is nothing else to show.
TOKEN_MASK = "********"  # noqa: S105  shown instead of a secret

TeamId = Annotated[str, Path(alias="teamId", pattern=ID_PATTERN)]
UserId = Annotated[str, Path(alias="userId")]
ServiceAccountId = Annotated[str, Path(alias="serviceAccountId")]


def write_member(team: Team, member: Member) -> dict[str, Any]:
    """Return the contract's `ProfileBasicData`; of the teams only the one that was asked for."""
    role = {"id": team.id, "name": team.name, "role": member.role.value}
    return {
        "id": member.user_id,
        "email": member.email,
        "createdAt": member.created_at_ms,
        "teams": [role],
    }


@router.get("")
def get_team(team_id: TeamId, platform: Platform, caller: Caller) -> Response:
    """Return a team that the caller is in."""
    team = service.get_team(platform, caller, team_id)
    return json_response(
        {
            "id": team.id,
            "name": team.name,
            "createdAt": team.created_at_ms,
            "validUntil": NEVER_MS,
        }
    )


@router.get("/members")
def get_members(team_id: TeamId, platform: Platform, caller: Caller) -> Response:
    """List the people of a team."""
    team, members = service.list_members(platform, caller, team_id)
    return json_response([write_member(team, member) for member in members])


@router.post("/members")
def add_member(
    team_id: TeamId,
    body: JsonBody[CreateTeamMembershipRequest],
    platform: Platform,
    caller: Caller,
) -> Response:
    """Add somebody to a team; the answer is the id of that user."""
    return json_response(service.add_member(platform, caller, team_id, body.email, body.role))


@router.put("/members/{userId}", status_code=204)
def update_member(
    team_id: TeamId,
    user_id: UserId,
    body: JsonBody[UpdateTeamMembershipRequest],
    platform: Platform,
    caller: Caller,
) -> Response:
    """Give a member another role."""
    service.update_member(platform, caller, team_id, user_id, body.role)
    return Response(status_code=204)


@router.delete("/members/{userId}", status_code=204)
def delete_member(team_id: TeamId, user_id: UserId, platform: Platform, caller: Caller) -> Response:
    """Remove somebody from a team."""
    service.remove_member(platform, caller, team_id, user_id)
    return Response(status_code=204)


@router.get("/serviceaccounts")
def get_service_accounts(team_id: TeamId, platform: Platform, caller: Caller) -> Response:
    """List the service accounts of a team, their tokens masked."""
    accounts = service.list_service_accounts(platform, caller, team_id)
    return json_response(
        [
            {
                "id": account.user_id,
                "name": account.name,
                "token": TOKEN_MASK,
                "createdAt": account.created_at_ms,
            }
            for account in accounts
        ]
    )


@router.post("/serviceaccounts/{serviceAccountId}/token")
def reset_token(
    team_id: TeamId, account_id: ServiceAccountId, platform: Platform, caller: Caller
) -> Response:
    """Return a new token of a service account; this is the only time that it is shown."""
    return json_response(service.reset_token(platform, caller, team_id, account_id))
