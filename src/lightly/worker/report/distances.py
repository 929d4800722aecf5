"""Distances for histograms and pairs: float32, on samples of large inputs.

What decides about picks is exact and lives in `lightly.selection`. A report draws distributions,
for which rounding in the sixth digit and some thousand images are enough.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Vectors = NDArray[np.float32]

#: Images whose nearest neighbours are looked for in one set: a quarter of a gigaflop per 100 dims.
MAX_MEASURED = 5_000
_BLOCK = 1_024


def choose_evenly(count: int, limit: int = MAX_MEASURED) -> NDArray[np.int64]:
    """Return at most `limit` positions, evenly spaced over `count`.

    >>> choose_evenly(10, 3).tolist()
    [0, 3, 6]
    """
    chosen = min(count, limit)
    return np.arange(chosen) * count // max(1, chosen)


def find_nearest(
    rows: Vectors, others: Vectors, *, own: NDArray[np.int64] | None = None
) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """Return for each row the position of its nearest other vector, and the distance.

    Args:
        rows: Shape (n, d).
        others: Shape (m, d).
        own: Position of each row among the others, which does not count; None if they are apart.

    Returns:
        Positions, -1 where there is no other, and distances, NaN there.
    """
    nearest = np.full(len(rows), -1, np.int64)
    distances = np.full(len(rows), np.nan)
    if not len(others) or (own is not None and len(others) < 2):
        return nearest, distances
    squares = np.einsum("ij,ij->i", others, others)
    for start in range(0, len(rows), _BLOCK):
        block = rows[start : start + _BLOCK]
        scores = squares - 2 * (block @ others.T)
        if own is not None:
            scores[np.arange(len(block)), own[start : start + _BLOCK]] = np.inf
        found = scores.argmin(axis=1)
        nearest[start : start + _BLOCK] = found
        # Differences again: the expansion above loses the digits of near neighbours.
        gaps = block.astype(np.float64) - others[found]
        distances[start : start + _BLOCK] = np.sqrt(np.einsum("ij,ij->i", gaps, gaps))
    return nearest, distances
