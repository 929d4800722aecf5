"""The first picks of a run: every candidate is measured against every pick.

While there are few picks, each of them is the nearest for many candidates, and telling candidates
apart by bounds costs more than measuring them all in compiled loops. Later picks change few
candidates: that is what pools are for, which take over with every distance known.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from lightly.selection.codes import address_of
from lightly.selection.kernels.loading import load_more_kernels
from lightly.selection.pool_picks import PoolPicks

if TYPE_CHECKING:
    from lightly.selection.nearest import NearestSelected

# Dense picks pay until they have read this much, and within these limits anyway. Runs of up to
# twice as many are dense to their end: pools would begin by measuring as much again.
_WORTH_BYTES = 600 << 20
_FEWEST_PICKS, _MOST_PICKS = 64, 1_024
# Candidates are copied: not more than this, of which the processor's cache would keep nothing.
LARGEST_BYTES = 32 << 20


class DensePicks:
    """Picks the farthest candidates with all distances at hand.

    Cost: n N d float32 multiply-adds and few exact distances. Memory: a copy of the candidates,
    20 bytes for each, and d float32 per pick.

    Args:
        nearest: Where distances are kept; up to date after each call.
        n_picks: Most samples that will be selected while this is in use, earlier ones included.
    """

    def __init__(self, nearest: NearestSelected, n_picks: int) -> None:
        self._nearest, self._kernels = nearest, load_more_kernels("dense")
        n_rows, n_dims = len(nearest.samples), nearest.space.n_dims
        per_panel = self._kernels.PANEL_ROWS
        n_panels = -(-n_rows // per_panel)
        self._panels = np.empty(n_panels * per_panel * n_dims, dtype=np.float32)
        self._picks = np.empty((n_picks, n_dims), dtype=np.float32)
        self._best = np.full(n_panels * per_panel, -np.inf, dtype=np.float32)
        self._best[:n_rows][nearest.upper > -np.inf] = np.inf
        self._closest = np.zeros(len(self._best), dtype=np.int32)
        self._exact = np.empty(len(self._best))
        self._exact_for = np.full(len(self._best), -1, dtype=np.int32)
        self._tops = np.empty(n_panels, dtype=np.float32)
        self._pack()
        self._measure_selected()

    @property
    def n_left(self) -> int:
        """Picks that there is room for."""
        return len(self._picks) - self._nearest.n_selected

    @property
    def n_products(self) -> int:
        """Multiply-adds per pick."""
        return self._panels.size

    def pick(self, n_most: int, least_distance: float) -> PoolPicks:
        """Pick the farthest candidates, retire and select them; fewer if none is left.

        Args:
            n_most: Most picks to make.
            least_distance: Stop before a pick that is nearer to the selection.
        """
        nearest = self._nearest
        n_most = min(n_most, self.n_left)
        rows, distances2 = np.empty(n_most, dtype=np.int64), np.empty(n_most)
        neighbours, counts = np.empty(n_most, dtype=np.int32), np.zeros(2, dtype=np.int64)
        n_picked = self._kernels.pick_from_all(
            self._panels,
            self._picks,
            nearest.n_selected,
            n_most,
            least_distance,
            *self._state,
            rows,
            distances2,
            neighbours,
            counts,
        )
        rows, distances2 = rows[:n_picked], distances2[:n_picked]
        # A sample that equals a selected one is no news to the candidates.
        nearest.select_many(nearest.samples[rows[distances2 > 0.0]])
        self.write()
        return PoolPicks(rows, distances2, neighbours[:n_picked], bool(counts[1]))

    @property
    def _state(self) -> tuple[np.ndarray, ...]:
        return self._best, self._closest, self._exact, self._exact_for, self._tops

    def _pack(self) -> None:
        space, samples = self._nearest.space, self._nearest.samples
        step = -(-space.rows_per_chunk // self._kernels.PANEL_ROWS) * self._kernels.PANEL_ROWS
        for first in range(0, len(samples), step):
            rows, places = space.locate(samples[first : first + step])
            self._kernels.pack_panels(address_of(rows), places, first, space.n_dims, self._panels)

    def _measure_selected(self) -> None:
        selected = self._nearest.selected
        self._picks[: len(selected)] = self._nearest.space.read(selected)
        for number in range(len(selected)):
            self._kernels.account_all(self._panels, self._picks, number, *self._state)

    def write(self) -> None:
        """Write all distances through to their owner."""
        nearest, n_rows = self._nearest, len(self._nearest.samples)
        self._kernels.write_bounds(
            *self._state[:-1], nearest.space.n_dims, nearest.upper, nearest.lower
        )
        nearest.nearest[:] = self._closest[:n_rows]
        nearest.seen[:] = nearest.n_selected


def open_dense_picks(nearest: NearestSelected) -> DensePicks | None:
    """Return the way to make the next picks densely, or None where pools are better.

    Args:
        nearest: At least one sample is selected.
    """
    space, n_rows = nearest.space, len(nearest.samples)
    n_bytes = 4 * n_rows * space.n_dims
    # Scaled coordinates would overflow float32, or lose all their digits.
    n_picks = count_dense_picks(n_bytes, len(nearest.all_selected))
    if n_picks == 0 or space.scale != 1.0 or nearest.kernels is None:
        return None
    return DensePicks(nearest, n_picks) if nearest.n_selected < n_picks else None


def measure_densely(nearest: NearestSelected) -> None:
    """Measure all candidates against all selected samples, at least one."""
    DensePicks(nearest, nearest.n_selected).write()


def count_dense_picks(n_bytes: int, n_picks: int) -> int:
    """Return how many of the first picks of a run had better be dense.

    Args:
        n_bytes: Size of the candidates.
        n_picks: Samples that are selected at the end, earlier ones included.
    """
    if not 0 < n_bytes <= LARGEST_BYTES:
        return 0
    n_worth = min(_MOST_PICKS, max(_FEWEST_PICKS, _WORTH_BYTES // n_bytes))
    return n_picks if n_picks <= 2 * n_worth else n_worth
