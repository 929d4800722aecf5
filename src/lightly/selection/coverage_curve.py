"""How well the first k picks cover what they were picked from, against random picks."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from lightly.selection.blas import hold_blas_to_one_thread
from lightly.selection.embeddings import EmbeddingSpace, Float64Array, IndexArray
from lightly.selection.errors import InvalidSelectionInput
from lightly.selection.explanation import open_space
from lightly.selection.nearest_picks import find_nearest_picks
from lightly.selection.progress import Pulse, ReportProgress, ShouldCancel
from lightly.selection.result import SelectionResult

DEFAULT_DRAWS = 5
DEFAULT_POINTS = 24


@dataclass(frozen=True, kw_only=True, eq=False)
class CoverageCurve:
    """Coverage by the first k picks, preselected samples always included.

    Attributes:
        counts: The k, ascending: about evenly spaced logarithms from 1 to n.
        radius: Largest distance of a measured candidate to its nearest selected sample, per k.
        mean_distance: Mean of these distances, per k; a selected sample counts as 0.
        random_radius: The same for random picks, shape ``[draws, k]``.
        random_mean_distance: The same for random picks, shape ``[draws, k]``.
        n_measured: How many candidates were measured, evenly spaced; all makes both exact.
        n_candidates: Candidates before thresholds; random picks are drawn from them.
        seed: Of the random picks.
    """

    counts: IndexArray
    radius: Float64Array
    mean_distance: Float64Array
    random_radius: Float64Array
    random_mean_distance: Float64Array
    n_measured: int
    n_candidates: int
    seed: int


def measure_coverage_curve(
    result: SelectionResult,
    embeddings: ArrayLike | None = None,
    *,
    n_draws: int = DEFAULT_DRAWS,
    seed: int = 0,
    n_points: int = DEFAULT_POINTS,
    n_measured: int | None = None,
    progress: ReportProgress | None = None,
    should_cancel: ShouldCancel | None = None,
) -> CoverageCurve:
    """Measure how coverage grew with the picks, and how it grows with random ones.

    Cost: (1 + draws) M n d multiply-adds inside float32 products for M measured candidates, and a
    few exact evaluations per candidate and draw. Memory: 20 MB and 8 bytes per candidate.

    Args:
        result: What ``select`` returned.
        embeddings: Shape ``[N, d]``; those of the first strategy that has any if None.
        n_draws: Number of random picks of the same size, at least 0.
        seed: Of the random picks; the same seed draws the same ones everywhere.
        n_points: Most points of a curve, at least 1.
        n_measured: How many candidates to measure; all if None.
        progress: Called every now and then with (candidates measured, all of them for all draws).
        should_cancel: Asked every now and then; True ends the work with ``SelectionCancelled``.

    Returns:
        The curves; without points if nothing was picked or there were no candidates.

    Raises:
        InvalidSelectionInput: If there are no embeddings, or a number is too small.

    Example:
        >>> line = np.array([[0.0], [1.0], [5.0], [7.0]], dtype=np.float32)
        >>> result = select(n_samples=2, strategies=[Diversity(line)])
        >>> measure_coverage_curve(result).radius
        array([7., 2.])
    """
    for name, number, least in (("draws", n_draws, 0), ("points", n_points, 1)):
        if number < least:
            raise InvalidSelectionInput(f"The number of {name} must be at least {least}.")
    if n_measured is not None and n_measured < 1:
        raise InvalidSelectionInput(f"At least 1 candidate must be measured. Got {n_measured}.")
    space = open_space(result, embeddings, Pulse(0, None, should_cancel))
    offered = result.source.candidates
    n_rows = len(offered) if n_measured is None else min(n_measured, len(offered))
    measured = offered[np.arange(n_rows) * len(offered) // max(1, n_rows)]
    orders = [result.indices, *draw_picks(offered, len(result.indices), n_draws, seed)]
    counts = _space_counts(len(result.indices), n_points)
    pulse = Pulse(n_rows * len(orders), progress, should_cancel)
    with hold_blas_to_one_thread():
        curves = [
            _measure(space, measured, result.source.preselected, order, counts, pulse)
            for order in orders
        ]
    pulse.beat()
    radii, means = (np.array(part) for part in zip(*curves, strict=True))
    return CoverageCurve(
        counts=counts,
        radius=radii[0],
        mean_distance=means[0],
        random_radius=radii[1:],
        random_mean_distance=means[1:],
        n_measured=n_rows,
        n_candidates=len(offered),
        seed=seed,
    )


def draw_picks(candidates: IndexArray, n_picks: int, n_draws: int, seed: int) -> list[IndexArray]:
    """Return random picks without repeats, in random order.

    They are the candidates of the smallest random 64-bit numbers of a generator whose numbers are
    the same in every release and on every machine.
    """
    drawn = []
    for draw in range(n_draws):
        generator = np.random.PCG64(np.random.SeedSequence([seed, draw]))
        keys = generator.random_raw(len(candidates))
        drawn.append(candidates[np.argsort(keys, kind="stable")[:n_picks]])
    return drawn


def _space_counts(n_picks: int, n_points: int) -> IndexArray:
    if n_picks == 0:
        return np.empty(0, dtype=np.int64)
    return np.unique(np.rint(np.geomspace(n_picks, 1, n_points)).astype(np.int64))


def _measure(
    space: EmbeddingSpace,
    measured: IndexArray,
    preselected: IndexArray,
    order: IndexArray,
    counts: IndexArray,
    pulse: Pulse,
) -> tuple[Float64Array, Float64Array]:
    """Return radius and mean distance per count."""
    radius = np.zeros(len(counts))
    sums: list[Float64Array] = []
    selected = np.concatenate([preselected, order])
    if not len(counts):
        return radius, radius
    done = pulse.n_picked
    for tile in find_nearest_picks(
        space, measured, selected, counts=counts + len(preselected), pulse=pulse
    ):
        radius = np.maximum(radius, tile.distances.max(axis=0))
        sums.append(tile.distances.sum(axis=0))
        pulse.n_picked = done + tile.rows.stop
    totals = [math.fsum(column) for column in np.array(sums).T]
    return radius, np.array(totals) / max(1, len(measured))
