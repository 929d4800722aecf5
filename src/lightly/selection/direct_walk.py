"""Farthest-point traversal with one matrix-vector product per pick, made exact.

This is how it is usually written in numpy, and costs what that costs. With x a row and p a pick,
``|x|^2 - 2 x p + |p|^2`` in float32 is off by at most E (`find_direct_error`), so the farthest row
is among those within 2 E of the largest value. Nearly always that is one; else they are measured in
the defined order. The exact distances of picks are measured together at the end.

Values are kept halved, ``|x|^2 / 2 - max over p of (x p - |p|^2 / 2)``: it saves a pass over all
rows, and halving is exact.
"""

from __future__ import annotations

import math

import numpy as np

from lightly.selection.codes import address_of
from lightly.selection.embeddings import (
    Float32Array,
    Float64Array,
    IndexArray,
    find_direct_error,
)
from lightly.selection.kernels.loading import get_loaded_kernels
from lightly.selection.pool_picks import PoolPicks

# Where more rows than this are too near to the largest value, it is others' turn.
MOST_NEAR = 256
# Up to so many picks compiled loops find the nearest of a row sooner than a product does.
_FEW_PICKS = 64
# Rows measured together to find their nearest pick.
_MEASURED_ROWS = 64
# In more dimensions float32 leaves open which of several picks is the nearest. For so many rows it
# pays to convert all picks to float64, which rounds this much finer; the rest is for the largest
# length, which is rounded to float32.
_FEWEST_DOUBLE_DIMENSIONS, _FEWEST_DOUBLE_ROWS, _DOUBLE_PRECISION = 64, 16, 1.01 * 2.0**-29
# Differences that stay in the cache.
_MEASURED_BYTES = 1 << 16
# Rounding a float64 bar to float32 can raise it by half of a unit in the last place.
_ROUNDING = 2.0**-23
# Covers the rounding of a squared distance that is compared with a root.
_SQUARING = 1.0 + 2.0**-40


class DirectWalk:
    """Picks the farthest rows of a matrix, which need not all be candidates.

    Cost: n N d multiply-adds and five passes over N float32 values per pick; n^2 d / 2 for exact
    distances. Memory: 12 bytes per row, d float32 per pick.

    Args:
        matrix: Rows whose coordinates need no scaling.
        lengths2: Their squared lengths in float32; taken over and changed.
        capacity: Most picks that can be added.
        largest2: Largest squared length of all rows and picks.
        products: Products of all rows with the first pick, if they are known; taken over.

    Attributes:
        n_picks: Picks that were added so far.
        is_closed: Whether values turned out to be too close to each other.
    """

    def __init__(
        self,
        matrix: Float32Array,
        lengths2: Float32Array,
        *,
        capacity: int,
        largest2: float,
        products: Float32Array | None = None,
    ) -> None:
        self._matrix = matrix
        lengths2 *= np.float32(0.5)
        self.halves = lengths2
        self._picks = np.empty((capacity, matrix.shape[1]), dtype=np.float32)
        self._pick_halves = np.empty(capacity, dtype=np.float32)
        # Half of twice the error.
        self._slack = find_direct_error(matrix.shape[1], largest2)
        self._has_products = products is not None
        self._best = np.empty(len(matrix), dtype=np.float32) if products is None else products
        self._scratch = np.empty(len(matrix), dtype=np.float32)
        self._n_met = 0
        self.n_picks = 0
        self.is_closed = False

    def add(self, pick: Float32Array, half: np.float32) -> None:
        """Add a pick, given half of its squared length; rows learn of it when it matters."""
        self._picks[self.n_picks] = pick
        self._pick_halves[self.n_picks] = half
        self.n_picks += 1

    def leave_out(self, rows: int | IndexArray | np.ndarray) -> None:
        """Make rows no candidates."""
        self.halves[rows] = -np.inf

    def pick(self, n_most: int, least_distance: float) -> PoolPicks:
        """Pick the farthest rows and add them, at least one pick being there already.

        Args:
            n_most: Most picks to make; fewer are made if none is left or values are too close.
            least_distance: Stop before a pick that is nearer to the picks.

        Returns:
            Rows of the matrix; a row that equals a pick is not added.
        """
        rows: list[int] = []
        ranks: list[int] = []
        # Below this it has to be known how far a row is.
        doubt = self._slack + 0.5 * least_distance * least_distance * _SQUARING
        stopped = False
        while len(rows) < n_most:
            row, top, near = self._find_farthest()
            if row < 0:
                break
            is_news = True
            if near is not None or top <= doubt:
                near = np.array([row]) if near is None else near
                if len(near) > MOST_NEAR:
                    self.is_closed = True
                    break
                values = self.measure(near)
                best = int(values.argmax())
                row, is_news = int(near[best]), bool(values[best] > 0.0)
                if math.sqrt(values[best]) < least_distance:
                    stopped = True
                    break
            rows.append(row)
            ranks.append(self.n_picks)
            if is_news:
                self.add(self._matrix[row], self.halves[row])
            self.halves[row] = -np.inf
        found = np.array(rows, dtype=np.int64)
        known = self._measure_rows(found, np.array(ranks, dtype=np.int64))
        return PoolPicks(found, *known, stopped)

    def find_radius2(self) -> float:
        """Return the largest squared distance of a candidate to its nearest pick; 0 if none."""
        row, _, near = self._find_farthest()
        if row < 0:
            return 0.0
        return float(self.measure(np.array([row]) if near is None else near).max())

    def measure(self, rows: IndexArray) -> Float64Array:
        """Return the defined squared distance of each row to its nearest pick."""
        return self._measure_rows(rows, np.full(len(rows), self.n_picks))[0]

    def _find_farthest(self) -> tuple[int, float, IndexArray | None]:
        """Return the row of the largest value, the value, and all that may be farther, if any.

        The row is -1 if no candidate is left.
        """
        while self._n_met < self.n_picks:
            self._meet(self._n_met)
            self._n_met += 1
        values = np.subtract(self.halves, self._best, out=self._scratch)
        row = int(values.argmax())
        top = float(values[row])
        if top == -math.inf:
            return -1, top, None
        values[row] = -np.inf
        bar = top - self._slack
        if float(np.maximum.reduce(values)) < bar:
            return row, top, None
        values[row] = top
        return row, top, np.flatnonzero(values >= bar - abs(bar) * _ROUNDING)

    def _meet(self, number: int) -> None:
        """Take a pick into account that is nearer than those before."""
        values = self._scratch if number else self._best
        if number or not self._has_products:
            np.matmul(self._matrix, self._picks[number], out=values)
        values -= self._pick_halves[number]
        if number:
            np.maximum(self._best, values, out=self._best)

    def _measure_rows(
        self, rows: IndexArray, counts: IndexArray
    ) -> tuple[Float64Array, np.ndarray]:
        """Return the defined squared distance of each row to the first picks.

        Args:
            rows: Rows of the matrix.
            counts: How many picks count for each, ascending, at least one.

        Returns:
            Distances, and which pick is the nearest, the earliest of equals.
        """
        distances2, neighbours = np.empty(len(rows)), np.empty(len(rows), dtype=np.int32)
        kernels = get_loaded_kernels()
        if kernels is not None and self.n_picks <= _FEW_PICKS:
            addresses = address_of(self._matrix), rows, address_of(self._picks), counts
            kernels.measure_nearest(*addresses, self._matrix.shape[1], distances2, neighbours)
            return distances2, neighbours
        for first in range(0, len(rows), _MEASURED_ROWS):
            some = slice(first, first + _MEASURED_ROWS)
            distances2[some], neighbours[some] = self._measure_some(rows[some], counts[some])
        return distances2, neighbours

    def _measure_some(
        self, rows: IndexArray, counts: IndexArray
    ) -> tuple[Float64Array, IndexArray]:
        n_picks = int(counts[-1])
        left, picks, slack = self._matrix[rows], self._picks[:n_picks], self._slack
        halves = self._pick_halves[:n_picks]
        if picks.shape[1] >= _FEWEST_DOUBLE_DIMENSIONS and len(rows) >= _FEWEST_DOUBLE_ROWS:
            left, picks = left.astype(np.float64), picks.astype(np.float64)
            halves = 0.5 * np.vecdot(picks, picks)
            slack *= _DOUBLE_PRECISION
        # The length of a row is the same for all picks.
        values = left @ picks.T
        values -= halves
        n_shared = int(counts[0])
        if n_shared < n_picks:
            late = np.arange(n_shared, n_picks) >= counts[:, None]
            np.copyto(values[:, n_shared:], -np.inf, where=late)
        bars = values.max(axis=1) - slack
        bars = np.nextafter(bars.astype(values.dtype), -np.inf, dtype=values.dtype)
        place, pick = np.divmod(np.flatnonzero(values >= bars[:, None]), n_picks)
        exact = self._measure_pairs(rows[place], pick)
        if len(place) == len(rows):
            return exact, pick
        # Stable: among equally near picks of a row the earliest comes first.
        order = np.lexsort((exact, place))
        leads = np.ones(len(order), dtype=np.bool_)
        leads[1:] = place[order][1:] != place[order][:-1]
        return exact[order[leads]], pick[order[leads]]

    def _measure_pairs(self, rows: IndexArray, picks: IndexArray) -> Float64Array:
        """Return the defined squared distance of each pair of a row and a pick."""
        result, n_dims = np.empty(len(rows)), self._matrix.shape[1]
        kernels = get_loaded_kernels()
        if kernels is not None:
            addresses = address_of(self._matrix), rows, address_of(self._picks), picks
            kernels.measure_pairs(*addresses, n_dims, 1.0, result)
            return result
        step = max(1, _MEASURED_BYTES // (8 * n_dims))
        for start in range(0, len(rows), step):
            pair = slice(start, start + step)
            left, right = self._matrix[rows[pair]], self._picks[picks[pair]]
            terms = np.subtract(left, right, dtype=np.float64)
            np.multiply(terms, terms, out=terms)
            result[pair] = np.add.accumulate(terms, axis=1, out=terms)[:, -1]
        return result
