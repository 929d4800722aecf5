"""The report of a selection: what fits on a page as JSON, everything longer as columns."""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from lightly.selection import CoverageCurve, SelectionExplanation, SelectionResult
from lightly.server.selections.models import ColumnInfo, ReportContent

#: Classes, thresholds and points of curves are listed up to here.
MAX_LISTED = 1_000
#: One value per pick: these are columns.
_PER_PICK = frozenset({"gains", "distances", "nearest"})


def make_report(
    result: SelectionResult,
    request: Mapping[str, Any],
    *,
    explanation: SelectionExplanation | None,
    curve: CoverageCurve | None,
    unexplained_because: str | None = None,
    class_names: Mapping[int, Sequence[str]] | None = None,
) -> ReportContent:
    """Return what is to be kept of a selection.

    Args:
        result: What the engine returned; positions are sample indices.
        request: What the selection was asked to do.
        explanation: Nearest picks, where they were measured.
        curve: Coverage over the number of picks, where it was measured.
        unexplained_because: Why there is no explanation.
        class_names: Names of classes by place of the strategy that balances them.
    """
    names = class_names or {}
    strategies = [
        _describe(report) | _list_classes(names.get(place))
        for place, report in enumerate(result.strategies)
    ]
    columns = _make_columns(result, explanation)
    body: dict[str, Any] = {
        "request": request,
        "stopReason": result.stop_reason,
        "nWanted": result.n_wanted,
        "nPicked": len(result.indices),
        "nPreselected": result.n_preselected,
        "nCandidates": result.n_candidates,
        "nEligible": result.n_eligible,
        "seed": result.seed,
        "engineVersion": result.engine_version,
        "strategies": strategies,
        "coverage": None if curve is None else _describe_curve(curve),
        "columns": [dataclasses.asdict(info) for info, _ in columns],
    }
    if unexplained_because is not None:
        body["unexplainedBecause"] = unexplained_because
    return ReportContent(body, columns)


def _make_columns(
    result: SelectionResult, explanation: SelectionExplanation | None
) -> list[tuple[ColumnInfo, Any]]:
    n_picks = len(result.indices)
    columns: list[tuple[ColumnInfo, Any]] = [
        (ColumnInfo("picks", "<i8", n_picks, "pick"), result.indices)
    ]
    for place in range(result.gains.shape[1]):
        info = ColumnInfo(f"gains.{place}", "<f8", n_picks, "pick")
        columns.append((info, result.gains[:, place]))
    distances_info = ColumnInfo("earlierDistances", "<f8", n_picks, "pick")
    if explanation is None:
        if not np.isnan(result.distances).all():
            columns.append((distances_info, result.distances))
        return columns
    n_samples = len(explanation.nearest)
    return [
        *columns,
        (ColumnInfo("earlier", "<i8", n_picks, "pick"), explanation.earlier),
        (distances_info, explanation.earlier_distances),
        (ColumnInfo("nearest", "<i8", n_samples, "sample"), explanation.nearest),
        (ColumnInfo("distances", "<f8", n_samples, "sample"), explanation.distances),
    ]


def _describe(report: object) -> dict[str, Any]:
    """Return the fields of a part of a report under wire names; what grows is left out."""
    described: dict[str, Any] = {}
    for field in dataclasses.fields(report):  # type: ignore[arg-type]  # all parts are dataclasses
        # What a report measures only when it is asked has a field that says so.
        name = field.name.removeprefix("late_")
        if name in _PER_PICK:
            continue
        value = getattr(report, name)
        if dataclasses.is_dataclass(value):
            value = _describe(value)
        elif isinstance(value, np.ndarray):
            value = value[:MAX_LISTED].tolist()
        described[_write_name(name)] = value
    return described


def _list_classes(names: Sequence[str] | None) -> dict[str, Any]:
    return {} if names is None else {"classes": list(names[:MAX_LISTED]), "nClasses": len(names)}


def _describe_curve(curve: CoverageCurve) -> dict[str, Any]:
    described: dict[str, Any] = {
        "counts": curve.counts.tolist(),
        "radius": curve.radius.tolist(),
        "meanDistance": curve.mean_distance.tolist(),
        "nMeasured": curve.n_measured,
        "nCandidates": curve.n_candidates,
        "random": None,
    }
    if len(curve.random_radius):
        described["random"] = {
            "nDraws": len(curve.random_radius),
            "seed": curve.seed,
            "radius": _summarise(curve.random_radius),
            "meanDistance": _summarise(curve.random_mean_distance),
        }
    return described


def _summarise(draws: Any) -> dict[str, list[float]]:
    return {
        "mean": draws.mean(axis=0).tolist(),
        "least": draws.min(axis=0).tolist(),
        "most": draws.max(axis=0).tolist(),
    }


def _write_name(name: str) -> str:
    """Return a name as it is written on the wire.

    >>> _write_name("n_missing")
    'nMissing'
    """
    return re.sub(r"_([a-z0-9])", lambda found: found[1].upper(), name)
