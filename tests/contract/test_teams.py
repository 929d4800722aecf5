"""Teams, their members and their service accounts as the contract and the roles want them."""

from __future__ import annotations

from dataclasses import dataclass

import pytest

from lightly._kit.ids import make_id
from lightly.openapi_generated.swagger_client.models.team_role import TeamRole
from lightly.server.teams import administration
from tests.support.contract import ContractClient
from tests.support.platforms import InProcessServer

OWNER, ADMIN, MEMBER = "ann@example.com", "bob@example.com", "cid@example.com"


@dataclass(frozen=True)
class Team:
    """A team with one member of each role; every answer is held against the contract."""

    server: InProcessServer
    id: str
    owner: ContractClient
    admin: ContractClient
    member: ContractClient
    robot: ContractClient
    stranger: ContractClient

    @property
    def url(self) -> str:
        return f"/v1/teams/{self.id}"

    def ids(self) -> dict[str, str]:
        members = self.owner.get(f"{self.url}/members").json()
        return {member["email"]: member["id"] for member in members}

    def roles(self) -> dict[str, str]:
        members = self.owner.get(f"{self.url}/members").json()
        return {member["email"]: member["teams"][0]["role"] for member in members}

    def robot_id(self) -> str:
        (account,) = self.owner.get(f"{self.url}/serviceaccounts").json()
        account_id: str = account["id"]
        return account_id


@pytest.fixture
def team(server) -> Team:
    platform = server.platform
    parts = (platform.database, platform.keys, platform.clock)
    clients = [ContractClient(server.add_user(email)) for email in (OWNER, ADMIN, MEMBER)]
    team_id = administration.add_team(parts[0], parts[2], "birds", OWNER)
    administration.add_member(parts[0], parts[2], "birds", ADMIN, TeamRole.ADMIN)
    administration.add_member(parts[0], parts[2], "birds", MEMBER, TeamRole.MEMBER)
    token = administration.add_service_account(*parts, team_id, "nightly")
    robot = ContractClient(server.client_of(token))
    stranger = ContractClient(server.add_user("stranger@example.com"))
    return Team(server, team_id, *clients, robot, stranger)


def test_everybody_in_a_team_sees_it(team):
    for client in (team.owner, team.admin, team.member, team.robot):
        data = client.get(team.url).json()

        assert (data["id"], data["name"]) == (team.id, "birds")


def test_a_team_does_not_end(team):
    data = team.owner.get(team.url).json()

    assert data["validUntil"] > data["createdAt"] + 1000 * 365 * 24 * 3600 * 1000


def test_members_are_people_with_their_roles(team):
    assert team.roles() == {OWNER: "OWNER", ADMIN: "ADMIN", MEMBER: "MEMBER"}


@pytest.mark.parametrize("path", ["", "/members", "/serviceaccounts"])
def test_who_is_not_in_a_team_learns_nothing_of_it(team, path):
    answers = [team.stranger.get(f"/v1/teams/{id_}{path}") for id_ in (team.id, make_id())]

    assert [answer.status_code for answer in answers] == [404, 404]
    assert [answer.json()["code"] for answer in answers] == ["TEAM_UNKNOWN"] * 2


@pytest.mark.parametrize("name", ["member", "robot", "stranger"])
def test_only_owners_and_administrators_change_a_team(team, name):
    client = getattr(team, name)
    expected = 404 if name == "stranger" else 403
    before = team.roles()
    member, robot = team.ids()[ADMIN], team.robot_id()

    statuses = [
        client.post(f"{team.url}/members", json={"email": "x@y.z", "role": "MEMBER"}).status_code,
        client.put(f"{team.url}/members/{member}", json={"role": "MEMBER"}).status_code,
        client.delete(f"{team.url}/members/{member}").status_code,
        client.delete(f"{team.url}/members/{robot}").status_code,
        client.post(f"{team.url}/serviceaccounts/{robot}/token").status_code,
    ]

    assert statuses == [expected] * 5
    assert team.roles() == before


@pytest.mark.parametrize("name", ["owner", "admin"])
def test_owners_and_administrators_add_change_and_remove_members(team, name):
    client = getattr(team, name)
    added = client.post(f"{team.url}/members", json={"email": "Dan@Example.com", "role": "MEMBER"})
    url = f"{team.url}/members/{added.json()}"

    assert added.status_code == 200
    assert client.put(url, json={"role": "ADMIN"}).status_code == 204
    assert team.roles()["dan@example.com"] == "ADMIN"
    assert client.delete(url).status_code == 204
    assert "dan@example.com" not in team.roles()


def test_an_administrator_has_no_power_over_owners(team):
    owner = team.ids()[OWNER]
    own = team.ids()[ADMIN]

    statuses = [
        team.admin.delete(f"{team.url}/members/{owner}").status_code,
        team.admin.put(f"{team.url}/members/{owner}", json={"role": "MEMBER"}).status_code,
        team.admin.put(f"{team.url}/members/{own}", json={"role": "OWNER"}).status_code,
        team.admin.post(
            f"{team.url}/members", json={"email": "x@y.z", "role": "OWNER"}
        ).status_code,
    ]

    assert statuses == [403] * 4
    assert team.roles() == {OWNER: "OWNER", ADMIN: "ADMIN", MEMBER: "MEMBER"}


def test_a_team_keeps_an_owner(team):
    url = f"{team.url}/members/{team.ids()[OWNER]}"

    assert team.owner.delete(url).status_code == 409
    assert team.owner.put(url, json={"role": "ADMIN"}).status_code == 409


def test_an_owner_may_go_when_there_is_another(team):
    ids = team.ids()
    promoted = team.owner.put(f"{team.url}/members/{ids[ADMIN]}", json={"role": "OWNER"})

    assert promoted.status_code == 204
    assert team.admin.delete(f"{team.url}/members/{ids[OWNER]}").status_code == 204
    assert team.owner.get(team.url).status_code == 404


def test_everybody_may_leave(team):
    url = f"{team.url}/members/{team.ids()[MEMBER]}"

    assert team.member.delete(url).status_code == 204
    assert team.member.get(team.url).status_code == 404


def test_a_service_account_cannot_remove_itself(team):
    assert team.robot.delete(f"{team.url}/members/{team.robot_id()}").status_code == 403


@pytest.mark.parametrize("role", ["SERVICEACCOUNT", "KING", "member", None])
def test_people_have_roles_of_people(team, role):
    url = f"{team.url}/members/{team.ids()[MEMBER]}"

    assert team.owner.put(url, json={"role": role}).status_code == 400
    body = {"email": "dan@example.com", "role": role}
    assert team.owner.post(f"{team.url}/members", json=body).status_code == 400


@pytest.mark.parametrize("email", ["", "dan", "dan@", "@example.com", "a b@c.d", "x@y\u0000.z"])
def test_members_have_addresses(team, email):
    response = team.owner.post(f"{team.url}/members", json={"email": email, "role": "MEMBER"})

    assert response.status_code == 400


def test_a_service_account_is_not_added_by_its_address(team):
    email = f"{team.robot_id()}@service-accounts.invalid"

    response = team.owner.post(f"{team.url}/members", json={"email": email, "role": "MEMBER"})

    assert response.status_code == 400


def test_adding_somebody_twice_changes_nothing(team):
    body = {"email": MEMBER, "role": "MEMBER"}

    again = team.owner.post(f"{team.url}/members", json=body)
    other = team.owner.post(f"{team.url}/members", json=body | {"role": "ADMIN"})

    assert (again.status_code, again.json()) == (200, team.ids()[MEMBER])
    assert other.status_code == 409
    assert team.roles()[MEMBER] == "MEMBER"


def test_it_does_not_show_whether_there_is_a_user_of_an_address(team):
    add = f"{team.url}/members"
    known, unknown = "stranger@example.com", "nobody@example.com"

    answers = [
        team.owner.post(add, json={"email": email, "role": "MEMBER"}) for email in (known, unknown)
    ]

    assert [answer.status_code for answer in answers] == [200, 200]
    assert [len(answer.json()) for answer in answers] == [24, 24]
    members = team.owner.get(add).json()
    assert {known, unknown} < {member["email"] for member in members}
    assert len({tuple(sorted(member)) for member in members}) == 1


def test_who_was_added_before_there_was_a_user_is_in_the_team_then(team):
    promised = team.owner.post(
        f"{team.url}/members", json={"email": "late@example.com", "role": "MEMBER"}
    ).json()

    late = ContractClient(team.server.add_user("Late@Example.com"))

    assert late.get(team.url).status_code == 200
    assert team.ids()["late@example.com"] == promised


@pytest.mark.parametrize("user_id", ["x", "0" * 24, "%00", "..%2F..", "é"])
def test_unknown_members_are_not_found(team, user_id):
    url = f"{team.url}/members/{user_id}"

    assert team.owner.delete(url).status_code == 404
    assert team.owner.put(url, json={"role": "ADMIN"}).status_code == 404


def test_tokens_of_service_accounts_are_masked(team):
    (account,) = team.owner.get(f"{team.url}/serviceaccounts").json()

    assert (account["name"], account["token"]) == ("nightly", "********")


def test_a_reset_token_works_and_the_old_one_does_not_at_once(team):
    assert team.robot.get(team.url).status_code == 200

    answer = team.admin.post(f"{team.url}/serviceaccounts/{team.robot_id()}/token")

    assert answer.status_code == 200
    assert team.robot.get(team.url).status_code == 401
    assert team.server.client_of(answer.json()).get(team.url).status_code == 200


def test_the_token_of_a_member_cannot_be_reset(team):
    url = f"{team.url}/serviceaccounts/{team.ids()[MEMBER]}/token"

    assert team.owner.post(url).status_code == 404
    assert team.member.get(team.url).status_code == 200


def test_a_service_account_cannot_be_given_a_role(team):
    url = f"{team.url}/members/{team.robot_id()}"

    assert team.owner.put(url, json={"role": "OWNER"}).status_code == 404


def test_what_a_removed_service_account_made_stays_with_the_team(team):
    made = team.robot.post("/v1/datasets", json={"name": "nightly birds"}).json()["id"]

    removed = team.admin.delete(f"{team.url}/members/{team.robot_id()}")

    assert removed.status_code == 204
    assert team.robot.get(team.url).status_code == 401
    assert team.owner.get(f"{team.url}/serviceaccounts").json() == []
    assert team.member.get(f"/v1/datasets/{made}").status_code == 200
    assert team.owner.delete(f"/v1/datasets/{made}").status_code == 204


def test_the_name_of_a_removed_service_account_is_free(team):
    platform = team.server.platform
    parts = (platform.database, platform.keys, platform.clock)
    assert team.owner.delete(f"{team.url}/members/{team.robot_id()}").status_code == 204

    token = administration.add_service_account(*parts, "birds", "nightly")

    assert team.server.client_of(token).get(team.url).status_code == 200


def test_two_owners_cannot_leave_a_team_without_one(team):
    ids = team.ids()
    team.owner.put(f"{team.url}/members/{ids[ADMIN]}", json={"role": "OWNER"})

    statuses = [
        team.owner.delete(f"{team.url}/members/{ids[OWNER]}").status_code,
        team.admin.delete(f"{team.url}/members/{ids[ADMIN]}").status_code,
    ]

    assert statuses == [204, 409]
