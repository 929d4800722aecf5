"""What a selection returns."""

from __future__ import annotations

from dataclasses import dataclass, field

from lightly.selection.embeddings import Float64Array, IndexArray
from lightly.selection.fingerprint import SelectionInput
from lightly.selection.state import ENGINE_VERSION, Memory, SelectionState, save_state
from lightly.selection.strategy import StopReason, StrategyReport


@dataclass(frozen=True, kw_only=True, eq=False)
class SelectionResult:
    """Picks in order, why the run ended, and what every strategy did.

    Attributes:
        indices: Positions of the picks in the input, in pick order, int64; without preselected.
        gains: How much each pick raised each strategy's objective, shape
            ``[picks, strategies]``; a column per given strategy, 0 for THRESHOLD.
        distances: Distance of each pick to what was selected before it, in the space of the first
            DIVERSITY strategy; infinite for a first pick, NaN without such a strategy.
        stop_reason: ``count``: as many as asked; ``min_distance``, ``min_typicality``,
            ``max_sum``: a stopping condition refused the next pick; ``exhausted``: every candidate
            was picked, fewer than asked or no count given; ``no_candidates``: there were none.
        strategies: One report per given strategy, in the same order.
        n_wanted: Picks asked for; None if unlimited.
        n_preselected: Distinct preselected samples.
        n_candidates: Candidates before thresholds.
        n_eligible: Candidates after thresholds.
        seed: Seed of the first random values; None if nothing was random.
        source: What the run was given.
        memories: What a later run need not compute again, per strategy.
        engine_version: Changes whenever the same input may give other picks.
    """

    indices: IndexArray
    gains: Float64Array
    distances: Float64Array
    stop_reason: StopReason
    strategies: tuple[StrategyReport, ...]
    n_wanted: int | None
    n_preselected: int
    n_candidates: int
    n_eligible: int
    seed: int | None
    source: SelectionInput = field(repr=False)
    memories: tuple[Memory, ...] = field(repr=False)
    engine_version: str = ENGINE_VERSION

    def save_state(self) -> SelectionState:
        """Return the state, from which a later run with a higher count goes on.

        Reads the input once, about a second per gigabyte, and must find it as it was.
        """
        return save_state(self.indices, self.source, self.memories)
