"""The nearest pick of every sample, exactly, and how it came nearer while picks were added.

float32 products rule out picks that cannot be the nearest; the defined arithmetic measures those
that are left, between one and ten per sample on ordinary data. Ties go to the earliest pick.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from lightly.selection.embeddings import EmbeddingSpace, Float32Array, Float64Array, IndexArray
from lightly.selection.progress import Pulse

# Columns of a product. The first blocks are short: among equal samples the first pick settles all.
_BLOCK_PICKS = 512
_FIRST_BLOCKS = (1, 8, 64)
# Rows of a product: its result stays below 8 MB.
_TILE_ROWS = 4_096


@dataclass(frozen=True)
class NearestTile:
    """What was found out about some samples.

    Attributes:
        rows: Which of the samples.
        nearest: Place of the nearest pick among the picks; -1 where a sample may look at none.
        distances: Distance to the nearest of the first k picks for each asked k, shape
            ``[rows, k]``; infinite where a sample may look at none.
    """

    rows: slice
    nearest: IndexArray
    distances: Float64Array


def find_nearest_picks(
    space: EmbeddingSpace,
    samples: IndexArray,
    picks: IndexArray,
    *,
    counts: IndexArray | None = None,
    limits: IndexArray | None = None,
    pulse: Pulse,
) -> Iterator[NearestTile]:
    """Yield nearest picks, some samples at a time.

    Cost: N n d multiply-adds inside products and a few exact evaluations per sample and count.
    Memory: some 20 MB, whatever N and n.

    Args:
        space: Embeddings.
        samples: Positions of the N samples.
        picks: Positions of the n picks, in order.
        counts: Numbers of picks to report distances for, ascending; n alone if None.
        limits: How many of the first picks each sample may look at, shape ``[N]``; all if None.
        pulse: Beats once per product.
    """
    wanted = np.array([len(picks)]) if counts is None else counts
    step = min(_TILE_ROWS, space.rows_per_chunk)
    for start in range(0, len(samples), step):
        rows = slice(start, min(start + step, len(samples)))
        tile = _Tile(space, samples[rows], None if limits is None else limits[rows])
        distances = np.full((rows.stop - rows.start, len(wanted)), np.inf)
        for first, last in itertools.pairwise(_list_ends(wanted)):
            pulse.beat()
            tile.look_at(picks, first, last)
            distances[:, wanted == last] = tile.best2[:, None]
        yield NearestTile(rows, tile.nearest, np.sqrt(distances * space.true_unit))


def _list_ends(counts: IndexArray) -> list[int]:
    """Return where blocks of picks begin and end; every count is an end."""
    n_picks = int(counts[-1])
    ends = {0, *counts.tolist(), *_FIRST_BLOCKS, *range(0, n_picks, _BLOCK_PICKS)}
    return sorted(end for end in ends if end <= n_picks)


class _Tile:
    """A few samples and their nearest pick so far."""

    def __init__(
        self, space: EmbeddingSpace, samples: IndexArray, limits: IndexArray | None
    ) -> None:
        self._space, self._samples, self._limits = space, samples, limits
        self._points, self._lengths = space.screen_points(samples)
        self._offsets = space.offsets(self._lengths)
        self.best2 = np.full(len(samples), np.inf)
        self.nearest = np.full(len(samples), -1)

    def look_at(self, picks: IndexArray, first: int, last: int) -> None:
        """Take picks ``first`` to ``last`` into account."""
        others, other_lengths = self._space.screen_points(picks[first:last])
        low = self._points @ self._space.turn_into_pivots(others).T
        if self._limits is not None:
            low[self._limits[:, None] <= np.arange(first, last)] = np.inf
        # Nothing is nearer than a distance of zero.
        bars = np.where(self.best2 > 0.0, self._round_up(self.best2 - self._offsets), -np.inf)
        rows = np.flatnonzero(low.min(axis=1) < bars)
        if not rows.size:
            return
        low = low[rows]
        leads = low.argmin(axis=1)
        high = low[np.arange(len(rows)), leads] + self._offsets[rows]
        high += self._space.screen_widths(self._lengths[rows], other_lengths[leads])
        reach = np.minimum(high, self.best2[rows]) - self._offsets[rows]
        place, column = np.nonzero(low <= self._round_up(reach)[:, None])
        self._measure(rows[place], first + column, picks)

    def _measure(self, rows: IndexArray, places: IndexArray, picks: IndexArray) -> None:
        exact = self._space.measure_exactly(self._samples[rows], picks[places])
        # Stable: among equally near picks of a sample the earliest comes first.
        order = np.lexsort((exact, rows))
        leads = np.ones(len(order), dtype=np.bool_)
        leads[1:] = rows[order][1:] != rows[order][:-1]
        best = order[leads]
        best = best[exact[best] < self.best2[rows[best]]]
        self.best2[rows[best]] = exact[best]
        self.nearest[rows[best]] = places[best]

    @staticmethod
    def _round_up(limits: Float64Array) -> Float32Array:
        """Return float32 limits; products are compared in float32, and must rather pass."""
        with np.errstate(over="ignore"):
            return np.nextafter(limits.astype(np.float32), np.float32(np.inf))
