"""Datasets that were cut from others, and their crops."""

from __future__ import annotations

import pytest

from tests.support.tagged_datasets import DATABASES, TaggedDataset, add_dataset, run_for_module


@pytest.fixture(scope="module", params=DATABASES)
def server(request, tmp_path_factory):
    with run_for_module(request, tmp_path_factory) as running:
        yield running


@pytest.fixture
def parent(server) -> TaggedDataset:
    return add_dataset(server)


@pytest.fixture
def crops(server, parent) -> TaggedDataset:
    body = {"name": f"crops {parent.id}", "type": "Crops", "parentDatasetId": parent.id}
    made = TaggedDataset.created(parent.client.post("/v1/datasets", json=body))
    return TaggedDataset(server, parent.client, made)


def make_crop(name: str, parent_id: str) -> dict[str, object]:
    crop = {
        "parentId": parent_id,
        "predictionUUIDTimestamp": 0,
        "predictionIndex": 1,
        "predictionTaskName": "boxes",
        "predictionTaskCategoryId": 2,
        "predictionTaskScore": 0.5,
    }
    return {"fileName": name, "cropData": crop}


def test_a_crop_reads_back_with_its_origin(parent, crops):
    (parent_id,) = parent.add_samples(["a.jpg"])

    sample_id = crops.created(
        crops.client.post(f"{crops.url}/samples", json=make_crop("a-1.jpg", parent_id))
    )

    sample = crops.client.get(f"{crops.url}/samples/{sample_id}").json()
    assert sample["type"] == "CROP"
    assert sample["cropData"] == make_crop("", parent_id)["cropData"]


def test_a_crops_dataset_is_a_child_of_its_parent(parent, crops):
    (listed,) = parent.client.get(f"{parent.url}/children").json()

    assert (listed["id"], listed["parentDatasetId"], listed["type"]) == (
        crops.id,
        parent.id,
        "Crops",
    )
    assert crops.client.get(f"{crops.url}/children").json() == []


def test_crops_of_samples_that_the_parent_does_not_have_are_refused(server, parent, crops):
    (own,) = parent.add_samples(["a.jpg"])
    (foreign,) = add_dataset(server).add_samples(["b.jpg"])
    for parent_id in ("0" * 24, foreign):
        samples = [make_crop("a-1.jpg", own), make_crop("b-1.jpg", parent_id)]

        one = crops.client.post(f"{crops.url}/samples", json=samples[1])
        many = crops.client.post(f"/ext{crops.url}/samples/bulk", json={"samples": samples})

        for response in (one, many):
            assert response.status_code == 400
            assert response.json()["code"] == "SAMPLE_CREATE_REQUEST_INVALID_CROP_DATA"
    assert crops.client.get(f"{crops.url}/mappings?field=_id").json() == []


def test_crops_of_a_deleted_parent_are_refused_and_known_ones_are_kept(parent, crops):
    (parent_id,) = parent.add_samples(["a.jpg"])
    crop = make_crop("a-1.jpg", parent_id)
    sample_id = crops.created(crops.client.post(f"{crops.url}/samples", json=crop))

    parent.client.delete(parent.url)

    again = crops.client.post(f"{crops.url}/samples", json=crop)
    another = crops.client.post(f"{crops.url}/samples", json=make_crop("a-2.jpg", parent_id))
    assert crops.created(again) == sample_id
    assert another.json()["code"] == "SAMPLE_CREATE_REQUEST_INVALID_CROP_DATA"


def test_a_parent_that_is_not_the_callers_is_not_found(server, parent):
    stranger = server.add_user(f"{parent.id}@example.com")

    response = stranger.post(
        "/v1/datasets", json={"name": "crops", "type": "Crops", "parentDatasetId": parent.id}
    )

    assert (response.status_code, response.json()["code"]) == (404, "DATASET_UNKNOWN")
