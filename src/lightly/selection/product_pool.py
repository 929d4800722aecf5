"""Pools for any processor, on numpy's matrix products."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from lightly.selection.embeddings import EmbeddingSpace, Float32Array, Float64Array, IndexArray

if TYPE_CHECKING:
    from lightly.selection.nearest import NearestSelected

# Picks per matrix product: enough to keep the product fast, few enough to drop rows early.
BLOCK_PICKS = 128
# Rows per matrix product: the result of one product, 512 KB, stays in the second-level cache.
_TILE_ROWS = 1024
# Screened picks are kept up to this size; beyond it they are read and centred again when needed.
_PIVOT_CACHE_BYTES = 256 << 20


class ScreenedPicks:
    """Selected samples in the form that products take, brought up to date when they are needed.

    Attributes:
        scratch: Space for one product, shared by all pools of one owner.
    """

    def __init__(self, space: EmbeddingSpace, capacity: int) -> None:
        self._space = space
        self._selected = np.empty(0, dtype=np.int64)
        self._lengths = np.empty(capacity)
        n_cached = min(capacity, _PIVOT_CACHE_BYTES // (4 * space.screen_width))
        self._pivots = np.empty((n_cached, space.screen_width), dtype=np.float32)
        self.scratch = np.empty(_TILE_ROWS * BLOCK_PICKS, dtype=np.float32)

    def follow(self, selected: IndexArray) -> None:
        """Take over what was selected since the last call."""
        step = self._space.rows_per_chunk
        for first in range(len(self._selected), len(selected), step):
            points, lengths = self._space.screen_points(selected[first : first + step])
            last = first + len(points)
            self._lengths[first:last] = lengths
            n_cached = max(0, min(len(points), len(self._pivots) - first))
            if n_cached:
                pivots = self._space.turn_into_pivots(points[:n_cached])
                self._pivots[first : first + n_cached] = pivots
        self._selected = selected

    def pivots(self, first: int, last: int) -> Float32Array:
        """Return the screened form of selected samples ``first`` to ``last``."""
        if last <= len(self._pivots):
            return self._pivots[first:last]
        points, _ = self._space.screen_points(self._selected[first:last])
        return self._space.turn_into_pivots(points)

    def lengths(self, picks: IndexArray | slice) -> Float64Array:
        """Return the lengths of selected samples after centring."""
        return self._lengths[picks]


class ProductPool:
    """Candidates that are measured against many picks by float32 matrix products.

    Args:
        owner: Where distances are kept; the pool writes every improvement through to it.
        rows: Candidates, few enough to fit the cache.
        floor: Candidates whose upper bound falls below it (one number, or one per row) may leave.
    """

    def __init__(
        self, owner: NearestSelected, rows: IndexArray, floor: float | Float64Array = -np.inf
    ) -> None:
        order = np.argsort(owner.seen[rows], kind="stable")
        self._owner = owner
        self.rows = rows[order]
        self._floor = np.broadcast_to(np.asarray(floor, dtype=np.float64), rows.shape)[order]
        self._points, self._lengths = owner.space.screen_points(owner.samples[self.rows])
        self._limits = self._limit(np.arange(len(rows)), owner.upper[self.rows])
        self._n_known = 0

    def catch_up(self, last: int | None = None) -> None:
        """Measure the rows against the picks they missed; the oldest picks come first.

        Rows leave as soon as they fall below their floor. The others are up to date afterwards
        and in ascending order.

        Args:
            last: Stop after this many picks instead of the whole selection.
        """
        owner = self._owner
        n_picks = owner.n_selected if last is None else min(last, owner.n_selected)
        seen = owner.seen[self.rows]
        begin = end = 0
        first = int(seen[0]) if seen.size else n_picks
        while first < n_picks:
            stop = min(n_picks, (first // BLOCK_PICKS + 1) * BLOCK_PICKS)
            end = int(np.searchsorted(seen, stop))
            self._account(slice(begin, end), first, stop)
            begin = self._let_go(begin, end)
            first = self._next_pick(seen, begin, end, stop)
        self._keep(begin)
        self._n_known = n_picks

    def account_latest(self) -> None:
        """Measure all rows, which must be up to date otherwise, against the pick made last."""
        owner = self._owner
        if self._n_known == owner.n_selected:
            return
        latest = self._n_known
        product = self._points @ owner.screened.pivots(latest, latest + 1)[0]
        hit = np.flatnonzero(product < self._limits)
        if hit.size:
            self._improve_by_one(hit, product[hit], latest)
        self._n_known = owner.seen[self.rows] = owner.n_selected

    def leave_out(self, row: int) -> None:
        """Stop improving a row that was picked, if it is here."""
        place = int(np.searchsorted(self.rows, row))
        if place < len(self.rows) and self.rows[place] == row:
            self._limits[place] = -np.inf

    def _account(self, window: slice, first: int, stop: int) -> None:
        pivots = self._owner.screened.pivots(first, stop)
        for start in range(window.start, window.stop, _TILE_ROWS):
            tile = slice(start, min(start + _TILE_ROWS, window.stop))
            shape = (tile.stop - tile.start, stop - first)
            product = self._owner.screened.scratch[: shape[0] * shape[1]].reshape(shape)
            np.matmul(self._points[tile], pivots.T, out=product)
            hit = np.flatnonzero(product.min(axis=1) < self._limits[tile])
            if hit.size:
                self._improve(tile.start + hit, product[hit], first)
        self._owner.seen[self.rows[window]] = stop

    def _let_go(self, begin: int, end: int) -> int:
        """Move rows that stay to the end of the window and return where they begin."""
        stays = self._owner.upper[self.rows[begin:end]] >= self._floor[begin:end]
        n_staying = int(np.count_nonzero(stays))
        # Moving costs about as much as a tenth of a product; not worth it for a few rows.
        if n_staying > 0.85 * (end - begin):
            return begin
        for values in (self.rows, self._points, self._lengths, self._limits, self._floor):
            values[end - n_staying : end] = values[begin:end][stays]
        return end - n_staying

    def _next_pick(self, seen: NDArray[np.int32], begin: int, end: int, stop: int) -> int:
        """Return the first pick that any row still misses."""
        if begin < end:
            return stop
        return int(seen[end]) if end < len(seen) else self._owner.n_selected

    def _keep(self, begin: int) -> None:
        """Keep the rows that stayed, in ascending order."""
        staying = np.flatnonzero(self._owner.upper[self.rows[begin:]] >= self._floor[begin:])
        staying += begin
        order = staying[np.argsort(self.rows[staying])]
        self.rows = self.rows[order]
        self._points, self._lengths = self._points[order], self._lengths[order]
        self._limits, self._floor = self._limits[order], self._floor[order]

    def _improve(self, places: IndexArray, product: Float32Array, first: int) -> None:
        """Take over nearer picks of a block, screened where unambiguous and exactly elsewhere."""
        owner, rows = self._owner, self.rows[places]
        lane, best = np.arange(len(rows)), product.argmin(axis=1)
        low, high = self._bound(places, product[lane, best], first + best)
        ceiling = self._limit(places, np.minimum(high, owner.upper[rows]))
        in_reach = product <= ceiling[:, None]
        is_alone = np.count_nonzero(in_reach, axis=1) == 1
        clear = is_alone & (high < owner.lower[rows])
        owner.put(rows[clear], low[clear], high[clear], first + best[clear])
        # A block may repeat picks that a row has seen: its nearest one is no news.
        is_known = is_alone & (owner.nearest[rows] == first + best)
        unclear = np.flatnonzero(~(clear | is_known))
        self._improve_exactly(rows[unclear], in_reach[unclear], first)
        self._limits[places] = self._limit(places, owner.upper[rows])

    def _improve_by_one(self, places: IndexArray, product: Float32Array, pick: int) -> None:
        """Take over one pick where it is nearer; as for a block, with less to do."""
        owner, rows = self._owner, self.rows[places]
        low, high = self._bound(places, product, np.array([pick]))
        clear = high < owner.lower[rows]
        owner.put(rows[clear], low[clear], high[clear], pick)
        if not clear.all():
            in_reach = (low <= owner.upper[rows]) & ~clear
            self._improve_exactly(rows, in_reach[:, None], pick)
        self._limits[places] = self._limit(places, owner.upper[rows])

    def _bound(
        self, places: IndexArray, product: Float32Array, picks: IndexArray
    ) -> tuple[Float64Array, Float64Array]:
        """Return bounds of the squared distance of each row to one pick."""
        space, lengths = self._owner.space, self._lengths[places]
        low = product + space.offsets(lengths)
        return low, low + space.screen_widths(lengths, self._owner.screened.lengths(picks))

    def _limit(self, places: IndexArray, distances2: Float64Array) -> Float32Array:
        """Return the product above which a pick is farther; rounding is towards checking."""
        offsets = self._owner.space.offsets(self._lengths[places])
        limits: Float32Array = (distances2 - offsets).astype(np.float32)
        return np.nextafter(limits, np.float32(np.inf))

    def _improve_exactly(self, rows: IndexArray, in_reach: NDArray[np.bool_], first: int) -> None:
        owner = self._owner
        place, pick = np.nonzero(in_reach)
        if not place.size:
            return
        owner.resolve(rows[np.unique(place)])
        values = owner.space.measure_exactly(
            owner.samples[rows[place]], owner.selected[first + pick]
        )
        # Stable: among equally near picks of a row the earliest comes first.
        order = np.lexsort((values, place))
        leads = np.ones(len(order), dtype=np.bool_)
        leads[1:] = place[order][1:] != place[order][:-1]
        best = order[leads]
        best = best[values[best] < owner.upper[rows[place[best]]]]
        owner.put(rows[place[best]], values[best], values[best], first + pick[best])
