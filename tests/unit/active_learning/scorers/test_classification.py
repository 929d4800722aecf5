"""Scores of classifiers against their formulas, value by value."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from lightly.active_learning.scorers import Scorer, ScorerClassification

NAMES = ["uncertainty_least_confidence", "uncertainty_margin", "uncertainty_entropy"]
PROBABILITIES = arrays.arrays(
    np.float64,
    st.tuples(st.integers(0, 8), st.integers(1, 6)),
    elements=st.floats(0, 1, width=32),
)


def reference_scores(row):
    """Return the three scores of one sample by the textbook, one number at a time."""
    row = [row[0], 1 - row[0]] if len(row) == 1 else list(row)
    first, second = sorted(row, reverse=True)[:2]
    entropy = -sum(p * math.log(p) for p in row if p > 0) / math.log(len(row))
    scores = [(1 - first) / (1 - 1 / len(row)), 1 - (first - second), entropy]
    return [min(max(score, 0), 1) for score in scores]


@given(PROBABILITIES)
def test_scores_are_those_of_the_textbook(model_output):
    scores = ScorerClassification(model_output).calculate_scores()

    expected = np.array([reference_scores(row) for row in model_output]).reshape(-1, 3)
    assert list(scores) == ScorerClassification.score_names() == NAMES
    np.testing.assert_allclose(np.stack(list(scores.values()), axis=1), expected, atol=1e-9)


def test_without_scaling_the_scores_are_raw():
    scores = ScorerClassification([[0.5, 0.25, 0.25]]).calculate_scores(normalize_to_0_1=False)

    assert [values.item() for values in scores.values()] == [0.5, 0.75, 1.5]


@pytest.mark.parametrize("bad", [np.nan, -0.5])
def test_what_is_no_probability_scores_zero_entropy(bad):
    scores = ScorerClassification([[bad, 1.0]]).calculate_scores()

    assert scores["uncertainty_entropy"].tolist() == [0]
    assert all(np.isfinite(values).all() for values in scores.values())


def test_one_column_is_a_binary_classifier():
    scorer = ScorerClassification([[0.25]])

    assert scorer.model_output.tolist() == [[0.25, 0.75]]


def test_no_samples_make_empty_scores():
    assert [len(values) for values in ScorerClassification([]).calculate_scores().values()] == [
        0
    ] * 3


def test_whole_numbers_are_probabilities_too():
    scores = ScorerClassification([[1, 0], [0, 1]]).calculate_scores()

    assert scores["uncertainty_entropy"].tolist() == [0, 0]


@pytest.mark.parametrize("shape", [(3,), (2, 2, 2), (3, 0)])
def test_other_shapes_are_refused(shape):
    with pytest.raises(ValueError, match="Predictions of a classifier"):
        ScorerClassification(np.zeros(shape))


def test_an_unknown_score_cannot_be_scaled():
    with pytest.raises(KeyError):
        ScorerClassification([[0.5, 0.5]]).normalize_scores_0_1({"sharpness": np.zeros(1)})


def test_the_given_array_stays_as_it_is():
    given_array = np.array([[0.0, 1.0]])
    before = given_array.copy()

    ScorerClassification(given_array).calculate_scores()

    np.testing.assert_array_equal(given_array, before)


def test_the_base_asks_for_an_own_implementation():
    scorer = Scorer([1, 2])

    with pytest.raises(NotImplementedError):
        scorer.calculate_scores()
    with pytest.raises(NotImplementedError):
        Scorer.score_names()
    assert scorer.model_output == [1, 2]
