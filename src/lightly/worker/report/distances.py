"""Distances for histograms and pairs: float32, on samples of large inputs.

What decides about picks is exact and lives in `lightly.selection`. A report draws distributions,
for which rounding in the sixth digit and some thousand images are enough.
"""

from __future__ import annotations

from functools import partial

import numpy as np
from numpy.typing import NDArray

from lightly.selection.blas import hold_blas_to_one_thread
from lightly.selection.threads import count_threads, run_in_threads, use_threads

Vectors = NDArray[np.float32]

#: Images whose nearest neighbours are looked for in one set: a quarter of a gigaflop per 100 dims.
MAX_MEASURED = 5_000
_BLOCK = 256
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
        among: Positions of the others that count, ascending; None for all.

    Returns:
        Positions, -1 where there is no other, and distances, NaN there.
    """
    n_others = len(others) if among is None else len(among)
    best = np.full(len(rows), np.inf, np.float32)
    nearest = np.full(len(rows), -1, np.int64)
    blocks = range(0, len(rows), _BLOCK)
    # Threads of a BLAS wait for each other at every product, which costs more than it saves.
    with hold_blas_to_one_thread(), use_threads(count_threads(None)):
        for start in range(0, n_others, _TILE):
            end = min(start + _TILE, n_others)
            places = np.arange(start, end) if among is None else among[start:end]
            piece = others[start:end] if among is None else others[places]
            look = partial(_look_into, piece, places, rows, own, best, nearest)
            run_in_threads(look, blocks)
    return nearest, _measure(rows, others, nearest)


def _look_into(
    piece: Vectors,
    places: NDArray[np.int64],
    rows: Vectors,
    own: NDArray[np.int64] | None,
    best: NDArray[np.float32],
    nearest: NDArray[np.int64],
    first: int,
) -> None:
    """Note for a block of rows, from `first` on, what of a piece is nearer than all before."""
    block = slice(first, first + _BLOCK)
    scores = rows[block] @ piece.T
    scores *= -2
    scores += np.einsum("ij,ij->i", piece, piece)
    if own is not None:
        _leave_out(scores, own[block], places)
    found = scores.argmin(axis=1)
    values = scores[np.arange(len(found)), found]
    is_nearer = values < best[block]
    best[block] = np.where(is_nearer, values, best[block])
    nearest[block] = np.where(is_nearer, places[found], nearest[block])


def _leave_out(
    scores: NDArray[np.float32], own: NDArray[np.int64], places: NDArray[np.int64]
) -> None:
    """Make each row's own place the farthest, if it is among some ascending places."""
    columns = np.searchsorted(places, own)
    rows = np.flatnonzero(columns < len(places))
    rows = rows[places[columns[rows]] == own[rows]]
    scores[rows, columns[rows]] = np.inf


def _measure(rows: Vectors, others: Vectors, nearest: NDArray[np.int64]) -> NDArray[np.float64]:
    """Return the distances of pairs; the expansion above loses the digits of near ones."""
    distances = np.full(len(rows), np.nan)
    known = np.flatnonzero(nearest >= 0)
    for first in range(0, len(known), _BLOCK):
        block = known[first : first + _BLOCK]
        gaps = rows[block].astype(np.float64) - others[nearest[block]]
        distances[block] = np.sqrt(np.einsum("ij,ij->i", gaps, gaps))
    return distances
