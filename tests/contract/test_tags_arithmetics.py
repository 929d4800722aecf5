"""Union, intersection and difference of tags."""

from __future__ import annotations

import pytest

from tests.support.tagged_datasets import DATABASES, TaggedDataset, add_dataset, run_for_module

RESULTS = [("UNION", "0x3f"), ("INTERSECTION", "0xc"), ("DIFFERENCE", "0x3")]


@pytest.fixture(scope="module", params=DATABASES)
def server(request, tmp_path_factory):
    with run_for_module(request, tmp_path_factory) as running:
        yield running


@pytest.fixture
def dataset(server) -> TaggedDataset:
    """Eight samples and the tags `left` over the first four, `right` over the next, shifted."""
    made = add_dataset(server)
    made.add_samples([f"{number}.jpg" for number in range(8)])
    initial_id = made.add_initial_tag()
    made.add_tag("left", "0x0f", initial_id, 8)
    made.add_tag("right", "0x3c", initial_id, 8)
    return made


def write_request(dataset: TaggedDataset, operation: str, **more: str) -> dict[str, str]:
    ids = {tag["name"]: tag["id"] for tag in dataset.list_tags()}
    return {"tagId1": ids["left"], "tagId2": ids["right"], "operation": operation} | more


@pytest.mark.parametrize(("operation", "mask"), RESULTS)
@pytest.mark.parametrize("path", ["arithmetics", "arithmetics/bitmask"])
def test_two_tags_combine_to_a_mask(dataset, path, operation, mask):
    response = dataset.client.post(
        f"{dataset.url}/tags/{path}", json=write_request(dataset, operation)
    )

    assert (response.status_code, response.json()) == (200, {"bitMaskData": mask})


@pytest.mark.parametrize(("operation", "mask"), RESULTS)
def test_with_a_name_they_combine_to_a_tag(dataset, operation, mask):
    body = write_request(dataset, operation, newTagName="result", creator="USER_WEBAPP")
    response = dataset.client.post(f"{dataset.url}/tags/arithmetics", json=body)

    assert response.status_code == 200
    tag = dataset.get_tag(response.json()["id"])
    assert (tag["name"], tag["bitMaskData"], tag["totSize"]) == ("result", mask, 8)
    assert tag["changes"][0]["changes"]["arithmetics"] == {
        "operation": operation,
        "tag1": body["tagId1"],
        "tag2": body["tagId2"],
    }


@pytest.mark.parametrize("operation", ["UNION", "INTERSECTION", "DIFFERENCE"])
def test_the_result_is_a_subset_of_its_parent(dataset, operation):
    body = write_request(dataset, operation, newTagName="result")
    tag_id = dataset.client.post(f"{dataset.url}/tags/arithmetics", json=body).json()["id"]

    tag = dataset.get_tag(tag_id)
    parent = dataset.get_tag(tag["prevTagId"])
    assert int(tag["bitMaskData"], 16) & ~int(parent["bitMaskData"], 16) == 0


def test_asking_for_the_mask_never_makes_a_tag(dataset):
    body = write_request(dataset, "UNION", newTagName="result")
    response = dataset.client.post(f"{dataset.url}/tags/arithmetics/bitmask", json=body)

    assert response.json() == {"bitMaskData": "0x3f"}
    assert len(dataset.list_tags()) == 3


def test_a_taken_name_is_refused(dataset):
    body = write_request(dataset, "UNION", newTagName="right")
    response = dataset.client.post(f"{dataset.url}/tags/arithmetics", json=body)

    assert (response.status_code, response.json()["code"]) == (409, "TAG_NAME_EXISTS")


@pytest.mark.parametrize("field", ["tagId1", "tagId2"])
@pytest.mark.parametrize("more", [{}, {"newTagName": "result"}])
def test_a_tag_of_another_dataset_is_not_there(server, dataset, field, more):
    other_id = add_dataset(server, "other").add_initial_tag()

    body = write_request(dataset, "UNION", **more) | {field: other_id}
    response = dataset.client.post(f"{dataset.url}/tags/arithmetics", json=body)

    assert (response.status_code, response.json()["code"]) == (404, "TAG_UNKNOWN")


def test_an_unknown_operation_is_refused(dataset):
    body = write_request(dataset, "XOR")
    response = dataset.client.post(f"{dataset.url}/tags/arithmetics", json=body)

    assert (response.status_code, response.json()["code"]) == (400, "MALFORMED_REQUEST")
