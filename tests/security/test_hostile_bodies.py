"""Bodies that no honest client sends are refused, quickly and with a reason: T33.

The routes come from the application, so a new one is attacked as soon as it is served.
"""

from __future__ import annotations

import copy
import json
import random
import string
import time
from collections.abc import Iterator
from typing import Any

import pytest

from lightly._kit.ids import make_id
from lightly.server.datasets.service import MAX_NAME_CHARACTERS
from lightly.server.http.requests import MAX_CONTAINERS, MAX_KEYS
from tests.support.contract import ContractClient
from tests.support.errors import assert_refused
from tests.support.hostile_json import (
    HOSTILE_BODIES,
    HOSTILE_VALUES,
    OTHER_CONTENT_TYPES,
    nest,
)
from tests.support.parameters import find_body_schema
from tests.support.platforms import run_in_process
from tests.support.population import FilledDataset, add_person, fill_dataset
from tests.support.routes import list_routes
from tests.support.valid_requests import make_valid_request

WRITE_ROUTES = [route for route in sorted(set(list_routes())) if find_body_schema(*route)]
GET_ROUTES = [route for route in sorted(set(list_routes())) if route[0] == "GET"]
#: No refusal takes longer, on a busy machine either. Without ceilings some took a minute.
LONGEST_S = 4.0
MAX_BODY_BYTES = 64 * 1024 * 1024
#: Deeper than any answer could be written, and what still can.
TOO_DEEP, DEEP = 900, 200
#: What databases refuse: texts too long for an index, at random because they are compressed; NUL;
#: integers of more than 64 bits.
AT_THE_ENDS = (
    "".join(random.Random(1).choices(string.ascii_letters + string.digits, k=20_000)),
    "birds\u0000",
    2**63,
    -(2**63) - 1,
)

Path = tuple[str | int, ...]


def name_route(route: tuple[str, str]) -> str:
    return " ".join(route)


def add_dataset(population: Any) -> FilledDataset:
    bob = population.bob
    return fill_dataset(population.server, bob.client, bob.user, f"bob {make_id()}")


def add_dataset_url(population: Any) -> str:
    return f"/v1/datasets/{add_dataset(population).id}"


def list_places(body: Any, path: Path = ()) -> Iterator[Path]:
    """Yield where values are in a body; of lists the first item only."""
    if path:
        yield path
    items = enumerate(body[:1]) if isinstance(body, list) else ()
    for key, inner in body.items() if isinstance(body, dict) else items:
        yield from list_places(inner, (*path, key))


def put(body: Any, path: Path, value: Any) -> Any:
    changed = copy.deepcopy(body)
    inner = changed
    for part in path[:-1]:
        inner = inner[part]
    inner[path[-1]] = value
    return changed


@pytest.mark.parametrize("route", WRITE_ROUTES, ids=name_route)
def test_bodies_that_are_no_request_are_refused(route, population):
    client = population.bob.client
    request = make_valid_request(*route, population.bob.first)

    for name, content in HOSTILE_BODIES.items():
        if name == "list" and isinstance(request.body, list):
            continue  # a request like any other: of nothing
        started = time.process_time()
        response = client.request(route[0], request.url, params=request.query, content=content)

        assert_refused(response)
        assert time.process_time() - started < LONGEST_S, name


@pytest.mark.parametrize("route", WRITE_ROUTES, ids=name_route)
def test_other_content_types_are_refused(route, sqlite_population):
    client = sqlite_population.bob.client
    request = make_valid_request(*route, sqlite_population.bob.first)

    for content_type, content in OTHER_CONTENT_TYPES.items():
        headers = {"Content-Type": content_type.encode("latin-1")}
        response = client.request(
            route[0], request.url, params=request.query, content=content, headers=headers
        )

        assert_refused(response)


@pytest.mark.parametrize("route", WRITE_ROUTES, ids=name_route)
def test_a_body_that_is_too_long_is_refused_before_it_is_read(route, sqlite_population):
    client = sqlite_population.bob.client
    request = make_valid_request(*route, sqlite_population.bob.first)
    headers = {"Content-Length": str(MAX_BODY_BYTES + 1)}

    response = client.request(
        route[0], request.url, params=request.query, content=b"{}", headers=headers
    )

    assert response.status_code == 413
    assert_refused(response)


@pytest.mark.parametrize("route", WRITE_ROUTES, ids=name_route)
def test_wrong_values_in_a_field_do_no_harm(route, population):
    """They are refused, or stored in a way that everything can still be read."""
    client = ContractClient(population.bob.client)
    dataset = add_dataset(population)
    for place in list_places(make_valid_request(*route, dataset).body):
        # One of these per place and database; the long profile tries all of them.
        wrong = random.Random(repr((route, place))).choice(HOSTILE_VALUES)
        for value in (wrong, *AT_THE_ENDS):
            check_value(client, route, dataset, place, value)

    check_everything_is_readable(client, dataset)


@pytest.mark.long
@pytest.mark.parametrize("route", WRITE_ROUTES, ids=name_route)
def test_no_wrong_value_in_any_field_does_harm(route, population):
    client = ContractClient(population.bob.client)
    dataset = add_dataset(population)
    for place in list_places(make_valid_request(*route, dataset).body):
        for value in [*HOSTILE_VALUES, nest(DEEP), nest(TOO_DEEP)]:
            check_value(client, route, dataset, place, value)

    check_everything_is_readable(client, dataset)


def check_value(
    client: ContractClient,
    route: tuple[str, str],
    dataset: FilledDataset,
    place: Path,
    value: Any,
) -> None:
    request = make_valid_request(*route, dataset)
    started = time.process_time()
    response = client.request(
        route[0],
        request.url,
        params=request.query,
        content=dump(put(request.body, place, value)),
    )

    if response.status_code >= 300:
        assert_refused(response)
    assert time.process_time() - started < LONGEST_S, (place, value)


def check_everything_is_readable(client: ContractClient, dataset: FilledDataset) -> None:
    for route in GET_ROUTES:
        request = make_valid_request(*route, dataset)
        answer = client.get(request.url, params=request.query, follow_redirects=False)
        assert answer.status_code < 500, route


def dump(value: Any) -> str:
    """Return JSON text of any depth: that of the standard library stops at its own limit."""
    written: list[str] = []
    pending: list[tuple[bool, Any]] = [(False, value)]
    while pending:
        is_text, item = pending.pop()
        if is_text:
            written.append(item)
        elif isinstance(item, dict):
            pending.append((True, "}"))
            for number, (key, inner) in reversed(list(enumerate(item.items()))):
                comma = "," if number else ""
                pending += [(False, inner), (True, f"{comma}{json.dumps(key)}:")]
            pending.append((True, "{"))
        elif isinstance(item, list):
            pending.append((True, "]"))
            for number, inner in reversed(list(enumerate(item))):
                pending += [(False, inner), (True, "," if number else "")]
            pending.append((True, "["))
        else:
            written.append(json.dumps(item))
    return "".join(written)


def test_what_is_deep_but_legal_reads_back(population):
    client, dataset = population.bob.client, add_dataset(population)
    url = f"/v1/datasets/{dataset.id}/samples"
    deep = {"deep": nest(DEEP)}

    made = client.post(url, json={"fileName": "deep.jpg", "customMetaData": deep})

    assert client.get(f"{url}/{made.json()['id']}").json()["customMetaData"] == deep


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        # the last one is what counts
        ('{"name": "x", "name": "birds one"}', 201),
        # everywhere: what was checked is what is stored
        ('{"name": "birds two", "name": "x"}', 400),
        ('{"name": "birds three", "name": 1}', 400),
    ],
)
def test_of_a_key_that_is_given_twice_the_last_value_counts(sqlite_population, text, expected):
    response = sqlite_population.bob.client.post("/v1/datasets", content=text)

    assert response.status_code == expected


@pytest.mark.parametrize(
    ("length", "expected"),
    [(MAX_NAME_CHARACTERS, (201, 204)), (MAX_NAME_CHARACTERS + 1, (400, 400))],
)
def test_names_of_datasets_are_short_enough_for_every_index(population, length, expected):
    client = population.bob.client
    # At random, because databases compress.
    names = ["".join(random.choices(string.ascii_letters, k=length)) for _ in range(2)]

    made = client.post("/v1/datasets", json={"name": names[0]})
    renamed = client.put(add_dataset_url(population), json={"name": names[1]})

    assert (made.status_code, renamed.status_code) == expected


@pytest.mark.parametrize(
    ("bracket_count", "expected"), [(MAX_CONTAINERS - 3, 400), (MAX_CONTAINERS, 413)]
)
def test_lists_and_objects_are_counted_before_they_are_made(
    sqlite_population, bracket_count, expected
):
    client, dataset = sqlite_population.bob.client, sqlite_population.bob.first
    items = b",".join([b"[]"] * bracket_count)

    response = client.post(
        f"/v1/datasets/{dataset.id}/tags/{dataset.leaf_tag_id}/scores",
        content=b'{"scoreType":"many","scores":[' + items + b"]}",
    )

    assert response.status_code == expected
    assert_refused(response)


@pytest.mark.parametrize(("key_count", "reason"), [(MAX_KEYS, "Extra"), (MAX_KEYS + 1, "keys")])
def test_keys_of_an_object_are_limited(sqlite_population, key_count, reason):
    body = {f"key{number}": 1 for number in range(key_count - 1)} | {"name": "birds"}

    response = sqlite_population.bob.client.post("/v1/datasets", json=body)

    assert reason in response.json()["error"]
    assert_refused(response)


def test_a_million_bad_items_are_one_error(sqlite_population):
    client, dataset = sqlite_population.bob.client, sqlite_population.bob.first
    items = b",".join([b'"x"'] * 1_000_000)
    started = time.process_time()

    response = client.post(
        f"/v1/datasets/{dataset.id}/tags/{dataset.leaf_tag_id}/scores",
        content=b'{"scoreType":"many","scores":[' + items + b"]}",
    )

    assert_refused(response)
    assert time.process_time() - started < LONGEST_S


@pytest.mark.parametrize(("excess_bytes", "expected"), [(-1, 201), (0, 201), (1, 413)])
def test_a_body_without_a_length_is_cut_off_at_the_limit(tmp_path, excess_bytes, expected):
    limit = 64 * 1024
    with run_in_process(tmp_path / "data", max_body_bytes=limit) as server:
        client = add_person(server, "bob").client
        text = b'{"name": "birds of prey"}'
        padding = b" " * (limit + excess_bytes - len(text))

        response = client.post("/v1/datasets", content=(part for part in (padding, text)))

    assert response.status_code == expected
