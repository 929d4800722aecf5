"""How well a selection covers what it was selected from."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import ArrayLike

from lightly.selection.blas import hold_blas_to_one_thread
from lightly.selection.direct_picks import open_direct_picks
from lightly.selection.embeddings import EmbeddingSpace, Float64Array, IndexArray
from lightly.selection.errors import InvalidSelectionInput
from lightly.selection.farthest import FarthestFirst
from lightly.selection.nearest import NearestSelected
from lightly.selection.progress import Pulse
from lightly.selection.samples import read_positions

# Multiply-adds spent on a run's mean distance, a few ms: measuring all samples would take several
# times longer than a lazy selection itself.
_MEAN_BUDGET = 100_000_000
_FEWEST_MEASURED = 1_000
# An exact distance costs ten screened ones: this keeps the mean at a fiftieth of a dense run.
_PRODUCTS_PER_EXACT = 500


@dataclass(frozen=True, kw_only=True)
class Coverage:
    """Distances of samples to their nearest selected sample.

    Attributes:
        radius: The largest, over all samples, exact. Infinite when nothing is selected.
        mean_distance: The mean over ``n_measured`` samples evenly spaced over the input; a
            selected sample counts as 0.
        n_measured: How many samples the mean is taken over; all of them makes it exact.
        n_samples: How many samples there are.
    """

    radius: float
    mean_distance: float
    n_measured: int
    n_samples: int


def measure_coverage(embeddings: ArrayLike, picks: ArrayLike) -> Coverage:
    """Measure exactly how well picks cover all samples.

    Cost: N k d inside float32 matrix products and one exact evaluation per sample. Memory: 24 bytes
    per sample and the picks in float32; the embeddings are read piece by piece.

    Args:
        embeddings: Shape ``[N, d]``, float32 at best; may be a memory map.
        picks: Positions of the selected samples, shape ``[k]``.

    Returns:
        Covering radius and mean distance to the nearest pick, over all N samples.

    Raises:
        InvalidSelectionInput: If a pick is not a position or a value is not finite.

    Example:
        >>> measure_coverage([[0.0], [1.0], [4.0]], [0]).radius
        4.0
    """
    space = EmbeddingSpace({"embeddings": embeddings}, pulse=Pulse(0))
    chosen = read_positions(picks, space.n_rows, "picks")
    if space.n_rows == 0:
        raise InvalidSelectionInput("There are no samples to measure. Give at least one.")
    nearest = NearestSelected(space, np.arange(space.n_rows), capacity=len(chosen))
    for sample in chosen:
        nearest.select(int(sample))
    if nearest.n_selected == 0:
        return _cover_nothing(space.n_rows)
    with hold_blas_to_one_thread():
        nearest.settle(np.arange(space.n_rows))
        nearest.resolve(np.arange(space.n_rows))
    distances = np.sqrt(nearest.upper * space.true_unit)
    return Coverage(
        radius=float(distances.max()),
        mean_distance=math.fsum(distances) / space.n_rows,
        n_measured=space.n_rows,
        n_samples=space.n_rows,
    )


class LateCoverage:
    """A coverage that is measured when it is asked for, once.

    After a short run it costs more than the picks, and not everybody reads it.

    Args:
        measure: Measures it.
    """

    def __init__(self, measure: Callable[[], Coverage]) -> None:
        self._measure = measure

    @cached_property
    def value(self) -> Coverage:
        """The coverage."""
        with hold_blas_to_one_thread():
            return self._measure()

    def __eq__(self, other: object) -> bool:
        """Tell whether two are the same coverage; measures both."""
        return isinstance(other, LateCoverage) and self.value == other.value

    def __hash__(self) -> int:
        """Return the hash of the coverage."""
        return hash(self.value)

    def __reduce__(self) -> tuple[Callable[[Coverage], LateCoverage], tuple[Coverage]]:
        """Measure before it is sent elsewhere."""
        return _know_coverage, (self.value,)


def _know_coverage(coverage: Coverage) -> LateCoverage:
    return LateCoverage(lambda: coverage)


def cover_candidates(nearest: NearestSelected, pulse: Pulse) -> LateCoverage:
    """Return how a finished selection covers its candidates, measured now or, if few, later."""
    is_direct = nearest.direct is not None and nearest.direct.is_current
    is_untouched = nearest.n_selected > 0 and not nearest.is_measured
    if is_direct or is_untouched or _is_dense(nearest):
        return LateCoverage(lambda: measure_candidates(nearest, Pulse(0)))
    return _know_coverage(measure_candidates(nearest, pulse))


def _is_dense(nearest: NearestSelected) -> bool:
    """Return whether all distances are known and little but them is kept."""
    if nearest.n_selected == 0 or "coded" in nearest.__dict__:
        return False
    return bool((nearest.seen == nearest.n_selected).all())


def measure_candidates(nearest: NearestSelected, pulse: Pulse) -> Coverage:
    """Return how a finished selection covers its candidates, at a fraction of the run's cost."""
    if nearest.n_selected > 0 and nearest.direct is None and not nearest.is_measured:
        nearest.direct = open_direct_picks(nearest)
    n_samples = len(nearest.samples)
    if nearest.n_selected == 0:
        return _cover_nothing(n_samples)
    radius2 = _find_radius2(nearest, pulse)
    n_worth = n_samples * nearest.n_selected // _PRODUCTS_PER_EXACT
    n_paid = _MEAN_BUDGET // (nearest.n_selected * nearest.space.n_dims)
    n_measured = min(n_samples, max(_FEWEST_MEASURED, min(n_paid, n_worth)))
    rows = np.arange(n_measured) * n_samples // max(1, n_measured)
    rows = rows[nearest.upper[rows] > -np.inf]
    unit = nearest.space.true_unit
    total = math.fsum(np.sqrt(_measure_rows(nearest, rows) * unit).tolist())
    return Coverage(
        radius=math.sqrt(radius2 * unit),
        mean_distance=total / n_measured if n_measured else 0.0,
        n_measured=n_measured,
        n_samples=n_samples,
    )


def _find_radius2(nearest: NearestSelected, pulse: Pulse) -> float:
    """Return the largest squared distance of a candidate; 0 if none is left."""
    if nearest.direct is not None and nearest.direct.is_current:
        return nearest.direct.find_radius2()
    if (nearest.seen == nearest.n_selected).all():
        nearest.resolve(np.flatnonzero(nearest.upper >= nearest.lower.max(initial=0.0)))
        return float(nearest.upper.max(initial=0.0))
    farthest = FarthestFirst(nearest, pulse).next_row()
    return 0.0 if farthest is None else nearest.measure(farthest)


def _measure_rows(nearest: NearestSelected, rows: IndexArray) -> Float64Array:
    """Return the squared distances of candidates to the selection."""
    if nearest.direct is not None and nearest.direct.is_current:
        return nearest.direct.measure(rows)
    nearest.settle(rows)
    nearest.resolve(rows)
    return nearest.upper[rows]


def _cover_nothing(n_samples: int) -> Coverage:
    distance = math.inf if n_samples else 0.0
    return Coverage(radius=distance, mean_distance=distance, n_measured=0, n_samples=n_samples)
