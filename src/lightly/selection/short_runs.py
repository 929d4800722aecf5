"""DIVERSITY alone, on small data or for a few picks: straight from the embeddings to the picks.

Such a run is over in microseconds to milliseconds. Bounds per candidate, pools and a picker that
asks for one candidate after another would take longer than the picks. What runs here makes the
same picks and reports the same distances; where it cannot, it says so and leaves the run to them.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from lightly.selection.blas import hold_blas_to_one_thread
from lightly.selection.codes import address_of
from lightly.selection.coverage import Coverage, LateCoverage, measure_candidates
from lightly.selection.dense_picks import count_dense_picks, measure_densely
from lightly.selection.direct_picks import is_brief
from lightly.selection.direct_walk import DirectWalk
from lightly.selection.diversity import Diversity, DiversityReport
from lightly.selection.embeddings import (
    LARGEST_UNSCALED,
    MAX_DIMENSIONS,
    SMALLEST_UNSCALED,
    EmbeddingSpace,
    Float32Array,
    Float64Array,
    IndexArray,
    measure_lengths,
    view_plain,
)
from lightly.selection.fingerprint import SelectionInput
from lightly.selection.kernels.loading import find_kernels, load_more_kernels
from lightly.selection.nearest import NearestSelected
from lightly.selection.progress import Pulse
from lightly.selection.result import SelectionResult
from lightly.selection.strategy import StopReason, Strategy, check_limit, check_strength
from lightly.selection.threshold import Threshold

_NONE = np.empty(0, dtype=np.int64)


@dataclass(frozen=True)
class ShortRun:
    """Picks of a whole run.

    Attributes:
        indices: Positions in order.
        distances2: Squared distances to what was picked before; infinite for the first.
        nearest: Position of the nearest sample that was picked before; -1 for the first.
        stopped: Whether the next pick would have been nearer than the minimum distance.
    """

    indices: IndexArray
    distances2: Float64Array
    nearest: IndexArray
    stopped: bool


def select_shortly(
    strategies: Sequence[Strategy | Threshold], n_wanted: int | None, preselected: ArrayLike
) -> SelectionResult | None:
    """Return the result of a whole selection, or None where that takes more than this."""
    only = strategies[0]
    if len(strategies) > 1 or type(only) is not Diversity or np.size(preselected):
        return None
    with hold_blas_to_one_thread():
        run = run_shortly(only, n_wanted)
    if run is None:
        return None
    report, n_samples = _report_run(run, only), only.n_samples
    end: StopReason = "count" if len(run.indices) == n_wanted else "exhausted"
    return SelectionResult(
        indices=run.indices,
        gains=report.gains[:, None],
        distances=report.distances,
        stop_reason="min_distance" if run.stopped else end,
        strategies=(report,),
        n_wanted=n_wanted,
        n_preselected=0,
        n_candidates=n_samples,
        n_eligible=n_samples,
        seed=None,
        source=SelectionInput(strategies=(only,), preselected=_NONE, offered=None),
        memories=({"distances2": run.distances2, "neighbours": run.nearest},),
    )


def run_shortly(diversity: Diversity, n_wanted: int | None) -> ShortRun | None:
    """Pick from all samples, or return None where that takes more than this.

    Args:
        diversity: The only strategy.
        n_wanted: Most picks to make; None for all.

    Raises:
        InvalidSelectionInput: If a setting of the strategy breaks a rule. What is wrong with
            embeddings is left to others to say.
    """
    strength = check_strength(diversity.strength, "DIVERSITY")
    least_distance = check_limit(diversity.min_distance, "The minimum distance of DIVERSITY") or 0.0
    rows = diversity.embeddings
    if strength <= 0.0 or type(rows) is not np.ndarray or rows.ndim != 2 or not rows.size:
        return None
    matrix = view_plain(rows)
    n_picks = len(rows) if n_wanted is None else min(n_wanted, len(rows))
    if matrix is None or n_picks == 0 or rows.shape[1] > MAX_DIMENSIONS:
        return None
    n_dims = rows.shape[1]
    if is_brief(len(rows), n_dims, n_picks):
        return _run_directly(matrix, n_picks, least_distance)
    if _can_be_dense(len(rows), n_dims, n_picks):
        return _run_densely(matrix, n_picks, least_distance)
    return None


def _report_run(run: ShortRun, diversity: Diversity) -> DiversityReport:
    """Return what DIVERSITY reports of a run; coverage is measured when it is first read."""
    gains = run.distances2.copy()
    gains[:1] = 0.0
    embeddings = np.asarray(diversity.embeddings)
    return DiversityReport(
        kind="DIVERSITY",
        strength=float(diversity.strength),
        gains=gains,
        distances=np.sqrt(run.distances2),
        nearest=run.nearest,
        min_distance=check_limit(diversity.min_distance, "The minimum distance of DIVERSITY"),
        late_coverage=LateCoverage(lambda: _measure_coverage(run, embeddings)),
    )


def _can_be_dense(n_rows: int, n_dims: int, n_picks: int) -> bool:
    """Return whether dense picks had better make the whole run."""
    if count_dense_picks(4 * n_rows * n_dims, n_picks) < n_picks:
        return False
    return find_kernels(n_rows, n_dims, n_picks) is not None


def _run_densely(matrix: Float32Array, n_picks: int, least_distance: float) -> ShortRun | None:
    picked, nearest = np.empty(n_picks, dtype=np.int64), np.empty(n_picks, dtype=np.int64)
    distances2 = np.empty(n_picks)
    n_picked, stopped = load_more_kernels("dense").pick_from_start(
        address_of(matrix),
        *matrix.shape,
        SMALLEST_UNSCALED,
        LARGEST_UNSCALED,
        least_distance,
        picked,
        distances2,
        nearest,
    )
    if n_picked < 0:
        return None
    return ShortRun(picked[:n_picked], distances2[:n_picked], nearest[:n_picked], stopped)


def _run_directly(matrix: Float32Array, n_picks: int, least_distance: float) -> ShortRun | None:
    products = np.empty(len(matrix), dtype=np.float32) if n_picks > 1 else None
    lengths2 = measure_lengths(matrix, products)
    if lengths2 is None:
        return None
    largest2, half = float(lengths2.max()), lengths2[0] * np.float32(0.5)
    indices, nearest = np.zeros(n_picks, dtype=np.int64), np.full(n_picks, -1, dtype=np.int64)
    distances2 = np.full(n_picks, np.inf)
    if n_picks == 1:
        return ShortRun(indices, distances2, nearest, stopped=False)
    walk = DirectWalk(matrix, lengths2, capacity=n_picks, largest2=largest2, products=products)
    walk.add(matrix[0], half)
    walk.leave_out(0)
    later = walk.pick(n_picks - 1, least_distance)
    if walk.is_closed:
        return None
    end = 1 + len(later.rows)
    indices[1:end], distances2[1:end] = later.rows, later.distances2
    # Picks are numbered in order; one that equals another gets no number.
    nearest[1:end] = indices[:end][distances2[:end] > 0.0][later.neighbours]
    return ShortRun(indices[:end], distances2[:end], nearest[:end], later.stopped)


def _measure_coverage(run: ShortRun, embeddings: NDArray[np.generic]) -> Coverage:
    """Return how well the picks cover all samples; reads the embeddings again."""
    space = EmbeddingSpace({"embeddings": embeddings}, pulse=Pulse(0), is_brief=True)
    nearest = NearestSelected(space, np.arange(space.n_rows), capacity=len(run.indices))
    nearest.select_many(run.indices[run.distances2 > 0.0])
    nearest.retire(run.indices)
    if _can_be_dense(space.n_rows, space.n_dims, len(run.indices)):
        measure_densely(nearest)
    return measure_candidates(nearest, Pulse(0))
