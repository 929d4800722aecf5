"""Selections in shards read like those of one run."""

from __future__ import annotations

import numpy as np
import pytest

from lightly.selection import (
    Diversity,
    InvalidSelectionInput,
    Threshold,
    Typicality,
    Weights,
    measure_coverage,
    select,
    select_in_shards,
)
from lightly.selection.sharded_runs import find_sharded_diversity, select_by_shards

ROWS = np.random.default_rng(8).normal(size=(900, 4)).astype(np.float32)
LIGHT = np.random.default_rng(9).random(900)


def test_picks_are_those_of_two_rounds_and_the_report_is_about_all_candidates():
    earlier = [5, 900 - 1, 3]

    found = select_by_shards([Diversity(ROWS)], 60, shards=5, preselected=earlier)

    plain = select_in_shards(ROWS, 60, shards=5, preselected=earlier)
    result = found.result
    assert result.indices.tolist() == plain.indices.tolist()
    assert result.distances.tolist() == plain.distances.tolist()
    assert len(found.net.kept) == plain.n_kept < 600
    assert (result.n_candidates, result.n_eligible, result.n_preselected) == (897, 897, 3)
    assert result.source.candidates.tolist() == np.setdiff1d(np.arange(900), earlier).tolist()
    [report] = result.strategies
    all_selected = [*earlier, *result.indices]
    assert report.coverage.radius == measure_coverage(ROWS, all_selected).radius
    assert report.coverage.radius <= plain.radius_bound


def test_thresholds_apply_before_shards_and_report_what_they_met():
    strategies = [
        Threshold(LIGHT, threshold=0.3, operation="BIGGER"),
        Diversity(ROWS),
        Threshold(LIGHT, threshold=0.9, operation="SMALLER"),
    ]

    found = select_by_shards(strategies, 40, shards=4)

    passing = np.flatnonzero((LIGHT > 0.3) & (LIGHT < 0.9))
    expected = select_in_shards(ROWS[passing], 40, shards=4)
    at_once = select(n_samples=40, strategies=strategies)
    assert np.isin(found.result.indices, passing).all()
    assert found.result.n_eligible == len(passing)
    assert len(found.net.kept) == pytest.approx(expected.n_kept, rel=0.5)
    for place in (0, 2):
        here, there = found.result.strategies[place], at_once.strategies[place]
        assert (here.n_before, here.n_after) == (there.n_before, there.n_after)
    assert found.result.strategies[1].coverage.n_samples == len(passing)


@pytest.mark.parametrize(
    "strategies",
    [
        [Weights(LIGHT)],
        [Diversity(ROWS), Weights(LIGHT)],
        [Diversity(ROWS), Typicality(ROWS)],
        [Diversity(ROWS, strength=-1.0)],
        [Diversity(ROWS, min_distance=0.5)],
        [Diversity(ROWS), Diversity(ROWS)],
    ],
)
def test_what_shards_cannot_pick_by_is_refused(strategies):
    assert find_sharded_diversity(strategies) is None
    with pytest.raises(InvalidSelectionInput, match="one DIVERSITY of samples"):
        select_by_shards(strategies, 5, shards=2)
