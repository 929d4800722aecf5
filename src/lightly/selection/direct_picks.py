"""Few picks: one matrix-vector product each, on the rows where they lie.

For a few picks nothing beats it: codes, copies and bounds per candidate cost more than they save.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from lightly.selection.dense_picks import LARGEST_BYTES
from lightly.selection.direct_walk import DirectWalk
from lightly.selection.embeddings import Float32Array, Float64Array, IndexArray
from lightly.selection.kernels.loading import find_kernels
from lightly.selection.pool_picks import PoolPicks

if TYPE_CHECKING:
    from lightly.selection.nearest import NearestSelected

# Samples in all up to which this is faster than pools, on data of which dense picks make no copy,
# and without compiled loops.
MOST_PICKS_LARGE, MOST_PICKS_ALONE = 40, 128
# Nanoseconds that were measured. Dense picks begin by copying all values; a direct pick takes
# longer per pick, per row and per value than a dense one.
NS_TO_PACK, NS_TO_PACK_LARGE, _PACKED_IN_CACHE_BYTES = 0.27, 0.55, 6 << 20
_NS_TO_BEGIN, _NS_PER_PICK, _NS_PER_ROW, _NS_PER_VALUE = 20_000.0, 4_000.0, 0.6, 0.01
# Without compiled loops pools take a tenth of a millisecond per pick: products of fewer
# multiply-adds are faster, however many there are.
QUICK_PRODUCTS = 1_500_000


class DirectPicks:
    """Picks the farthest candidates by one matrix-vector product per pick.

    Cost and memory are those of `DirectWalk`; a copy of the candidates if they do not lie in one
    float32 array.

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
        lengths2 = nearest.space.give_lengths2()
        if lengths2 is None or len(lengths2) != len(matrix):
            lengths2 = np.einsum("ij,ij->i", matrix, matrix)
        self._capacity = len(nearest.all_selected)
        known = nearest.space.read(nearest.selected)
        known2 = np.einsum("ij,ij->i", known, known)
        self._walk = DirectWalk(
            matrix,
            lengths2,
            capacity=self._capacity,
            largest2=max(float(values.max()) for values in (lengths2, known2)),
        )
        for pick, half in zip(known, known2 * np.float32(0.5), strict=True):
            self._walk.add(pick, half)
        is_out = nearest.upper == -np.inf
        if places is not None:
            is_free = np.zeros(len(matrix), dtype=np.bool_)
            is_free[places[~is_out]] = True
            is_out = ~is_free
        self._walk.leave_out(is_out)

    @property
    def n_left(self) -> int:
        """Picks that may be made here; 0 where values are too close to each other."""
        return 0 if self._walk.is_closed else self._capacity - self._nearest.n_selected

    @property
    def n_products(self) -> int:
        """Multiply-adds per pick."""
        return self._matrix.size

    @property
    def is_current(self) -> bool:
        """Whether what is known here is about the whole selection."""
        return not self._walk.is_closed

    def pick(self, n_most: int, least_distance: float) -> PoolPicks:
        """Pick the farthest candidates, retire and select them; fewer if none is left.

        Args:
            n_most: Most picks to make.
            least_distance: Stop before a pick that is nearer to the selection.
        """
        nearest, picks = self._nearest, self._walk.pick(n_most, least_distance)
        rows = picks.rows if self._places is None else np.searchsorted(self._places, picks.rows)
        # A sample that equals a selected one is no news to the candidates.
        nearest.select_many(nearest.samples[rows[picks.distances2 > 0.0]])
        nearest.retire(rows)
        return PoolPicks(rows, picks.distances2, picks.neighbours, picks.stopped)

    def find_radius2(self) -> float:
        """Return the largest squared distance of a candidate; 0 if none is left."""
        return self._walk.find_radius2()

    def measure(self, candidates: IndexArray) -> Float64Array:
        """Return squared distances of candidates to the selection."""
        return self._walk.measure(candidates if self._places is None else self._places[candidates])


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
    n_values = n_rows * n_dims
    if find_kernels(n_rows, n_dims, n_picks) is None:
        return n_picks <= MOST_PICKS_ALONE or n_values <= QUICK_PRODUCTS
    if 4 * n_values > LARGEST_BYTES:
        return n_picks <= MOST_PICKS_LARGE
    per_pick_ns = _NS_PER_PICK + _NS_PER_ROW * n_rows + _NS_PER_VALUE * n_values
    pack_ns = NS_TO_PACK if 4 * n_values <= _PACKED_IN_CACHE_BYTES else NS_TO_PACK_LARGE
    return _NS_TO_BEGIN + per_pick_ns * (n_picks - 1) < pack_ns * n_values
