"""Metadata configurations as the contract wants them."""

from __future__ import annotations

import concurrent.futures

import pytest

from tests.support.samples import make_dataset

ENTRIES = [
    {
        "name": "Temperature",
        "path": "weather.temperature[0]",
        "defaultValue": None,
        "valueDataType": "NUMERIC_FLOAT",
    },
    {
        "name": "Tag",
        "path": "tag",
        "defaultValue": {"any": ["value", 1.5]},
        "valueDataType": "CATEGORICAL_STRING",
    },
]
BODY = {"name": "weather", "configs": ENTRIES}


@pytest.fixture
def dataset(server):
    return make_dataset(server)


@pytest.fixture
def path(dataset):
    return f"{dataset.path}/configuration/metadata"


def create(dataset, path, body=BODY):
    response = dataset.client.post(path, json=body)
    assert response.status_code == 201, response.text
    return response.json()["id"]


def test_a_configuration_reads_back_as_it_was_given(dataset, path):
    configuration_id = create(dataset, path)

    found = dataset.client.get(f"{path}/{configuration_id}").json()

    assert found.pop("createdAt") == found.pop("lastModifiedAt")
    assert found == {"id": configuration_id, **BODY}
    assert [entry["id"] for entry in dataset.client.get(path).json()] == [configuration_id]


def test_a_default_value_may_be_left_out_and_reads_back_as_null(dataset, path):
    entry = {key: value for key, value in ENTRIES[0].items() if key != "defaultValue"}

    configuration_id = create(dataset, path, {"name": "weather", "configs": [entry]})

    assert dataset.client.get(f"{path}/{configuration_id}").json()["configs"] == [ENTRIES[0]]


def test_a_dataset_has_no_configuration_at_first(dataset, path):
    assert dataset.client.get(path).json() == []


def test_configurations_are_listed_oldest_first(dataset, path):
    ids = [create(dataset, path, {"name": name, "configs": []}) for name in ("b", "a", "c")]

    assert [entry["id"] for entry in dataset.client.get(path).json()] == ids


def test_the_same_configuration_again_is_the_same_one(dataset, path):
    with concurrent.futures.ThreadPoolExecutor(4) as pool:
        ids = set(pool.map(lambda _: create(dataset, path), range(8)))

    assert len(ids) == 1
    assert len(dataset.client.get(path).json()) == 1


def test_a_name_may_be_used_for_other_entries_too(dataset, path):
    first = create(dataset, path)

    second = create(dataset, path, {"name": "weather", "configs": ENTRIES[:1]})

    assert first != second


def test_an_update_replaces_name_and_entries(dataset, path):
    configuration_id = create(dataset, path)
    body = {"name": "tags", "configs": ENTRIES[1:]}

    response = dataset.client.put(f"{path}/{configuration_id}", json=body)

    assert (response.status_code, response.content) == (204, b"")
    found = dataset.client.get(f"{path}/{configuration_id}").json()
    assert {key: found[key] for key in body} == body
    assert found["lastModifiedAt"] >= found["createdAt"]


@pytest.mark.parametrize(
    ("change", "status"),
    [
        ({"name": None}, 400),
        ({"name": "NUL\0"}, 400),
        ({"name": "x" * 1001}, 400),
        ({"configs": None}, 400),
        ({"configs": [{**ENTRIES[0], "name": ""}]}, 400),
        ({"configs": [{**ENTRIES[0], "path": ""}]}, 400),
        ({"configs": [{**ENTRIES[0], "valueDataType": "TEXT"}]}, 400),
        ({"configs": [{**ENTRIES[0], "more": 1}]}, 400),
        ({"configs": [{"name": "a"}]}, 400),
        ({"more": 1}, 400),
        ({"configs": [{**ENTRIES[0], "path": "x" * 2**20}]}, 413),
    ],
)
def test_what_breaks_the_rules_is_refused(dataset, path, change, status):
    configuration_id = create(dataset, path)
    before = dataset.client.get(path).json()
    body = BODY | change

    created = dataset.client.post(path, json=body)
    updated = dataset.client.put(f"{path}/{configuration_id}", json=body)

    assert (created.status_code, updated.status_code) == (status, status)
    assert dataset.client.get(path).json() == before


def test_a_configuration_of_another_dataset_is_unknown_here(server, dataset, path):
    other = make_dataset(server, "other")
    foreign = create(other, f"{other.path}/configuration/metadata")

    for configuration_id in (foreign, "65f0c0ffee65f0c0ffee1234"):
        for method, body in (("GET", None), ("PUT", BODY)):
            response = dataset.client.request(method, f"{path}/{configuration_id}", json=body)
            code = "METADATA_CONFIGURATION_UNKNOWN"
            assert (response.status_code, response.json()["code"]) == (404, code)


def test_another_user_finds_no_such_dataset(server, dataset, path):
    configuration_id = create(dataset, path)
    other = dataset.seen_by(server.add_user("other@example.com")).client

    for method, end, body in (
        ("GET", "", None),
        ("POST", "", BODY),
        ("GET", f"/{configuration_id}", None),
        ("PUT", f"/{configuration_id}", BODY),
    ):
        response = other.request(method, f"{path}{end}", json=body)
        assert (response.status_code, response.json()["code"]) == (404, "DATASET_UNKNOWN")
