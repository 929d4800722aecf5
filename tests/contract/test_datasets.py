"""Datasets as the contract wants them."""

from __future__ import annotations

import concurrent.futures

import pytest

from tests.support.platforms import InProcessServer


def create(server: InProcessServer, name: str) -> str:
    response = server.client.post("/v1/datasets", json={"name": name})
    assert response.status_code == 201, response.text
    dataset_id: str = response.json()["id"]
    return dataset_id


def test_a_new_dataset_is_empty_and_of_type_images(server):
    dataset_id = create(server, "birds of 2026")

    data = server.client.get(f"/v1/datasets/{dataset_id}").json()

    assert (data["name"], data["type"], data["nSamples"]) == ("birds of 2026", "Images", 0)


def test_a_name_can_be_used_once(server):
    create(server, "birds")

    response = server.client.post("/v1/datasets", json={"name": "birds"})

    assert (response.status_code, response.json()["code"]) == (409, "DATASET_NAME_EXISTS")


def test_of_many_who_create_the_same_name_at_once_one_wins(server):
    def create_one(_number: int) -> int:
        return server.client.post("/v1/datasets", json={"name": "race"}).status_code

    with concurrent.futures.ThreadPoolExecutor(8) as pool:
        statuses = sorted(pool.map(create_one, range(16)))

    assert statuses == [201] + [409] * 15


def test_a_deleted_dataset_is_gone_and_frees_its_name(server):
    dataset_id = create(server, "birds")

    assert server.client.delete(f"/v1/datasets/{dataset_id}").status_code == 204

    response = server.client.get(f"/v1/datasets/{dataset_id}")
    assert (response.status_code, response.json()["code"]) == (404, "DATASET_UNKNOWN")
    create(server, "birds")


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        # equal, case and all
        ("birds?exact=True", ["birds"]),
        # begins with
        ("birds?exact=False", ["birds", "birds_1"]),
        # the default is a prefix
        ("bird", ["birds", "birds_1"]),
        # another case is another name
        ("Birds?exact=True", ["Birds"]),
        # a name that no dataset can have
        ("a%2Fb", []),
        # nor one that ends like the paths that are open to public tokens
        ("a%2FreadurlRedirect", []),
        # none of mine is shared with me
        ("birds?shared=True", []),
        # nor a team's
        ("birds?getAssetsOfTeam=True", []),
    ],
)
def test_datasets_are_found_by_name(server, query, expected):
    for name in ("birds", "birds_1", "Birds"):
        create(server, name)

    response = server.client.get(f"/v1/datasets/query/name/{query}")

    assert [data["name"] for data in response.json()] == expected


def test_an_offset_counts_items(server):
    for number in range(5):
        create(server, f"set {number}")

    page = server.client.get("/v1/datasets?pageSize=2&pageOffset=2").json()

    assert [data["name"] for data in page] == ["set 2", "set 3"]


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        # two characters
        ({"name": "ds"}, "at least 3 characters"),
        # a dot
        ({"name": "a.bcd"}, "should match pattern"),
        # a key that the contract does not know
        ({"name": "birds", "userId": "me"}, "Extra inputs"),
        # an attribute name instead of the wire name
        ({"name": "birds", "img_type": "full"}, "Extra inputs"),
        # another type
        ({"name": 12345}, "valid string"),
        # longer than an index takes
        ({"name": "x" * 256}, "at most 255 characters"),
        # no object
        ([], "valid dictionary"),
    ],
)
def test_malformed_requests_name_the_rule(server, body, reason):
    response = server.client.post("/v1/datasets", json=body)

    assert (response.status_code, response.json()["code"]) == (400, "MALFORMED_REQUEST")
    assert reason in response.json()["error"]


def test_another_user_sees_none_of_it(server):
    dataset_id = create(server, "birds")
    other = server.add_user("other@example.com")

    assert other.get("/v1/datasets").json() == []
    for method in ("get", "delete"):
        response = getattr(other, method)(f"/v1/datasets/{dataset_id}")
        assert (response.status_code, response.json()["code"]) == (404, "DATASET_UNKNOWN")
