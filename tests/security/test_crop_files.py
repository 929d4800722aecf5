"""Crops are read through the datasource of the dataset that they were cut from, and no more."""

from __future__ import annotations

from typing import Any

import pytest

from tests.support.datasources import CONFIGURATIONS

CROP = {
    "predictionUUIDTimestamp": 0,
    "predictionIndex": 0,
    "predictionTaskName": "pets",
    "predictionTaskCategoryId": 0,
    "predictionTaskScore": 0.5,
}


def create(client: Any, url: str, **body: Any) -> str:
    answer = client.post(url, json=body)
    assert answer.status_code == 201, answer.text
    created: str = answer.json()["id"]
    return created


@pytest.fixture
def colleague(sqlite_server):
    return sqlite_server.add_user("colleague@example.com")


@pytest.fixture
def parent(sqlite_server, colleague) -> tuple[str, str]:
    """A dataset on a file server, shared with a colleague, and its one sample."""
    client = sqlite_server.client
    dataset = create(client, "/v1/datasets", name="images", type="Images")
    config = CONFIGURATIONS["LOCAL"]
    client.put(f"/v1/datasets/{dataset}/datasource", json=config).raise_for_status()
    sample = create(client, f"/v1/datasets/{dataset}/samples", fileName="a.jpg")
    shared = {"accessType": "WRITE", "users": ["colleague@example.com"]}
    create_access = client.post(f"/v1/datasets/{dataset}/collaboration/access", json=shared)
    assert create_access.status_code < 400, create_access.text
    return dataset, sample


def add_child(client: Any, parent: tuple[str, str]) -> tuple[str, str, str]:
    """Make a crop dataset with a crop and an image that only pretends to belong there."""
    dataset, sample = parent
    child = create(
        client, "/v1/datasets", name="images-crops", type="Crops", parentDatasetId=dataset
    )
    url = f"/v1/datasets/{child}/samples"
    crop = create(client, url, fileName="pets/a-0-jpg.png", cropData={**CROP, "parentId": sample})
    image = create(client, url, fileName="raw.jpg")
    return url, crop, image


def test_a_crop_is_read_where_its_image_came_from(sqlite_server, parent):
    url, crop, _ = add_child(sqlite_server.client, parent)

    found = sqlite_server.client.get(f"{url}/{crop}/readurl", params={"type": "full"}).json()

    assert found.endswith("/photos/raw/.lightly/crops/pets/a-0-jpg.png")


def test_a_crop_dataset_does_not_open_raw_images(sqlite_server, parent):
    url, _, image = add_child(sqlite_server.client, parent)

    answer = sqlite_server.client.get(f"{url}/{image}/readurl", params={"type": "full"})

    assert answer.status_code == 404


def test_a_crop_dataset_of_somebody_else_opens_nothing(colleague, parent):
    url, crop, _ = add_child(colleague, parent)

    answer = colleague.get(f"{url}/{crop}/readurl", params={"type": "full"})

    assert answer.status_code == 404
