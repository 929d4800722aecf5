"""SAMPLING: which of the candidates are chosen."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from lightly.data.selection_plan.planning import SelectionPlan, plan_selection, read_selection
from lightly.selection import SelectionCancelled, SelectionResult, select
from lightly.worker.runs.context import RunContext
from lightly.worker.runs.selection_inputs import RunInputs


@dataclass(frozen=True, eq=False)
class Selection:
    """What was chosen.

    Attributes:
        picks: Positions among the candidates, in the order in which they were picked.
        result: What the engine says; positions in it count earlier samples too.
        plan: What it was asked.
    """

    picks: NDArray[np.int64]
    result: SelectionResult
    plan: SelectionPlan


def make_plan(context: RunContext, inputs: RunInputs, n_candidates: int) -> SelectionPlan:
    """Return what the engine is asked; whatever is wrong with the configuration is found here.

    Raises:
        InvalidConfiguration, BadInput: With the first problem and its remedy.
    """
    config = read_selection(dict(context.options.selection))
    return plan_selection(config, inputs, n_candidates=n_candidates)


def select_candidates(
    context: RunContext, plan: SelectionPlan, inputs: RunInputs, n_earlier: int
) -> Selection:
    """Choose among the candidates; what was selected in earlier runs counts as selected.

    Args:
        context: Of the run.
        plan: What to ask the engine.
        inputs: The samples.
        n_earlier: How many of them were selected in earlier runs; they come first.
    """
    if not inputs.n_samples - n_earlier:
        candidates: NDArray[np.int64] | None = np.empty(0, np.int64)
    else:
        candidates = None
    try:
        result = select(
            n_samples=plan.n_samples,
            strategies=plan.strategies,
            preselected=np.arange(n_earlier),
            candidates=candidates,
            progress=context.lease.report_progress,
            should_cancel=lambda: context.lease.shall_end,
        )
    except SelectionCancelled:
        context.lease.check()
        raise
    return Selection(result.indices - n_earlier, result, plan)
