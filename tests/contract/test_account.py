"""What belongs to one user, and the overview of runs: operations of our own."""

from __future__ import annotations

import pytest

from lightly._kit.ids import make_id
from tests.support.extension import check_schema

ACCOUNT = "/ext/v1/account"


def make_dataset(client, name: str) -> str:
    return client.post("/v1/datasets", json={"name": name}).json()["id"]


def test_a_new_token_works_and_is_listed_without_itself(server):
    made = server.client.post(f"{ACCOUNT}/tokens", json={"name": "laptop"})
    listed = server.client.get(f"{ACCOUNT}/tokens")

    assert made.status_code == 201
    check_schema(made.json(), "TokenCreated")
    for token in listed.json():
        check_schema(token, "ApiToken")
    assert [token.get("name") for token in listed.json()] == [None, "laptop"]
    assert made.json()["token"] not in listed.text
    assert server.client_of(made.json()["token"]).get(f"{ACCOUNT}/tokens").json() == listed.json()


def test_a_revoked_token_stops_working_at_once(server):
    made = server.client.post(f"{ACCOUNT}/tokens", json={"name": "laptop"}).json()
    other = server.client_of(made["token"])
    assert other.get("/v1/datasets").status_code == 200

    assert server.client.delete(f"{ACCOUNT}/tokens/{made['id']}").status_code == 204
    assert other.get("/v1/datasets").status_code == 401
    assert server.client.delete(f"{ACCOUNT}/tokens/{made['id']}").status_code == 404


def test_the_last_token_stays(server):
    (only,) = server.client.get(f"{ACCOUNT}/tokens").json()

    refused = server.client.delete(f"{ACCOUNT}/tokens/{only['id']}")

    assert (refused.status_code, refused.json()["code"]) == (409, "CONFLICT")
    assert server.client.get("/v1/datasets").status_code == 200


@pytest.mark.parametrize("name", ["", "x" * 101, 7])
def test_a_token_needs_a_name(sqlite_server, name):
    refused = sqlite_server.client.post(f"{ACCOUNT}/tokens", json={"name": name})

    assert refused.status_code == 400


def test_favourites_are_the_users_own_and_go_with_the_dataset(server):
    friend = server.add_user("friend@example.com")
    first, second = (make_dataset(server.client, name) for name in ("first", "second"))
    url = f"{ACCOUNT}/favourites"
    for _ in range(2):
        assert server.client.put(f"{url}/{first}").status_code == 204
    server.client.put(f"{url}/{second}")

    assert friend.get(url).json() == []
    assert friend.put(f"{url}/{first}").status_code == 404
    server.client.delete(f"{url}/{second}")
    assert server.client.get(url).json() == [first]
    server.client.delete(f"/v1/datasets/{first}?force=true")
    assert server.client.get(url).json() == []


def test_runs_come_newest_first_in_pages(server):
    dataset = make_dataset(server.client, "watched")
    body = {"dockerVersion": "1.0.0", "datasetId": dataset}
    runs = [server.client.post("/v1/docker/runs", json=body).json()["id"] for _ in range(5)]

    first = server.client.get("/ext/v1/runs?limit=2").json()
    second = server.client.get(f"/ext/v1/runs?limit=3&before={first['next']}").json()

    check_schema(first, "RunList")
    shown = [run["id"] for run in first["runs"] + second["runs"]]
    assert shown == runs[::-1]
    assert "next" not in second
    assert {run["datasetName"] for run in first["runs"]} == {"watched"}


def test_runs_of_others_are_in_no_list(server):
    dataset = make_dataset(server.client, "watched")
    body = {"dockerVersion": "1.0.0", "datasetId": dataset}
    server.client.post("/v1/docker/runs", json=body)
    stranger = server.add_user("stranger@example.com")

    assert stranger.get("/ext/v1/runs").json() == {"runs": [], "waiting": []}
    assert stranger.get(f"/ext/v1/runs?datasetId={dataset}").status_code == 404
    assert stranger.get(f"/ext/v1/runs?datasetId={make_id()}").status_code == 404


def test_what_waits_is_told_most_urgent_first(server):
    dataset = make_dataset(server.client, "watched")
    config = server.client.post(
        "/v1/docker/worker/config/vX", json={"version": "V4", "config": {"workerType": "FULL"}}
    ).json()["id"]
    url = f"/v1/datasets/{dataset}/docker/worker/schedule"
    for priority in ("LOW", "HIGH"):
        body = {"configId": config, "priority": priority, "runsOn": ["gpu"]}
        made = server.client.post(f"{url}?disableConfigValidation=true", json=body)
        assert made.status_code == 201, made.text

    waiting = server.client.get("/ext/v1/runs").json()["waiting"]

    for one in waiting:
        check_schema(one, "WaitingRun")
    assert [one["priority"] for one in waiting] == ["HIGH", "LOW"]
    assert waiting[0]["runsOn"] == ["gpu"]
