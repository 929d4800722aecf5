"""Selections by DIVERSITY whose candidates were narrowed down in shards first.

What comes out reads like the result of one run: about all candidates, not only those that shards
have kept.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import ArrayLike

from lightly.selection.coverage import Coverage, LateCoverage, measure_candidates
from lightly.selection.diversity import Diversity, DiversityReport
from lightly.selection.embeddings import EmbeddingSpace, IndexArray
from lightly.selection.engine import select
from lightly.selection.errors import InvalidSelectionInput
from lightly.selection.fingerprint import SelectionInput
from lightly.selection.nearest import NearestSelected
from lightly.selection.objects import Objects
from lightly.selection.progress import Pulse, ReportProgress, ShouldCancel
from lightly.selection.result import SelectionResult
from lightly.selection.row_source import RowSource
from lightly.selection.samples import read_positions
from lightly.selection.shards import ShardNet, ShardRunner, find_net
from lightly.selection.strategy import Strategy, StrategyReport
from lightly.selection.threshold import Threshold, ThresholdReport


@dataclass(frozen=True, eq=False)
class ShardedRun:
    """What a selection in two rounds has found.

    Attributes:
        result: As of one run. It is not to be resumed: the candidates of round two are not kept.
        net: What the shards have kept.
    """

    result: SelectionResult
    net: ShardNet


def find_sharded_diversity(strategies: Sequence[Strategy | Threshold]) -> Diversity | None:
    """Return the one DIVERSITY of samples that decides, if shards can pick by it.

    Thresholds may stand beside it. It must not stop at a distance: a sample that one shard leaves
    out could be far enough from what another picks.
    """
    deciding = [one for one in strategies if not isinstance(one, Threshold)]
    if len(deciding) != 1 or not isinstance(deciding[0], Diversity):
        return None
    only = deciding[0]
    is_plain = only.strength > 0 and only.min_distance is None
    return only if is_plain and not isinstance(only.embeddings, Objects) else None


def select_by_shards(
    strategies: Sequence[Strategy | Threshold],
    n_samples: int,
    *,
    shards: int,
    preselected: ArrayLike = (),
    seed: int = 0,
    source: RowSource | None = None,
    runner: ShardRunner | None = None,
    progress: ReportProgress | None = None,
    should_cancel: ShouldCancel | None = None,
) -> ShardedRun:
    """Select by DIVERSITY and thresholds in two rounds, as `select_in_shards`.

    Args:
        strategies: As `find_sharded_diversity` takes them.
        n_samples: How many to pick.
        shards: How many shards to make.
        preselected: Positions that are selected from the start.
        seed: By which samples are dealt to shards.
        source: The embeddings of DIVERSITY where other processes can open them; else they are sent.
        runner: What runs shards; one after the other if None.
        progress: Called with (shards done, all shards), then with (picks, picks aimed at).
        should_cancel: Asked every now and then.

    Raises:
        InvalidSelectionInput: If a value breaks a rule.
        SelectionCancelled: If ``should_cancel`` said so.
    """
    diversity = find_sharded_diversity(strategies)
    if diversity is None:
        raise InvalidSelectionInput(
            "Shards pick by one DIVERSITY of samples, of positive strength and without a minimum "
            "distance. Thresholds may stand beside it, other strategies may not."
        )
    selected = read_positions(preselected, diversity.n_samples, "preselected samples")
    offered = np.setdiff1d(np.arange(diversity.n_samples), selected, assume_unique=True)
    eligible, filters = offered, dict[int, ThresholdReport]()
    for place, strategy in enumerate(strategies):
        if isinstance(strategy, Threshold):
            eligible, filters[place] = strategy.apply(eligible)
    net = find_net(
        diversity.embeddings if source is None else source,  # type: ignore[arg-type]  # no objects
        n_samples,
        shards=shards,
        candidates=eligible,
        preselected=selected,
        seed=seed,
        runner=runner,
        progress=progress,
        should_cancel=should_cancel,
    )
    found = select(
        n_samples=n_samples,
        strategies=strategies,
        preselected=selected,
        candidates=net.kept,
        progress=progress,
        should_cancel=should_cancel,
    )
    members = np.concatenate([selected, found.indices])
    reports = tuple(
        filters.get(place) or _cover_all(report, diversity, eligible, members)
        for place, report in enumerate(found.strategies)
    )
    whole = SelectionInput(strategies=tuple(strategies), preselected=selected, offered=offered)
    result = replace(
        found, strategies=reports, n_candidates=len(offered), n_eligible=len(eligible), source=whole
    )
    return ShardedRun(result, net)


def _cover_all(
    report: StrategyReport, diversity: Diversity, eligible: IndexArray, members: IndexArray
) -> StrategyReport:
    """Return a report of round two that speaks of all candidates."""
    if not isinstance(report, DiversityReport):
        return report

    def measure() -> Coverage:
        space = EmbeddingSpace({"embeddings": diversity.embeddings}, pulse=Pulse(0))  # type: ignore[dict-item]  # no objects
        nearest = NearestSelected(space, eligible, capacity=len(members))
        nearest.select_many(members)
        return measure_candidates(nearest, Pulse(0))

    return replace(report, late_coverage=LateCoverage(measure))
