"""Ways in which somebody comes to rights in somebody else's dataset, and loses them again."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from starlette.testclient import TestClient

from lightly._kit.ids import make_id
from lightly.openapi_generated.swagger_client.models.team_role import TeamRole
from lightly.server.teams import administration
from tests.support.platforms import InProcessServer
from tests.support.population import FilledDataset, Person


@dataclass(frozen=True)
class Grant:
    """Rights that somebody has just been given.

    Attributes:
        client: Calls as whom they were given to.
        revoke: Takes them away again, as the dataset's owner would.
        refusal: The status of every request afterwards.
    """

    client: TestClient
    revoke: Callable[[], None]
    refusal: int = 404


Granting = Callable[[InProcessServer, Person, FilledDataset], Grant]


def share_with_address(server: InProcessServer, owner: Person, dataset: FilledDataset) -> Grant:
    """Share a dataset with somebody by e-mail."""
    email = f"{make_id()}@example.com"
    client = server.add_user(email)
    share(owner, dataset, users=[email])
    return Grant(client, lambda: share(owner, dataset))


def share_before_there_is_a_user(
    server: InProcessServer, owner: Person, dataset: FilledDataset
) -> Grant:
    """Share a dataset with an address that becomes a user's afterwards."""
    email = f"{make_id()}@example.com"
    share(owner, dataset, users=[email])
    return Grant(server.add_user(email), lambda: share(owner, dataset))


def share_with_team(server: InProcessServer, owner: Person, dataset: FilledDataset) -> Grant:
    """Share a dataset with the team of somebody, which the dataset's owner came to later."""
    email = f"{make_id()}@example.com"
    client = server.add_user(email)
    team_id = add_team(server, email)
    joined = client.post(
        f"/v1/teams/{team_id}/members", json={"email": owner.user.email, "role": "MEMBER"}
    )
    assert joined.status_code == 200, joined.text
    share(owner, dataset, teams=[team_id])
    return Grant(client, lambda: share(owner, dataset))


def join_team(role: TeamRole) -> Granting:
    """Return what makes somebody a member of the team that a dataset's owner owns."""

    def grant(server: InProcessServer, owner: Person, dataset: FilledDataset) -> Grant:
        email = f"{make_id()}@example.com"
        client = server.add_user(email)
        members = f"/v1/teams/{dataset.team_id}/members"
        added = owner.client.post(members, json={"email": email, "role": role.value})
        assert added.status_code == 200, added.text

        def revoke() -> None:
            removed = owner.client.delete(f"{members}/{added.json()}")
            assert removed.status_code == 204, removed.text

        return Grant(client, revoke)

    return grant


def become_service_account(server: InProcessServer, owner: Person, dataset: FilledDataset) -> Grant:
    """Call as a service account of the team that a dataset's owner owns."""
    platform, name = server.platform, make_id()
    token = administration.add_service_account(
        platform.database, platform.keys, platform.clock, dataset.team_id, name
    )
    accounts = owner.client.get(f"/v1/teams/{dataset.team_id}/serviceaccounts").json()
    (account_id,) = [account["id"] for account in accounts if account["name"] == name]

    def revoke() -> None:
        url = f"/v1/teams/{dataset.team_id}/members/{account_id}"
        assert owner.client.delete(url).status_code == 204

    return Grant(server.client_of(token), revoke, refusal=401)


def share(
    owner: Person,
    dataset: FilledDataset,
    *,
    users: list[str] | None = None,
    teams: list[str] | None = None,
) -> None:
    """Share a dataset with these and nobody else."""
    body = {"accessType": "WRITE", "users": users or [], "teams": teams or []}
    url = f"/v1/datasets/{dataset.id}/collaboration/access"
    response = owner.client.post(url, json=body)
    assert response.status_code == 201, response.text


def add_team(server: InProcessServer, owner_email: str) -> str:
    """Add a team as the operator does."""
    platform = server.platform
    return administration.add_team(platform.database, platform.clock, make_id(), owner_email)


#: Who may do everything.
MANAGING: dict[str, Granting] = {
    "team owner": join_team(TeamRole.OWNER),
    "team admin": join_team(TeamRole.ADMIN),
}
#: Who uses the dataset, but nothing else that its owner has.
SHARING: dict[str, Granting] = {
    "shared with an address": share_with_address,
    "shared before there is a user": share_before_there_is_a_user,
    "shared with a team": share_with_team,
}
#: Who may do everything but delete, share, and change secrets.
USING: dict[str, Granting] = {
    "team member": join_team(TeamRole.MEMBER),
    "service account": become_service_account,
    **SHARING,
}
GRANTINGS: dict[str, Granting] = MANAGING | USING
