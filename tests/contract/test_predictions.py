"""Prediction tasks, predictions of samples, scores of tasks."""

from __future__ import annotations

import json
from urllib.parse import quote

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.support.predictions import TASK_TYPES, make_prediction, make_schema, predictions_of
from tests.support.tagged_datasets import (
    DATABASES,
    TaggedDataset,
    add_dataset,
    add_stranger,
    run_for_module,
)

_NAMES = {task_type: task_type.lower() for task_type in TASK_TYPES}


@pytest.fixture(scope="module", params=DATABASES)
def server(request, tmp_path_factory):
    with run_for_module(request, tmp_path_factory) as running:
        yield running


@pytest.fixture
def dataset(server) -> TaggedDataset:
    """Three samples and a task of each type, named like the type in lower case."""
    made = add_dataset(server)
    made.add_samples([f"{number}.jpg" for number in range(3)])
    for task_type, name in _NAMES.items():
        made.created(post_task(made, make_schema(name, task_type)))
    return made


def list_ids(dataset: TaggedDataset) -> list[str]:
    ids: list[str] = dataset.client.get(f"{dataset.url}/mappings?field=_id").json()
    return ids


def post_task(dataset: TaggedDataset, schema: object, **query: int):
    return dataset.client.post(f"{dataset.url}/predictions/tasks", json=schema, params=query)


def get_tasks(dataset: TaggedDataset, **headers: str):
    return dataset.client.get(f"{dataset.url}/predictions/tasks", headers=headers).json()


def post_predictions(dataset: TaggedDataset, sample_id: str, predictions: object, **query: int):
    url = f"{dataset.url}/predictions/samples/{sample_id}"
    return dataset.client.post(url, json=predictions, params=query)


def get_predictions(dataset: TaggedDataset, sample_id: str):
    return dataset.client.get(f"{dataset.url}/predictions/samples/{sample_id}").json()


def list_predictions(dataset: TaggedDataset, **query: object):
    return dataset.client.get(f"{dataset.url}/predictions/samples", params=query).json()


@pytest.mark.parametrize("task_type", TASK_TYPES)
def test_a_schema_reads_back_as_it_was_posted(dataset, task_type):
    schema = make_schema("a/b", task_type)

    dataset.created(post_task(dataset, schema))

    url = f"{dataset.url}/predictions/tasks/{quote('a/b', safe='')}"
    assert dataset.client.get(url).json() == schema
    assert schema in get_tasks(dataset)["schemas"]


@pytest.mark.parametrize(
    "name",
    [
        "a//b",
        "/a",
        # slashes that end a path are part of the name too
        "a/b/",
        # an end that opens other paths to public tokens
        "a/readurlRedirect",
    ],
)
def test_a_schema_is_found_by_its_name_whatever_slashes_that_has(dataset, name):
    dataset.created(post_task(dataset, make_schema(name, "CLASSIFICATION")))

    answer = dataset.client.get(f"{dataset.url}/predictions/tasks/{quote(name, safe='')}")

    assert (answer.status_code, answer.json()["name"]) == (200, name)


def test_the_same_name_again_replaces_the_schema_and_keeps_the_id(dataset):
    first = dataset.created(post_task(dataset, make_schema("weather", "CLASSIFICATION")))
    changed = {
        "name": "weather",
        "type": "CLASSIFICATION",
        "categories": [{"id": 7, "name": "fog"}],
    }

    second = dataset.created(post_task(dataset, changed))

    assert first == second
    found = [task for task in get_tasks(dataset)["schemas"] if task["name"] == "weather"]
    assert found == [changed]


def test_a_task_with_predictions_keeps_its_type(dataset):
    sample_id = list_ids(dataset)[0]
    dataset.created(post_task(dataset, make_schema("unused", "CLASSIFICATION")))
    dataset.created(
        post_predictions(dataset, sample_id, [make_prediction("classification", "CLASSIFICATION")])
    )

    refused = post_task(dataset, make_schema("classification", "OBJECT_DETECTION"))
    taken = post_task(dataset, make_schema("unused", "OBJECT_DETECTION"))

    assert (refused.status_code, refused.json()["code"]) == (409, "CONFLICT")
    assert taken.status_code == 201


def test_a_schema_with_a_category_twice_is_refused(dataset):
    categories = [{"id": 1, "name": "a"}, {"id": 1, "name": "b"}]

    response = post_task(
        dataset, {"name": "twice", "type": "CLASSIFICATION", "categories": categories}
    )

    assert response.status_code == 400
    assert response.json()["code"] == "PREDICTION_TASK_SCHEMA_CATEGORIES_NOT_UNIQUE"


@pytest.mark.parametrize(
    "change",
    [
        {"name": "a b"},
        {"name": "n" * 256},
        {"type": "CAPTIONING"},
        {"categories": [{"id": -1, "name": "a"}]},
        {"categories": [{"id": 2**53, "name": "a"}]},
        {"categories": [{"id": 1, "name": ""}]},
        {"categories": [{"id": 1, "name": "a", "keypointNames": ["head"]}]},
        {"id": "0" * 24},
    ],
)
def test_schemas_that_break_a_rule_are_refused(dataset, change):
    response = post_task(dataset, make_schema("task", "CLASSIFICATION") | change)

    assert (response.status_code, response.json()["code"]) == (400, "MALFORMED_REQUEST")


def test_a_skeleton_beyond_the_keypoints_is_refused(dataset):
    category = {"id": 0, "name": "cat", "keypointNames": ["head"], "keypointSkeleton": [[0, 1]]}

    response = post_task(
        dataset, {"name": "pose", "type": "KEYPOINT_DETECTION", "categories": [category]}
    )

    assert response.status_code == 400
    assert "keypointSkeleton" in response.json()["error"]


def test_an_unknown_task_is_not_found(dataset):
    response = dataset.client.get(f"{dataset.url}/predictions/tasks/nothing")

    assert response.status_code == 404
    assert response.json()["code"] == "PREDICTION_TASK_SCHEMA_UNKNOWN"


def test_the_version_of_a_schema_is_told_again(dataset):
    before = get_tasks(dataset)["predictionUUIDTimestamp"]

    post_task(dataset, make_schema("old", "CLASSIFICATION"), predictionUUIDTimestamp=before + 10**6)

    assert before > 0
    assert get_tasks(dataset)["predictionUUIDTimestamp"] == before + 10**6


@pytest.mark.parametrize(
    ("agent", "kind"),
    [
        ("Swagger-Codegen/1.0.0/python", list),
        ("Lightly/1.3.3 (Linux/6; x; ;) python/3.9", list),
        ("Lightly/1.4.26 (Linux/6; x; ;) python/3.9", dict),
        ("Mozilla/5.0", dict),
    ],
)
def test_old_clients_get_the_list_of_schemas_by_itself(dataset, agent, kind):
    answer = dataset.server.client.get(
        f"{dataset.url}/predictions/tasks", headers={"User-Agent": agent}
    ).json()

    assert isinstance(answer, kind)
    assert len(answer if kind is list else answer["schemas"]) == len(TASK_TYPES)


@pytest.mark.parametrize("task_type", TASK_TYPES)
@settings(
    deadline=None,
    max_examples=15,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(data=st.data())
def test_predictions_of_each_type_read_back_as_they_were_posted(dataset, task_type, data):
    sample_id = list_ids(dataset)[1]
    sent = data.draw(st.lists(predictions_of(_NAMES[task_type], task_type), min_size=1, max_size=8))

    assert dataset.created(post_predictions(dataset, sample_id, sent)) == sample_id

    assert get_predictions(dataset, sample_id) == sent
    assert list_predictions(dataset) == [[], sent, []]


@settings(
    deadline=None,
    max_examples=25,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(data=st.data())
def test_predictions_of_several_tasks_keep_the_order_they_were_posted_in(dataset, data):
    sample_id = list_ids(dataset)[0]
    any_task = st.one_of(predictions_of(name, type_) for type_, name in _NAMES.items())
    sent = [
        *data.draw(st.lists(any_task, max_size=12)),
        *(make_prediction(name, task_type) for task_type, name in _NAMES.items()),
    ]

    dataset.created(post_predictions(dataset, sample_id, sent))

    assert get_predictions(dataset, sample_id) == sent


def test_a_list_replaces_only_the_tasks_that_it_names(dataset):
    sample_id = list_ids(dataset)[0]
    box = make_prediction("object_detection", "OBJECT_DETECTION")
    label = make_prediction("classification", "CLASSIFICATION")
    dataset.created(post_predictions(dataset, sample_id, [box, label, box]))
    other = label | {"score": 1}

    dataset.created(post_predictions(dataset, sample_id, [other]))
    dataset.created(post_predictions(dataset, sample_id, []))

    found = get_predictions(dataset, sample_id)
    assert [one for one in found if one["type"] == "OBJECT_DETECTION"] == [box, box]
    assert [one for one in found if one["type"] == "CLASSIFICATION"] == [other]


def test_a_lean_list_has_no_run_lengths(dataset):
    sent = [
        make_prediction("instance_segmentation", "INSTANCE_SEGMENTATION", score=share)
        for share in (0.25, 0.75)
    ]
    dataset.created(post_predictions(dataset, list_ids(dataset)[2], sent))

    lean = list_predictions(dataset, lean=True)

    assert lean == [[], [], [one | {"segmentation": []} for one in sent]]
    assert list_predictions(dataset, lean="False")[2] == sent


def test_lists_are_paged_by_sample_and_filtered_by_task(dataset):
    ids = list_ids(dataset)
    label = make_prediction("classification", "CLASSIFICATION")
    box = make_prediction("object_detection", "OBJECT_DETECTION")
    for sample_id in ids[1:]:
        dataset.created(post_predictions(dataset, sample_id, [label, box]))

    assert list_predictions(dataset, pageSize=2, pageOffset=1) == [[label, box], [label, box]]
    assert list_predictions(dataset, pageSize=2, pageOffset=2) == [[label, box]]
    assert list_predictions(dataset, pageSize=2, pageOffset=4) == []
    assert list_predictions(dataset, taskName="object_detection") == [[], [box], [box]]


def test_a_list_of_an_unknown_task_is_not_found(dataset):
    response = dataset.client.get(f"{dataset.url}/predictions/samples?taskName=nothing")

    assert response.status_code == 404
    assert response.json()["code"] == "PREDICTION_TASK_SCHEMA_UNKNOWN"


def test_any_version_reads_the_same_predictions(dataset):
    sample_id = list_ids(dataset)[0]
    label = make_prediction("classification", "CLASSIFICATION")
    dataset.created(
        post_predictions(dataset, sample_id, [label], predictionUUIDTimestamp=1_700_000_000_000)
    )

    url = f"{dataset.url}/predictions/samples/{sample_id}"
    for version in (0, 5):
        answer = dataset.client.get(url, params={"predictionUUIDTimestamp": version})
        assert answer.json() == [label]


@pytest.mark.parametrize("version", ["-1", "one", str(2**63)])
def test_versions_that_are_no_time_are_refused(dataset, version):
    for path in ("tasks", "samples", "scores"):
        response = dataset.client.get(
            f"{dataset.url}/predictions/{path}", params={"predictionUUIDTimestamp": version}
        )
        assert (response.status_code, response.json()["code"]) == (400, "MALFORMED_REQUEST")


@pytest.mark.parametrize(
    "prediction",
    [
        make_prediction("classification", "CLASSIFICATION", score=1.5),
        make_prediction("classification", "CLASSIFICATION", categoryId=4),
        make_prediction("classification", "CLASSIFICATION", categoryId=-1),
        make_prediction("classification", "CLASSIFICATION", categoryId=1.0),
        make_prediction("classification", "CLASSIFICATION", probabilities=[1.5]),
        make_prediction("classification", "CLASSIFICATION", bbox=[1, 2, 3, 4]),
        make_prediction("classification", "CLASSIFICATION", cropSampleId="x"),
        make_prediction("classification", "OBJECT_DETECTION"),
        make_prediction("object_detection", "OBJECT_DETECTION", bbox=[1, 2, 3]),
        make_prediction("object_detection", "OBJECT_DETECTION", bbox=[1, 2, 3, -4]),
        make_prediction("instance_segmentation", "INSTANCE_SEGMENTATION", segmentation=[1.5]),
        make_prediction("semantic_segmentation", "SEMANTIC_SEGMENTATION", segmentation=[-1]),
        make_prediction("keypoint_detection", "KEYPOINT_DETECTION", keypoints=[1, 2, 0.5, 3]),
        make_prediction("keypoint_detection", "KEYPOINT_DETECTION", keypoints=[1, 2, 0.5]),
        make_prediction("keypoint_detection", "KEYPOINT_DETECTION", keypoints=[]),
        {"type": "CAPTION", "taskName": "classification", "categoryId": 0, "score": 1},
    ],
)
def test_predictions_that_break_a_rule_are_refused(dataset, prediction):
    sample_id = list_ids(dataset)[0]

    response = post_predictions(dataset, sample_id, [prediction])

    assert (response.status_code, response.json()["code"]) == (400, "MALFORMED_REQUEST")
    assert get_predictions(dataset, sample_id) == []


def test_a_refused_list_changes_nothing(dataset):
    sample_id = list_ids(dataset)[0]
    label = make_prediction("classification", "CLASSIFICATION")
    dataset.created(post_predictions(dataset, sample_id, [label]))

    refused = post_predictions(
        dataset, sample_id, [label | {"score": 1}, make_prediction("nothing", "CLASSIFICATION")]
    )

    assert refused.status_code == 404
    assert refused.json()["code"] == "PREDICTION_TASK_SCHEMA_UNKNOWN"
    assert get_predictions(dataset, sample_id) == [label]


@pytest.mark.parametrize("body", ["{}", "null", "[[]]", "[null]", '"a"', "1"])
def test_bodies_that_are_no_list_of_predictions_are_refused(dataset, body):
    response = dataset.client.post(
        f"{dataset.url}/predictions/samples/{list_ids(dataset)[0]}", content=body
    )

    assert (response.status_code, response.json()["code"]) == (400, "MALFORMED_REQUEST")


def test_samples_of_another_dataset_are_not_there(dataset):
    other = add_dataset(dataset.server)
    (foreign,) = other.add_samples(["a.jpg"])

    response = post_predictions(
        dataset, foreign, [make_prediction("classification", "CLASSIFICATION")]
    )

    assert (response.status_code, response.json()["code"]) == (404, "SAMPLE_UNKNOWN")


def post_scores(
    dataset: TaggedDataset, task: str, score_type: str, scores: object, **query: object
):
    return dataset.client.post(
        f"{dataset.url}/predictions/scores",
        params={"taskName": task} | query,
        json={"scoreType": score_type, "scores": scores},
    )


def test_scores_of_a_task_read_back_digit_for_digit(dataset):
    sent = [0.1, -1e-300, 3]

    score_id = dataset.created(
        post_scores(dataset, "classification", "margin", sent, predictionUUIDTimestamp=7)
    )

    data = dataset.client.get(f"{dataset.url}/predictions/scores/{score_id}").json()
    assert (data["taskName"], data["scoreType"], data["scores"]) == (
        "classification",
        "margin",
        sent,
    )
    assert (data["datasetId"], data["predictionUUIDTimestamp"]) == (dataset.id, 7)


def test_scores_are_kept_by_task_and_type(dataset):
    first = dataset.created(post_scores(dataset, "classification", "margin", [1, 2, 3]))
    second = dataset.created(post_scores(dataset, "classification", "margin", [4, 5, 6]))
    others = [
        dataset.created(post_scores(dataset, *place, [1, 2, 3]))
        for place in (("classification", "entropy"), ("object_detection", "margin"))
    ]

    assert first == second
    listed = dataset.client.get(f"{dataset.url}/predictions/scores").json()
    assert sorted(score["id"] for score in listed) == sorted([first, *others])
    data = dataset.client.get(f"{dataset.url}/predictions/scores/{first}").json()
    assert data["scores"] == [4, 5, 6]


def test_a_dataset_without_scores_has_an_empty_list_of_them(dataset):
    assert dataset.client.get(f"{dataset.url}/predictions/scores").json() == []


@pytest.mark.parametrize(
    ("task", "scores", "expected"),
    [
        ("classification", [1, 2], (400, "SCORES_CANNOT_BE_SET")),
        ("classification", [1, 2, 3, 4], (400, "SCORES_CANNOT_BE_SET")),
        ("classification", [], (400, "MALFORMED_REQUEST")),
        ("classification", ["1", 2, 3], (400, "MALFORMED_REQUEST")),
        ("nothing", [1, 2, 3], (404, "PREDICTION_TASK_SCHEMA_UNKNOWN")),
        ("a b", [1, 2, 3], (400, "MALFORMED_REQUEST")),
    ],
)
def test_scores_that_do_not_fit_are_refused(dataset, task, scores, expected):
    response = post_scores(dataset, task, "margin", scores)

    assert (response.status_code, response.json()["code"]) == expected


def test_scores_of_another_dataset_are_not_there(dataset):
    score_id = dataset.created(post_scores(dataset, "classification", "margin", [1, 2, 3]))
    other = add_dataset(dataset.server)

    response = dataset.client.get(f"{other.url}/predictions/scores/{score_id}")

    assert (response.status_code, response.json()["code"]) == (404, "SCORE_UNKNOWN")


@pytest.mark.parametrize("path", ["tasks", "tasks/classification", "samples", "scores"])
def test_predictions_are_not_there_for_strangers(dataset, path):
    stranger = add_stranger(dataset.server)

    response = stranger.get(f"{dataset.url}/predictions/{path}")

    assert (response.status_code, response.json()["code"]) == (404, "DATASET_UNKNOWN")


def put_many(dataset: TaggedDataset, items: object):
    return dataset.client.put(
        f"/ext{dataset.url}/predictions/samples", content=json.dumps({"items": items})
    )


def test_many_samples_get_their_predictions_in_one_request(dataset):
    ids = list_ids(dataset)
    label = make_prediction("classification", "CLASSIFICATION")
    box = make_prediction("object_detection", "OBJECT_DETECTION")

    response = put_many(
        dataset,
        [
            {"fileName": "2.jpg", "predictions": [label, box]},
            {"id": ids[0], "predictions": [box]},
            {"id": ids[1], "predictions": []},
        ],
    )

    assert response.status_code == 204
    assert list_predictions(dataset) == [[box], [], [label, box]]


def test_a_sample_that_is_named_twice_ends_with_the_later_predictions(dataset):
    label = make_prediction("classification", "CLASSIFICATION")
    sample_id = list_ids(dataset)[0]

    response = put_many(
        dataset,
        [
            {"id": sample_id, "predictions": [label]},
            {"fileName": "0.jpg", "predictions": [label | {"score": 1}]},
        ],
    )

    assert response.status_code == 204
    assert get_predictions(dataset, sample_id) == [label | {"score": 1}]


@pytest.mark.parametrize(
    ("bad", "expected"),
    [
        ({"fileName": "nothing.jpg", "predictions": []}, (404, "SAMPLE_UNKNOWN")),
        ({"predictions": []}, (400, "MALFORMED_REQUEST")),
        ({"fileName": "1.jpg", "predictions": [{}]}, (400, "MALFORMED_REQUEST")),
        ({"fileName": "1.jpg"}, (400, "MALFORMED_REQUEST")),
        (
            {"fileName": "1.jpg", "predictions": [make_prediction("none", "CLASSIFICATION")]},
            (404, "PREDICTION_TASK_SCHEMA_UNKNOWN"),
        ),
    ],
)
def test_a_bad_item_keeps_all_others_from_being_stored(dataset, bad, expected):
    good = {
        "fileName": "0.jpg",
        "predictions": [make_prediction("classification", "CLASSIFICATION")],
    }

    response = put_many(dataset, [good, bad])

    assert (response.status_code, response.json()["code"]) == expected
    assert list_predictions(dataset) == [[], [], []]


@pytest.mark.parametrize(("n_items", "status"), [(10_000, 404), (10_001, 413)])
def test_a_request_has_at_most_ten_thousand_samples(dataset, n_items, status):
    item = {"fileName": "nothing.jpg", "predictions": []}

    assert put_many(dataset, [item] * n_items).status_code == status
