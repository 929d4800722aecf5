"""SAMPLING: which of the candidates are chosen."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from lightly.data.selection_plan.planning import SelectionPlan, plan_selection, read_selection
from lightly.selection import (
    SelectionCancelled,
    SelectionResult,
    Sequences,
    Strategy,
    Threshold,
    group_strategies,
    select,
)
from lightly.worker.runs.context import RunContext
from lightly.worker.runs.frame_sequences import average_vectors, cut_frames
from lightly.worker.runs.pick_distances import add_pick_distances
from lightly.worker.runs.selection_inputs import RunInputs
from lightly.worker.runs.sharded_selecting import select_in_shards


@dataclass(frozen=True, eq=False)
class ObjectPicks:
    """What was chosen where the samples of a selection are objects.

    Attributes:
        names: What the crops of the chosen objects are called.
        n_candidates: How many could be chosen.
        embeddings: Of all objects, shape (n, d).
        distances: Of each chosen image: that of its first object to what was selected before.
    """

    names: frozenset[str]
    n_candidates: int
    embeddings: NDArray[np.float32]
    distances: NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Selection:
    """What was chosen.

    Attributes:
        picks: Positions among the candidates, in the order in which they were picked.
        result: What the engine says; positions in it count earlier samples too. With sequences, it
            is about them.
        plan: What it was asked.
        n_earlier: How many samples were selected in earlier runs.
        sequences: All sequences of frames; None if samples were selected one by one.
        objects: The chosen objects, which `result` is about then; None if samples were chosen.
    """

    picks: NDArray[np.int64]
    result: SelectionResult
    plan: SelectionPlan
    n_earlier: int
    sequences: Sequences | None = None
    objects: ObjectPicks | None = None

    @property
    def distances(self) -> NDArray[np.float64]:
        """The distance of each pick to what was selected before it; the same in a sequence."""
        if self.objects is not None:
            return self.objects.distances
        if self.sequences is None:
            return self.result.distances
        lengths = np.diff(self.sequences.starts)[self.result.indices]
        return np.repeat(self.result.distances, lengths)


def make_plan(context: RunContext, inputs: RunInputs, n_candidates: int) -> SelectionPlan:
    """Return what the engine is asked; whatever is wrong with the configuration is found here.

    Raises:
        InvalidConfiguration, BadInput: With the first problem and its remedy.
    """
    config = read_selection(dict(context.options.selection))
    return plan_selection(
        config,
        inputs,
        n_candidates=n_candidates,
        sequence_length=context.options.sequence_length,
    )


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
    length = context.options.sequence_length
    if length == 1:
        chosen = np.arange(n_earlier)
        if sharded := select_in_shards(context, plan, chosen):
            picks = sharded.result.indices - n_earlier
            return Selection(picks, sharded.result, sharded.plan, n_earlier)
        result = _select(
            context, plan.n_samples, plan.strategies, chosen, lambda: inputs.embeddings
        )
        return Selection(result.indices - n_earlier, result, plan, n_earlier)
    sequences, chosen = cut_frames(inputs.names, length, n_earlier)
    n_wanted = None if plan.n_samples is None else plan.n_samples // length
    strategies = group_strategies(plan.strategies, sequences)
    result = _select(
        context, n_wanted, strategies, chosen, lambda: average_vectors(inputs.embeddings, sequences)
    )
    picks = sequences.list_frames(result.indices) - n_earlier
    return Selection(picks, result, plan, n_earlier, sequences)


def _select(
    context: RunContext,
    n_wanted: int | None,
    strategies: Sequence[Strategy | Threshold],
    chosen: NDArray[np.int64],
    open_vectors: Callable[[], NDArray[np.float32]],
) -> SelectionResult:
    """Choose among samples or sequences; `chosen` are those of earlier runs."""
    are_left = strategies[0].n_samples > len(chosen)

    def should_cancel() -> bool:
        return context.lease.shall_end

    try:
        result = select(
            n_samples=n_wanted,
            strategies=strategies,
            preselected=chosen,
            candidates=None if are_left else np.empty(0, np.int64),
            progress=context.lease.report_progress,
            should_cancel=should_cancel,
        )
        return add_pick_distances(result, open_vectors, should_cancel=should_cancel)
    except SelectionCancelled:
        context.lease.check()
        raise
