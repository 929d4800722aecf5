"""How well a subset covers a dataset, and how well random subsets of the same size do.

The covering radius is the largest distance from any item to its nearest chosen one: no picture is
further from the subset than that. The mean distance is less sensitive to one odd item.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Vectors = NDArray[np.float32]
Distances = NDArray[np.float32]
Indices = NDArray[np.int64]

RANDOM_PICKS = 20
# 2,048 rows of distances to 10,000 chosen ones take 80 MB.
_BLOCK_ROWS = 2048


@dataclass(frozen=True)
class Coverage:
    """Where each item stands towards a subset.

    Attributes:
        nearest: int64 of shape (n,), position in the subset of the nearest chosen item.
        distances: float32 of shape (n,), Euclidean distance to it; 0 for chosen items.
    """

    nearest: Indices
    distances: Distances

    @property
    def radius(self) -> float:
        """Largest distance."""
        return float(self.distances.max())

    @property
    def mean(self) -> float:
        """Mean distance over all items, chosen ones included."""
        return float(self.distances.mean())


@dataclass(frozen=True)
class CoverageComparison:
    """A pick and random picks of the same size from the same items.

    Attributes:
        size: Number of chosen items.
        total: Number of items.
        pick: Coverage of the pick.
        random_radii: float32 of shape (repeats,), one radius per random pick.
        random_means: float32 of shape (repeats,), one mean distance per random pick.
    """

    size: int
    total: int
    pick: Coverage
    random_radii: Distances
    random_means: Distances

    @property
    def random_radius(self) -> float:
        """Mean radius of the random picks."""
        return float(self.random_radii.mean())

    @property
    def random_mean(self) -> float:
        """Mean distance over the random picks."""
        return float(self.random_means.mean())


@dataclass(frozen=True)
class RadiusCurves:
    """Covering radius after the first k items, for k = 1 to the size of the pick.

    Attributes:
        pick: float32 of shape (k,).
        random: float32 of shape (repeats, k).
    """

    pick: Distances
    random: Distances


def measure_coverage(vectors: Vectors, chosen: Sequence[int] | Indices) -> Coverage:
    """Return nearest chosen item and distance for every row.

    Args:
        vectors: float32 of shape (n, d), as they were given to the selection.
        chosen: Rows of the subset, at least one.

    >>> coverage = measure_coverage(np.array([[0.0], [1.0], [3.0]], np.float32), [1])
    >>> coverage.radius, coverage.mean
    (2.0, 1.0)
    """
    subset = np.asarray(chosen, dtype=np.int64)
    if subset.size == 0:
        raise ValueError("chosen must have at least one row.")
    nearest = np.empty(len(vectors), dtype=np.int64)
    distances = np.empty(len(vectors), dtype=np.float32)
    for start in range(0, len(vectors), _BLOCK_ROWS):
        block = slice(start, start + _BLOCK_ROWS)
        squares = _square_distances(vectors[block], vectors[subset])
        nearest[block] = squares.argmin(axis=1)
        distances[block] = np.sqrt(squares.min(axis=1))
    # The expansion of the square leaves rounding noise where the distance is 0 by definition.
    distances[subset] = 0.0
    nearest[subset] = np.arange(len(subset))
    return Coverage(nearest, distances)


def _square_distances(left: Vectors, right: Vectors) -> NDArray[np.float64]:
    a, b = left.astype(np.float64), right.astype(np.float64)
    squares = (a**2).sum(axis=1)[:, None] + (b**2).sum(axis=1)[None, :] - 2.0 * (a @ b.T)
    clipped: NDArray[np.float64] = np.maximum(squares, 0.0)
    return clipped


def compare_with_random(
    vectors: Vectors,
    chosen: Sequence[int] | Indices,
    *,
    repeats: int = RANDOM_PICKS,
    seed: int = 0,
) -> CoverageComparison:
    """Measure the pick and `repeats` random picks of the same size."""
    size = len(chosen)
    generator = np.random.default_rng(seed)
    random_picks = [
        measure_coverage(vectors, generator.choice(len(vectors), size, replace=False))
        for _ in range(repeats)
    ]
    return CoverageComparison(
        size=size,
        total=len(vectors),
        pick=measure_coverage(vectors, chosen),
        random_radii=np.array([pick.radius for pick in random_picks], np.float32),
        random_means=np.array([pick.mean for pick in random_picks], np.float32),
    )


def order_farthest_first(vectors: Vectors, chosen: Sequence[int] | Indices) -> list[int]:
    """Return the chosen rows so that each is the farthest from those before it.

    A tag holds a set without an order; this gives one in which every beginning covers well. The
    first row is the chosen one nearest to the mean of all.
    """
    subset = np.asarray(chosen, dtype=np.int64)
    to_mean = np.linalg.norm(vectors[subset] - vectors.mean(axis=0), axis=1)
    order = [int(to_mean.argmin())]
    distances = _distances_to(vectors[subset], vectors[subset[order[0]]])
    while len(order) < len(subset):
        # A position that is taken must not come again when the rest are its exact duplicates.
        distances[order[-1]] = -1.0
        order.append(int(distances.argmax()))
        added = _distances_to(vectors[subset], vectors[subset[order[-1]]])
        distances = np.minimum(distances, added)
    return [int(row) for row in subset[order]]


def trace_radius(vectors: Vectors, order: Sequence[int] | Indices) -> Distances:
    """Return the covering radius after each row of `order`, float32 of shape (len(order),)."""
    distances = np.full(len(vectors), np.inf, dtype=np.float32)
    radii = np.empty(len(order), dtype=np.float32)
    for position, row in enumerate(order):
        distances = np.minimum(distances, _distances_to(vectors, vectors[row]))
        radii[position] = distances.max()
    return radii


def trace_curves(
    vectors: Vectors,
    order: Sequence[int] | Indices,
    *,
    repeats: int = RANDOM_PICKS,
    seed: int = 0,
) -> RadiusCurves:
    """Trace the pick and random picks, with the same random picks as `compare_with_random`."""
    generator = np.random.default_rng(seed)
    picks = [generator.choice(len(vectors), len(order), replace=False) for _ in range(repeats)]
    random = np.stack([trace_radius(vectors, pick) for pick in picks])
    return RadiusCurves(pick=trace_radius(vectors, order), random=random)


def _distances_to(vectors: Vectors, point: Vectors) -> Distances:
    distances: Distances = np.linalg.norm(vectors - point, axis=1).astype(np.float32)
    return distances


def project_to_plane(vectors: Vectors) -> NDArray[np.float32]:
    """Return the two main components of every row, float32 of shape (n, 2).

    The sign of each component is fixed by its largest loading, so that pictures repeat.
    """
    centred = vectors.astype(np.float64) - vectors.mean(axis=0, dtype=np.float64)
    _, components = np.linalg.eigh(centred.T @ centred)
    axes = components[:, :-3:-1]
    signs = np.sign(axes[np.abs(axes).argmax(axis=0), np.arange(axes.shape[1])])
    plane: NDArray[np.float32] = (centred @ (axes * signs)).astype(np.float32)
    return plane
