"""Distributions in the report."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lightly.worker.report.distributions import (
    MAX_CATEGORIES,
    OTHERS,
    describe_categories,
    describe_counts,
    describe_numbers,
    measure_balance,
)

FINITE = st.floats(-1e6, 1e6)


def test_all_sets_share_one_range() -> None:
    found = describe_numbers({"input": [0.0, 10.0], "selected": [4.0]}, n_bins=5)
    assert found["range"] == [0.0, 10.0]
    assert found["selected"]["counts"] == [0, 0, 1, 0, 0]


def test_missing_values_are_left_out() -> None:
    found = describe_numbers({"selected": [1.0, math.nan, 3.0]}, n_bins=2)
    assert found["selected"]["counts"] == [1, 1]
    assert found["selected"]["metrics"]["mean"] == 2.0


def test_an_empty_selection_still_has_its_place() -> None:
    found = describe_numbers({"input": [1.0], "selected": []})
    assert sum(found["selected"]["counts"]) == 0
    assert sum(found["input"]["counts"]) == 1


def test_equal_values_fall_into_one_bin() -> None:
    assert describe_numbers({"selected": [7.0, 7.0]})["selected"]["counts"][0] == 2


@given(values=st.lists(FINITE, min_size=1, max_size=50))
def test_every_finite_value_is_counted_once(values: list[float]) -> None:
    found = describe_numbers({"selected": values})["selected"]
    assert sum(found["counts"]) == len(values)
    assert found["metrics"]["min"] <= found["metrics"]["median"] <= found["metrics"]["max"]


@pytest.mark.parametrize(
    ("counts", "gini", "entropy"), [([3, 3, 3], 0.0, 1.0), ([9, 0], 0.5, 0.0), ([4], 0.0, 1.0)]
)
def test_balance_of_known_counts(counts: list[int], gini: float, entropy: float) -> None:
    found = measure_balance(counts)
    assert found["giniImbalance"] == pytest.approx(gini)
    assert found["normalizedEntropy"] == pytest.approx(entropy)


@given(counts=st.lists(st.integers(0, 1000), min_size=1, max_size=20))
def test_the_imbalance_is_half_the_relative_mean_difference(counts: list[int]) -> None:
    values = np.array(counts, float)
    expected = 0.0
    if values.sum():
        differences = np.abs(values[:, None] - values[None, :]).mean()
        expected = differences / (2 * values.mean())
    assert measure_balance(counts)["giniImbalance"] == pytest.approx(expected)


def test_rare_categories_beyond_the_limit_are_one_entry() -> None:
    counts = {f"c{number}": 2 for number in range(MAX_CATEGORIES)} | {"rare": 1}
    found = describe_counts({"input": counts})["input"]["counts"]
    assert found[OTHERS] == 1
    assert "rare" not in found


def test_no_value_is_no_category() -> None:
    found = describe_categories({"input": [True, None, False, True]})
    assert found["input"]["counts"] == {"True": 2, "False": 1}
