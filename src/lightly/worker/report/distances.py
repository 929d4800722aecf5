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
_TILE = 4_096


def choose_evenly(count: int, limit: int = MAX_MEASURED) -> NDArray[np.int64]:
    """Return at most `limit` positions, evenly spaced over `count`.

    >>> choose_evenly(10, 3).tolist()
    [0, 3, 6]
    """
    chosen = min(count, limit)
    return np.arange(chosen) * count // max(1, chosen)


def find_nearest(
    rows: Vectors,
    others: Vectors,
    *,
    own: NDArray[np.int64] | None = None,
    among: NDArray[np.int64] | None = None,
) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """Return for each row the position of its nearest other vector, and the distance.

    Memory does not grow with the vectors: they are looked at tile by tile.

    Args:
        rows: Shape (n, d).
        others: Shape (m, d).
        own: Position of each row among the others, which does not count; None if they are apart.
        among: Positions of the others that count; None for all.

    Returns:
        Positions, -1 where there is no other, and distances, NaN there.
    """
    n_others = len(others) if among is None else len(among)
    best = np.full(len(rows), np.inf, np.float32)
    nearest = np.full(len(rows), -1, np.int64)
    for start in range(0, n_others, _TILE):
        places = (
            np.arange(start, min(start + _TILE, n_others))
            if among is None
            else (among[start : start + _TILE])
        )
        piece = others[start : start + _TILE] if among is None else others[places]
        squares = np.einsum("ij,ij->i", piece, piece)
        for first in range(0, len(rows), _BLOCK):
            block = slice(first, first + _BLOCK)
            scores = squares - 2 * (rows[block] @ piece.T)
            if own is not None:
                scores[own[block, None] == places] = np.inf
            found = scores.argmin(axis=1)
            values = scores[np.arange(len(found)), found]
            is_nearer = values < best[block]
            best[block] = np.where(is_nearer, values, best[block])
            nearest[block] = np.where(is_nearer, places[found], nearest[block])
    return nearest, _measure(rows, others, nearest)


def _measure(rows: Vectors, others: Vectors, nearest: NDArray[np.int64]) -> NDArray[np.float64]:
    """Return the distances of pairs; the expansion above loses the digits of near ones."""
    distances = np.full(len(rows), np.nan)
    known = np.flatnonzero(nearest >= 0)
    for first in range(0, len(known), _BLOCK):
        block = known[first : first + _BLOCK]
        gaps = rows[block].astype(np.float64) - others[nearest[block]]
        distances[block] = np.sqrt(np.einsum("ij,ij->i", gaps, gaps))
    return distances
