"""Tags when samples are added: upsize, and what may happen before it."""

from __future__ import annotations

import concurrent.futures

import pytest

from tests.support.tagged_datasets import DATABASES, TaggedDataset, add_dataset, run_for_module


@pytest.fixture(scope="module", params=DATABASES)
def server(request, tmp_path_factory):
    with run_for_module(request, tmp_path_factory) as running:
        yield running


@pytest.fixture
def dataset(server) -> TaggedDataset:
    """Three samples in tags, and two that were added later."""
    made = add_dataset(server)
    made.add_samples(["0.jpg", "1.jpg", "2.jpg"])
    initial_id = made.add_initial_tag()
    made.add_tag("some", "0x5", initial_id, 3)
    made.add_samples(["3.jpg", "4.jpg"])
    return made


def upsize(dataset: TaggedDataset, name: str = "20260101_10h00m00s", **more: object) -> str:
    body = {"upsizeTagName": name, "upsizeTagCreator": "USER_PIP"} | more
    return dataset.created(dataset.client.post(f"{dataset.url}/tags/upsize", json=body))


def masks_by_name(dataset: TaggedDataset) -> dict[str, tuple[str, int]]:
    return {tag["name"]: (tag["bitMaskData"], tag["totSize"]) for tag in dataset.list_tags()}


def test_adding_samples_leaves_the_tags_alone(dataset):
    assert masks_by_name(dataset) == {"initial-tag": ("0x7", 3), "some": ("0x5", 3)}


def test_an_upsize_lets_every_tag_cover_every_sample(dataset):
    upsize(dataset, "new samples")

    assert masks_by_name(dataset) == {
        "initial-tag": ("0x1f", 5),
        "some": ("0x5", 5),
        "new samples": ("0x18", 5),
    }


def test_the_new_tag_is_a_child_of_the_initial_one(dataset):
    run_id = dataset.add_run()
    tag = dataset.get_tag(upsize(dataset, runId=run_id))

    initial = dataset.list_tags()[0]
    assert (tag["prevTagId"], tag["runId"]) == (initial["id"], run_id)
    assert tag["changes"][0]["changes"] == {"upsize": {"from": 3, "to": 5, "runId": run_id}}
    assert initial["changes"][-1]["changes"] == tag["changes"][0]["changes"]


def test_without_new_samples_the_new_tag_is_empty(dataset):
    upsize(dataset, "first")

    tag = dataset.get_tag(upsize(dataset, "second"))

    assert (tag["bitMaskData"], tag["totSize"]) == ("0x0", 5)


def test_a_dataset_without_tags_cannot_be_upsized(server):
    dataset = add_dataset(server)

    body = {"upsizeTagName": "abc", "upsizeTagCreator": "USER_PIP"}
    response = dataset.client.post(f"{dataset.url}/tags/upsize", json=body)

    assert (response.status_code, response.json()["code"]) == (400, "TAG_NO_TAG_IN_DATASET")


def test_an_upsize_under_a_taken_name_changes_nothing(dataset):
    before = dataset.list_tags()

    body = {"upsizeTagName": "some", "upsizeTagCreator": "USER_PIP"}
    response = dataset.client.post(f"{dataset.url}/tags/upsize", json=body)

    assert (response.status_code, response.json()["code"]) == (409, "TAG_NAME_EXISTS")
    assert dataset.list_tags() == before


def test_before_an_upsize_clients_may_count_the_new_samples(dataset):
    initial_id = dataset.list_tags()[0]["id"]

    # The client sends the number of file names, which the tags do not cover yet.
    dataset.add_tag("made between", "0x2", initial_id, 5)

    assert masks_by_name(dataset)["made between"] == ("0x2", 3)


def test_before_an_upsize_new_samples_are_in_no_tag(dataset):
    initial_id = dataset.list_tags()[0]["id"]

    response = dataset.post_tag("too early", "0x8", initial_id, 5)

    assert response.json()["code"] == "DATASET_TAG_INVALID"
    assert "Upsize the tags first" in response.json()["error"]


def test_no_sample_slips_between_an_upsize_and_an_upload(server):
    dataset = add_dataset(server)
    dataset.add_initial_tag()

    def add_one(number: int) -> None:
        dataset.add_samples([f"{number}.jpg"])

    def upsize_one(number: int) -> None:
        upsize(dataset, f"upsize {number}")

    with concurrent.futures.ThreadPoolExecutor(8) as pool:
        work = [pool.submit(add_one if n % 4 else upsize_one, n) for n in range(40)]
        for done in work:
            done.result()
    upsize(dataset, "the rest")

    tags = dataset.list_tags()
    in_upsizes = [int(tag["bitMaskData"], 16) for tag in tags if tag["prevTagId"]]
    assert {tag["totSize"] for tag in tags} == {30}
    assert sum(in_upsizes) == 2**30 - 1, "each sample is in exactly one upsize tag"
