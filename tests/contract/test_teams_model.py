"""Any sequence of changes of a team against a small model of the rules."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from lightly._kit.ids import make_id
from lightly.server.auth.service import find_user
from lightly.server.teams import administration
from tests.support.contract import ContractClient
from tests.support.platforms import run_in_process

NAMES = ("ann", "bob", "cid", "dan")
ROLES = ("OWNER", "ADMIN", "MEMBER")
CHANGES = st.tuples(
    st.sampled_from(["add", "update", "remove"]),
    st.sampled_from(NAMES),
    st.sampled_from(NAMES),
    st.sampled_from(ROLES),
)


@dataclass
class Model:
    """Who is in a team as what."""

    roles: dict[str, str] = field(default_factory=lambda: {"ann": "OWNER"})

    def apply(self, kind: str, actor: str, target: str, role: str) -> int:
        """Return the status of a change, and make it if it is allowed."""
        own, old = self.roles.get(actor), self.roles.get(target)
        refusal = self._refuse(kind, own, old, role, is_leaving=actor == target)
        if refusal:
            return refusal
        if kind == "remove":
            del self.roles[target]
        else:
            self.roles[target] = role
        return 200 if kind == "add" else 204

    def _refuse(
        self, kind: str, own: str | None, old: str | None, role: str, *, is_leaving: bool
    ) -> int | None:
        is_last = list(self.roles.values()).count("OWNER") == 1
        rules = [
            (own is None, 404),
            (own == "MEMBER" and not (kind == "remove" and is_leaving), 403),
            (old is None and kind != "add", 404),
            (role == "OWNER" and own != "OWNER" and kind != "remove", 403),
            (old == role and kind != "remove", None),
            (old is not None and kind == "add", 409),
            (old == "OWNER" and own != "OWNER", 403),
            (old == "OWNER" and is_last, 409),
        ]
        return next((status for holds, status in rules if holds), None)


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    """A server and its users: name -> (client, address)."""
    with run_in_process(tmp_path_factory.mktemp("teams") / "data") as server:
        emails = {name: f"{name}@example.com" for name in NAMES}
        clients = {name: ContractClient(server.add_user(emails[name])) for name in NAMES}
        yield server.platform, clients, emails


def send(kind: str, client: ContractClient, url: str, user_id: str, email: str, role: str) -> Any:
    if kind == "add":
        return client.post(url, json={"email": email, "role": role})
    if kind == "update":
        return client.put(f"{url}/{user_id}", json={"role": role})
    return client.delete(f"{url}/{user_id}")


@settings(
    max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(changes=st.lists(CHANGES, min_size=5, max_size=25))
def test_a_team_changes_by_its_rules_and_keeps_an_owner(place, changes):
    platform, clients, emails = place
    team_id = administration.add_team(platform.database, platform.clock, make_id(), emails["ann"])
    url = f"/v1/teams/{team_id}/members"
    ids = find_ids(platform, emails)
    model = Model()

    for kind, actor, target, role in changes:
        expected = model.apply(kind, actor, target, role)
        answer = send(kind, clients[actor], url, ids[target], emails[target], role)
        assert answer.status_code == expected, (kind, actor, target, role, answer.text)

    found = administration.list_members(platform.database, team_id)
    names = {email: name for name, email in emails.items()}
    assert {names[member.email]: member.role.value for member in found} == model.roles
    assert "OWNER" in model.roles.values()
    for name, client in clients.items():
        assert client.get(url).status_code == (200 if name in model.roles else 404)


def find_ids(platform, emails):
    """Return the users' ids by name."""
    with platform.database.read() as connection:
        return {name: find_user(connection, email).id for name, email in emails.items()}
