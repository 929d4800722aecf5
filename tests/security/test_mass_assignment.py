"""Nobody sets what the server sets, by sending a field that an answer has: T05."""

from __future__ import annotations

import copy
import re
from collections.abc import Iterator
from typing import Any

import pytest

from lightly._kit.ids import make_id
from lightly.server.db.schema import metadata
from tests.support.contents import read_contents
from tests.support.parameters import (
    find_body_schema,
    list_answer_fields,
    list_served_answer_fields,
)
from tests.support.population import FilledDataset, fill_dataset
from tests.support.routes import list_routes
from tests.support.valid_requests import make_valid_request

WRITE_ROUTES = [route for route in sorted(set(list_routes())) if find_body_schema(*route)]
#: What old clients send along and no answer may have: taken and dropped.
DROPPED = {"is_corrupted", "corruption"}
#: Values that would do harm if they were taken, by kind of name.
FORGED_ID, FORGED_TIME_MS, FORGED_COUNT = "f" * 24, 1, 999_999


#: Columns, and how the wire would spell them: what a leak would reach.
COLUMNS = {column.name for table in metadata.tables.values() for column in table.columns}
WIRE_COLUMNS = {re.sub(r"_(\w)", lambda m: m[1].upper(), name) for name in COLUMNS}


def name_route(route: tuple[str, str]) -> str:
    return " ".join(route)


def forge(name: str) -> Any:
    """Return a value of the kind that a field with this name has in answers."""
    if name.endswith(("Id", "id", "owner")):
        return FORGED_ID
    if name.endswith(("At", "ts", "Timestamp")):
        return FORGED_TIME_MS
    return FORGED_COUNT if name.startswith(("n", "size", "tot", "index")) else "forged"


def list_closed_objects(
    schema: dict[str, Any], body: Any, path: tuple[str | int, ...] = ()
) -> Iterator[tuple[tuple[str | int, ...], set[str]]]:
    """Yield where in a body the contract lists all keys, and which ones it lists."""
    if isinstance(body, list):
        for inner in body[:1]:
            yield from list_closed_objects(schema["items"], inner, (*path, 0))
    elif isinstance(body, dict):
        properties = schema.get("properties", {})
        if schema.get("additionalProperties") is False:
            yield path, set(properties)
        for name, inner in body.items():
            if name in properties:
                yield from list_closed_objects(properties[name], inner, (*path, name))


def add_key(body: Any, path: tuple[str | int, ...], name: str) -> Any:
    """Return a copy of the body with one key more in one of its objects."""
    changed = copy.deepcopy(body)
    inner = changed
    for part in path:
        inner = inner[part]
    inner[name] = forge(name)
    return changed


def test_answers_have_the_fields_that_matter():
    fields = {"id", "userId", "createdAt", "nSamples", "status", "totSize", "index"}

    assert fields <= set(list_served_answer_fields())


@pytest.mark.parametrize("route", WRITE_ROUTES, ids=name_route)
@pytest.mark.parametrize(
    "fields",
    [
        pytest.param(set(list_served_answer_fields()), id="served"),
        pytest.param(set(list_answer_fields()), id="all", marks=pytest.mark.long),
    ],
)
def test_fields_of_answers_are_refused_in_requests(route, fields, sqlite_population):
    client, dataset = sqlite_population.bob.client, sqlite_population.bob.first
    request = make_valid_request(*route, dataset)
    before = read_contents(sqlite_population.server.platform)

    for path, known in list_closed_objects(find_body_schema(*route), request.body):
        # Objects within the body become JSON text, so only columns could be meant there.
        names = WIRE_COLUMNS if path else WIRE_COLUMNS | COLUMNS | fields
        for name in names - known - DROPPED:
            body = add_key(request.body, path, name)
            response = client.request(route[0], request.url, params=request.query, json=body)

            assert (response.status_code, response.json()["code"]) == (400, "MALFORMED_REQUEST")
            assert name in response.json()["error"]
    assert read_contents(sqlite_population.server.platform) == before


@pytest.mark.parametrize("route", WRITE_ROUTES, ids=name_route)
def test_fields_of_answers_in_the_query_are_not_stored(route, population):
    client, dataset = population.bob.client, add_dataset(population)
    request = make_valid_request(*route, dataset)
    fields = set(list_answer_fields()) - request.query.keys() - {"token", "publicToken"}
    query = {**request.query, **{name: forge(name) for name in fields}}

    # Another test may have stored the value where it is allowed, such as the name of a sample.
    before = repr(read_contents(population.server.platform)).count(FORGED_ID)

    client.request(route[0], request.url, params=query, json=request.body)

    assert repr(read_contents(population.server.platform)).count(FORGED_ID) == before


def add_dataset(population: Any) -> FilledDataset:
    bob = population.bob
    return fill_dataset(population.server, bob.client, bob.user, f"bob {make_id()}")


def test_what_is_free_form_stays_apart_from_what_the_server_sets(population):
    client, dataset = population.bob.client, add_dataset(population)
    url = f"/v1/datasets/{dataset.id}/samples"
    forged = {name: forge(name) for name in list_answer_fields()}
    free = {"customMetaData": forged, "exif": forged, "metaData": {"custom": forged}}

    made = client.post(url, json={"fileName": "free.jpg", **free})
    sample = client.get(f"{url}/{made.json()['id']}").json()

    assert {name: sample[name] for name in free} == free
    assert (sample["id"], sample["index"]) == (made.json()["id"], len(dataset.sample_ids))
    assert (sample["datasetId"], sample["type"]) == (dataset.id, "IMAGE")
    assert sample["createdAt"] > FORGED_TIME_MS


def test_what_old_clients_send_along_is_dropped(population):
    client, dataset = population.bob.client, add_dataset(population)
    url = f"/v1/datasets/{dataset.id}/samples"
    given = {"is_corrupted": False, "corruption": "", "sharpness": 1.5}

    made = client.post(url, json={"fileName": "old.jpg", "metaData": given})

    assert client.get(f"{url}/{made.json()['id']}").json()["metaData"] == {"sharpness": 1.5}


@pytest.mark.parametrize("creator", ["USER_WORKER", "SAMPLER_CORESET"])
def test_saying_to_be_another_creator_gives_no_other_owner(population, creator):
    client, dataset = population.bob.client, add_dataset(population)
    url = f"/v1/datasets/{dataset.id}/tags"
    body = {
        "name": f"tag {make_id()}",
        "prevTagId": dataset.initial_tag_id,
        "bitMaskData": "0x1",
        "totSize": len(dataset.sample_ids),
        "creator": creator,
        "changes": {"samples": {"method": "added", "count": 1, "added": 1, "removed": 0}},
    }

    made = client.post(url, json=body)
    entry = client.get(f"{url}/{made.json()['id']}").json()["changes"][0]

    assert entry["userId"] == population.bob.user.id
    assert entry["ts"] > FORGED_TIME_MS
