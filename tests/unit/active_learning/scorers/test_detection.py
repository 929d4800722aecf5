"""Scores of object detectors."""

from collections import Counter

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lightly.active_learning.scorers import ScorerClassification, ScorerObjectDetection
from lightly.active_learning.utils import BoundingBox, ObjectDetectionOutput

BOX = BoundingBox(0.1, 0.1, 0.5, 0.5)


def detect(*found):
    """Return the output of an image with objects given as (score, label)."""
    scores, labels = [score for score, _ in found], [label for _, label in found]
    return ObjectDetectionOutput.from_scores([BOX] * len(found), scores, labels)


IMAGES = st.lists(
    st.lists(st.tuples(st.floats(0, 1, width=32), st.integers(0, 4)), max_size=5), max_size=6
).map(lambda images: [detect(*objects) for objects in images])


def reference_frequency(images, penalty, min_score):
    """Return the object frequency of all images, in plain Python."""
    sums = [
        sum(1 + penalty * (count - 1) for count in Counter(image.labels).values())
        for image in images
    ]
    low, high = min(sums, default=0), max(sums, default=0)
    if low == high:
        return [1.0] * len(images)
    return [min_score + (1 - min_score) * (value - low) / (high - low) for value in sums]


@given(IMAGES, st.floats(0, 1), st.floats(0, 1))
def test_object_frequency_is_that_of_the_formula(images, penalty, min_score):
    config = {"frequency_penalty": penalty, "min_score": min_score}

    scores = ScorerObjectDetection(images, config).calculate_scores()

    expected = reference_frequency(images, penalty, min_score)
    np.testing.assert_allclose(scores["object_frequency"], expected, atol=1e-9)


@given(IMAGES)
def test_objectness_is_one_minus_the_mean_score(images):
    scores = ScorerObjectDetection(images).calculate_scores()

    expected = [
        1 - sum(image.scores) / len(image.scores) if image.scores else 0 for image in images
    ]
    np.testing.assert_allclose(scores["objectness_least_confidence"], expected, atol=1e-9)


@given(IMAGES)
def test_uncertainties_are_the_highest_of_the_objects(images):
    scores = ScorerObjectDetection(images).calculate_scores()

    for name in ScorerClassification.score_names():
        expected = [
            ScorerClassification(image.class_probabilities).calculate_scores()[name].max()
            if image.boxes
            else 0
            for image in images
        ]
        np.testing.assert_allclose(scores[name], expected, atol=1e-9)


def test_all_names_are_calculated_for_a_generator_too():
    images = [detect((0.9, 0)), detect()]

    scores = ScorerObjectDetection(image for image in images).calculate_scores()

    assert list(scores) == ScorerObjectDetection.score_names()
    assert {len(values) for values in scores.values()} == {2}


def test_settings_left_out_keep_their_defaults():
    scorer = ScorerObjectDetection([], {"frequency_penalty": 0.5})

    assert scorer.config == {"frequency_penalty": 0.5, "min_score": 0.9}


@pytest.mark.parametrize(
    ("config", "error"),
    [
        ({"penalty": 0.5}, KeyError),
        ({"min_score": 1.5}, ValueError),
        ({"min_score": "much"}, ValueError),
        ({"frequency_penalty": float("nan")}, ValueError),
        ([0.5], ValueError),
    ],
)
def test_wrong_settings_are_refused(config, error):
    with pytest.raises(error):
        ScorerObjectDetection([], config)
