"""What a selection was to balance: target, mix of the input, and the mix that was reached."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lightly.data.selection_plan.planning import SelectionPlan
from lightly.selection import Balance, BalanceReport, SelectionResult

#: Classes of one strategy that a report shows: those that differ most are named, the rest is one.
MAX_CLASSES = 14
OTHERS = "all others"


@dataclass(frozen=True, kw_only=True, eq=False)
class BalanceFacts:
    """One strategy BALANCE.

    Attributes:
        title: What was balanced.
        names: Classes.
        target: The share that each should have.
        before: The share that it has in the input.
        after: The share that it has in the selection, earlier runs included.
    """

    title: str
    names: Sequence[str]
    target: NDArray[np.float64]
    before: NDArray[np.float64]
    after: NDArray[np.float64]


def list_balances(
    plan: SelectionPlan, result: SelectionResult, *, n_earlier: int
) -> list[BalanceFacts]:
    """Return what was balanced, in the order of the configuration.

    Args:
        plan: What was asked.
        result: What came out.
        n_earlier: How many of the samples come from earlier runs; they are the first ones.
    """
    found = []
    for planned, report in zip(plan.planned, result.strategies, strict=True):
        engine = planned.engine
        if isinstance(engine, Balance) and isinstance(report, BalanceReport):
            source = planned.input
            title = source.get("task") or source.get("key") or source["type"]
            before = _measure_mix(np.asarray(engine.classes)[n_earlier:], len(report.mix))
            facts = _shorten(str(title), planned.class_names, report, before)
            found.append(facts)
    return found


def describe_balances(balances: Sequence[BalanceFacts]) -> dict[str, Any]:
    """Return what was balanced as JSON can hold it: of each class three shares."""
    rows = [
        {
            "title": facts.title,
            "classes": [
                {
                    "name": name,
                    "target": float(target),
                    "input": float(before),
                    "selected": float(after),
                }
                for name, target, before, after in zip(
                    facts.names, facts.target, facts.before, facts.after, strict=True
                )
            ],
        }
        for facts in balances
    ]
    return {"balances": rows}


def _measure_mix(classes: NDArray[np.generic], n_classes: int) -> NDArray[np.float64]:
    """Return the share of each class, from numbers of classes or from shares per sample."""
    if classes.ndim == 1:
        codes = classes.astype(np.int64)
        sums = np.bincount(codes[codes >= 0], minlength=n_classes).astype(np.float64)
    else:
        sums = classes.sum(axis=0, dtype=np.float64)
    total = sums.sum()
    return np.asarray(sums / total if total else sums)


def _shorten(
    title: str, names: Sequence[str], report: BalanceReport, before: NDArray[np.float64]
) -> BalanceFacts:
    """Leave the classes that matter: with a target first, then the largest."""
    weight = 1e3 * report.target + np.maximum(report.mix, before)
    order = np.argsort(-weight, kind="stable")
    shown, rest = order[:MAX_CLASSES], order[MAX_CLASSES:]
    if report.others:
        # What the target does not name has one share together.
        shown = order[report.target[order] > 0][:MAX_CLASSES]
        rest = np.setdiff1d(order, shown)
    rows = [
        np.append(values[shown], values[rest].sum())
        for values in (report.target, before, report.mix)
    ]
    rows[0][-1] += report.others
    labels = [*(names[place] for place in shown), OTHERS]
    keep = slice(None) if len(rest) or report.others else slice(0, len(shown))
    return BalanceFacts(
        title=title,
        names=labels[keep],
        target=rows[0][keep],
        before=rows[1][keep],
        after=rows[2][keep],
    )
