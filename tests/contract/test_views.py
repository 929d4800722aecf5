"""Saved views and their short links, over HTTP."""

from __future__ import annotations

import pytest

from lightly.server.views import service
from tests.support.extension import check_schema


@pytest.fixture
def dataset(server) -> tuple[str, str]:
    """The views of a dataset, and its collaboration."""
    dataset_id = server.client.post("/v1/datasets", json={"name": "viewed"}).json()["id"]
    return f"/ext/v1/datasets/{dataset_id}/views", f"/v1/datasets/{dataset_id}/collaboration/access"


def test_a_view_is_found_by_its_link_and_in_the_list(server, dataset):
    client, (views, _) = server.client, dataset
    named = client.post(views, json={"query": "f=a:1..2", "name": "mine"}).json()["id"]
    short = client.post(views, json={"query": "f=a:1..2"}).json()["id"]

    listed = client.get(views).json()
    found = client.get(f"/ext/v1/views/{short}").json()

    check_schema(listed[0], "SavedView")
    check_schema(found, "SavedView")
    assert [(one["id"], one["name"]) for one in listed] == [(named, "mine")]
    assert (found["query"], "name" in found) == ("f=a:1..2", False)


def test_the_same_short_link_again_is_the_same(server, dataset):
    client, (views, _) = server.client, dataset

    ids = [client.post(views, json={"query": query}).json()["id"] for query in ("a", "b", "a")]

    assert ids[0] == ids[2] != ids[1]


def test_the_oldest_short_link_makes_room(server, dataset, monkeypatch):
    monkeypatch.setattr(service, "MAX_UNNAMED", 2)
    client, (views, _) = server.client, dataset

    ids = [client.post(views, json={"query": query}).json()["id"] for query in ("a", "b", "c")]

    statuses = [client.get(f"/ext/v1/views/{one}").status_code for one in ids]
    assert statuses == [404, 200, 200]


def test_a_name_is_taken_once(server, dataset):
    client, (views, _) = server.client, dataset
    first = client.post(views, json={"query": "a", "name": "x"}).json()["id"]
    second = client.post(views, json={"query": "b", "name": "y"}).json()["id"]

    again = client.post(views, json={"query": "a", "name": "x"})
    other = client.post(views, json={"query": "c", "name": "x"})
    renamed = client.put(f"{views}/{second}", json={"name": "x"})

    assert (again.status_code, again.json()["id"]) == (201, first)
    assert (other.status_code, renamed.status_code) == (409, 409)


def test_a_view_is_changed_and_deleted_by_its_maker_or_the_owner_of_the_dataset(server, dataset):
    client, (views, access) = server.client, dataset
    bob = server.add_user("bob@example.com")
    own = client.post(views, json={"query": "a", "name": "own"}).json()["id"]
    sharing = {"accessType": "WRITE", "users": ["bob@example.com"], "teams": []}
    assert client.post(access, json=sharing).status_code == 201

    of_bob = bob.post(views, json={"query": "b", "name": "bobs"}).json()["id"]
    assert [one["isOwn"] for one in bob.get(views).json()] == [False, True]
    assert bob.put(f"{views}/{own}", json={"name": "stolen"}).status_code == 403
    assert bob.delete(f"{views}/{own}").status_code == 403
    assert client.put(f"{views}/{of_bob}", json={"query": "c"}).status_code == 204
    assert client.delete(f"{views}/{of_bob}").status_code == 204
    assert bob.get(f"/ext/v1/views/{of_bob}").status_code == 404


def test_a_link_leads_nowhere_for_others(server, dataset):
    client, (views, _) = server.client, dataset
    short = client.post(views, json={"query": "a"}).json()["id"]
    eve = server.add_user("eve@example.com")

    answer = eve.get(f"/ext/v1/views/{short}")

    assert (answer.status_code, answer.json()["code"]) == (404, "NOT_FOUND")


def test_a_short_link_gets_a_name_before_it_shows_something_else(server, dataset):
    client, (views, _) = server.client, dataset
    short = client.post(views, json={"query": "a"}).json()["id"]

    assert client.put(f"{views}/{short}", json={"query": "b"}).status_code == 400
    assert client.put(f"{views}/{short}", json={"query": "b", "name": "n"}).status_code == 204
    assert client.get(views).json()[0]["query"] == "b"
