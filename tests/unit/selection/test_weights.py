"""WEIGHTS, RANDOM and THRESHOLD."""

from __future__ import annotations

import numpy as np
import pytest

from lightly.selection import InvalidSelectionInput, Random, Threshold, Weights, select


@pytest.mark.parametrize(
    ("strength", "picks"),
    [(1.0, [3, 1, 2, 0]), (0.3, [3, 1, 2, 0]), (-1.0, [0, 1, 2, 3]), (0.0, [0, 1, 2, 3])],
)
def test_weights_alone_are_a_sort_with_ties_to_the_lowest_index(strength, picks):
    result = select(n_samples=4, strategies=[Weights([-1.0, 2.0, 2.0, 9.0], strength=strength)])

    assert result.indices.tolist() == picks


def test_partial_sort_equals_a_full_sort():
    values = np.random.default_rng(0).integers(0, 50, size=2_000)

    result = select(n_samples=150, strategies=[Weights(values)])

    assert result.indices.tolist() == np.argsort(-values, kind="stable")[:150].tolist()
    assert result.gains[:, 0].tolist() == values[result.indices].tolist()


def test_two_weights_multiply_their_sums():
    result = select(n_samples=2, strategies=[Weights([1, 2, 3]), Weights([6, 5, 3])])

    assert result.indices.tolist() == [1, 2]


@pytest.mark.parametrize(
    ("max_sum", "picks", "total"),
    # the pick that would cross the maximum is refused; reaching it exactly is fine
    [(7.0, [0, 1], 7.0), (6.9, [0], 4.0), (3.9, [], 0.0)],
)
def test_maximum_sum_is_never_exceeded(max_sum, picks, total):
    result = select(n_samples=None, strategies=[Weights([4.0, 3.0, 2.0], max_sum=max_sum)])

    assert result.indices.tolist() == picks
    assert result.stop_reason == "max_sum"
    assert result.strategies[0].total == total


def test_maximum_sum_counts_preselected_samples():
    result = select(
        n_samples=None, strategies=[Weights([4.0, 3.0, 2.0], max_sum=6.0)], preselected=[0]
    )

    assert result.indices.tolist() == []
    assert result.strategies[0].total == 4.0


@pytest.mark.parametrize(("min_sum", "is_below"), [(7.0, False), (7.1, True), (None, False)])
def test_a_sum_below_the_demanded_range_is_reported(min_sum, is_below):
    result = select(n_samples=2, strategies=[Weights([4.0, 3.0, 2.0], min_sum=min_sum)])

    assert result.strategies[0].is_below_range is is_below


def test_missing_values_weigh_nothing_and_are_counted():
    values = Weights([5.0, np.nan, -1.0], missing=[False, True, False])

    result = select(n_samples=3, strategies=[values])

    assert result.indices.tolist() == [0, 1, 2]
    assert result.strategies[0].n_missing == 1


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
def test_non_finite_values_are_refused_naming_the_sample(bad):
    with pytest.raises(InvalidSelectionInput, match="WEIGHTS for sample 2"):
        select(n_samples=1, strategies=[Weights([1.0, 2.0, bad])])


@pytest.mark.parametrize("values", [[[1.0]], ["a"], [None, 1.0], [1e308, 1e308]])
def test_unusable_values_are_refused(values):
    with pytest.raises(InvalidSelectionInput, match="WEIGHTS"):
        select(n_samples=1, strategies=[Weights(values)])


def test_missing_flags_of_another_length_are_refused():
    with pytest.raises(InvalidSelectionInput, match="missing flags"):
        select(n_samples=1, strategies=[Weights([1.0, 2.0], missing=[True])])


@pytest.mark.parametrize(
    ("operation", "kept"),
    [("SMALLER", [0]), ("SMALLER_EQUAL", [0, 1]), ("BIGGER", [2]), ("BIGGER_EQUAL", [1, 2])],
)
def test_threshold_keeps_one_side(operation, kept):
    threshold = Threshold([1.0, 2.0, 3.0], threshold=2.0, operation=operation)

    result = select(n_samples=None, strategies=[threshold])

    assert result.indices.tolist() == kept
    assert result.n_eligible == len(kept)
    assert result.strategies[0].n_after == len(kept)


@pytest.mark.parametrize("operation", ["SMALLER", "BIGGER"])
def test_missing_values_fail_every_threshold(operation):
    threshold = Threshold(
        [1.0, 0.0, 3.0], threshold=2.0, operation=operation, missing=[False, True, False]
    )

    result = select(n_samples=None, strategies=[threshold])

    assert 1 not in result.indices
    assert result.strategies[0].n_missing == 1


def test_thresholds_act_together_and_never_remove_preselected_samples():
    low = Threshold([1.0, 2.0, 3.0, 4.0], threshold=1.0, operation="BIGGER")
    high = Threshold([1.0, 2.0, 3.0, 4.0], threshold=4.0, operation="SMALLER")

    result = select(n_samples=None, strategies=[low, high, Weights([1] * 4)], preselected=[3])

    assert result.indices.tolist() == [1, 2]
    assert result.strategies[2].total == 3.0
    assert [result.strategies[k].n_after for k in (0, 1)] == [2, 2]


@pytest.mark.parametrize(("threshold", "operation"), [(np.nan, "BIGGER"), (1.0, "EQUAL")])
def test_unusable_thresholds_are_refused(threshold, operation):
    with pytest.raises(InvalidSelectionInput):
        select(n_samples=1, strategies=[Threshold([1.0], threshold=threshold, operation=operation)])


def test_random_numbers_are_fixed_for_all_time():
    numbers = Random(["a.jpg", "b/ü.png", "bad\udc80name"], seed=7).draw()

    hashes = [12295326390416463276, 10580887776888008052, 1573051860345003955]
    assert numbers.tolist() == [(number >> 11) / 2**53 for number in hashes]


def test_random_numbers_depend_on_name_and_seed_alone():
    names = [f"{i}.jpg" for i in range(100)]

    forwards = Random(names, seed=1).draw()
    backwards = Random(names[::-1], seed=1).draw()
    other = Random(names, seed=2).draw()

    assert backwards[::-1].tolist() == forwards.tolist()
    assert not np.isin(other, forwards).any()


def test_random_numbers_are_spread_evenly_below_one():
    numbers = Random([str(i) for i in range(20_000)]).draw()

    counts, _ = np.histogram(numbers, bins=20, range=(0.0, 1.0))
    assert numbers.min() >= 0.0
    assert numbers.max() < 1.0
    assert counts.min() > 850
    assert counts.max() < 1_150


def test_seed_is_reported():
    random = Random(["a", "b"], seed=11)

    result = select(n_samples=1, strategies=[Weights([1, 1]), Weights(random)])

    assert result.seed == 11
    assert result.strategies[1].seed == 11


def test_random_threshold_keeps_about_its_share():
    random = Random([str(i) for i in range(2_000)], seed=5)

    result = select(
        n_samples=None, strategies=[Threshold(random, threshold=0.25, operation="SMALLER")]
    )

    assert 400 < result.n_eligible < 600
    assert result.seed == 5


def test_a_seed_longer_than_the_key_is_refused():
    with pytest.raises(InvalidSelectionInput, match="64 digits"):
        Random(["a"], seed=10**70).draw()
