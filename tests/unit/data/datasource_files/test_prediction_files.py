"""Prediction files keep their rules, and errors say which one was broken where."""

import json

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lightly.data.datasource_files.errors import FileInvalid
from lightly.data.datasource_files.prediction_files import (
    check_image_size,
    encode_predictions,
    parse_predictions,
    write_wire_form,
)
from lightly.data.datasource_files.prediction_tasks import (
    TASK_TYPES,
    Category,
    TaskSchema,
    make_schema,
)
from lightly.data.datasource_files.run_lengths import decode_mask, encode_mask

CATEGORIES = (
    Category(id=0, name="cat", keypoint_names=["nose", "tail"], keypoint_skeleton=[[0, 1]]),
    Category(id=7, name="dog", keypoint_names=["nose", "tail"]),
)
SCHEMAS = {type_: TaskSchema(type_, CATEGORIES) for type_ in TASK_TYPES}
VALID = {
    "classification": {"category_id": 7, "score": 0.25, "probabilities": [0.75, 0.25]},
    "object-detection": {"category_id": 0, "bbox": [1, 2.5, 3, 0], "score": 1},
    "semantic-segmentation": {"category_id": 0, "segmentation": [0, 3, 1], "score": 0.5},
    "instance-segmentation": {
        "category_id": 0,
        "segmentation": [2, 2],
        "bbox": [0, 1, 2, 1],
        "score": 0.5,
    },
    "keypoint-detection": {
        "category_id": 7,
        "keypoints": [1, 2, 0.5, 3, 4, 1],
        "bbox": [0, 0, 9, 9],
        "score": 0.5,
    },
}


def parse(task_type, prediction, **options):
    content = json.dumps({"predictions": [prediction]}).encode()
    return parse_predictions(content, SCHEMAS[task_type], "a.json", **options)


@pytest.mark.parametrize("task_type", TASK_TYPES)
def test_predictions_of_every_type_are_read_as_they_are(task_type):
    read = parse(task_type, VALID[task_type])

    assert read.predictions == [VALID[task_type]]


@pytest.mark.parametrize("task_type", TASK_TYPES)
def test_predictions_of_every_type_come_back_from_what_was_written(task_type):
    content = encode_predictions("t", SCHEMAS[task_type], "a/b.jpg", [VALID[task_type]])

    read = parse_predictions(content, SCHEMAS[task_type], "b.json", stem="a/b")
    assert (read.file_name, read.predictions) == ("a/b.jpg", [VALID[task_type]])


def test_a_classification_without_score_has_that_of_its_probability():
    read = parse("classification", {"category_id": 7, "probabilities": [0.9, 0.1]})

    assert read.predictions[0]["score"] == 0.1


@pytest.mark.parametrize(
    ("task_type", "change", "key", "rule"),
    [
        ("object-detection", {"bbox": [1, 2, 3]}, "bbox", "4 or more entries"),
        ("object-detection", {"bbox": [1, 2, 3, 4, 5]}, "bbox", "at most 4 entries"),
        ("object-detection", {"bbox": [1, 2, 3, -4]}, "bbox.3", "0 or more, got -4"),
        ("object-detection", {"bbox": [1, 2, 3, "4"]}, "bbox.3", "must be a number, got '4'"),
        ("object-detection", {"bbox": [1, 2, 3, float("nan")]}, "bbox.3", "finite"),
        ("object-detection", {"bbox": [1, 2, 3, float("inf")]}, "bbox.3", "finite"),
        ("object-detection", {"bbox": None}, "bbox", "must be a list"),
        ("object-detection", {"score": 1.5}, "score", "1.0 or less, got 1.5"),
        ("object-detection", {"score": True}, "score", "must be a number, got True"),
        ("object-detection", {"category_id": 3}, "category_id", "an id of the task's schema"),
        ("object-detection", {"category_id": 0.0}, "category_id", "a whole number"),
        ("object-detection", {"category_id": 10**30}, "category_id", "or less"),
        ("object-detection", {"probabilities": [1]}, "probabilities", "each of the 2 categories"),
        ("object-detection", {"probabilities": [0.2, 0.2]}, "probabilities", "add up to 0.4"),
        ("object-detection", {"probabilities": [2, -1]}, "probabilities.0", "1.0 or less"),
        ("semantic-segmentation", {"segmentation": [1.5]}, "segmentation.0", "whole number"),
        ("semantic-segmentation", {"segmentation": [-1]}, "segmentation.0", "0 or more"),
        ("semantic-segmentation", {"segmentation": "1 2"}, "segmentation", "a list"),
        ("semantic-segmentation", {"segmentation": [2**31 - 1, 1]}, "segmentation", "at most"),
        ("keypoint-detection", {"keypoints": [1, 2]}, "keypoints", "3 or more entries"),
        ("keypoint-detection", {"keypoints": [1, 2, 3, 4]}, "keypoints", "x, y and a score"),
        ("keypoint-detection", {"keypoints": [1, 2, 1]}, "keypoints", "the 2 keypoints"),
    ],
)
def test_what_breaks_a_rule_is_named_with_place_and_rule(task_type, change, key, rule):
    with pytest.raises(FileInvalid) as caught:
        parse(task_type, VALID[task_type] | change)

    assert caught.value.file == "a.json"
    assert caught.value.key == f"predictions.0.{key}"
    assert rule in caught.value.rule
    assert "Put the file right" in str(caught.value) or "schema.json" in str(caught.value)


@pytest.mark.parametrize(
    ("task_type", "key"),
    [(type_, key) for type_ in TASK_TYPES for key in VALID[type_] if key != "probabilities"],
)
def test_what_a_type_needs_must_be_there(task_type, key):
    prediction = {name: value for name, value in VALID[task_type].items() if name != key}
    is_optional = (task_type, key) in {
        ("classification", "score"),
        ("keypoint-detection", "bbox"),
    }

    if is_optional:
        assert parse(task_type, prediction).predictions
    else:
        with pytest.raises(FileInvalid, match=rf"predictions\.0\.{key}: is missing"):
            parse(task_type, prediction)


def test_a_classification_needs_a_score_or_probabilities():
    with pytest.raises(FileInvalid, match=r"score: is missing: without 'probabilities'"):
        parse("classification", {"category_id": 7})


def test_masks_of_one_image_have_one_size():
    masks = [{"category_id": 0, "segmentation": runs, "score": 1} for runs in ([4], [0, 5])]
    content = json.dumps({"predictions": masks}).encode()

    with pytest.raises(FileInvalid, match=r"predictions\.1\.segmentation: must cover as many"):
        parse_predictions(content, SCHEMAS["semantic-segmentation"], "a.json")


def test_masks_have_the_size_of_their_image():
    masks = parse("semantic-segmentation", VALID["semantic-segmentation"]).predictions

    check_image_size(masks, "a.json", width=2, height=2)
    with pytest.raises(FileInvalid, match="must cover the 3 x 2 pixels"):
        check_image_size(masks, "a.json", width=3, height=2)


@pytest.mark.parametrize(
    ("file_name", "is_valid"),
    [("a/b.jpg", True), ("a/b.png", True), ("b.jpg", False), ("a/b", True), ("../a/b.jpg", False)],
)
def test_a_file_is_about_the_image_that_it_is_named_after(file_name, is_valid):
    content = json.dumps({"file_name": file_name, "predictions": []}).encode()

    def read():
        return parse_predictions(content, SCHEMAS["classification"], "a/b.json", stem="a/b")

    if is_valid:
        assert read().file_name == file_name
    else:
        with pytest.raises(FileInvalid, match="file_name: must be the image"):
            read()


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"{",
        b"[]",
        b"null",
        b"\xff\xfe",
        b'{"predictions": [{"category_id": 0, "score": NaN}]}',
        b'{"predictions": [{"category_id": 0, "score": 1e999}]}',
        b"[" * 100_000,
        b'{"predictions":' * 100_000,
        b'{"predictions": [{"category_id": ' + b"9" * 10_000 + b"}]}",
        b'{"predictions": "\\ud800"}',
        b'{"predictions": {"0": {}}}',
        b'{"file_name": 3, "predictions": []}',
    ],
    ids=range(13),
)
@pytest.mark.parametrize("task_type", TASK_TYPES)
def test_hostile_files_are_refused_with_a_short_reason(task_type, content):
    with pytest.raises(FileInvalid) as caught:
        parse_predictions(content, SCHEMAS[task_type], "x" * 5_000)

    assert len(str(caught.value)) < 800


def test_numbers_of_thousands_of_digits_are_refused():
    runs = ", ".join(["9" * 4_299] * 50)
    content = f'{{"predictions": [{{"category_id": 0, "score": 1, "segmentation": [{runs}]}}]}}'

    with pytest.raises(FileInvalid, match="may have at most"):
        parse_predictions(content.encode(), SCHEMAS["semantic-segmentation"], "a.json")


@given(content=st.binary(max_size=200))
def test_no_bytes_crash_the_reader(content):
    try:
        parse_predictions(content, SCHEMAS["object-detection"], "a.json")
    except FileInvalid:
        return


JSON = st.recursive(
    st.none() | st.booleans() | st.floats() | st.integers() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=5), inner),
    max_leaves=8,
)


@given(
    task_type=st.sampled_from(TASK_TYPES),
    key=st.sampled_from(["category_id", "bbox", "segmentation", "keypoints", "score"]),
    value=JSON,
)
def test_no_value_crashes_the_reader(task_type, key, value):
    try:
        parse(task_type, VALID[task_type] | {key: value})
    except FileInvalid:
        return


@given(
    boxes=st.lists(
        st.tuples(
            st.lists(st.floats(0, 1e9, allow_nan=False), min_size=4, max_size=4),
            st.floats(0, 1),
            st.sampled_from([0, 7]),
        ),
        max_size=5,
    )
)
def test_boxes_come_back_to_the_last_digit(boxes):
    schema = SCHEMAS["object-detection"]
    predictions = [{"category_id": id_, "bbox": box, "score": score} for box, score, id_ in boxes]

    content = encode_predictions("t", schema, "a.jpg", predictions)
    assert parse_predictions(content, schema, "a.json").predictions == predictions


@given(
    mask=st.integers(1, 12).flatmap(
        lambda width: st.lists(
            st.lists(st.booleans(), min_size=width, max_size=width), min_size=1, max_size=8
        )
    )
)
def test_masks_come_back_from_their_run_lengths(mask):
    pixels = np.array(mask)
    height, width = pixels.shape

    runs = encode_mask(pixels)
    assert sum(runs) == pixels.size
    assert 0 not in runs[1:]
    assert np.array_equal(decode_mask(runs, width, height), pixels)


def test_the_wire_form_has_the_names_of_the_api():
    (prediction,) = write_wire_form([VALID["object-detection"]], "animals", "object-detection")

    assert prediction == {
        "type": "OBJECT_DETECTION",
        "taskName": "animals",
        "categoryId": 0,
        "bbox": [1, 2.5, 3, 0],
        "score": 1,
    }


def test_what_does_not_fit_the_schema_is_not_written():
    with pytest.raises(FileInvalid, match=r"\.lightly/predictions/t/a\.json"):
        encode_predictions("t", make_schema("classification", []), "a.jpg", [{"category_id": 0}])
