"""SAMPLING in shards: the first round runs where the per-image work runs."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from lightly.data.large_selection import EmbeddingFile
from lightly.data.selection_plan.planning import SelectionPlan
from lightly.embedding.pool import count_cores
from lightly.selection import Diversity, RowSource, SelectionCancelled, SelectionResult
from lightly.selection.sharded_runs import find_sharded_diversity, select_by_shards
from lightly.selection.shards import ShardPicks, ShardRunner, ShardSpec
from lightly.worker.runs.context import RunContext
from lightly.worker.shards.executing import run_shards
from lightly.worker.shards.executors import open_executor

log = logging.getLogger("lightly.worker")


@dataclass(frozen=True, eq=False)
class ShardedSelecting:
    """What was chosen in shards.

    Attributes:
        result: What the engine says.
        plan: What it was asked, with a note about the shards.
    """

    result: SelectionResult
    plan: SelectionPlan


def select_in_shards(
    context: RunContext, plan: SelectionPlan, chosen: NDArray[np.int64]
) -> ShardedSelecting | None:
    """Choose in shards if the worker shall and can; None if not.

    Args:
        context: Of the run.
        plan: What to ask the engine.
        chosen: Samples of earlier runs.

    Raises:
        RunFailed: If the cluster is lost.
    """
    shards, wanted = context.settings.selection_shards, plan.n_samples
    diversity = find_sharded_diversity(plan.strategies)
    if shards == 1 or not wanted or plan.strategies[0].n_samples == len(chosen):
        return None
    if diversity is None:
        log.info("Selecting at once: shards pick by a single DIVERSITY of samples only.")
        return None
    try:
        found = select_by_shards(
            plan.strategies,
            wanted,
            shards=shards,
            preselected=chosen,
            source=_open_source(diversity),
            runner=_make_runner(context),
            progress=context.lease.report_progress,
            should_cancel=lambda: context.lease.shall_end,
        )
    except SelectionCancelled:
        context.lease.check()
        raise
    note = (
        f"Selected in {found.net.n_shards} shards, from {len(found.net.kept)} samples that they "
        f"have kept: no other is farther than {found.net.radius:.6g} from these."
    )
    log.info("%s", note)
    planned = tuple(
        replace(one, notes=(*one.notes, note)) if one.engine is diversity else one
        for one in plan.planned
    )
    return ShardedSelecting(found.result, replace(plan, planned=planned))


def _open_source(diversity: Diversity) -> RowSource | None:
    """Return the file that holds the embeddings; None if none does."""
    vectors = diversity.embeddings
    if not isinstance(vectors, np.memmap) or vectors.filename is None:
        return None
    vectors.flush()
    source = EmbeddingFile(vectors.filename, n_dims=vectors.shape[1])
    return source if source.shape == vectors.shape else None


def _make_runner(context: RunContext) -> ShardRunner:
    def run_all(
        specs: Iterable[ShardSpec], run: Callable[[ShardSpec], ShardPicks]
    ) -> Iterator[ShardPicks]:
        with open_executor(context.settings, n_local=count_cores()) as place:
            yield from run_shards(specs, run, place, check=context.lease.check)

    return run_all
