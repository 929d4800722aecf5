"""Reports of planned selections are JSON in the words of the configuration."""

from __future__ import annotations

import json

import numpy as np

from lightly.data.selection_plan.inputs import Column
from lightly.data.selection_plan.planning import plan_selection, read_selection
from lightly.data.selection_plan.report import describe_coverage, describe_selection
from lightly.selection import Weights, measure_coverage_curve, select


class Samples:
    n_samples = 6

    def open_embeddings(self):
        return np.arange(12, dtype=np.float32).reshape(6, 2)

    def read_scores(self, task, score):
        return Column(np.arange(6.0), np.arange(6) == 2)

    def read_metadata(self, key):
        return ["sun", "rain", "sun", None, "rain", "sun"]


def test_a_report_names_classes_and_counts_what_is_missing():
    scores = {"type": "SCORES", "task": "t", "score": "s"}
    weather = {"type": "METADATA", "key": "weather"}
    entries = [
        {"input": {"type": "EMBEDDINGS"}, "strategy": {"type": "DIVERSITY"}},
        {"input": scores, "strategy": {"type": "WEIGHTS", "targetRange": {"minSum": 100}}},
        {
            "input": scores,
            "strategy": {"type": "THRESHOLD", "threshold": 0, "operation": "BIGGER"},
        },
        {"input": weather, "strategy": {"type": "BALANCE", "target": {"rain": 0.25}}},
    ]
    plan = plan_selection(read_selection({"nSamples": 3, "strategies": entries}), Samples())
    result = select(n_samples=plan.n_samples, strategies=plan.strategies)

    report = json.loads(json.dumps(describe_selection(plan, result), allow_nan=False))

    assert (report["nAsked"], report["nCandidates"], report["nAfterThresholds"]) == (3, 6, 4)
    assert report["stopReason"] == "count"
    assert report["distances"][0] is None
    diversity, weights, threshold, balance = report["strategies"]
    assert diversity["coveringRadius"] >= 0
    assert weights["problems"] == ["target_range_unmet"]
    assert (threshold["nBefore"], threshold["nAfter"], threshold["nMissing"]) == (6, 4, 1)
    assert balance["target"] == {"classes": {"rain": 0.25, "sun": 0.0}, "others": 0.75}
    assert sum(balance["mix"]["classes"].values()) == 1.0
    assert balance["nMissing"] == 1


def test_coverage_is_told_whatever_strategy_has_picked():
    line = np.array([[0.0], [1.0], [4.0]], np.float32)
    result = select(n_samples=2, strategies=[Weights([1.0, 3.0, 2.0])])

    described = describe_coverage(measure_coverage_curve(result, line))

    assert described["coverage"] == {
        "counts": [1, 2],
        "radius": [3.0, 1.0],
        "meanDistance": [4 / 3, 1 / 3],
        "nMeasured": 3,
    }
    assert describe_coverage(None) == {"coverage": None}
