"""Many picks of DIVERSITY times sums of values in one call of a compiled loop.

It makes the picks that float64 can decide inside the present pool, and leaves every other one to
the general way. Either way the picks are the same.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from lightly.selection.codes import Codec, RowCodes, address_of
from lightly.selection.diversity import DiversityObjective
from lightly.selection.embeddings import Float64Array, IndexArray
from lightly.selection.kernels.loading import load_more_kernels
from lightly.selection.pool_picks import PoolPicks
from lightly.selection.strategy import Objective
from lightly.selection.weights import WeightsObjective

# One call of the loop should not keep a cancellation waiting.
_MOST_AT_ONCE = 64
# After so many calls in a row that decided nothing the rest of a pool is left to the general way.
_MOST_FAILURES = 3


class _Slabs:
    """Codes of rows, laid out so that one more sample is measured against all of them at once."""

    def __init__(self, codec: Codec, n_rows: int) -> None:
        per_slab = codec.kernels.SLAB_ROWS
        n_places = -(-max(1, n_rows) // per_slab) * per_slab
        self.codes = np.zeros(n_places * codec.width, dtype=np.uint8)
        self.limits = np.full(n_places, np.iinfo(np.int32).max, dtype=np.int32)
        self.lengths2 = np.zeros(n_places, dtype=np.int32)
        self.errors = np.zeros(n_places, dtype=np.float32)


@dataclass
class _Pool:
    """Candidates that are up to date, ready for the loop, and what is known of all others."""

    rows: IndexArray
    codes: RowCodes
    code_rows: IndexArray
    slabs: _Slabs
    outside: Float64Array
    marks: Float64Array
    is_inside: NDArray[np.uint8]


class MixedPicks:
    """Makes picks inside a pool.

    Args:
        diversity: With a positive strength, and codes.
        codec: Of its space.
        sums: Strategies whose objective is a sum of one number per sample.
        margin: How far a score can be off.
    """

    def __init__(
        self,
        diversity: DiversityObjective,
        codec: Codec,
        sums: Sequence[WeightsObjective],
        margin: float,
    ) -> None:
        self._diversity, self._nearest, self._codec = diversity, diversity.nearest, codec
        self._sums, self._margin = sums, margin
        self._kernels = load_more_kernels("mixing")
        self._pool: _Pool | None = None
        self._widest = 0.0
        self._n_packed = self._n_failures = 0
        self._strengths = np.array([diversity.strength, *(o.strength for o in sums)])
        numbers = [objective.numbers for objective in sums]
        self._values = np.array(numbers).reshape(len(numbers), len(self._nearest.samples))
        self._open_members()

    def open_pool(self, rows: IndexArray, outside: float) -> None:
        """Take these candidates as the pool.

        Args:
            rows: Candidates.
            outside: Score that no other candidate exceeds now.
        """
        self._diversity.release_pool()
        self._pool, self._n_failures = None, 0
        mark = self._diversity.mark_line
        if not len(rows) or mark is None:
            return
        self._nearest.settle(rows[self._nearest.seen[rows] != self._nearest.n_selected])
        samples = self._nearest.samples[rows]
        codes = self._codec.encode(samples)
        self._widen(codes)
        is_inside = np.zeros(len(self._nearest.samples), dtype=np.uint8)
        is_inside[rows] = 1
        self._pool = _Pool(
            rows=rows,
            codes=codes,
            code_rows=np.arange(len(rows)),
            slabs=_Slabs(self._codec, len(rows)),
            outside=np.array([outside]),
            marks=np.array([mark, *(objective.mark_line for objective in self._sums)]),
            is_inside=is_inside,
        )
        self._pack(self._pool.slabs, codes, 0, self._nearest.upper[rows])

    def pick(self, n_most: int) -> PoolPicks | None:
        """Pick, and tell all strategies of it; None if nothing can be picked this way now.

        Args:
            n_most: Most picks to make.
        """
        if self._pool is None or not self._follow():
            return None
        picks = self._run(self._pool, min(n_most, _MOST_AT_ONCE))
        if not picks.rows.size:
            self._n_failures += 1
            if self._n_failures == _MOST_FAILURES:
                self._pool = None
            return None
        self._n_failures = 0
        self._diversity.note(picks)
        for objective in self._sums:
            objective.note(picks.rows)
        return picks

    def _run(self, pool: _Pool, n_most: int) -> PoolPicks:
        nearest, space, members = self._nearest, self._codec.space, self._members
        matrix, places = space.locate(nearest.samples[pool.rows])
        rows = np.empty(n_most, dtype=np.int64)
        distances2, neighbours = np.empty(n_most), np.empty(n_most, dtype=np.int32)
        n_picked = self._kernels.mix_from_pool(
            pool.rows,
            address_of(matrix),
            places,
            pool.codes.codes,
            pool.code_rows,
            pool.slabs.codes,
            pool.slabs.limits,
            pool.slabs.lengths2,
            pool.slabs.errors,
            nearest.samples,
            nearest.n_selected,
            nearest.all_selected,
            address_of(self._member_rows),
            self._member_places,
            self._has_copies,
            members.codes,
            members.limits,
            members.lengths2,
            members.errors,
            self._diversity.member_distances,
            space.n_dims,
            self._widest,
            1.0 / space.true_unit,
            space.true_unit,
            self._codec.step,
            nearest.upper,
            nearest.lower,
            nearest.nearest,
            self._strengths,
            np.array([objective.total for objective in self._sums]),
            self._values,
            pool.marks,
            pool.outside,
            pool.is_inside,
            self._margin,
            self._diversity.least_distance,
            rows,
            distances2,
            neighbours,
        )
        nearest.n_selected += n_picked
        self._n_packed = nearest.n_selected
        nearest.seen[pool.rows] = nearest.n_selected
        return PoolPicks(
            rows[:n_picked], distances2[:n_picked], neighbours[:n_picked], stopped=False
        )

    def _open_members(self) -> None:
        capacity, space = len(self._nearest.all_selected), self._codec.space
        self._members = _Slabs(self._codec, capacity)
        self._member_places = np.empty(max(1, capacity), dtype=np.int64)
        self._has_copies = space.whole is None
        copies = np.empty((capacity if self._has_copies else 0, space.n_dims), dtype=np.float32)
        self._member_rows = copies if space.whole is None else space.whole

    def _follow(self) -> bool:
        """Bring members and the pool up to date with picks made elsewhere; tell if that worked."""
        nearest, pool = self._nearest, self._pool
        first, last = self._n_packed, nearest.n_selected
        if pool is None or first == last:
            return pool is not None
        samples = nearest.selected[first:last]
        self._member_places[first:last] = np.arange(first, last) if self._has_copies else samples
        if self._has_copies:
            self._member_rows[first:last] = self._codec.space.read(samples)
        codes = self._codec.encode(samples)
        self._widen(codes)
        self._pack(self._members, codes, first, self._diversity.member_distances[first:last])
        self._n_packed = last
        free = pool.rows[nearest.upper[pool.rows] > -np.inf]
        nearest.settle(free[nearest.seen[free] != last])
        self._pack(pool.slabs, pool.codes, 0, nearest.upper[pool.rows])
        return True

    def _widen(self, codes: RowCodes) -> None:
        """Make sure that all limits allow for the errors of these codes."""
        widest = float(codes.errors.max(initial=0.0))
        if widest <= self._widest:
            return
        self._widest = widest * 1.1
        members = self._members
        self._kernels.set_limits(
            self._diversity.member_distances[: self._n_packed],
            self._widest,
            self._codec.step,
            members.lengths2,
            members.errors,
            members.limits,
        )

    def _pack(self, slabs: _Slabs, codes: RowCodes, first: int, distances2: Float64Array) -> None:
        self._kernels.pack_rows(
            codes.codes,
            codes.lengths2,
            codes.errors,
            distances2,
            self._widest,
            self._codec.step,
            first,
            slabs.codes,
            slabs.limits,
            slabs.lengths2,
            slabs.errors,
        )


def open_mixed_picks(objectives: Sequence[Objective], margin: float) -> MixedPicks | None:
    """Return the fast way for these strategies if there is one."""
    spaces = [o for o in objectives if isinstance(o, DiversityObjective)]
    sums = [o for o in objectives if isinstance(o, WeightsObjective) and o.is_plain]
    if len(spaces) != 1 or len(spaces) + len(sums) != len(objectives) or spaces[0].strength <= 0:
        return None
    coded = spaces[0].nearest.coded
    return None if coded is None else MixedPicks(spaces[0], coded.codec, sums, margin)
