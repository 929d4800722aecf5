"""Boxes, objects and keypoints as scorers read them."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

import lightly.utils.bounding_box
from lightly.active_learning.utils import (
    BoundingBox,
    KeypointInstancePrediction,
    KeypointPrediction,
    ObjectDetectionOutput,
)

BOX = BoundingBox(0.25, 0.5, 0.75, 1.0)


def sides(box):
    return (box.x0, box.y0, box.x1, box.y1)


def test_sizes_follow_from_the_sides():
    assert (BOX.width, BOX.height, BOX.area) == (0.5, 0.5, 0.25)


def test_sides_outside_are_moved_to_the_border():
    assert sides(BoundingBox(-1, 0.5, 0.5, 7)) == (0, 0.5, 0.5, 1)


@pytest.mark.parametrize(
    "values", [(0.5, 0, 0.5, 1), (0, 0.6, 1, 0.5), (3, 4, 100, 200), (math.nan, 0, 1, 1)]
)
def test_an_empty_box_is_refused(values):
    with pytest.raises(ValueError, match="box"):
        BoundingBox(*values)


def test_sides_outside_are_refused_if_they_may_not_be_moved():
    with pytest.raises(ValueError, match="0 to 1"):
        BoundingBox(-0.1, 0, 1, 1, clip_values=False)


@given(st.floats(0.1, 0.9), st.floats(0.1, 0.9), st.floats(0.01, 0.1), st.floats(0.01, 0.1))
def test_corner_and_centre_describe_the_same_box(x, y, w, h):
    corner = BoundingBox.from_x_y_w_h(x - w / 2, y - h / 2, w, h)

    assert sides(BoundingBox.from_yolo_label(x, y, w, h)) == pytest.approx(sides(corner))


def test_newer_clients_find_the_box_in_another_module():
    assert lightly.utils.bounding_box.BoundingBox is BoundingBox


def test_label_and_score_are_those_of_the_likeliest_class():
    output = ObjectDetectionOutput([BOX, BOX], [0.5, 1.0], [[0.25, 0.75], [0.5, 0.5]])

    assert (output.labels, output.scores) == ([1, 0], [0.375, 0.5])


def test_a_score_is_spread_over_the_other_classes():
    output = ObjectDetectionOutput.from_scores([BOX, BOX], [0.5, 1.0], [2, 0])

    assert output.class_probabilities == [[0.25, 0.25, 0.5], [1.0, 0.0, 0.0]]
    assert (output.labels, output.scores) == ([2, 0], [0.5, 1.0])
    assert output.object_probabilities == [0.5, 1.0]


def test_one_class_leaves_room_for_something_else():
    assert ObjectDetectionOutput.from_scores([BOX], [0.75], [0]).class_probabilities == [
        [0.75, 0.25]
    ]


@pytest.mark.parametrize(
    ("scores", "labels"),
    [([0.5], [0, 1]), ([0.5, 0.5], [0]), ([1.5, 0], [0, 0]), ([-0.1, 0], [0, 0]),
     ([0.5, 0.5], [-1, 0]), ([0.5, 0.5], [0.5, 0]), ([math.nan, 0], [0, 0])],
)  # fmt: skip
def test_wrong_objects_are_refused(scores, labels):
    with pytest.raises(ValueError):
        ObjectDetectionOutput.from_scores([BOX, BOX], scores, labels)


@pytest.mark.parametrize(
    ("keypoints", "category_id", "score"),
    [([1, 2], 0, 0.5), ([1, 2, 1.5], 0, 0.5), ([1, 2, -0.5], 0, 0.5), ([1, 2, math.nan], 0, 0.5),
     ([1, 2, 0.5], 0.5, 0.5), ([1, 2, 0.5], 0, None)],
)  # fmt: skip
def test_wrong_keypoints_are_refused(keypoints, category_id, score):
    with pytest.raises(ValueError):
        KeypointInstancePrediction(keypoints, category_id, score)


def test_keypoints_are_read_of_json():
    text = '[{"keypoints": [1, 2, 0.5, 3, 4, 0.7], "category_id": 2, "score": 0.3}]'

    (instance,) = KeypointPrediction.from_json_string(text).keypoint_instance_predictions

    assert (instance.category_id, instance.score) == (2, 0.3)
    assert instance.get_confidences() == [0.5, 0.7]


@pytest.mark.parametrize("text", ["{", "{}", "[1]", "3"])
def test_json_that_is_no_list_of_objects_is_refused(text):
    with pytest.raises(ValueError):
        KeypointPrediction.from_json_string(text)


def test_an_entry_needs_all_keys():
    with pytest.raises(KeyError):
        KeypointPrediction.from_dicts([{"keypoints": [1, 2, 0.5]}])
