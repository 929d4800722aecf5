"""Where points of a map lie so that neighbours stay together: the layout of UMAP.

Each edge of the graph pulls its ends together, as often as it is strong; each time, its first end
is pushed away from some points at random. Source: McInnes, Healy, Melville: UMAP (2018), section
3.2 and algorithm 5. Unlike there, all edges of an epoch act at the same time, on arrays.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

Points = NDArray[np.float32]

# 1 / (1 + A d^2B) is nearest to the wanted weight at distance d: 1 up to 0.1, then exp(0.1 - d).
_A, _B = np.float32(1.5769434), np.float32(0.8950609)
_EPOCHS = 100
_PUSHES = 3
#: No single force moves a point further than this.
_LONGEST_STEP = 4.0
#: Half the side of the square in which the layout begins.
_START_SPAN = 10.0
_SOFTENING = np.float32(0.001)


def lay_out(graph: Any, start: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return points that lie near each other where the graph says so; the same each time.

    Args:
        graph: Sparse, symmetric, shape (n, n); a weight in (0, 1] for each pair of neighbours.
        start: Where points are before, shape (n, 2).
    """
    edges = graph.tocoo()
    is_used = edges.data >= edges.data.max() / _EPOCHS
    rows, columns = (ends[is_used].astype(np.int64) for ends in (edges.row, edges.col))
    period = edges.data.max() / edges.data[is_used]
    due = period.copy()
    points = (start * (_START_SPAN / (np.abs(start).max() or 1.0))).astype(np.float32)
    generator = np.random.default_rng(0)
    for epoch in range(_EPOCHS):
        acting = np.flatnonzero(due <= epoch)
        due[acting] += period[acting]
        forces = _pull(points, rows[acting], columns[acting])
        forces += _push(points, np.repeat(rows[acting], _PUSHES), generator)
        points += (1 - epoch / _EPOCHS) * forces
    return points.astype(np.float64)


def _pull(points: Points, ends: NDArray[np.int64], others: NDArray[np.int64]) -> Points:
    """Return what edges do to points, shape (n, 2)."""
    gaps = points[ends] - points[others]
    squares = np.einsum("ij,ij->i", gaps, gaps)
    # Points at the same place stay there: the force is 0 and its factor infinite.
    powers = np.maximum(squares, np.finfo(np.float32).tiny) ** (_B - 1)
    strength = -2 * _A * _B * powers / (1 + _A * powers * squares)
    steps = np.clip(gaps * strength[:, None], -_LONGEST_STEP, _LONGEST_STEP)
    return _add_up(steps, ends, len(points)) - _add_up(steps, others, len(points))


def _push(points: Points, ends: NDArray[np.int64], generator: np.random.Generator) -> Points:
    """Return what points at random do to others, shape (n, 2)."""
    gaps = points[ends] - points[generator.integers(0, len(points), len(ends))]
    squares = np.einsum("ij,ij->i", gaps, gaps)
    strength = 2 * _B / ((_SOFTENING + squares) * (1 + _A * squares**_B))
    steps = np.clip(gaps * strength[:, None], -_LONGEST_STEP, _LONGEST_STEP)
    return _add_up(steps, ends, len(points))


def _add_up(steps: Points, places: NDArray[np.int64], count: int) -> Points:
    sums = [np.bincount(places, steps[:, axis], count) for axis in (0, 1)]
    return np.stack(sums, axis=1).astype(np.float32)
