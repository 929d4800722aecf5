"""What is listed as served works for its owner, and everything else is refused.

`tools/list_operations.py` prints the list and writes it to `docs/reference/operations.md`.
"""

from __future__ import annotations

import dataclasses

import pytest

from lightly._kit.ids import make_id
from tests.support.contract import ContractClient, find_operation
from tests.support.errors import assert_refused
from tests.support.platforms import run_in_process
from tests.support.population import FilledDataset, Person, add_person, fill_dataset
from tests.support.routes import fill_path, list_routes
from tests.support.valid_requests import make_valid_request
from tools.list_operations import ONLY_REFUSED, list_working, read_contract

CREATE_INITIAL_TAG = ("POST", "/v1/datasets/{datasetId}/tags/initial")
#: The contract's path parameter that takes a path too.
ROUTES = {(method, path.replace(":path}", "}")): path for method, path in list_routes()}


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    with run_in_process(tmp_path_factory.mktemp("served") / "data") as running:
        yield running


@pytest.fixture(scope="module")
def bob(server) -> Person:
    return add_person(server, "bob")


@pytest.fixture
def dataset(server, bob) -> FilledDataset:
    return fill_dataset(server, bob.client, bob.user, f"bob {make_id()}")


def make_untagged(bob: Person, dataset: FilledDataset) -> FilledDataset:
    response = bob.client.post("/v1/datasets", json={"name": f"untagged {make_id()}"})
    return dataclasses.replace(dataset, id=response.json()["id"])


def test_the_list_is_part_of_the_contract():
    contract = read_contract()

    assert len(contract) == len(set(contract)) == 140
    assert set(list_working()) <= set(contract)
    assert ONLY_REFUSED.keys() <= set(contract)


@pytest.mark.parametrize("operation", list_working(), ids=" ".join)
def test_a_listed_operation_succeeds_for_its_owner(operation, bob, dataset):
    owned = make_untagged(bob, dataset) if operation == CREATE_INITIAL_TAG else dataset
    request = make_valid_request(operation[0], ROUTES[operation], owned)
    content = {} if request.body is None else {"json": request.body}

    response = ContractClient(bob.client).request(
        operation[0],
        request.url,
        params=request.query,
        headers=request.headers,
        follow_redirects=False,
        **content,
    )

    declared = find_operation(operation[0], request.url).definition["responses"]
    success = {status for status in declared if status[0] in "23"}
    assert {str(response.status_code), f"{response.status_code // 100}XX"} & success


@pytest.mark.parametrize("operation", ONLY_REFUSED, ids=" ".join)
def test_an_operation_that_is_only_refused_says_why(operation, bob, dataset):
    request = make_valid_request(operation[0], ROUTES[operation], dataset)

    response = request.send(bob.client)

    assert response.status_code == 404
    assert_refused(response)


def test_operations_that_are_not_listed_are_refused(bob, dataset):
    not_served = set(read_contract()) - set(list_working()) - ONLY_REFUSED.keys()
    for method, path in sorted(not_served):
        url = fill_path(path, datasetId=dataset.id, sampleId=dataset.sample_ids[0])
        response = bob.client.request(method, url, json={} if method != "GET" else None)

        assert response.status_code in {400, 404, 405}, (method, path)
        assert_refused(response)
