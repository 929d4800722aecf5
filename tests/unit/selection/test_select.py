"""Counts, stops, errors, progress and the report of ``select``."""

from __future__ import annotations

import numpy as np
import pytest

from lightly._kit.errors import BadInput, LightlyError
from lightly.selection import (
    Diversity,
    InvalidSelectionInput,
    Random,
    Representative,
    SelectionCancelled,
    Similarity,
    Threshold,
    Typicality,
    Weights,
    count_share,
    engine,
    select,
)

LINE = np.array([[0.0], [1.0], [2.0], [10.0]], dtype=np.float32)


@pytest.mark.parametrize(
    ("n_samples", "picks", "reason"),
    [
        (0, [], "count"),
        (2, [0, 3], "count"),
        # all of them
        (4, [0, 3, 2, 1], "count"),
        # more than there are: every candidate once
        (9, [0, 3, 2, 1], "exhausted"),
        # no limit, in both spellings
        (None, [0, 3, 2, 1], "exhausted"),
        (-1, [0, 3, 2, 1], "exhausted"),
    ],
)
def test_count_bounds_the_number_of_picks(n_samples, picks, reason):
    result = select(n_samples=n_samples, strategies=[Diversity(LINE)])

    assert result.indices.tolist() == picks
    assert result.indices.dtype == np.int64
    assert result.stop_reason == reason


def test_count_is_of_new_samples_only():
    result = select(n_samples=2, strategies=[Diversity(LINE)], preselected=[3, 0])

    assert result.indices.tolist() == [2, 1]
    assert result.n_preselected == 2


def test_preselected_repeats_count_once():
    result = select(n_samples=2, strategies=[Weights([1, 2, 3, 4])], preselected=[3, 3, 3])

    assert result.indices.tolist() == [2, 1]
    assert result.n_preselected == 1
    assert result.strategies[0].total == 9.0


@pytest.mark.parametrize("candidates", [[3, 1], np.array([False, True, False, True])])
def test_only_candidates_are_picked(candidates):
    result = select(n_samples=None, strategies=[Diversity(LINE)], candidates=candidates)

    assert result.indices.tolist() == [1, 3]
    assert result.n_candidates == 2


def test_preselected_samples_are_not_candidates():
    result = select(
        n_samples=None, strategies=[Diversity(LINE)], candidates=[1, 3], preselected=[3]
    )

    assert result.indices.tolist() == [1]
    assert result.n_candidates == 1


@pytest.mark.parametrize(
    "arguments",
    [
        {"strategies": [Diversity(LINE)], "preselected": [0, 1, 2, 3]},
        {"strategies": [Diversity(LINE)], "candidates": []},
        {"strategies": [Diversity(np.empty((0, 2), dtype=np.float32))]},
        {"strategies": [Weights([]), Weights([])]},
        {"strategies": [Threshold([1, 1], threshold=2, operation="BIGGER")]},
    ],
)
def test_no_candidates_is_a_result_not_an_error(arguments):
    result = select(n_samples=3, **arguments)

    assert result.indices.tolist() == []
    assert result.gains.shape == (0, len(arguments["strategies"]))
    assert result.stop_reason == "no_candidates"


def test_one_sample_is_selected():
    result = select(n_samples=1, strategies=[Diversity(LINE[:1]), Weights([0.0])])

    assert result.indices.tolist() == [0]


@pytest.mark.parametrize("value", [0.0, 7.5])
def test_equal_vectors_are_picked_in_order(value):
    vectors = np.full((5, 3), value, dtype=np.float32)

    result = select(n_samples=5, strategies=[Diversity(vectors)])

    assert result.indices.tolist() == [0, 1, 2, 3, 4]
    assert result.distances.tolist() == [np.inf, 0.0, 0.0, 0.0, 0.0]


def test_ten_thousand_equal_vectors_take_no_pass_per_pick():
    vectors = np.ones((10_000, 8), dtype=np.float32)
    beats = []

    result = select(
        n_samples=None,
        strategies=[Diversity(vectors)],
        progress=lambda done, total: beats.append(done),
    )

    assert result.indices.tolist() == list(range(10_000))
    assert len(beats) < 1_000


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"n_samples": -2}, "at least 0"),
        ({"n_samples": 1.5}, "must be an integer"),
        ({"n_samples": True}, "must be an integer"),
        ({"strategies": []}, "at least one strategy"),
        ({"strategies": [Diversity(LINE), Weights([1.0])]}, r"lengths \[4, 1\]"),
        ({"preselected": [4]}, "from 0 to 3. Got 4"),
        ({"preselected": [-1]}, "from 0 to 3. Got -1"),
        ({"preselected": [0.5]}, "one-dimensional list of positions"),
        ({"candidates": [4]}, "from 0 to 3. Got 4"),
        ({"candidates": [True]}, r"one flag per sample, shape \(4,\)"),
        ({"strategies": [Diversity(LINE, strength=np.nan)]}, "strength of DIVERSITY"),
        ({"strategies": [Weights([1] * 4, strength=2e9)]}, r"within \[-1e9, 1e9\]"),
    ],
)
def test_unusable_arguments_are_refused_with_a_reason(arguments, message):
    usual = {"n_samples": 1, "strategies": [Diversity(LINE)]}
    select(**usual)

    with pytest.raises(InvalidSelectionInput, match=message) as refusal:
        select(**{**usual, **arguments})

    assert isinstance(refusal.value, BadInput)
    assert refusal.value.code == "invalid_selection_input"


def test_progress_never_falls_and_ends_with_the_last_pick():
    rng = np.random.default_rng(0)
    beats = []

    select(
        n_samples=700,
        strategies=[Diversity(rng.normal(size=(2_000, 8)).astype(np.float32))],
        progress=lambda done, total: beats.append((done, total)),
    )

    assert beats == sorted(beats)
    assert beats[-1] == (700, 700)
    assert len(beats) > 5


@pytest.mark.parametrize("extra", [[], [Weights(np.arange(2_000.0))]])
def test_cancelling_ends_the_run_soon(extra):
    rng = np.random.default_rng(0)
    done = []

    with pytest.raises(SelectionCancelled) as cancellation:
        select(
            n_samples=2_000,
            strategies=[Diversity(rng.normal(size=(2_000, 8)).astype(np.float32)), *extra],
            progress=lambda picks, total: done.append(picks),
            should_cancel=lambda: done[-1] >= 100,
        )

    assert isinstance(cancellation.value, LightlyError)
    assert 100 <= done[-1] < 400


@pytest.mark.parametrize(
    "make", [Typicality, Representative, lambda rows: Similarity(rows, rows[:50])]
)
def test_cancelling_is_heard_before_the_first_pick(make):
    rows = np.random.default_rng(0).normal(size=(3_000, 8)).astype(np.float32)
    done = []

    with pytest.raises(SelectionCancelled):
        select(
            n_samples=10,
            strategies=[make(rows)],
            progress=lambda picks, total: done.append(picks),
            should_cancel=lambda: len(done) > 1,
        )

    assert done == [0, 0]


def test_the_more_candidates_each_pick_looks_at_the_more_often_it_can_be_cancelled(monkeypatch):
    monkeypatch.setattr(engine, "_CANDIDATES_PER_BEAT", 4_000)
    rows = np.random.default_rng(0).normal(size=(2_000, 8)).astype(np.float32)
    done = []

    select(
        n_samples=30,
        strategies=[Diversity(rows, strength=-1.0), Weights(np.arange(1.0, 2_001.0))],
        progress=lambda picks, total: done.append(picks),
    )

    assert set(done) >= set(range(3, 31, 3))


def test_report_says_what_every_strategy_did():
    result = select(
        n_samples=2,
        strategies=[
            Weights([1.0, 2.0, 4.0, 8.0], missing=[True, False, False, False]),
            Threshold(LINE[:, 0], threshold=2.0, operation="SMALLER_EQUAL"),
            Diversity(LINE),
        ],
        preselected=[3],
    )

    weights, threshold, diversity = result.strategies
    assert result.indices.tolist() == [1, 2]
    assert (result.n_candidates, result.n_eligible, result.n_wanted) == (3, 3, 2)
    assert (weights.kind, weights.total, weights.n_missing) == ("WEIGHTS", 14.0, 1)
    assert (threshold.kind, threshold.n_before, threshold.n_after) == ("THRESHOLD", 3, 3)
    assert diversity.kind == "DIVERSITY"
    assert diversity.nearest.tolist() == [3, 1]
    assert result.distances.tolist() == [9.0, 1.0]
    assert result.gains.tolist() == [[2.0, 0.0, 81.0], [4.0, 0.0, 1.0]]
    assert result.seed is None
    assert result.engine_version


def test_distances_are_unknown_without_embeddings():
    result = select(n_samples=2, strategies=[Weights([1.0, 2.0])])

    assert np.isnan(result.distances).tolist() == [True, True]


@pytest.mark.parametrize(
    ("method", "strategies", "picks"),
    [
        ("RANDOM", [Weights(Random(list("abcd"), seed=1))], None),
        ("CORESET", [Diversity(LINE)], [0, 3]),
        ("CORAL", [Diversity(LINE), Weights([0.1, 0.9, 0.2, 0.3])], [1, 3]),
        ("ACTIVE_LEARNING", [Weights([0.1, 0.9, 0.2, 0.3])], [1, 3]),
    ],
)
def test_each_method_of_tag_sampling_is_one_call(method, strategies, picks):
    result = select(n_samples=2, strategies=strategies)

    assert len(result.indices) == 2
    assert picks is None or result.indices.tolist() == picks


@pytest.mark.parametrize(
    ("proportion", "n_candidates", "sequence_length", "count"),
    [
        # as written in decimal, not as stored in binary
        (0.1, 10, 1, 1),
        (0.29, 100, 1, 29),
        (0.7, 10, 1, 7),
        # rounded down, but at least one of any
        (0.999, 10, 1, 9),
        (0.001, 10, 1, 1),
        (0.0, 10, 1, 0),
        (0.5, 0, 1, 0),
        (1.0, 7, 1, 7),
        # whole sequences, rounded up
        (0.5, 11, 4, 8),
        (0.01, 100, 5, 5),
    ],
)
def test_share_of_candidates_is_a_count(proportion, n_candidates, sequence_length, count):
    assert count_share(proportion, n_candidates, sequence_length=sequence_length) == count


@pytest.mark.parametrize(("proportion", "length"), [(-0.1, 1), (1.1, 1), (np.nan, 1), (0.5, 0)])
def test_impossible_shares_are_refused(proportion, length):
    with pytest.raises(InvalidSelectionInput):
        count_share(proportion, 10, sequence_length=length)
