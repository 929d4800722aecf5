"""How much of a selection is explained depends on its size, and the report tells what is not."""

from __future__ import annotations

import math

import numpy as np
import pytest

from lightly.selection import Weights, select
from lightly.server.selections import carrying_out
from lightly.server.selections.carrying_out import SelectionOrder, explain

VECTORS = np.array([[0], [1], [5], [7], [-2]], np.float32)
STRATEGIES = [Weights([5.0, 4.0, 3.0, 2.0, 1.0])]


class Watch:
    """Notes the stages of a job."""

    def __init__(self):
        self.stages = []

    def begin(self, stage):
        self.stages.append(stage)
        return lambda done, total: None


def explain_picks(vectors):
    result = select(n_samples=3, strategies=STRATEGIES)
    order = SelectionOrder(3, STRATEGIES, vectors, {}, "picked", "SELECTION", "UNKNOWN", None)
    watch = Watch()
    content = explain(result, order, watch)
    return content, {info.name: values for info, values in content.columns}, watch.stages


def test_a_selection_of_usual_size_is_explained():
    content, columns, stages = explain_picks(VECTORS)

    assert columns["nearest"].tolist() == [0, 1, 2, 2, 0]
    assert columns["earlierDistances"].tolist() == [math.inf, 1, 4]
    assert stages == ["EXPLAINING", "MEASURING"]
    assert "unexplainedBecause" not in content.body


@pytest.mark.parametrize(("budget", "distances"), [(9, [math.inf, 1, 4]), (8, None)])
def test_a_large_one_says_how_far_its_picks_are_and_a_larger_one_does_not(
    budget, distances, monkeypatch
):
    monkeypatch.setattr(carrying_out, "EXPLAIN_BUDGET", budget)

    content, columns, _ = explain_picks(VECTORS)

    assert "nearest" not in columns
    found = columns.get("earlierDistances")
    assert (None if found is None else found.tolist()) == distances
    assert "too large" in content.body["unexplainedBecause"]
    assert content.body["coverage"]["radius"][-1] == 2


def test_samples_without_vectors_are_not_explained():
    content, columns, stages = explain_picks(None)

    assert set(columns) == {"picks", "gains.0"}
    assert (content.body["coverage"], stages) == (None, [])
