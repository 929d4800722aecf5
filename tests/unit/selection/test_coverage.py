"""How well picks cover samples."""

from __future__ import annotations

import numpy as np
import pytest

from lightly.selection import Diversity, InvalidSelectionInput, Weights, coverage, select
from lightly.selection import measure_coverage as measure


def distances_to(embeddings, picks):
    rows = embeddings.astype(np.float64)
    return np.sqrt(((rows[:, None] - rows[picks][None]) ** 2).sum(axis=2)).min(axis=1)


def test_radius_and_mean_are_exact(embeddings, hurry):
    picks = [5, 17, 200, 3, 44, 9]
    hurry()

    found = measure(embeddings, picks)

    expected = distances_to(embeddings, picks)
    assert found.radius == pytest.approx(expected.max(), rel=1e-14)
    assert found.mean_distance == pytest.approx(expected.mean(), rel=1e-14)
    assert found.n_measured == 300


@pytest.mark.parametrize("strategies", ["diversity", "weights", "mixture"])
def test_the_report_of_a_run_says_the_same(strategies, embeddings, weights):
    chosen = {
        "diversity": [Diversity(embeddings)],
        "weights": [Weights(weights), Diversity(embeddings, strength=0.0)],
        "mixture": [Weights(weights), Diversity(embeddings)],
    }[strategies]

    result = select(n_samples=20, strategies=chosen, preselected=[7])

    reported = result.strategies[-1].coverage
    measured = measure(embeddings, [7, *result.indices.tolist()])
    assert reported.radius == measured.radius
    # The preselected sample is no candidate.
    assert reported.mean_distance == pytest.approx(measured.mean_distance * 300 / 299)
    assert (reported.n_measured, reported.n_samples) == (299, 299)


def test_mean_of_a_large_run_is_taken_over_some_samples(embeddings, monkeypatch):
    monkeypatch.setattr(coverage, "_MEAN_BUDGET", 0)
    monkeypatch.setattr(coverage, "_FEWEST_MEASURED", 100)

    result = select(n_samples=20, strategies=[Diversity(embeddings)])

    reported = result.strategies[0].coverage
    expected = distances_to(embeddings, result.indices)
    assert reported.n_measured == 100
    assert reported.mean_distance == pytest.approx(expected[::3].mean())
    assert reported.radius == pytest.approx(expected.max())


def test_everything_selected_is_covered_at_distance_zero(embeddings):
    result = select(n_samples=None, strategies=[Diversity(embeddings)])

    reported = result.strategies[0].coverage
    assert (reported.radius, reported.mean_distance) == (0.0, 0.0)


def test_nothing_selected_covers_nothing(embeddings):
    result = select(n_samples=0, strategies=[Diversity(embeddings)])

    assert result.strategies[0].coverage.radius == np.inf
    assert measure(embeddings, []).radius == np.inf


@pytest.mark.parametrize("picks", [[300], [-1], [0.5]])
def test_picks_that_are_no_positions_are_refused(picks, embeddings):
    with pytest.raises(InvalidSelectionInput, match="picks"):
        measure(embeddings, picks)


def test_coverage_of_no_samples_is_refused():
    with pytest.raises(InvalidSelectionInput, match="no samples"):
        measure(np.empty((0, 3), dtype=np.float32), [])
