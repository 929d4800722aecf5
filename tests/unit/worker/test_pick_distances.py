"""Every run says how far its picks are from each other."""

from __future__ import annotations

import math

import numpy as np
import pytest

from lightly.selection import Diversity, SelectionCancelled, Threshold, Weights, select
from lightly.worker.runs import pick_distances
from lightly.worker.runs.pick_distances import add_pick_distances

LINE = np.array([[0], [1], [5], [7], [-2]], np.float32)
FALLING = Weights([5.0, 4.0, 3.0, 2.0, 1.0])


def open_line():
    return LINE


def refuse_to_open():
    raise AssertionError


def add(result, open_vectors=open_line, *, should_cancel=lambda: False):
    return add_pick_distances(result, open_vectors, should_cancel=should_cancel)


@pytest.mark.parametrize(("preselected", "distances"), [([], [math.inf, 1, 4]), ([3], [7, 1, 2])])
def test_picks_by_value_have_distances_too(preselected, distances):
    result = select(n_samples=3, strategies=[FALLING], preselected=preselected)

    found = add(result)

    assert found.distances.tolist() == distances
    assert found.indices.tolist() == result.indices.tolist() == [0, 1, 2]


def test_distances_that_diversity_has_measured_stay_as_they_are():
    result = select(n_samples=2, strategies=[Diversity(3 * LINE), FALLING])

    assert add(result, refuse_to_open) is result


def test_nothing_picked_has_nothing_to_measure():
    nothing = Threshold(LINE[:, 0], threshold=100, operation="BIGGER")
    result = select(n_samples=2, strategies=[FALLING, nothing])

    assert add(result, refuse_to_open) is result


def test_distances_of_a_selection_that_is_too_large_stay_unknown(monkeypatch):
    monkeypatch.setattr(pick_distances, "MOST_PRODUCTS", 8)
    result = select(n_samples=3, strategies=[FALLING])

    assert np.isnan(add(result).distances).all()


def test_measuring_can_be_cancelled():
    result = select(n_samples=3, strategies=[FALLING])

    with pytest.raises(SelectionCancelled):
        add(result, should_cancel=lambda: True)
