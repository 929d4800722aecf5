"""Pools on 8-bit codes and compiled loops."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from lightly.selection.codes import Codec, CodedPicks, RowCodes, address_of
from lightly.selection.embeddings import Float64Array, IndexArray
from lightly.selection.pool_picks import PoolPicks
from lightly.selection.threads import run_in_threads

if TYPE_CHECKING:
    from lightly.selection.nearest import NearestSelected

# Multiply-adds below which handing work to another thread costs more than it saves.
_WORTH_A_THREAD = 50_000_000
_MOST_PARTS = 8
# Rows that are measured together: they stay in the second-level cache.
BATCH_BYTES = 256 << 10
# Rows that were not read, and rows that must be.
_NOWHERE, _OPEN = -1, 2


class Coded:
    """A selection and its candidates as codes.

    Args:
        nearest: The distances that pools work on.
        codec: How rows become codes.
        capacity: Most samples that will ever be selected.
        keep_rows: Whether to keep the codes of all candidates.
    """

    def __init__(
        self, nearest: NearestSelected, codec: Codec, capacity: int, keep_rows: bool
    ) -> None:
        self.nearest, self.codec = nearest, codec
        self._picks = CodedPicks(codec, capacity)
        self._keep_rows = keep_rows
        self.code = np.zeros(codec.width, dtype=np.int8)

    @property
    def can_wait(self) -> bool:
        """Whether reading rows costs so much that codes had better show first which to read."""
        return self._keep_rows and self.codec.space.is_read

    @property
    def picks(self) -> CodedPicks:
        """The codes of all samples selected so far."""
        self._picks.extend(self.nearest.selected[self._picks.n_picks :])
        return self._picks

    def encode_rows(self, rows: IndexArray) -> tuple[RowCodes, IndexArray]:
        """Return codes of candidates and where among them each row's are."""
        if self._keep_rows:
            return self._kept, rows
        return self.codec.encode(self.nearest.samples[rows]), np.arange(len(rows))

    @cached_property
    def _kept(self) -> RowCodes:
        samples = self.nearest.samples
        coded = RowCodes(
            codes=np.empty((len(samples), self.codec.width), dtype=np.uint8),
            lengths2=np.empty(len(samples), dtype=np.int32),
            errors=np.empty(len(samples), dtype=np.float32),
        )
        step = self.codec.space.rows_per_chunk
        pieces = [slice(start, start + step) for start in range(0, len(samples), step)]
        run_in_threads(lambda piece: self.codec.encode_into(coded, piece, samples[piece]), pieces)
        return coded


class CodePool:
    """Candidates that are measured against many picks by products of codes.

    Args:
        coded: The selection and its candidates.
        rows: Candidates.
        floor: Candidates whose upper bound falls below it (one number, or one per row) may leave.
    """

    def __init__(
        self, coded: Coded, rows: IndexArray, floor: float | Float64Array = -np.inf
    ) -> None:
        self._coded, self._nearest = coded, coded.nearest
        self.rows = rows
        self._floor = np.array(np.broadcast_to(floor, rows.shape), dtype=np.float64)
        if coded.can_wait:
            self._matrix = np.empty((len(rows), coded.codec.space.n_dims), dtype=np.float32)
            self._places = np.full(len(rows), _NOWHERE)
        else:
            self._matrix, self._places = coded.codec.space.locate(coded.nearest.samples[rows])
        self._row_codes, self._code_rows = coded.encode_rows(rows)
        self._n_known = 0

    @property
    def n_products(self) -> int:
        """Multiply-adds of measuring all rows against one pick."""
        return len(self.rows) * self._coded.codec.width

    def catch_up(self, last: int | None = None) -> None:
        """Measure the rows against the picks they missed; the oldest picks come first."""
        nearest, picks = self._nearest, self._coded.picks
        n_picks = nearest.n_selected if last is None else min(last, nearest.n_selected)
        seen = nearest.seen[self.rows]
        order = np.argsort(seen)
        missed = n_picks * len(order) - int(seen.sum(dtype=np.int64))
        n_parts = min(_MOST_PARTS, 1 + missed * self._coded.codec.width // _WORTH_A_THREAD)
        stays = np.empty(len(order), dtype=np.uint8)
        run_in_threads(
            lambda part: self._catch_up(np.ascontiguousarray(part), n_picks, picks, stays),
            [order[first::n_parts] for first in range(n_parts)],
        )
        open_rows = np.flatnonzero(stays == _OPEN)
        if open_rows.size:
            self._read(open_rows)
            self._catch_up(
                open_rows[np.argsort(nearest.seen[self.rows[open_rows]])], n_picks, picks, stays
            )
        self._keep(np.flatnonzero(stays))
        self._n_known = n_picks

    def account_latest(self) -> None:
        """Measure all rows, which must be up to date otherwise, against the pick made last."""
        nearest = self._nearest
        if self._n_known == nearest.n_selected:
            return
        self._read_rest()
        codec, picks = self._coded.codec, self._coded.picks
        codec.kernels.account(
            self.rows,
            address_of(self._matrix),
            self._places,
            self._slabs,
            self._row_codes.codes,
            self._code_rows,
            self._row_codes.lengths2,
            self._row_codes.errors,
            self._limits_for(self._n_known),
            self._widest,
            picks.panels,
            picks.starts,
            picks.fine,
            picks.fine_errors,
            self._n_known,
            picks.address,
            picks.places,
            codec.space.n_dims,
            1.0 / codec.space.true_unit,
            codec.step,
            nearest.upper,
            nearest.lower,
            nearest.nearest,
            self._coded.code,
        )
        self._n_known = nearest.seen[self.rows] = nearest.n_selected

    def leave_out(self, row: int) -> None:
        """Stop improving a row that was picked, if it is here."""
        place = int(np.searchsorted(self.rows, row))
        if "_limits" in self.__dict__ and place < len(self.rows) and self.rows[place] == row:
            self._limits[place] = np.iinfo(np.int32).max

    def pick(self, n_most: int, *, bar: float, last_tie: int, least_distance: float) -> PoolPicks:
        """Pick the farthest row, select it, and go on while one is ahead of all rows outside.

        Args:
            n_most: Most picks to make.
            bar: No row outside has a higher bound.
            last_tie: Rows up to this are ahead of rows outside with an equal bound.
            least_distance: Stop before a pick that is nearer.
        """
        nearest, codec, picks = self._nearest, self._coded.codec, self._coded.picks
        if self._read_rest():
            self._keep(np.flatnonzero(nearest.upper[self.rows] >= self._floor))
        rows = np.empty(n_most, dtype=np.int64)
        distances2, neighbours = np.empty(n_most), np.empty(n_most, dtype=np.int32)
        counts = np.zeros(2, dtype=np.int64)
        n_picked = codec.kernels.pick_from_pool(
            self.rows,
            address_of(self._matrix),
            self._places,
            self._slabs,
            self._row_codes.codes,
            self._code_rows,
            self._row_codes.lengths2,
            self._row_codes.errors,
            self._limits,
            self._widest,
            picks.panels,
            picks.starts,
            picks.widest,
            picks.fine,
            picks.fine_errors,
            codec.space.scale,
            codec.space.shift,
            codec.rounding,
            nearest.all_selected,
            nearest.n_selected,
            picks.address,
            picks.places,
            codec.space.n_dims,
            1.0 / codec.space.true_unit,
            codec.step,
            nearest.upper,
            nearest.lower,
            nearest.nearest,
            self._coded.code,
            nearest.samples,
            bar,
            last_tie,
            n_most,
            least_distance,
            codec.space.true_unit,
            rows,
            distances2,
            neighbours,
            counts,
            picks.has_copies,
        )
        nearest.n_selected = picks.n_picks = self._n_known = int(counts[0])
        nearest.seen[self.rows] = nearest.n_selected
        return PoolPicks(
            rows[:n_picked], distances2[:n_picked], neighbours[:n_picked], bool(counts[1])
        )

    def _keep(self, kept: IndexArray) -> None:
        """Let go of all other rows."""
        self.rows, self._floor = self.rows[kept], self._floor[kept]
        self._places, self._code_rows = self._places[kept], self._code_rows[kept]
        self.__dict__.pop("_slabs", None)
        self.__dict__.pop("_limits", None)

    def _read(self, places: IndexArray) -> None:
        """Read rows that were measured by their codes so far."""
        # Rows that left have made room: nobody moves.
        free = np.ones(len(self._matrix), dtype=np.bool_)
        free[self._places[self._places >= 0]] = False
        at = np.flatnonzero(free)[: len(places)]
        samples = self._nearest.samples[self.rows[places]]
        self._matrix[at] = self._coded.codec.space.read(samples)
        self._places[places] = at

    def _read_rest(self) -> bool:
        """Read all rows that codes were enough for, and measure them; return whether any was."""
        places = np.flatnonzero(self._places < 0)
        if not places.size:
            return False
        self._read(places)
        nearest, codec, picks = self._nearest, self._coded.codec, self._coded.picks
        rows = self.rows[places]
        rough = nearest.lower[rows] != nearest.upper[rows]
        places, rows = places[rough], rows[rough]
        exact = np.empty(len(rows))
        codec.kernels.measure_pairs(
            address_of(self._matrix),
            self._places[places],
            picks.address,
            picks.places[nearest.nearest[rows]],
            codec.space.n_dims,
            1.0 / codec.space.true_unit,
            exact,
        )
        nearest.upper[rows] = nearest.lower[rows] = exact
        return True

    def _catch_up(
        self, order: IndexArray, n_picks: int, picks: CodedPicks, stays: NDArray[np.uint8]
    ) -> None:
        codec, nearest = self._coded.codec, self._nearest
        codec.kernels.catch_up(
            order,
            max(1, BATCH_BYTES // (4 * codec.width)),
            self.rows,
            self._floor,
            n_picks,
            address_of(self._matrix),
            self._places,
            self._row_codes.codes,
            self._code_rows,
            self._row_codes.lengths2,
            self._row_codes.errors,
            picks.panels,
            picks.starts,
            picks.widest,
            picks.fine,
            picks.fine_errors,
            picks.address,
            picks.places,
            codec.space.n_dims,
            1.0 / codec.space.true_unit,
            codec.step,
            nearest.upper,
            nearest.lower,
            nearest.seen,
            nearest.nearest,
            stays,
        )

    @cached_property
    def _slabs(self) -> NDArray[np.uint8]:
        kernels, width = self._coded.codec.kernels, self._coded.codec.width
        n_slabs = -(-len(self.rows) // kernels.SLAB_ROWS)
        slabs = np.zeros(n_slabs * kernels.SLAB_ROWS * width, dtype=np.uint8)
        kernels.pack_slabs(self._row_codes.codes, self._code_rows, slabs)
        return slabs

    @cached_property
    def _limits(self) -> NDArray[np.int32]:
        # Picks may come from anywhere; those of this pool are no farther off than its rows.
        errors = self._row_codes.errors[self._code_rows]
        self._widest = float(errors.max(initial=0.0))
        return self._set_limits()

    def _limits_for(self, pick: int) -> NDArray[np.int32]:
        limits = self._limits
        error = float(self._coded.picks.widest[pick // self._coded.codec.kernels.PANEL_PICKS])
        if error > self._widest:
            self._widest = error
            limits[:] = self._set_limits()
        return limits

    def _set_limits(self) -> NDArray[np.int32]:
        kernels, codec = self._coded.codec.kernels, self._coded.codec
        n_slabs = -(-len(self.rows) // kernels.SLAB_ROWS)
        limits = np.empty(n_slabs * kernels.SLAB_ROWS, dtype=np.int32)
        kernels.set_limits(
            self.rows,
            self._code_rows,
            self._row_codes.lengths2,
            self._row_codes.errors,
            self._widest,
            codec.step,
            self._nearest.upper,
            limits,
        )
        return limits
