"""How far every candidate is from the selection, known only as precisely as a decision needs.

A distance to the selection can only fall while the selection grows, so what was once measured
stays an upper bound. Most candidates never become the next pick: they are not measured again until
their bound would make them one (the idea of Minoux, 1978, carried over to distances).
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from lightly.selection.embeddings import EmbeddingSpace, Float32Array, Float64Array, IndexArray

# Picks per matrix product: enough to keep the product fast, few enough to drop rows early.
BLOCK_PICKS = 128
# Rows per matrix product: the result of one product, 512 KB, stays in the second-level cache.
_TILE_ROWS = 1024
# Screened picks are kept up to this size; beyond it they are read and centred again when needed.
_PIVOT_CACHE_BYTES = 256 << 20


class NearestSelected:
    """Squared distance of each candidate to its nearest selected sample.

    Row r stands for candidate ``samples[r]``. At any time its defined squared distance to the
    first ``seen[r]`` selected samples lies in ``[lower[r], upper[r]]``. Either both are equal, or
    the distance is the one to ``nearest[r]`` and no other selected sample can be as near, so
    that one exact evaluation closes the interval. Units are those of the space.

    Args:
        space: Embeddings of all samples.
        samples: Candidates, ascending, shape ``[M]``.
        capacity: Most samples that will ever be selected.

    Attributes:
        nearest: Position, in order of selection, of the nearest selected sample; ties go to the
            earliest; -1 while nothing is selected.
    """

    def __init__(self, space: EmbeddingSpace, samples: IndexArray, *, capacity: int) -> None:
        self.space = space
        self.samples = samples
        self.upper = np.full(len(samples), np.inf)
        self.lower = np.full(len(samples), np.inf)
        self.seen = np.zeros(len(samples), dtype=np.int32)
        self.nearest = np.full(len(samples), -1, dtype=np.int32)
        self.n_selected = 0
        self._selected = np.empty(capacity, dtype=np.int64)
        self._lengths = np.empty(capacity)
        n_cached = min(capacity, _PIVOT_CACHE_BYTES // (4 * space.screen_width))
        self._pivots = np.empty((n_cached, space.screen_width), dtype=np.float32)
        self._product = np.empty(_TILE_ROWS * BLOCK_PICKS, dtype=np.float32)

    @property
    def selected(self) -> IndexArray:
        """The selected samples in order of selection."""
        return self._selected[: self.n_selected]

    def select(self, sample: int) -> None:
        """Add a sample to the selection; candidates learn of it when they are next measured."""
        points, lengths = self.space.screen_points(np.array([sample]))
        place = self.n_selected
        self._selected[place] = sample
        self._lengths[place] = lengths[0]
        if place < len(self._pivots):
            self._pivots[place] = self.space.turn_into_pivots(points)[0]
        self.n_selected += 1

    def retire(self, row: int) -> None:
        """Take a candidate out of the race, because it was picked."""
        self.upper[row] = self.lower[row] = -np.inf

    def is_retired(self, rows: IndexArray) -> NDArray[np.bool_]:
        """Return which candidates were picked."""
        return np.equal(self.upper[rows], -np.inf)

    def is_exact(self, rows: IndexArray) -> NDArray[np.bool_]:
        """Return which candidates' distances to the whole selection are known exactly."""
        closed = self.lower[rows] == self.upper[rows]
        return closed & (self.seen[rows] == self.n_selected)

    def settle(self, rows: IndexArray) -> None:
        """Bring candidates up to date with the whole selection, up to their interval."""
        for piece in self._pieces(rows):
            Pool(self, piece).catch_up()

    def meet_first_block(self) -> Iterator[None]:
        """Give all candidates a first bound; yields after each piece so that callers may stop."""
        for piece in self._pieces(np.arange(len(self.samples))):
            Pool(self, piece).catch_up(last=BLOCK_PICKS)
            yield

    def resolve(self, rows: IndexArray) -> None:
        """Replace intervals by exact values with one exact evaluation per open interval."""
        rows = rows[self.lower[rows] != self.upper[rows]]
        if rows.size:
            exact = self.space.measure_exactly(
                self.samples[rows], self._selected[self.nearest[rows]]
            )
            self.upper[rows] = self.lower[rows] = exact

    def measure(self, row: int) -> float:
        """Return one candidate's exact squared distance to the whole selection."""
        rows = np.array([row])
        if self.seen[row] != self.n_selected:
            self.settle(rows)
        self.resolve(rows)
        return float(self.upper[row])

    def pivots(self, first: int, last: int) -> Float32Array:
        """Return the screened form of selected samples ``first`` to ``last``."""
        if last <= len(self._pivots):
            return self._pivots[first:last]
        points, _ = self.space.screen_points(self._selected[first:last])
        return self.space.turn_into_pivots(points)

    def pivot_lengths(self, first: int, last: int) -> Float64Array:
        """Return the lengths of selected samples ``first`` to ``last`` after centring."""
        return self._lengths[first:last]

    def _pieces(self, rows: IndexArray) -> Iterator[IndexArray]:
        step = self.space.rows_per_chunk
        for start in range(0, len(rows), step):
            yield rows[start : start + step]


class Pool:
    """A set of candidates held in fast memory while they are measured against many picks.

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
        self._limits = np.empty(len(rows), dtype=np.float32)
        self._set_limits(np.arange(len(rows)))

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

    def account_latest(self) -> None:
        """Measure all rows against the pick made last; they must know all earlier ones."""
        owner = self._owner
        latest = owner.n_selected - 1
        product = self._points @ owner.pivots(latest, latest + 1)[0]
        hit = np.flatnonzero(product < self._limits)
        if hit.size:
            self._improve(hit, product[hit, None], latest)
        owner.seen[self.rows] = owner.n_selected

    def keep_only(self, chosen: NDArray[np.bool_]) -> None:
        """Forget the other rows; what is known of them stays with the owner."""
        self.rows = self.rows[chosen]
        self._points, self._lengths = self._points[chosen], self._lengths[chosen]
        self._limits, self._floor = self._limits[chosen], self._floor[chosen]

    def _account(self, window: slice, first: int, stop: int) -> None:
        pivots = self._owner.pivots(first, stop)
        for start in range(window.start, window.stop, _TILE_ROWS):
            tile = slice(start, min(start + _TILE_ROWS, window.stop))
            shape = (tile.stop - tile.start, stop - first)
            product = self._owner._product[: shape[0] * shape[1]].reshape(shape)  # noqa: SLF001  scratch space shared by all pools of an owner
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
        self.keep_only(staying[np.argsort(self.rows[staying])])

    def _improve(self, places: IndexArray, product: Float32Array, first: int) -> None:
        """Take over nearer picks, screened where that is unambiguous and exactly elsewhere."""
        owner, space = self._owner, self._owner.space
        rows, lengths = self.rows[places], self._lengths[places]
        low = product + space.offsets(lengths)[:, None]
        pivot_lengths = owner.pivot_lengths(first, first + low.shape[1])
        high = low + space.screen_widths(lengths[:, None], pivot_lengths)
        best = high.argmin(axis=1)
        best_high = np.take_along_axis(high, best[:, None], axis=1)[:, 0]
        ceiling = np.minimum(best_high, owner.upper[rows])
        in_reach = low <= ceiling[:, None]
        clear = (best_high < owner.lower[rows]) & (np.count_nonzero(in_reach, axis=1) == 1)
        winners = rows[clear]
        owner.upper[winners] = best_high[clear]
        owner.lower[winners] = np.take_along_axis(low, best[:, None], axis=1)[clear, 0]
        owner.nearest[winners] = first + best[clear]
        if len(winners) < len(rows):
            in_reach[clear] = False
            self._improve_exactly(rows, in_reach, first)
        self._set_limits(places)

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
        winners = rows[place[best]]
        owner.upper[winners] = owner.lower[winners] = values[best]
        owner.nearest[winners] = first + pick[best]

    def _set_limits(self, places: IndexArray) -> None:
        """A product below a row's limit may mean a nearer pick; rounding is towards checking."""
        offsets = self._owner.space.offsets(self._lengths[places])
        limits = (self._owner.upper[self.rows[places]] - offsets).astype(np.float32)
        self._limits[places] = np.nextafter(limits, np.float32(np.inf))
