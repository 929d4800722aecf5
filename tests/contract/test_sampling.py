"""Selections within a dataset as the contract wants them."""

from __future__ import annotations

import concurrent.futures

import numpy as np
import pytest

from tests.conftest import DATABASES
from tests.support.embedded_datasets import (
    make_embedded_dataset,
    read_tag,
    run_shared_server,
    write_csv,
)

#: On a line at 0, 1, 2, 10, 11, 30: farthest first from the first is 0, 30, 11, 2 or 10, ...
LINE = np.array([[0], [1], [2], [10], [11], [30]], dtype=np.float32)


@pytest.fixture(scope="module", params=DATABASES)
def server(request, tmp_path_factory):
    with run_shared_server(request, tmp_path_factory.mktemp("server")) as running:
        yield running


@pytest.fixture(scope="module")
def line(server):
    """A dataset with embeddings that no test changes but by adding tags."""
    dataset = make_embedded_dataset(server)
    return dataset, dataset.upload(LINE)


@pytest.fixture
def fresh(server):
    """A dataset of its own with an embedding whose CSV has not arrived."""
    dataset = make_embedded_dataset(server)
    return dataset, dataset.begin_upload()[1]


def get_error(response):
    return response.status_code, response.json()["code"]


def test_coreset_picks_the_farthest_first(line):
    dataset, embedding_id = line

    tag = dataset.select(embedding_id, name="farthest", nSamples=3, minDistance=-1)

    assert read_tag(tag) == [0, 4, 5]


def test_the_new_tag_names_where_it_comes_from(line):
    dataset, embedding_id = line

    tag = dataset.select(embedding_id, name="origin", nSamples=2, rowCount=6)

    assert (tag["name"], tag["totSize"]) == ("origin", 6)
    assert tag["prevTagId"] == tag["queryTagId"] == dataset.initial_tag_id
    assert "preselectedTagId" not in tag
    [change] = tag["changes"]
    assert change["creator"] == "SAMPLER_CORESET"
    assert change["changes"] == {"sampler": {"method": "CORESET"}}


def test_a_minimum_distance_ends_the_selection(line):
    dataset, embedding_id = line

    tag = dataset.select(embedding_id, name="apart", minDistance=8)

    assert read_tag(tag) == [0, 4, 5]


def test_without_any_limit_everything_is_selected(line):
    dataset, embedding_id = line

    tag = dataset.select(embedding_id, name="everything", nSamples=-1, minDistance=-1)

    assert read_tag(tag) == [0, 1, 2, 3, 4, 5]


@pytest.mark.parametrize(
    ("n_samples", "size"),
    [
        # a share, rounded down
        (0.5, 3),
        (0.34, 2),
        # at least one
        (0.01, 1),
        # one is one sample, not all of them
        (1, 1),
        (1.0, 1),
        # a whole number in another spelling
        (2.0, 2),
        # more than there are
        (1000, 6),
    ],
)
def test_a_number_is_a_count_and_a_fraction_a_share(line, n_samples, size):
    dataset, embedding_id = line

    tag = dataset.select(embedding_id, name=f"size {n_samples!r}", nSamples=n_samples)

    assert len(read_tag(tag)) == size


def test_preselected_samples_count_and_are_in_the_new_tag(line):
    dataset, embedding_id = line
    preselected = dataset.add_tag([1, 5], "preselected")

    tag = dataset.select(
        embedding_id, name="with preselected", nSamples=3, preselectedTagId=preselected
    )

    assert read_tag(tag) == [1, 4, 5]
    assert tag["prevTagId"] == tag["preselectedTagId"] == preselected


def test_a_target_that_is_reached_already_adds_nothing(line):
    dataset, embedding_id = line
    preselected = dataset.add_tag([0, 2, 3], "three")

    tag = dataset.select(embedding_id, name="reached", nSamples=2, preselectedTagId=preselected)

    assert read_tag(tag) == [0, 2, 3]


def test_only_samples_of_the_query_tag_are_picked(line):
    dataset, embedding_id = line
    query = dataset.add_tag([1, 2, 3], "query")

    tag = dataset.select(embedding_id, name="queried", nSamples=2, queryTagId=query)

    assert read_tag(tag) == [1, 3]
    assert (tag["queryTagId"], tag["prevTagId"]) == (query, dataset.initial_tag_id)


def test_random_needs_no_csv_and_picks_the_same_again(fresh):
    dataset, embedding_id = fresh

    first = dataset.select(embedding_id, "RANDOM", name="first", nSamples=3)
    second = dataset.select(embedding_id, "RANDOM", name="second", nSamples=3)

    assert len(read_tag(first)) == 3
    assert read_tag(first) == read_tag(second)


def test_active_learning_picks_the_highest_scores(fresh):
    dataset, embedding_id = fresh
    dataset.put_scores(dataset.initial_tag_id, "mine", [0.1, 0.9, 0.3, 0.2, 0.8, 0.0])

    tag = dataset.select(embedding_id, "ACTIVE_LEARNING", nSamples=2)

    assert read_tag(tag) == [1, 4]


def test_scores_belong_to_the_samples_of_the_query_tag(fresh):
    dataset, embedding_id = fresh
    query = dataset.add_tag([0, 3, 5], "query")
    dataset.put_scores(query, "mine", [0.1, 0.2, 0.9])

    tag = dataset.select(embedding_id, "ACTIVE_LEARNING", nSamples=2, queryTagId=query)

    assert read_tag(tag) == [3, 5]


def test_a_request_may_name_its_scores(fresh):
    dataset, embedding_id = fresh
    dataset.put_scores(dataset.initial_tag_id, "ascending", [1, 2, 3, 4, 5, 6])
    dataset.put_scores(dataset.initial_tag_id, "descending", [6, 5, 4, 3, 2, 1])

    tag = dataset.select(embedding_id, "ACTIVE_LEARNING", nSamples=1, scoreType="descending")

    assert read_tag(tag) == [0]


def test_of_several_scores_the_margin_is_taken_by_default(fresh):
    dataset, embedding_id = fresh
    dataset.put_scores(dataset.initial_tag_id, "uncertainty_entropy", [1, 2, 3, 4, 5, 6])
    dataset.put_scores(dataset.initial_tag_id, "uncertainty_margin", [6, 5, 4, 3, 2, 1])

    tag = dataset.select(embedding_id, "ACTIVE_LEARNING", nSamples=1)

    assert read_tag(tag) == [0]


def test_coral_weighs_distance_with_scores(line):
    dataset, embedding_id = line
    query = dataset.add_tag([0, 1, 2, 3, 4, 5], "all for coral")
    dataset.put_scores(query, "mine", [1.0, 1.0, 1.0, 1.0, 1.0, 0.0])

    tag = dataset.select(embedding_id, "CORAL", name="coral", nSamples=2, queryTagId=query)

    # With the first sample, 5 gives 30^2 * 1 and 4 only 11^2 * 2: distance still wins here.
    assert read_tag(tag) == [0, 5]


def test_samples_without_scores_weigh_nothing(fresh):
    dataset, embedding_id = fresh
    dataset.put_scores(dataset.initial_tag_id, "mine", [0.3, 0.2, 0.1, 0.1, 0.1, 0.1])
    body = {"samples": [{"fileName": "later.jpg"}]}
    dataset.client.post(f"/ext{dataset.path}/samples/bulk", json=body)
    upsize = {"upsizeTagName": "later", "upsizeTagCreator": "USER_PIP"}
    dataset.client.post(f"{dataset.path}/tags/upsize", json=upsize)

    tag = dataset.select(embedding_id, "ACTIVE_LEARNING", nSamples=2, rowCount=7)

    assert read_tag(tag) == [0, 1]


def test_the_same_request_twice_is_one_job_with_one_tag(fresh):
    dataset, embedding_id = fresh
    first = dataset.request_sampling(embedding_id, "RANDOM", nSamples=2).json()["jobId"]

    during = dataset.request_sampling(embedding_id, "RANDOM", nSamples=2).json()["jobId"]
    dataset.wait_for_job(first)
    after = dataset.request_sampling(embedding_id, "RANDOM", nSamples=2).json()["jobId"]

    assert first == during == after
    assert len(dataset.client.get(f"{dataset.path}/tags").json()) == 2


def test_of_many_different_requests_for_one_name_one_wins(fresh):
    dataset, embedding_id = fresh

    def request(number):
        return dataset.request_sampling(embedding_id, "RANDOM", nSamples=number + 1).status_code

    with concurrent.futures.ThreadPoolExecutor(6) as pool:
        statuses = sorted(pool.map(request, range(6)))

    assert statuses == [200] + [409] * 5


def test_a_name_is_free_again_once_its_tag_was_deleted(fresh):
    dataset, embedding_id = fresh
    tag = dataset.select(embedding_id, "RANDOM", nSamples=2)
    assert dataset.client.delete(f"{dataset.path}/tags/{tag['id']}").status_code == 204

    again = dataset.select(embedding_id, "RANDOM", nSamples=3)

    assert len(read_tag(again)) == 3


def test_a_failed_selection_frees_its_name(fresh):
    dataset, embedding_id = fresh
    url, _ = dataset.begin_upload()
    dataset.put(url, write_csv(dataset.names, LINE))
    dataset.wait_for_jobs("EMBEDDING")
    body = {"samples": [{"fileName": "later.jpg"}]}
    dataset.client.post(f"/ext{dataset.path}/samples/bulk", json=body)
    upsize = {"upsizeTagName": "later", "upsizeTagCreator": "USER_PIP"}
    dataset.client.post(f"{dataset.path}/tags/upsize", json=upsize)

    failed = dataset.wait_for_job(dataset.request_sampling(embedding_id).json()["jobId"])
    tag = dataset.select(embedding_id, "RANDOM", nSamples=1)

    assert (failed["status"], "covers the first 6" in failed["error"]) == ("FAILED", True)
    assert len(read_tag(tag)) == 1


@pytest.mark.parametrize(
    ("request_fields", "code", "reason"),
    [
        # neither a count nor a share
        ({"nSamples": 0}, "BAD_REQUEST", "'nSamples' must be"),
        ({"nSamples": 2.5}, "BAD_REQUEST", "got 2.5"),
        ({"nSamples": -2}, "BAD_REQUEST", "got -2"),
        # no distance
        ({"minDistance": -0.5}, "BAD_REQUEST", "'minDistance' must be"),
        # a distance that the method does not measure
        ({"method": "RANDOM", "minDistance": 1}, "BAD_REQUEST", "not with RANDOM"),
        # another idea of the dataset
        ({"rowCount": 7}, "EMBEDDING_ROW_COUNT_INVALID", "'rowCount' is 7"),
        ({"rowCount": 6.5}, "EMBEDDING_ROW_COUNT_INVALID", "'rowCount' is 6.5"),
        # tags of nowhere
        ({"queryTagId": "0" * 24}, "TAG_QUERYTAG_NOT_IN_DATASET", "queryTagId"),
        ({"preselectedTagId": "0" * 24}, "TAG_PRESELECTEDTAG_NOT_IN_DATASET", "preselectedTagId"),
        # not of the contract
        ({"method": "BEST"}, "MALFORMED_REQUEST", "method"),
        ({"name": "a"}, "MALFORMED_REQUEST", "newTagName"),
        ({"nSamples": "3"}, "MALFORMED_REQUEST", "nSamples"),
        ({"userId": "me"}, "MALFORMED_REQUEST", "Extra"),
        ({"name": "x" * 300}, "MALFORMED_REQUEST", "255"),
    ],
)
def test_an_impossible_request_is_refused_before_any_work(fresh, request_fields, code, reason):
    dataset, embedding_id = fresh

    response = dataset.request_sampling(embedding_id, **request_fields)

    assert get_error(response) == (400, code)
    assert reason in response.json()["error"]
    assert dataset.list_jobs("SAMPLING") == []


def test_a_tag_with_the_name_refuses_the_request(fresh):
    dataset, embedding_id = fresh

    response = dataset.request_sampling(embedding_id, "RANDOM", name="initial-tag")

    assert get_error(response) == (409, "TAG_NAME_EXISTS")


def test_the_preselected_tag_must_be_within_the_query_tag(fresh):
    dataset, embedding_id = fresh
    inside, outside = dataset.add_tag([0, 1], "inside"), dataset.add_tag([1, 2], "outside")

    response = dataset.request_sampling(
        embedding_id, "RANDOM", queryTagId=inside, preselectedTagId=outside
    )

    assert get_error(response) == (400, "DATASET_TAG_INVALID")


def test_distances_need_a_csv(fresh):
    dataset, embedding_id = fresh

    response = dataset.request_sampling(embedding_id, "CORESET", nSamples=2)

    assert get_error(response) == (400, "EMBEDDING_NOT_READY")


@pytest.mark.parametrize("method", ["CORAL", "ACTIVE_LEARNING"])
def test_scores_must_have_been_uploaded(line, method):
    dataset, embedding_id = line

    for fields in ({}, {"scoreType": "mine"}):
        response = dataset.request_sampling(embedding_id, method, **fields)

        assert get_error(response) == (404, "TAG_NO_SCORES_AVAILABLE")


def test_several_unknown_scores_must_be_told_apart(fresh):
    dataset, embedding_id = fresh
    for kind in ("one", "two"):
        dataset.put_scores(dataset.initial_tag_id, kind, [0.0] * 6)

    response = dataset.request_sampling(embedding_id, "ACTIVE_LEARNING", nSamples=1)

    assert get_error(response) == (400, "BAD_REQUEST")
    assert "(one, two)" in response.json()["error"]


def test_a_dataset_without_tags_has_nothing_to_select_from(fresh):
    dataset, _ = fresh
    body = {"name": f"bare {dataset.id}"}
    bare = dataset.client.post("/v1/datasets", json=body).json()["id"]
    path = f"/v1/datasets/{bare}/embeddings"
    embedding_id = dataset.client.get(f"{path}/writeCSVUrl").json()["embeddingId"]

    sampling = {"newTagName": "abc", "method": "RANDOM", "config": {}}
    response = dataset.client.post(f"{path}/{embedding_id}/sampling", json=sampling)

    assert get_error(response) == (400, "TAG_NO_TAG_IN_DATASET")
