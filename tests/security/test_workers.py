"""Who may use, change and take over workers and their configurations: T41, T43."""

from __future__ import annotations

from dataclasses import dataclass

import pytest

from lightly.server.teams import administration
from tests.support.contract import ContractClient
from tests.support.hostile_json import HOSTILE_VALUES

WORKERS = "/v1/docker/worker"
CONFIGS = f"{WORKERS}/config"
OWNER = "owner@example.com"


@dataclass(frozen=True)
class Team:
    """A team, its owner, and somebody who is to come to it."""

    server: object
    owner: ContractClient
    other: ContractClient
    id: str

    def add(self, role):
        response = self.owner.post(
            f"/v1/teams/{self.id}/members", json={"email": "other@example.com", "role": role}
        )
        assert response.status_code == 200, response.text
        return response.json()


@pytest.fixture
def team(server):
    owner = ContractClient(server.add_user(OWNER))
    platform = server.platform
    team_id = administration.add_team(platform.database, platform.clock, "team", OWNER)
    return Team(server, owner, ContractClient(server.add_user("other@example.com")), team_id)


def register(client, name="my worker", **query):
    body = {"name": name, "workerType": "FULL"}
    return client.post(WORKERS, json=body, params=query)


def test_a_mate_uses_a_worker_that_only_its_owner_deletes(team):
    team.add("MEMBER")
    worker_id = register(team.owner).json()["id"]
    url = f"{WORKERS}/{worker_id}"

    assert team.other.get(url).json()["id"] == worker_id
    assert team.other.put(url, json={"state": "IDLE"}).status_code == 204
    refused = team.other.delete(url)
    assert (refused.status_code, refused.json()["code"]) == (403, "FORBIDDEN")
    assert team.owner.delete(url).status_code == 204


def test_who_administers_the_team_deletes_its_workers(team):
    team.add("ADMIN")
    worker_id = register(team.owner).json()["id"]

    assert team.other.delete(f"{WORKERS}/{worker_id}").status_code == 204


def test_workers_of_mates_are_listed_only_when_asked_for(team):
    team.add("MEMBER")
    theirs, own = register(team.owner).json()["id"], register(team.other).json()["id"]

    def list_ids(**query):
        return {worker["id"] for worker in team.other.get(WORKERS, params=query).json()}

    assert list_ids() == {own}
    assert list_ids(getAssetsOfTeam="True") == {theirs}
    assert list_ids(getAssetsOfTeamInclusiveSelf="True") == {theirs, own}


def test_who_leaves_a_team_loses_its_workers_and_configurations_at_once(team):
    user_id = team.add("MEMBER")
    worker_id = register(team.owner).json()["id"]
    config_id = team.owner.post(CONFIGS, json={"config": {"workerType": "FULL"}}).json()["id"]
    urls = [f"{WORKERS}/{worker_id}", f"{CONFIGS}/{config_id}"]
    assert [team.other.get(url).status_code for url in urls] == [200, 200]

    team.owner.delete(f"/v1/teams/{team.id}/members/{user_id}")

    assert [team.other.get(url).status_code for url in urls] == [404, 404]


def test_a_mate_reads_a_configuration_that_only_its_owner_changes(team):
    team.add("MEMBER")
    config_id = team.owner.post(CONFIGS, json={"config": {"workerType": "FULL"}}).json()["id"]

    response = team.other.put(f"{CONFIGS}/{config_id}", json={"config": {"workerType": "FULL"}})

    assert team.other.get(f"{CONFIGS}/{config_id}").status_code == 200
    assert (response.status_code, response.json()["code"]) == (403, "FORBIDDEN")


def test_one_registers_for_mates_and_for_nobody_else(team):
    owner_id = team.owner.get(f"{WORKERS}/default").json()["userId"]

    refused = register(team.other, forUserId=owner_id)
    unknown = register(team.other, forUserId="0" * 24)
    team.add("MEMBER")
    worker_id = register(team.other, forUserId=owner_id).json()["id"]

    assert (refused.status_code, refused.json()["code"]) == (403, "FORBIDDEN")
    assert refused.json()["error"] == unknown.json()["error"]
    assert team.owner.get(f"{WORKERS}/{worker_id}").json()["userId"] == owner_id
    assert team.other.get(WORKERS).json() == []


def test_a_worker_for_somebody_who_is_still_to_come_is_refused(team):
    body = {"email": "nobody.yet@example.com", "role": "MEMBER"}
    user_id = team.owner.post(f"/v1/teams/{team.id}/members", json=body).json()

    response = register(team.owner, forUserId=user_id)

    assert (response.status_code, response.json()["code"]) == (403, "FORBIDDEN")


@pytest.mark.parametrize("option", ["checkpoint", "embeddings", "relevantFilenamesFile"])
@pytest.mark.parametrize(
    "path", ["/etc/passwd", "../../secret", "\\\\host\\share", "C:/x", "file:///etc/passwd", "a\nb"]
)
def test_no_option_leads_out_of_the_datasets_own_storage(sqlite_server, option, path):
    config = {"workerType": "FULL", "docker": {option: path}}

    response = sqlite_server.client.post(f"{CONFIGS}/vX", json={"version": "V4", "config": config})

    assert (response.status_code, response.json()["code"]) == (400, "DOCKER_WORKER_CONFIG_INVALID")


def test_whatever_is_in_a_free_form_configuration_is_kept_as_data(server):
    client = ContractClient(server.client)
    docker = {"!!python/object/apply:os.system": ["true"], "$(id)": "`id`", "values": []}
    # Numbers of more than 64 bits become the nearest double, as everywhere in JSON.
    docker["values"] = [
        value for value in HOSTILE_VALUES if not isinstance(value, int) or abs(value) < 2**63
    ]
    config = {"workerType": "FULL", "docker": docker}

    config_id = client.post(CONFIGS, json={"config": config}).json().get("id")

    assert client.get(f"{CONFIGS}/{config_id}").json()["config"] == config
