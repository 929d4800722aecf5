"""Predictions that are too large, too many or not numbers: T33 of the threat list."""

from __future__ import annotations

import json

import pytest

from lightly.server.predictions.bodies import MAX_CATEGORIES_BYTES, MAX_PREDICTIONS_BYTES
from tests.support.predictions import make_prediction, make_schema
from tests.support.tagged_datasets import TaggedDataset, add_dataset

TASK, TYPE = "masks", "SEMANTIC_SEGMENTATION"


@pytest.fixture
def dataset(sqlite_server) -> TaggedDataset:
    made = add_dataset(sqlite_server)
    made.add_samples(["a.jpg"])
    made.created(made.client.post(f"{made.url}/predictions/tasks", json=make_schema(TASK, TYPE)))
    return made


def post(dataset: TaggedDataset, body: str):
    sample_id = dataset.client.get(f"{dataset.url}/mappings?field=_id").json()[0]
    return dataset.client.post(f"{dataset.url}/predictions/samples/{sample_id}", content=body)


def make_body(size_bytes: int) -> str:
    """Return predictions of which so many bytes are stored."""
    prediction = make_prediction(TASK, TYPE, segmentation=[])
    stored = [{name: prediction[name] for name in ("categoryId", "score", "segmentation")}]
    # Their JSON, and the run lengths beside it: a bracket, digits and commas, a bracket.
    n_bytes = size_bytes - len(json.dumps(stored, separators=(",", ":")))
    digits = ["1"] * ((n_bytes - 1) // 2)
    if n_bytes % 2 == 0:
        digits[0] = "10"
    runs = ",".join(digits)
    return json.dumps([prediction]).replace('"segmentation": []', f'"segmentation": [{runs}]')


@pytest.mark.parametrize(("over", "status"), [(-1, 201), (0, 201), (1, 413)])
def test_predictions_of_a_sample_have_a_ceiling(dataset, over, status):
    response = post(dataset, make_body(MAX_PREDICTIONS_BYTES + over))

    assert response.status_code == status, response.text[:300]


@pytest.mark.parametrize(("over", "status"), [(-1, 201), (0, 201), (1, 413)])
def test_categories_of_a_task_have_a_ceiling(dataset, over, status):
    empty = len(json.dumps([{"id": 0, "name": ""}], separators=(",", ":")))
    name = "n" * (MAX_CATEGORIES_BYTES - empty + over)
    schema = {"name": "named", "type": TYPE, "categories": [{"id": 0, "name": name}]}

    response = dataset.client.post(f"{dataset.url}/predictions/tasks", json=schema)

    assert response.status_code == status
    assert len(response.text) < 1000


@pytest.mark.parametrize("number", ["NaN", "1e999", "-0.5", "1" + "0" * 400, '"1"', "true", "null"])
@pytest.mark.parametrize("place", ["score", "categoryId", "segmentation", "probabilities"])
def test_what_is_no_number_of_its_kind_is_refused(dataset, place, number):
    value = f"[{number}]" if place in {"segmentation", "probabilities"} else number
    prediction = make_prediction(TASK, TYPE)
    prediction.pop(place, None)
    body = f"[{json.dumps(prediction)[:-1]}, {json.dumps(place)}: {value}}}]"

    response = post(dataset, body)

    assert (response.status_code, response.json()["code"]) == (400, "MALFORMED_REQUEST")
    assert len(response.json()["error"]) < 300


@pytest.mark.parametrize("name", ["\x00", "\ud800", '"}{', "a" * 300, "', '--", "\\u0000"])
def test_names_of_tasks_that_nobody_could_make_are_refused(dataset, name):
    prediction = make_prediction(TASK, TYPE) | {"taskName": name}
    for response in (
        post(dataset, json.dumps([prediction])),
        dataset.client.get(f"{dataset.url}/predictions/samples", params={"taskName": "x\x00"}),
    ):
        assert response.status_code in {400, 404, 422}


def test_unknown_fields_are_refused(dataset):
    prediction = make_prediction(TASK, TYPE)

    for field in ("id", "sampleId", "userId", "createdAt"):
        response = post(dataset, json.dumps([prediction | {field: "0" * 24}]))

        assert (response.status_code, response.json()["code"]) == (400, "MALFORMED_REQUEST")


def test_a_score_of_a_tag_is_no_score_of_a_task_and_the_other_way_round(dataset):
    tag_url = f"{dataset.url}/tags/{dataset.add_initial_tag()}/scores"
    task_url = f"{dataset.url}/predictions/scores"
    body = {"scoreType": "margin", "scores": [0.5]}
    of_tag = dataset.created(dataset.client.post(tag_url, json=body))
    of_task = dataset.created(dataset.client.post(f"{task_url}?taskName={TASK}", json=body))

    for url in (f"{task_url}/{of_tag}", f"{tag_url}/{of_task}"):
        assert dataset.client.get(url).json()["code"] == "SCORE_UNKNOWN"
