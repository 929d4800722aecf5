"""AUTO: no parameters, near-duplicates count once, picks are defined."""

from __future__ import annotations

import numpy as np
import pytest
import threadpoolctl
from hypothesis import given, settings
from hypothesis import strategies as st

from lightly.selection import (
    Auto,
    Diversity,
    InvalidSelectionInput,
    SelectionCancelled,
    Threshold,
    explain_selection,
    places,
    representatives,
    select,
)
from tests.unit.selection.auto_model import pick_automatically
from tests.unit.selection.test_invariance import LAYOUTS


@pytest.fixture
def bursts() -> np.ndarray:
    """Two things seen 100 times each and twenty things seen once, mixed."""
    rng = np.random.default_rng(3)
    things = rng.normal(size=(22, 8))
    seen = np.concatenate([np.repeat([0, 1], 100), np.arange(2, 22)])
    rows = things[seen] + 0.01 * rng.normal(size=(220, 8))
    return rows[rng.permutation(220)].astype(np.float32)


def pick(rows, n_samples, **more):
    return select(n_samples=n_samples, strategies=[Auto(rows)], **more)


def test_things_seen_often_are_picked_once(bursts):
    distances = np.linalg.norm(bursts[:, None] - bursts[None], axis=2)

    picks = pick(bursts, 22).indices

    among_picks = distances[np.ix_(picks, picks)] + 9 * np.eye(22)
    assert among_picks.min() > 0.5
    assert distances[:, picks].min(axis=1).max() < 0.2


def test_picks_of_distinct_samples_are_in_the_middle_of_groups():
    rng = np.random.default_rng(0)
    centres = 8.0 * np.eye(6)
    rows = (centres[np.repeat(np.arange(6), 30)] + rng.normal(size=(180, 6))).astype(np.float32)

    picks = pick(rows, 6).indices

    assert sorted(picks // 30) == [0, 1, 2, 3, 4, 5]
    to_centre = np.linalg.norm(rows - centres[np.repeat(np.arange(6), 30)], axis=1)
    assert to_centre[picks].mean() < np.median(to_centre)


def test_the_report_says_what_was_found_and_why_it_picked_so(bursts):
    report = pick(bursts, 70).strategies[0]

    assert report.kind == "AUTO"
    assert report.crowding.n_examined == 220
    assert round(report.crowding.n_distinct) == 22
    assert report.crowding.n_crowded == 200
    assert report.crowding.largest_crowd == 100
    assert (report.n_representatives, report.n_farthest) == (55, 15)
    assert "about 22 different things" in report.reason
    assert "The first 55 picks represent them" in report.reason
    assert "The last 15 picks are the samples farthest" in report.reason


def test_the_report_of_distinct_samples_does_not_speak_of_duplicates(embeddings):
    report = pick(embeddings, 10).strategies[0]

    assert "nearly all different" in report.reason
    assert report.n_farthest == 0


def test_picks_can_be_explained(bursts):
    result = pick(bursts, 10)

    explained = explain_selection(result)

    assert np.array_equal(explained.earlier, result.strategies[0].nearest)
    assert np.array_equal(explained.earlier_distances, result.distances)


@settings(deadline=None)
@given(data=st.data())
def test_picks_are_those_of_the_plain_model(data):
    n_rows = data.draw(st.integers(1, 24), label="rows")
    n_dims = data.draw(st.integers(1, 4), label="dims")
    step = data.draw(st.sampled_from([1.0, 0.37, 1e-30, 1e30]), label="step")
    numbers = st.lists(st.integers(-3, 3), min_size=n_rows * n_dims, max_size=n_rows * n_dims)
    rows = (np.reshape(data.draw(numbers), (n_rows, n_dims)) * step).astype(np.float32)
    if data.draw(st.booleans(), label="outlier"):
        rows[0, 0] = 1e6 * step
    n_samples = data.draw(st.integers(0, n_rows), label="n")
    preselected = data.draw(st.lists(st.integers(0, n_rows - 1), max_size=4), label="preselected")

    picks = pick(rows, n_samples, preselected=preselected).indices

    assert picks.tolist() == pick_automatically(rows, n_samples, preselected)


@settings(deadline=None, max_examples=40)
@given(
    seed=st.integers(0, 2**32),
    first=st.integers(0, 60),
    then=st.integers(0, 60),
    n_examined=st.sampled_from([30, 4_096]),
)
def test_picking_a_few_and_then_more_is_picking_all_at_once(seed, first, then, n_examined):
    rng = np.random.default_rng(seed)
    rows = rng.integers(-2, 3, size=(90, 3)).astype(np.float32)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(places, "MOST_EXAMINED", n_examined)
        whole = pick(rows, first + then).indices
        start = pick(rows, first)
        resumed = pick(rows, first + then, resume=start.save_state()).indices
        added = pick(rows, then, preselected=start.indices).indices

    assert whole.tolist() == resumed.tolist()
    assert whole.tolist() == start.indices.tolist() + added.tolist()


@pytest.mark.parametrize("store", LAYOUTS)
def test_layout_and_type_do_not_change_picks(store, bursts, tmp_path):
    expected = pick(bursts, 80).indices

    assert np.array_equal(pick(store(bursts, tmp_path), 80).indices, expected)


def test_threads_and_chunks_do_not_change_picks(bursts, monkeypatch):
    expected = pick(bursts, 80).indices
    monkeypatch.setattr(places, "_COLUMNS", 7)
    monkeypatch.setattr(representatives, "_COLUMNS", 13)

    with threadpoolctl.threadpool_limits(2):
        assert np.array_equal(pick(bursts, 80).indices, expected)


def test_a_large_input_is_represented_by_a_fixed_random_subset(monkeypatch):
    rows = np.random.default_rng(1).normal(size=(500, 4)).astype(np.float32)
    monkeypatch.setattr(places, "MOST_EXAMINED", 64)

    result = pick(rows, 40)

    report = result.strategies[0]
    examined = places.draw_samples(np.arange(500), 64)
    assert (report.crowding.n_examined, report.n_representatives, report.n_farthest) == (64, 16, 24)
    assert np.isin(result.indices[:16], examined).all()
    assert len(set(result.indices.tolist())) == 40


def test_a_random_subset_is_spread_over_the_input():
    drawn = places.draw_samples(np.arange(100_000), 1_000)

    assert len(drawn) == 1_000
    assert np.all(np.diff(drawn) > 0)
    assert np.bincount(drawn // 10_000, minlength=10).min() > 60


def test_thresholds_filter_before_anything_is_measured(bursts):
    values = np.arange(220.0)

    result = select(
        n_samples=20,
        strategies=[Threshold(values, threshold=100.0, operation="BIGGER"), Auto(bursts)],
    )

    assert result.indices.min() > 100
    assert result.strategies[1].crowding.n_examined == 119


def test_a_strategy_of_no_strength_can_stop_it(bursts):
    result = select(
        n_samples=100, strategies=[Auto(bursts), Diversity(bursts, strength=0.0, min_distance=0.5)]
    )

    assert result.stop_reason == "min_distance"
    assert len(result.indices) <= 22


def test_it_does_not_mix_with_other_strategies(bursts):
    with pytest.raises(InvalidSelectionInput, match="AUTO decides on its own"):
        select(n_samples=3, strategies=[Auto(bursts), Diversity(bursts)])


@pytest.mark.parametrize("n_samples", [0, 1, 9, 10, 25, None])
def test_equal_samples_are_picked_in_order(n_samples):
    picks = pick(np.full((10, 3), 7.0, dtype=np.float32), n_samples).indices

    assert picks.tolist() == list(range(10))[:n_samples]


def test_more_than_there_are_is_everyone_once(bursts):
    result = pick(bursts, 1_000)

    assert sorted(result.indices.tolist()) == list(range(220))
    assert result.stop_reason == "exhausted"


def test_without_candidates_nothing_is_picked(bursts):
    result = pick(bursts, 5, candidates=[])

    assert result.stop_reason == "no_candidates"
    assert "nearly all different" not in result.strategies[0].reason


def test_a_value_that_is_not_finite_is_refused(bursts):
    bursts[17, 2] = np.nan

    with pytest.raises(InvalidSelectionInput, match="sample 17"):
        pick(bursts, 5)


def test_cancelling_ends_it_while_samples_are_examined(bursts):
    asked = iter([False, False, False])

    with pytest.raises(SelectionCancelled):
        pick(bursts, 5, should_cancel=lambda: next(asked, True))


def test_the_input_is_not_modified(bursts):
    before = bursts.copy()

    pick(bursts, 30)

    assert np.array_equal(bursts, before)
