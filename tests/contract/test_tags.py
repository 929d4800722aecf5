"""Tags as the contract wants them: making, listing, changing and deleting them."""

from __future__ import annotations

import concurrent.futures
import json

import pytest
import sqlalchemy as sa

from lightly.server.db.tables import datasets
from tests.support.tagged_datasets import (
    DATABASES,
    TaggedDataset,
    add_dataset,
    add_stranger,
    run_for_module,
)

N_SAMPLES = 10
ABSENT_ID = "0" * 24


@pytest.fixture(scope="module", params=DATABASES)
def server(request, tmp_path_factory):
    with run_for_module(request, tmp_path_factory) as running:
        yield running


@pytest.fixture
def dataset(server) -> TaggedDataset:
    """Ten samples and the initial tag over them."""
    made = add_dataset(server)
    made.add_samples([f"image_{number}.jpg" for number in range(N_SAMPLES)])
    made.add_initial_tag()
    return made


@pytest.fixture
def initial_id(dataset) -> str:
    tag_id: str = dataset.list_tags()[0]["id"]
    return tag_id


def test_a_dataset_without_tags_lists_none(server):
    assert add_dataset(server).list_tags() == []


def test_the_initial_tag_holds_every_sample(dataset):
    tag = dataset.list_tags()[0]

    assert (tag["name"], tag["bitMaskData"], tag["totSize"]) == ("initial-tag", "0x3ff", 10)
    assert (tag["prevTagId"], tag["datasetId"]) == (None, dataset.id)


def test_the_initial_tag_says_how_it_came_about(dataset):
    entry = dataset.list_tags()[0]["changes"][0]

    assert (entry["creator"], entry["changes"]) == ("UNKNOWN", {"initial": {}})


def test_the_initial_tag_settles_the_image_type(server):
    dataset = add_dataset(server)

    dataset.add_initial_tag("thumbnail")

    assert dataset.client.get(dataset.url).json()["imgType"] == "thumbnail"


def test_the_initial_tag_has_its_name_whatever_the_request_says(server):
    dataset = add_dataset(server)

    run_id = dataset.add_run()
    body = {"imgType": "full", "name": "another name", "creator": "USER_PIP", "runId": run_id}
    tag_id = dataset.created(dataset.client.post(f"{dataset.url}/tags/initial", json=body))

    tag = dataset.get_tag(tag_id)
    assert (tag["name"], tag["runId"]) == ("initial-tag", run_id)


def test_there_is_one_initial_tag(dataset):
    response = dataset.client.post(f"{dataset.url}/tags/initial", json={"imgType": "full"})

    assert (response.status_code, response.json()["code"]) == (409, "TAG_INITIAL_EXISTS")


def test_a_tag_reads_back_as_it_was_made(dataset, initial_id):
    query_id = dataset.add_tag("query", "0xff", initial_id, N_SAMPLES)
    run_id = dataset.add_run()
    changes = {"sampler": {"method": "CORESET"}}

    tag_id = dataset.add_tag(
        "my tag @ 10:30", "0x59", initial_id, N_SAMPLES,
        queryTagId=query_id, preselectedTagId=query_id, creator="USER_PIP", runId=run_id,
        changes=changes,
    )  # fmt: skip

    tag = dataset.get_tag(tag_id)
    assert tag in dataset.list_tags()
    assert (tag["name"], tag["bitMaskData"], tag["totSize"]) == ("my tag @ 10:30", "0x59", 10)
    assert (tag["prevTagId"], tag["queryTagId"], tag["preselectedTagId"]) == (
        initial_id,
        query_id,
        query_id,
    )
    assert (tag["runId"], tag["changes"][0]["changes"]) == (run_id, changes)
    assert tag["changes"][0]["creator"] == "USER_PIP"


@pytest.mark.parametrize(
    ("sent", "stored"),
    [
        # leading zeros go
        ("0x0003", "0x3"),
        # nothing selected
        ("0x0", "0x0"),
        ("0x00000000000000", "0x0"),
        # the last sample
        ("0x200", "0x200"),
    ],
)
def test_masks_come_back_canonical(dataset, initial_id, sent, stored):
    tag_id = dataset.add_tag("mask", sent, initial_id, N_SAMPLES)

    assert dataset.get_tag(tag_id)["bitMaskData"] == stored


def test_a_name_can_be_used_once(dataset, initial_id):
    dataset.add_tag("twice", "0x1", initial_id, N_SAMPLES)

    response = dataset.post_tag("twice", "0x1", initial_id, N_SAMPLES)

    assert (response.status_code, response.json()["code"]) == (409, "TAG_NAME_EXISTS")


def test_two_datasets_may_use_the_same_tag_name(server, dataset, initial_id):
    dataset.add_tag("twice", "0x1", initial_id, N_SAMPLES)
    other = add_dataset(server, "other")
    other.add_samples(["a.jpg"])

    other.add_tag("twice", "0x1", other.add_initial_tag(), 1)

    assert [tag["name"] for tag in other.list_tags()] == ["initial-tag", "twice"]


def test_of_many_who_create_the_same_tag_at_once_one_wins(dataset, initial_id):
    def create_one(_number: int) -> int:
        status: int = dataset.post_tag("race", "0x1", initial_id, N_SAMPLES).status_code
        return status

    with concurrent.futures.ThreadPoolExecutor(8) as pool:
        statuses = sorted(pool.map(create_one, range(16)))

    assert statuses == [201] + [409] * 15


def test_of_many_who_create_the_initial_tag_at_once_one_wins(server):
    dataset = add_dataset(server)

    def create_one(_number: int) -> int:
        body = {"imgType": "full"}
        status: int = dataset.client.post(f"{dataset.url}/tags/initial", json=body).status_code
        return status

    with concurrent.futures.ThreadPoolExecutor(8) as pool:
        statuses = sorted(pool.map(create_one, range(16)))

    assert statuses == [201] + [409] * 15


@pytest.mark.parametrize(
    ("mask", "tot_size", "code"),
    [
        # a sample that the dataset does not have
        ("0x400", 10, "DATASET_TAG_INVALID"),
        # another dataset size
        ("0x1", 11, "DATASET_TAG_INVALID"),
        ("0x1", 0, "DATASET_TAG_INVALID"),
        # upper case
        ("0xF", 10, "MALFORMED_REQUEST"),
        # binary, sign, no digits, no prefix, white space, digits of another script
        ("0b1", 10, "MALFORMED_REQUEST"),
        ("-0x1", 10, "MALFORMED_REQUEST"),
        ("0x", 10, "MALFORMED_REQUEST"),
        ("1f", 10, "MALFORMED_REQUEST"),
        ("0x1\n", 10, "MALFORMED_REQUEST"),
        ("0x\u0661", 10, "MALFORMED_REQUEST"),
        # no text
        (1, 10, "MALFORMED_REQUEST"),
        # no integer
        ("0x1", 10.0, "MALFORMED_REQUEST"),
    ],
)
def test_a_mask_that_does_not_fit_is_refused(dataset, initial_id, mask, tot_size, code):
    response = dataset.post_tag("bad", mask, initial_id, tot_size)

    assert (response.status_code, response.json()["code"]) == (400, code)
    assert [tag["name"] for tag in dataset.list_tags()] == ["initial-tag"]


def test_a_tag_is_a_subset_of_its_parent(dataset, initial_id):
    parent_id = dataset.add_tag("parent", "0x0f", initial_id, N_SAMPLES)

    response = dataset.post_tag("child", "0x1f", parent_id, N_SAMPLES)

    assert (response.status_code, response.json()["code"]) == (400, "DATASET_TAG_INVALID")
    assert "subset of its parent 'parent'" in response.json()["error"]


def test_a_selection_on_top_of_its_parent_holds_all_of_it(dataset, initial_id):
    parent_id = dataset.add_tag("preselected", "0x0f", initial_id, N_SAMPLES)

    tag_id = dataset.add_tag("more", "0x1f", parent_id, N_SAMPLES, preselectedTagId=parent_id)
    refused = dataset.post_tag("less", "0x1e", parent_id, N_SAMPLES, preselectedTagId=parent_id)

    assert dataset.get_tag(tag_id)["bitMaskData"] == "0x1f"
    assert refused.json()["code"] == "DATASET_TAG_INVALID"


@pytest.mark.parametrize(
    ("field", "code"),
    [
        ("prevTagId", "TAG_PREVTAG_NOT_IN_DATASET"),
        ("queryTagId", "TAG_QUERYTAG_NOT_IN_DATASET"),
        ("preselectedTagId", "TAG_PRESELECTEDTAG_NOT_IN_DATASET"),
    ],
)
def test_links_lead_to_tags_of_the_same_dataset(server, dataset, initial_id, field, code):
    other = add_dataset(server, "other")
    other_id = other.add_initial_tag()

    answers = [
        dataset.post_tag("linked", "0x1", initial_id, N_SAMPLES, **{field: tag_id})
        for tag_id in (other_id, ABSENT_ID)
    ]

    assert [(a.status_code, a.json()["code"]) for a in answers] == [(400, code), (400, code)]


def test_very_long_names_are_refused(dataset, initial_id):
    response = dataset.post_tag("n" * 256, "0x1", initial_id, N_SAMPLES)

    assert (response.status_code, response.json()["code"]) == (400, "MALFORMED_REQUEST")


def test_a_tag_can_be_renamed(dataset, initial_id):
    tag_id = dataset.add_tag("before", "0x1", initial_id, N_SAMPLES)

    response = dataset.client.put(
        f"{dataset.url}/tags/{tag_id}", json={"name": "after", "updateCreator": "USER_WEBAPP"}
    )

    tag = dataset.get_tag(tag_id)
    assert (response.status_code, tag["name"], tag["bitMaskData"]) == (204, "after", "0x1")
    assert tag["changes"][-1]["creator"] == "USER_WEBAPP"
    assert tag["changes"][-1]["changes"] == {"rename": {"from": "before", "to": "after"}}


def test_the_samples_of_a_tag_can_be_replaced(dataset, initial_id):
    tag_id = dataset.add_tag("tag", "0x3", initial_id, N_SAMPLES)

    response = dataset.client.put(
        f"{dataset.url}/tags/{tag_id}", json={"name": "tag", "bitMaskData": "0x01c"}
    )

    tag = dataset.get_tag(tag_id)
    assert (response.status_code, tag["bitMaskData"]) == (204, "0x1c")
    assert tag["changes"][-1]["changes"] == {
        "samples": {"method": "selected", "count": 3, "added": 3, "removed": 2}
    }


def test_the_same_update_again_changes_nothing(dataset, initial_id):
    tag_id = dataset.add_tag("tag", "0x3", initial_id, N_SAMPLES)
    before = dataset.get_tag(tag_id)

    dataset.client.put(f"{dataset.url}/tags/{tag_id}", json={"name": "tag", "bitMaskData": "0x3"})

    assert dataset.get_tag(tag_id) == before


def test_an_update_keeps_what_the_client_says_about_it(dataset, initial_id):
    tag_id = dataset.add_tag("tag", "0x3", initial_id, N_SAMPLES)
    said = {"scatterplot": {"method": "added", "view": "pca", "count": 1, "added": 1, "removed": 0}}

    body = {"name": "tag", "bitMaskData": "0x7", "changes": said}
    dataset.client.put(f"{dataset.url}/tags/{tag_id}", json=body)

    changes = dataset.get_tag(tag_id)["changes"][-1]["changes"]
    assert changes["scatterplot"] == said["scatterplot"]


def test_only_the_last_hundred_changes_are_kept(dataset, initial_id):
    tag_id = dataset.add_tag("name 0", "0x3", initial_id, N_SAMPLES)

    for number in range(1, 102):
        dataset.client.put(f"{dataset.url}/tags/{tag_id}", json={"name": f"name {number}"})

    changes = dataset.get_tag(tag_id)["changes"]
    assert len(changes) == 100
    assert changes[-1]["changes"]["rename"]["to"] == "name 101"


def test_a_tag_cannot_take_the_name_of_another(dataset, initial_id):
    dataset.add_tag("taken", "0x1", initial_id, N_SAMPLES)
    tag_id = dataset.add_tag("tag", "0x3", initial_id, N_SAMPLES)

    response = dataset.client.put(f"{dataset.url}/tags/{tag_id}", json={"name": "taken"})

    assert (response.status_code, response.json()["code"]) == (409, "TAG_NAME_EXISTS")


@pytest.mark.parametrize(
    ("mask", "reason"),
    [
        # grows out of its parent
        ("0x1f", "subset of its parent"),
        # loses what its child holds
        ("0x0c", "'child' is a child of this one"),
        # names a sample that does not exist
        ("0x400", "dataset has 10 samples"),
    ],
)
def test_an_update_cannot_break_the_tree(dataset, initial_id, mask, reason):
    parent_id = dataset.add_tag("parent", "0x0f", initial_id, N_SAMPLES)
    tag_id = dataset.add_tag("tag", "0x07", parent_id, N_SAMPLES)
    dataset.add_tag("child", "0x03", tag_id, N_SAMPLES)

    response = dataset.client.put(
        f"{dataset.url}/tags/{tag_id}", json={"name": "tag", "bitMaskData": mask}
    )

    assert (response.status_code, response.json()["code"]) == (400, "DATASET_TAG_INVALID")
    assert reason in response.json()["error"]
    assert dataset.get_tag(tag_id)["bitMaskData"] == "0x7"


@pytest.mark.parametrize(
    "body", [{"name": "another"}, {"name": "initial-tag", "bitMaskData": "0x1"}]
)
def test_the_initial_tag_keeps_its_name_and_samples(dataset, initial_id, body):
    before = dataset.get_tag(initial_id)

    response = dataset.client.put(f"{dataset.url}/tags/{initial_id}", json=body)

    assert (response.status_code, response.json()["code"]) == (409, "CONFLICT")
    assert dataset.get_tag(initial_id) == before


def test_a_deleted_tag_is_gone_and_frees_its_name(dataset, initial_id):
    tag_id = dataset.add_tag("tag", "0x3", initial_id, N_SAMPLES)

    assert dataset.client.delete(f"{dataset.url}/tags/{tag_id}").status_code == 204

    response = dataset.client.get(f"{dataset.url}/tags/{tag_id}")
    assert (response.status_code, response.json()["code"]) == (404, "TAG_UNKNOWN")
    assert dataset.add_tag("tag", "0x3", initial_id, N_SAMPLES) != tag_id


def test_the_initial_tag_cannot_be_deleted(dataset, initial_id):
    response = dataset.client.delete(f"{dataset.url}/tags/{initial_id}")

    assert (response.status_code, response.json()["code"]) == (409, "TAG_UNDELETABLE_IS_INITIAL")


@pytest.mark.parametrize("field", ["prevTagId", "queryTagId", "preselectedTagId"])
def test_only_leaves_can_be_deleted(dataset, initial_id, field):
    tag_id = dataset.add_tag("tag", "0x3", initial_id, N_SAMPLES)
    leaf_id = dataset.add_tag("leaf", "0x1", initial_id, N_SAMPLES, **{field: tag_id})

    refused = dataset.client.delete(f"{dataset.url}/tags/{tag_id}")
    leaf_gone = dataset.client.delete(f"{dataset.url}/tags/{leaf_id}")
    gone = dataset.client.delete(f"{dataset.url}/tags/{tag_id}")

    assert (refused.status_code, refused.json()["code"]) == (409, "TAG_UNDELETABLE_NOT_A_LEAF")
    assert (leaf_gone.status_code, gone.status_code) == (204, 204)


def test_a_change_of_tags_is_a_change_of_the_dataset(dataset, initial_id):
    with dataset.server.platform.database.write() as connection:
        connection.execute(sa.update(datasets).values(last_modified_at_ms=1))

    tag_id = dataset.add_tag("tag", "0x3", initial_id, N_SAMPLES)

    modified_at_ms = dataset.client.get(dataset.url).json()["lastModifiedAt"]
    assert modified_at_ms == dataset.get_tag(tag_id)["lastModifiedAt"]


def test_file_names_of_a_tag_come_in_sample_order(dataset, initial_id):
    tag_id = dataset.add_tag("tag", "0x259", initial_id, N_SAMPLES)

    names = dataset.client.get(f"{dataset.url}/tags/{tag_id}/filenames").json()

    assert names == [f"image_{number}.jpg" for number in (0, 3, 4, 6, 9)]


def test_the_initial_tag_names_every_sample(dataset, initial_id):
    names = dataset.client.get(f"{dataset.url}/tags/{initial_id}/filenames").json()

    assert names == [f"image_{number}.jpg" for number in range(N_SAMPLES)]


def test_an_empty_tag_names_no_sample(dataset, initial_id):
    tag_id = dataset.add_tag("tag", "0x0", initial_id, N_SAMPLES)

    assert dataset.client.get(f"{dataset.url}/tags/{tag_id}/filenames").json() == []


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", ""),
        ("PUT", ""),
        ("DELETE", ""),
        ("GET", "/filenames"),
        ("GET", "/scores"),
        ("POST", "/scores"),
        ("GET", f"/scores/{ABSENT_ID}"),
    ],
)
def test_a_tag_of_another_dataset_is_not_there(server, dataset, method, path):
    other_id = add_dataset(server, "other").add_initial_tag()
    bodies = {"PUT": {"name": "mine now"}, "POST": {"scoreType": "x", "scores": [1]}}

    answers = [
        dataset.client.request(
            method, f"{dataset.url}/tags/{tag_id}{path}", json=bodies.get(method)
        )
        for tag_id in (other_id, ABSENT_ID)
    ]

    found = [(a.status_code, a.json()["code"], a.json()["error"]) for a in answers]
    assert found[0][:2] == (404, "TAG_UNKNOWN")
    assert found[0] == found[1]


@pytest.mark.parametrize(
    ("method", "path", "body"),
    [
        ("GET", "", None),
        ("POST", "", {"name": "abc", "prevTagId": ABSENT_ID, "bitMaskData": "0x1", "totSize": 1}),
        ("POST", "/initial", {"imgType": "full"}),
        ("POST", "/upsize", {"upsizeTagName": "abc", "upsizeTagCreator": "USER_PIP"}),
        (
            "POST",
            "/arithmetics",
            {"tagId1": ABSENT_ID, "tagId2": ABSENT_ID, "operation": "UNION"},
        ),
        (
            "POST",
            "/arithmetics",
            {
                "tagId1": ABSENT_ID,
                "tagId2": ABSENT_ID,
                "operation": "UNION",
                "newTagName": "abc",
            },
        ),
        (
            "POST",
            "/arithmetics/bitmask",
            {"tagId1": ABSENT_ID, "tagId2": ABSENT_ID, "operation": "UNION"},
        ),
    ],
)
def test_another_user_sees_and_changes_nothing(server, dataset, method, path, body):
    stranger = add_stranger(server)

    answers = [
        stranger.request(method, f"/v1/datasets/{dataset_id}/tags{path}", json=body)
        for dataset_id in (dataset.id, ABSENT_ID)
    ]

    found = [(a.status_code, a.json()["code"], a.json()["error"]) for a in answers]
    assert found[0][:2] == (404, "DATASET_UNKNOWN")
    assert found[0] == found[1]
    assert len(dataset.list_tags()) == 1


@pytest.mark.parametrize(
    "extra", [{"userId": "me"}, {"createdAt": 1}, {"id": ABSENT_ID}, {"prev_tag_id": ABSENT_ID}]
)
def test_unknown_fields_are_refused(dataset, initial_id, extra):
    response = dataset.post_tag("tag", "0x1", initial_id, N_SAMPLES, **extra)

    assert (response.status_code, response.json()["code"]) == (400, "MALFORMED_REQUEST")


@pytest.mark.parametrize(
    ("changes", "status"),
    [
        # more than is kept
        ({"note": "x" * 20_000}, 413),
        # deeper than can be written again
        ({"note": "DEEP"}, 400),
    ],
)
def test_what_clients_say_about_a_change_is_bounded(dataset, initial_id, changes, status):
    body = {
        "name": "tag",
        "prevTagId": initial_id,
        "bitMaskData": "0x1",
        "totSize": N_SAMPLES,
        "changes": changes,
    }

    text = json.dumps(body).replace('"DEEP"', "[" * 300 + "]" * 300)
    response = dataset.client.post(f"{dataset.url}/tags", content=text)

    assert response.status_code == status
