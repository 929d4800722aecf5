"""Sharing datasets, and which datasets lists show to whom."""

from __future__ import annotations

from dataclasses import dataclass

import pytest

from lightly._kit.ids import make_id
from lightly.openapi_generated.swagger_client.models.team_role import TeamRole
from lightly.server.auth.quotas import set_max_dataset_size
from lightly.server.teams import administration
from tests.support.contract import ContractClient
from tests.support.platforms import InProcessServer

ANN, BOB, CID = "ann@example.com", "bob@example.com", "cid@example.com"


@dataclass(frozen=True)
class Place:
    """Ann's dataset and two other users; every answer is held against the contract."""

    server: InProcessServer
    ann: ContractClient
    bob: ContractClient
    cid: ContractClient
    dataset_id: str

    @property
    def access(self) -> str:
        return f"/v1/datasets/{self.dataset_id}/collaboration/access"

    def share(self, **who: list[str]) -> str:
        response = self.ann.post(self.access, json={"accessType": "WRITE", **who})
        assert response.status_code == 201, response.text
        config_id: str = response.json()["id"]
        return config_id

    def add_team(self, owner: str, *members: str) -> str:
        parts = (self.server.platform.database, self.server.platform.clock)
        team_id = administration.add_team(*parts, f"team {make_id()}", owner)
        for email in members:
            administration.add_member(*parts, team_id, email, TeamRole.MEMBER)
        return team_id


@pytest.fixture
def place(server) -> Place:
    clients = [ContractClient(server.add_user(email)) for email in (ANN, BOB, CID)]
    made = clients[0].post("/v1/datasets", json={"name": "birds"})
    return Place(server, *clients, made.json()["id"])


def list_names(client: ContractClient, query: str = "") -> list[str]:
    return [dataset["name"] for dataset in client.get(f"/v1/datasets{query}").json()]


def test_a_new_dataset_is_shared_with_nobody(place):
    assert place.ann.get(place.access).json() == []


def test_whom_a_dataset_is_shared_with_is_listed_as_it_was_given(place):
    config_id = place.share(users=["Cid@Example.com", BOB, "cid@example.com"])

    (config,) = place.ann.get(place.access).json()

    assert config["id"] == config_id
    assert (config["users"], config["teams"]) == (["Cid@Example.com", BOB], [])
    assert config["owner"] == place.ann.get(f"/v1/datasets/{place.dataset_id}").json()["userId"]


def test_sharing_again_replaces_the_whole_list_under_the_same_id(place):
    first = place.share(users=[BOB])

    second = place.share(users=[CID])

    (config,) = place.ann.get(place.access).json()
    assert (first, config["users"]) == (second, [CID])
    assert place.bob.get(f"/v1/datasets/{place.dataset_id}").status_code == 404


def test_an_empty_list_takes_everything_back(place):
    team_id = place.add_team(ANN)
    place.share(users=[BOB], teams=[team_id])

    place.share(users=[])

    (config,) = place.ann.get(place.access).json()
    assert (config["users"], config["teams"]) == ([], [])
    assert place.bob.get(f"/v1/datasets/{place.dataset_id}").status_code == 404


def test_a_configuration_can_be_deleted(place):
    config_id = place.share(users=[BOB])

    assert place.ann.delete(f"{place.access}/{config_id}").status_code == 204

    assert place.ann.get(place.access).json() == []
    assert place.bob.get(f"/v1/datasets/{place.dataset_id}").status_code == 404
    assert place.ann.delete(f"{place.access}/{config_id}").status_code == 404


def test_the_address_may_be_written_in_any_case(place):
    place.share(users=["BOB@Example.COM"])

    assert place.bob.get(f"/v1/datasets/{place.dataset_id}").status_code == 200


def test_an_unknown_address_is_answered_like_a_known_one_and_works_once_it_is_known(place):
    place.share(users=["late@example.com"])

    late = ContractClient(place.server.add_user("late@example.com"))

    assert late.get(f"/v1/datasets/{place.dataset_id}").status_code == 200
    assert list_names(late, "?shared=True") == ["birds"]


def test_who_a_dataset_is_shared_with_sees_with_whom_else(place):
    place.share(users=[BOB, CID])

    (config,) = place.bob.get(place.access).json()

    assert config["users"] == [BOB, CID]


@pytest.mark.parametrize("email", ["", "bob", "a b@c.d", "x" * 320 + "@y.z", "x@y\u0000.z"])
def test_what_is_no_address_is_refused(place, email):
    body = {"accessType": "WRITE", "users": [email]}

    assert place.ann.post(place.access, json=body).status_code == 400
    assert place.ann.get(place.access).json() == []


def test_the_number_of_users_is_bounded(place):
    users = [f"user{number}@example.com" for number in range(1001)]

    for count, status in ((999, 201), (1000, 201), (1001, 400)):
        body = {"accessType": "WRITE", "users": users[:count]}
        assert place.ann.post(place.access, json=body).status_code == status


@pytest.mark.parametrize("team_id", ["0" * 24, "x", "", "\u0000"])
def test_unknown_teams_are_refused_and_foreign_ones_likewise(place, team_id):
    foreign = place.add_team(BOB)

    for id_ in (team_id, foreign):
        response = place.ann.post(place.access, json={"accessType": "WRITE", "teams": [id_]})
        assert (response.status_code, response.json()["code"]) == (404, "TEAM_UNKNOWN")


def test_only_write_access_is_given(place):
    body = {"accessType": "READ", "users": [BOB]}

    assert place.ann.post(place.access, json=body).status_code == 400


@pytest.mark.parametrize(
    ("agent", "expected"),
    [
        ("Swagger-Codegen/1.0.0/python", True),
        ("Lightly/1.3.3 (Linux/6; x; y;) python/3.8", True),
        ("Lightly/1.4.26 (Linux/6; x; y;) python/3.8", False),
        ("Lightly/1.5.26 (Linux/6; x; y;) python/3.8", False),
        ("curl/8", False),
    ],
)
def test_only_clients_up_to_1_3_are_told_of_organizations(place, agent, expected):
    team_id = place.add_team(ANN)
    place.share(users=[BOB], teams=[team_id])
    url = place.access

    # Newer clients refuse what the contract does not know, so this one is asked unchecked.
    (config,) = place.ann._session.get(url, headers={"User-Agent": agent}).json()

    assert ("organizations" in config) is expected
    assert config.get("organizations", [team_id]) == [team_id]


def test_clients_up_to_1_3_may_say_organizations_for_teams(place):
    team_id = place.add_team(ANN)

    place.share(users=[], organizations=[team_id])

    assert place.ann.get(place.access).json()[0]["teams"] == [team_id]


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("", ["bobs"]),
        ("?shared=False", ["bobs"]),
        ("?shared=True", ["birds"]),
        ("?getAssetsOfTeam=True", ["cids"]),
        ("?getAssetsOfTeam=False", ["bobs"]),
        ("?getAssetsOfTeamInclusiveSelf=True", ["bobs", "cids"]),
        ("?shared=True&getAssetsOfTeam=True", ["birds", "cids"]),
        ("?shared=True&getAssetsOfTeamInclusiveSelf=True", ["birds", "bobs", "cids"]),
        ("?shared=True&excludePlayground=True", ["birds"]),
        ("?getAssetsOfTeamInclusiveSelf=True&pageSize=1&pageOffset=1", ["cids"]),
    ],
)
def test_lists_show_own_shared_and_team_datasets(place, query, expected):
    place.bob.post("/v1/datasets", json={"name": "bobs"})
    place.cid.post("/v1/datasets", json={"name": "cids"})
    place.add_team(CID, BOB)
    place.share(users=[BOB])

    assert list_names(place.bob, query) == expected


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("birds?exact=True", []),
        ("birds?exact=True&shared=True", ["birds"]),
        ("bir?shared=True", ["birds"]),
        ("Birds?shared=True", []),
        ("cids?exact=True&getAssetsOfTeam=True", ["cids"]),
        ("b?getAssetsOfTeamInclusiveSelf=True", ["bobs"]),
    ],
)
def test_names_are_looked_for_among_own_shared_and_team_datasets(place, query, expected):
    place.bob.post("/v1/datasets", json={"name": "bobs"})
    place.cid.post("/v1/datasets", json={"name": "cids"})
    place.add_team(CID, BOB)
    place.share(users=[BOB])

    found = place.bob.get(f"/v1/datasets/query/name/{query}").json()

    assert [dataset["name"] for dataset in found] == expected


def test_sharing_with_oneself_shows_nothing_twice(place):
    place.share(users=[ANN])

    assert list_names(place.ann, "?shared=True") == []
    assert list_names(place.ann) == ["birds"]


def test_a_dataset_shared_with_a_team_is_there_for_its_members(place):
    team_id = place.add_team(BOB, CID)
    assert (
        place.bob.post(
            f"/v1/teams/{team_id}/members", json={"email": ANN, "role": "MEMBER"}
        ).status_code
        == 200
    )
    assert list_names(place.cid, "?getAssetsOfTeam=True") == []

    place.share(teams=[team_id])

    assert list_names(place.cid, "?shared=True") == ["birds"]


def test_crops_of_a_shared_dataset_are_listed_to_whom_they_are_visible(place):
    place.share(users=[BOB])
    body = {"name": "crops", "type": "Crops", "parentDatasetId": place.dataset_id}
    assert place.ann.post("/v1/datasets", json=body).status_code == 201
    assert place.bob.post("/v1/datasets", json=body).status_code == 201
    url = f"/v1/datasets/{place.dataset_id}/children"

    assert len(place.ann.get(url).json()) == 1
    assert len(place.bob.get(url).json()) == 1


def test_the_job_of_a_dataset_that_was_lost_is_unknown(place):
    place.share(users=[BOB])
    url = f"/v1/datasets/{place.dataset_id}"
    place.bob.post(f"{url}/samples", json={"fileName": "a.jpg"})
    place.bob.post(f"{url}/tags/initial", json={"imgType": "meta"})
    embedding = place.bob.get(f"{url}/embeddings/writeCSVUrl?name=e").json()
    csv = b"filenames,embedding_0,labels\na.jpg,0.5,0\n"
    place.bob.put(embedding["signedWriteUrl"], content=csv)
    body = {
        "newTagName": "some",
        "method": "RANDOM",
        "config": {"stoppingCondition": {"nSamples": 1}},
        "rowCount": 1,
    }
    asked = place.bob.post(f"{url}/embeddings/{embedding['embeddingId']}/sampling", json=body)
    job = f"/v1/jobs/{asked.json()['jobId']}"
    assert place.bob.get(job).status_code == 200

    place.share(users=[])

    assert place.bob.get(job).status_code == 404
    assert asked.json()["jobId"] not in place.bob.get("/v1/jobs").text


def test_the_quota_of_the_owner_counts_whoever_adds(place, server):
    place.share(users=[BOB])
    set_max_dataset_size(server.platform.database, ANN, 1)
    url = f"/v1/datasets/{place.dataset_id}/samples"

    statuses = [
        place.bob.post(url, json={"fileName": f"{number}.jpg"}).status_code for number in range(2)
    ]

    assert statuses == [201, 402]
    assert place.ann.get("/v1/quota").json() == "1"
    assert int(place.bob.get("/v1/quota").json()) > 1
