"""Active-learning scores of tags."""

from __future__ import annotations

import pytest

from lightly.server.errors import TagNoScoresAvailable
from lightly.server.tags.scores import read_scores
from tests.support.tagged_datasets import DATABASES, TaggedDataset, add_dataset, run_for_module


@pytest.fixture(scope="module", params=DATABASES)
def server(request, tmp_path_factory):
    with run_for_module(request, tmp_path_factory) as running:
        yield running


@pytest.fixture
def dataset(server) -> TaggedDataset:
    """Six samples and the tag `three` over three of them."""
    made = add_dataset(server)
    made.add_samples([f"{number}.jpg" for number in range(6)])
    made.add_tag("three", "0x2a", made.add_initial_tag(), 6)
    return made


@pytest.fixture
def tag_id(dataset) -> str:
    return {tag["name"]: tag["id"] for tag in dataset.list_tags()}["three"]


def post_scores(dataset: TaggedDataset, tag_id: str, score_type: str, scores: object):
    body = {"scoreType": score_type, "scores": scores}
    return dataset.client.post(f"{dataset.url}/tags/{tag_id}/scores", json=body)


def get_scores(dataset: TaggedDataset, tag_id: str, score_id: str):
    return dataset.client.get(f"{dataset.url}/tags/{tag_id}/scores/{score_id}")


def test_scores_read_back_digit_for_digit(dataset, tag_id):
    sent = [0.1, -1e-300, 3]

    score_id = dataset.created(post_scores(dataset, tag_id, "uncertainty_entropy", sent))

    data = get_scores(dataset, tag_id, score_id).json()
    assert (data["id"], data["tagId"]) == (score_id, tag_id)
    assert (data["scoreType"], data["scores"]) == ("uncertainty_entropy", sent)


def test_the_same_type_again_replaces_the_scores(dataset, tag_id):
    first_id = dataset.created(post_scores(dataset, tag_id, "margin", [1, 2, 3]))

    second_id = dataset.created(post_scores(dataset, tag_id, "margin", [4, 5, 6]))

    assert first_id == second_id
    assert get_scores(dataset, tag_id, first_id).json()["scores"] == [4, 5, 6]


def test_types_are_listed_without_their_values(dataset, tag_id):
    ids = [
        dataset.created(post_scores(dataset, tag_id, type_, [1, 2, 3]))
        for type_ in ("margin", "task/a:entropy")
    ]

    listed = dataset.client.get(f"{dataset.url}/tags/{tag_id}/scores").json()

    found = [(entry["id"], entry["scoreType"]) for entry in listed]
    assert sorted(found) == sorted(zip(ids, ("margin", "task/a:entropy"), strict=True))
    assert all("scores" not in entry for entry in listed)


def test_a_tag_without_scores_says_so(dataset, tag_id):
    response = dataset.client.get(f"{dataset.url}/tags/{tag_id}/scores")

    assert (response.status_code, response.json()["code"]) == (404, "TAG_NO_SCORES_AVAILABLE")


@pytest.mark.parametrize(
    ("scores", "code"),
    [
        # one missing, one too many
        ([1, 2], "SCORES_CANNOT_BE_SET"),
        ([1, 2, 3, 4], "SCORES_CANNOT_BE_SET"),
        # none, no list, no numbers
        ([], "MALFORMED_REQUEST"),
        (1, "MALFORMED_REQUEST"),
        ([1, 2, "3"], "MALFORMED_REQUEST"),
        ([1, 2, None], "MALFORMED_REQUEST"),
        ([1, 2, True], "MALFORMED_REQUEST"),
    ],
)
def test_scores_that_do_not_fit_are_refused(dataset, tag_id, scores, code):
    response = post_scores(dataset, tag_id, "margin", scores)

    assert (response.status_code, response.json()["code"]) == (400, code)


@pytest.mark.parametrize("number", ["NaN", "Infinity", "1e999", "1" + "0" * 400])
def test_only_finite_scores_are_taken(dataset, tag_id, number):
    response = dataset.client.post(
        f"{dataset.url}/tags/{tag_id}/scores",
        content=f'{{"scoreType": "margin", "scores": [1, 2, {number}]}}',
    )

    assert (response.status_code, response.json()["code"]) == (400, "MALFORMED_REQUEST")


@pytest.mark.parametrize("score_type", ["", "a b", "t" * 256])
def test_types_that_break_a_rule_are_refused(dataset, tag_id, score_type):
    response = post_scores(dataset, tag_id, score_type, [1, 2, 3])

    assert (response.status_code, response.json()["code"]) == (400, "MALFORMED_REQUEST")


def test_scores_of_another_tag_are_not_there(dataset, tag_id):
    score_id = dataset.created(post_scores(dataset, tag_id, "margin", [1, 2, 3]))
    initial_id = dataset.list_tags()[0]["id"]

    response = get_scores(dataset, initial_id, score_id)

    assert (response.status_code, response.json()["code"]) == (404, "SCORE_UNKNOWN")


def test_scores_go_with_their_tag(dataset, tag_id):
    score_id = dataset.created(post_scores(dataset, tag_id, "margin", [1, 2, 3]))

    dataset.client.delete(f"{dataset.url}/tags/{tag_id}")

    assert get_scores(dataset, tag_id, score_id).json()["code"] == "TAG_UNKNOWN"
    with dataset.server.platform.database.read() as connection, pytest.raises(TagNoScoresAvailable):
        read_scores(connection, tag_id, "margin")


def test_scores_go_when_the_samples_of_their_tag_change(dataset, tag_id):
    post_scores(dataset, tag_id, "margin", [1, 2, 3])
    url = f"{dataset.url}/tags/{tag_id}"

    dataset.client.put(url, json={"name": "renamed", "bitMaskData": "0x2a"})
    kept = dataset.client.get(f"{url}/scores")
    dataset.client.put(url, json={"name": "renamed", "bitMaskData": "0x15"})
    gone = dataset.client.get(f"{url}/scores")

    assert (kept.status_code, gone.status_code) == (200, 404)


def test_a_selection_reads_scores_as_numbers(dataset, tag_id):
    post_scores(dataset, tag_id, "margin", [0.25, 2, -3])

    with dataset.server.platform.database.read() as connection:
        values = read_scores(connection, tag_id, "margin")

    assert (values.dtype.name, values.tolist()) == ("float64", [0.25, 2.0, -3.0])


def test_long_scores_come_back_whole(server):
    dataset = add_dataset(server, "long")
    n_samples = 5_000
    dataset.add_samples([f"{number}.jpg" for number in range(n_samples)])
    tag_id = dataset.add_initial_tag()
    sent = [number / 7 for number in range(n_samples)]

    score_id = dataset.created(post_scores(dataset, tag_id, "margin", sent))

    assert get_scores(dataset, tag_id, score_id).json()["scores"] == sent
