"""What a planned selection did, in the words of its configuration."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from lightly.data.selection_plan.planning import PlannedStrategy, SelectionPlan
from lightly.selection import (
    BalanceReport,
    CoverageCurve,
    DiversityReport,
    ObjectDiversityReport,
    SelectionResult,
    StrategyReport,
    ThresholdReport,
    WeightsReport,
)


def describe_selection(plan: SelectionPlan, result: SelectionResult) -> dict[str, Any]:
    """Return what a selection asked for, found and did, as JSON can hold it.

    Args:
        plan: Whose strategies were selected by, in their order.
        result: What the engine returned.

    Returns:
        Counts, the stop reason, the distance of each pick, and one entry per strategy. What is
        infinite or unknown is None.
    """
    entries = zip(plan.planned, result.strategies, strict=True)
    return {
        "nAsked": result.n_wanted,
        "nPreselected": result.n_preselected,
        "nCandidates": result.n_candidates,
        "nAfterThresholds": result.n_eligible,
        "nSelected": len(result.indices),
        "stopReason": result.stop_reason,
        "distances": [_tell(distance) for distance in result.distances],
        "seed": result.seed,
        "engineVersion": result.engine_version,
        "strategies": [_describe_strategy(planned, report) for planned, report in entries],
    }


def describe_coverage(curve: CoverageCurve | None) -> dict[str, Any]:
    """Return how well the first k picks cover the candidates, as JSON can hold it.

    Args:
        curve: What was measured; its last point is about the whole selection. None if nothing was
            selected.
    """
    if curve is None:
        return {"coverage": None}
    return {
        "coverage": {
            "counts": curve.counts.tolist(),
            "radius": curve.radius.tolist(),
            "meanDistance": curve.mean_distance.tolist(),
            "nMeasured": curve.n_measured,
        }
    }


def _describe_strategy(planned: PlannedStrategy, report: StrategyReport) -> dict[str, Any]:
    return {
        "input": dict(planned.input),
        "strategy": dict(planned.strategy),
        "notes": list(planned.notes),
        **_describe_report(planned.class_names, report),
    }


def _describe_report(names: Sequence[str], report: StrategyReport) -> Mapping[str, Any]:
    if isinstance(report, ThresholdReport):
        return {
            "nBefore": report.n_before,
            "nAfter": report.n_after,
            "nMissing": report.n_missing,
        }
    if isinstance(report, WeightsReport):
        return {
            "sum": report.total,
            "nMissing": report.n_missing,
            "problems": ["target_range_unmet"] if report.is_below_range else [],
        }
    if isinstance(report, BalanceReport):
        return {
            "target": _name_shares(names, report.target, report.others),
            "mix": _name_shares(names, report.mix, 0.0),
            "crossEntropy": report.cross_entropy,
            "nMissing": report.n_missing,
        }
    if isinstance(report, DiversityReport):
        return {
            "coveringRadius": _tell(report.coverage.radius),
            "meanDistance": _tell(report.coverage.mean_distance),
        }
    if isinstance(report, ObjectDiversityReport):
        return {"nWithoutObjects": report.n_without_objects}
    return {}


def _name_shares(
    names: Sequence[str], shares: np.ndarray[Any, np.dtype[np.float64]], others: float
) -> dict[str, Any]:
    """Return shares by class, and the one of all classes that a target does not name."""
    classes = dict(zip(names, shares.tolist(), strict=False))
    return {"classes": classes, "others": others} if others else {"classes": classes}


def _tell(value: float) -> float | None:
    return float(value) if math.isfinite(value) else None
