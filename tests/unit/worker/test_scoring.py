"""Active-learning scores of predictions in files, against the scorers of the SDK."""

from __future__ import annotations

import re
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lightly.active_learning.scorers import ScorerClassification, ScorerObjectDetection
from lightly.active_learning.utils.object_detection_output import ObjectDetectionOutput
from lightly.data.datasource_files.prediction_tasks import TASK_TYPES, make_schema
from lightly.worker.options import ObjectFrequency
from lightly.worker.runs.scoring import compute_scores, fill_probabilities, list_score_names

BOXES = make_schema("object-detection", ["a", "b", "c"])
CLASSES = make_schema("classification", ["a", "b", "c"])

ROWS = st.lists(st.integers(1, 100), min_size=3, max_size=3).map(
    lambda parts: [part / sum(parts) for part in parts]
)


def make_box(row: list[float]) -> dict[str, Any]:
    """Return a box whose category is the most probable one."""
    label = int(np.argmax(row))
    return {
        "category_id": label,
        "bbox": [0, 0, 1, 1],
        "score": row[label],
        "probabilities": row,
    }


@given(images=st.lists(st.lists(ROWS, max_size=4), max_size=6))
def test_scores_of_boxes_are_those_of_the_scorer(images: list[list[list[float]]]) -> None:
    found = compute_scores(BOXES, [[make_box(row) for row in rows] for rows in images])
    outputs = [
        ObjectDetectionOutput(
            boxes=[object()] * len(rows),
            object_probabilities=[1.0] * len(rows),
            class_probabilities=rows,
        )
        for rows in images
    ]
    expected = ScorerObjectDetection(outputs).calculate_scores()
    assert set(found) == set(expected) == set(list_score_names("object-detection"))
    for name, values in expected.items():
        np.testing.assert_allclose(found[name], values, atol=1e-12)


@given(rows=st.lists(ROWS, min_size=1, max_size=6))
def test_scores_of_classifications_are_those_of_the_scorer(rows: list[list[float]]) -> None:
    images = [[{"category_id": 0, "score": row[0], "probabilities": row}] for row in rows]
    found = compute_scores(CLASSES, images)
    for name, values in ScorerClassification(np.array(rows)).calculate_scores().items():
        np.testing.assert_allclose(found[name], values, atol=1e-12)


def test_images_without_predictions_score_nothing_but_rank() -> None:
    found = compute_scores(BOXES, [[], [make_box([0.2, 0.3, 0.5])]])
    assert found["uncertainty_margin"][0] == 0
    assert found["objectness_least_confidence"][0] == 0
    assert found["object_frequency"].tolist() == [0.9, 1.0]


def test_objects_count_as_the_run_says() -> None:
    one, other = [make_box([0.2, 0.3, 0.5])], [make_box([0.2, 0.3, 0.5])] * 3
    found = compute_scores(BOXES, [[], one, other], ObjectFrequency(penalty=0.5, min_score=0.0))
    assert found["object_frequency"].tolist() == [0.0, 0.5, 1.0]


@pytest.mark.parametrize("task_type", TASK_TYPES)
def test_scores_have_names_that_the_contract_takes(task_type: str) -> None:
    names = list_score_names(task_type)
    assert names
    assert all(re.fullmatch(r"[a-zA-Z0-9_+=,.@:/-]+", name) for name in names)


def test_a_score_without_probabilities_shares_the_rest() -> None:
    row = fill_probabilities({"category_id": 1, "score": 0.6}, CLASSES)
    assert row.tolist() == pytest.approx([0.2, 0.6, 0.2])


def test_segments_count_by_their_pixels() -> None:
    schema = make_schema("semantic-segmentation", ["a", "b"])
    sure = {"category_id": 0, "segmentation": [0, 3], "score": 1.0, "probabilities": [1.0, 0.0]}
    unsure = {"category_id": 1, "segmentation": [3, 1], "score": 0.5, "probabilities": [0.5, 0.5]}
    found = compute_scores(schema, [[sure, unsure]])
    assert found["uncertainty_margin"].tolist() == [0.25]


def test_keypoints_score_by_their_mean_confidence() -> None:
    schema = make_schema("keypoint-detection", ["person"])
    one = {"category_id": 0, "keypoints": [1, 1, 0.5, 2, 2, 1.0], "score": 1.0}
    other = {"category_id": 0, "keypoints": [1, 1, 0.25], "score": 1.0}
    found = compute_scores(schema, [[one, other], []])
    assert found["mean_uncertainty"].tolist() == [0.5, 0.0]
