"""Few picks: one matrix-vector product per pick, and exact arithmetic where that cannot decide.

This is how farthest-point traversal is usually written. For a few picks nothing beats it: codes,
copies and bounds per candidate cost more than they save. What is added here is what makes picks
those of the rule: with x a candidate and p a pick, ``|x|^2 - 2 x p + |p|^2`` in float32 is off by
at most E (`EmbeddingSpace.find_direct_error`), so the farthest candidate is among those within 2 E
of the largest value. Nearly always that is one. Its exact distance is measured after the last
pick, together with those of the others.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

from lightly.selection.embeddings import Float32Array, Float64Array, IndexArray
from lightly.selection.kernels.loading import find_kernels
from lightly.selection.pool_picks import PoolPicks

if TYPE_CHECKING:
    from lightly.selection.nearest import NearestSelected

# Where more candidates than this are too near to the largest value, it is others' turn.
MOST_NEAR = 256
# Samples in all up to which this is the fastest way: beside dense picks, beside pools on data of
# which dense picks make no copy, and without compiled loops.
MOST_PICKS, MOST_PICKS_LARGE, MOST_PICKS_ALONE = 20, 40, 128
# Below this a pick costs less than Python's share of it: compiled loops are faster from the first.
FEWEST_BYTES, LARGEST_BYTES = 2 << 20, 32 << 20
# Rows measured together to find their nearest pick.
_MEASURED_ROWS = 1_024
_MINUS_TWO = np.float32(-2)
_NO_ROWS = np.empty(0, dtype=np.int64)


class DirectPicks:
    """Picks the farthest candidates by one matrix-vector product per pick.

    Cost: n N d multiply-adds and five passes over N float32 values per pick. Memory: 12 bytes per
    row, d float32 per pick; a copy of the candidates if they do not lie in one float32 array.

    Args:
        nearest: The selection; distances of candidates are not written there.
        matrix: Rows of which candidates are some.
        places: Which rows are candidates, if the matrix holds all samples; None if its rows are
            the candidates.
    """

    def __init__(
        self, nearest: NearestSelected, matrix: Float32Array, places: IndexArray | None
    ) -> None:
        self._nearest, self._matrix, self._places = nearest, matrix, places
        known2 = nearest.space.give_lengths2()
        if known2 is not None and len(known2) == len(matrix):
            self._lengths2 = known2
        else:
            self._lengths2 = np.einsum("ij,ij->i", matrix, matrix)
        self._picks = np.empty((len(nearest.all_selected), matrix.shape[1]), dtype=np.float32)
        self._pick_lengths2 = np.empty(len(self._picks), dtype=np.float32)
        selected = nearest.selected
        self._picks[: len(selected)] = nearest.space.read(selected)
        known = self._picks[: len(selected)]
        self._pick_lengths2[: len(selected)] = np.einsum("ij,ij->i", known, known)
        largest2 = max(float(values.max()) for values in (self._lengths2, self._known_lengths2))
        self._error = nearest.space.find_direct_error(largest2)
        # What is no candidate any more is at minus infinity whatever is added.
        is_out = nearest.upper == -np.inf
        if places is not None:
            is_free = np.zeros(len(matrix), dtype=np.bool_)
            is_free[places[~is_out]] = True
            is_out = ~is_free
        self._lengths2[is_out] = -np.inf
        self._terms = np.empty(len(matrix), dtype=np.float32)
        self._scratch = np.empty(len(matrix), dtype=np.float32)
        self._n_seen = 0
        self._is_closed = False

    @property
    def n_left(self) -> int:
        """Picks that may be made here; 0 where values are too close to each other."""
        return 0 if self._is_closed else len(self._picks) - self._nearest.n_selected

    @property
    def n_products(self) -> int:
        """Multiply-adds per pick."""
        return self._matrix.size

    @property
    def is_current(self) -> bool:
        """Whether what is known here is about the whole selection."""
        return not self._is_closed

    def pick(self, n_most: int, least_distance: float) -> PoolPicks:
        """Pick the farthest candidates, retire and select them; fewer if none is left.

        Args:
            n_most: Most picks to make.
            least_distance: Stop before a pick that is nearer to the selection.
        """
        nearest = self._nearest
        rows: list[int] = []
        ranks: list[int] = []
        stopped = False
        while len(rows) < n_most:
            near, top = self._find_farthest()
            self._is_closed = len(near) > MOST_NEAR
            if not near.size or self._is_closed:
                break
            row, is_news = int(near[0]), True
            if near.size > 1 or top <= 2 * self._error or least_distance > 0.0:
                values, _ = self._measure_rows(near, nearest.n_selected)
                best = int(values.argmax())
                row, is_news = int(near[best]), bool(values[best] > 0.0)
                if math.sqrt(values[best]) < least_distance:
                    stopped = True
                    break
            rows.append(row)
            ranks.append(nearest.n_selected)
            self._take(row, is_news=is_news)
        return self._tell(np.array(rows, dtype=np.int64), np.array(ranks), stopped)

    def find_radius2(self) -> float:
        """Return the largest squared distance of a candidate; 0 if none is left."""
        near, _ = self._find_farthest()
        return float(self._measure_rows(near, self._nearest.n_selected)[0].max(initial=0.0))

    def measure(self, candidates: IndexArray) -> Float64Array:
        """Return squared distances of candidates to the selection."""
        rows = candidates if self._places is None else self._places[candidates]
        return self._measure_rows(rows, self._nearest.n_selected)[0]

    @property
    def _known_lengths2(self) -> Float32Array:
        return self._pick_lengths2[: self._nearest.n_selected]

    def _find_farthest(self) -> tuple[IndexArray, float]:
        """Return the rows that may be the farthest, ascending, and the largest value."""
        self._account()
        values = np.add(self._terms, self._lengths2, out=self._scratch)
        top = float(values.max(initial=-np.inf))
        if top == -np.inf:
            return _NO_ROWS, top
        # Half of a unit in the last place is what rounding the bar to float32 can raise it by.
        bar = top - 2 * self._error - abs(top) * 2.0**-23
        return np.flatnonzero(values >= bar), top

    def _account(self) -> None:
        """Take over picks that are nearer than those before."""
        for place in range(self._n_seen, self._nearest.n_selected):
            values = self._scratch if place else self._terms
            np.matmul(self._matrix, self._picks[place] * _MINUS_TWO, out=values)
            values += self._pick_lengths2[place]
            if place:
                np.minimum(self._terms, values, out=self._terms)
        self._n_seen = self._nearest.n_selected

    def _take(self, row: int, *, is_news: bool) -> None:
        """Retire a row; select it unless it equals a selected one."""
        nearest = self._nearest
        candidate = row if self._places is None else int(np.searchsorted(self._places, row))
        if is_news:
            self._picks[nearest.n_selected] = self._matrix[row]
            self._pick_lengths2[nearest.n_selected] = self._lengths2[row]
            nearest.select(int(nearest.samples[candidate]))
        self._lengths2[row] = -np.inf
        nearest.retire(candidate)

    def _tell(self, rows: IndexArray, ranks: IndexArray, stopped: bool) -> PoolPicks:
        """Return picks with exact distances to what was selected before each of them."""
        distances2, neighbours = self._measure_rows(rows, ranks)
        return PoolPicks(
            rows=rows if self._places is None else np.searchsorted(self._places, rows),
            distances2=distances2,
            neighbours=neighbours,
            stopped=stopped,
        )

    def _measure_rows(
        self, rows: IndexArray, n_selected: int | IndexArray
    ) -> tuple[Float64Array, np.ndarray]:
        """Return the defined squared distance of each row to the first selected samples.

        Args:
            rows: Rows of the matrix.
            n_selected: How many selected samples count, at least one; one number or one per row.

        Returns:
            Distances, and which selected sample is the nearest, the earliest of equals.
        """
        values, neighbours = np.empty(len(rows)), np.empty(len(rows), dtype=np.int32)
        counts = np.broadcast_to(n_selected, rows.shape)
        for first in range(0, len(rows), _MEASURED_ROWS):
            some = slice(first, first + _MEASURED_ROWS)
            values[some], neighbours[some] = self._measure_some(rows[some], counts[some])
        return values, neighbours

    def _measure_some(
        self, rows: IndexArray, counts: IndexArray
    ) -> tuple[Float64Array, IndexArray]:
        nearest = self._nearest
        n_picks = int(counts.max(initial=0))
        # The length of a row is the same for all picks.
        values = self._matrix[rows] @ (self._picks[:n_picks] * _MINUS_TWO).T
        values += self._pick_lengths2[:n_picks]
        if (counts != n_picks).any():
            values[np.arange(n_picks) >= counts[:, None]] = np.inf
        limits = values.min(axis=1, initial=np.inf) + np.float32(2 * self._error)
        limits = np.nextafter(limits, np.float32(np.inf))
        place, pick = np.nonzero(values <= limits[:, None])
        samples = nearest.samples[rows] if self._places is None else rows
        exact = nearest.measure_pairs(samples[place], nearest.all_selected[pick])
        if len(place) == len(rows):
            return exact, pick
        # Stable: among equally near picks of a row the earliest comes first.
        order = np.lexsort((exact, place))
        leads = np.ones(len(order), dtype=np.bool_)
        leads[1:] = place[order][1:] != place[order][:-1]
        return exact[order[leads]], pick[order[leads]]


def open_direct_picks(nearest: NearestSelected) -> DirectPicks | None:
    """Return the way to make all picks of a short run, or None where it is not the fastest.

    Args:
        nearest: At least one sample is selected.
    """
    space, samples = nearest.space, nearest.samples
    n_bytes = 4 * len(samples) * space.n_dims
    # Scaled coordinates would overflow float32, or lose all their digits.
    n_picks = len(nearest.all_selected)
    if n_bytes == 0 or space.scale != 1.0 or not is_brief(len(samples), space.n_dims, n_picks):
        return None
    whole = space.whole
    if whole is not None and len(samples) == space.n_rows:
        return DirectPicks(nearest, whole, None)
    if whole is not None and 2 * len(samples) >= space.n_rows:
        return DirectPicks(nearest, whole, samples)
    return DirectPicks(nearest, space.read(samples), None) if n_bytes <= LARGEST_BYTES else None


def is_brief(n_rows: int, n_dims: int, n_picks: int) -> bool:
    """Return whether a run is so short that this is the fastest way.

    Args:
        n_rows: Candidates.
        n_dims: Dimensions.
        n_picks: Samples that are selected at the end, earlier ones included.
    """
    n_bytes = 4 * n_rows * n_dims
    if find_kernels(n_rows, n_dims, n_picks) is None:
        return n_picks <= MOST_PICKS_ALONE
    if n_bytes > LARGEST_BYTES:
        return n_picks <= MOST_PICKS_LARGE
    return n_bytes >= FEWEST_BYTES and n_picks <= MOST_PICKS
