"""How far every candidate is from the selection, known only as precisely as a decision needs.

A distance to the selection can only fall while the selection grows, so what was once measured
stays an upper bound. Most candidates never become the next pick: they are not measured again until
their bound would make them one (the idea of Minoux, 1978, carried over to distances).

Pools do the measuring: with compiled loops on 8-bit codes where these are to be had and precise
enough, with float32 matrix products elsewhere. Both only bound; they differ in time alone.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import cached_property
from types import ModuleType
from typing import TYPE_CHECKING, Protocol

import numpy as np
from numpy.typing import NDArray

from lightly.selection.code_pool import Coded, CodePool
from lightly.selection.codes import Codec, measure_pairs
from lightly.selection.embeddings import EmbeddingSpace, Float32Array, Float64Array, IndexArray
from lightly.selection.kernels.loading import find_kernels
from lightly.selection.product_pool import ProductPool, ScreenedPicks

if TYPE_CHECKING:
    from lightly.selection.direct_picks import DirectPicks

# Picks that every candidate is measured against before candidates are told apart by their bounds.
_FIRST_PICKS = 128


class Pool(Protocol):
    """A set of candidates that are measured together.

    It writes every improvement through to its owner. Candidates whose upper bound falls below
    their floor may leave.

    Attributes:
        rows: The candidates.
    """

    rows: IndexArray

    def catch_up(self, last: int | None = None) -> None:
        """Measure the rows against the picks they missed; the oldest picks come first.

        Rows leave as soon as they fall below their floor. The others are up to date afterwards
        and in ascending order.

        Args:
            last: Stop after this many picks instead of the whole selection.
        """

    def account_latest(self) -> None:
        """Measure all rows, which must be up to date otherwise, against the pick made last."""

    def leave_out(self, row: int) -> None:
        """Stop improving a row that was picked, if it is here."""


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
        keep_codes: Keep the codes of all candidates, d bytes each, because they will be measured
            again and again.

    Attributes:
        nearest: Position, in order of selection, of the nearest selected sample; ties go to the
            earliest; -1 while nothing is selected.
        direct: What makes the picks of a short run, and knows the distances then.
    """

    def __init__(
        self,
        space: EmbeddingSpace,
        samples: IndexArray,
        *,
        capacity: int,
        keep_codes: bool = False,
    ) -> None:
        self.space = space
        self.samples = samples
        self.upper = np.full(len(samples), np.inf)
        self.seen = np.zeros(len(samples), dtype=np.int32)
        self.n_selected = 0
        self.direct: DirectPicks | None = None
        self._selected = np.empty(capacity, dtype=np.int64)
        self._keep_codes = keep_codes

    # New memory costs more than a few picks, so what short runs do not use is made when it is used.
    @cached_property
    def lower(self) -> Float64Array:
        """Lower bounds; until something is measured, there is nothing but the upper ones."""
        return self.upper.copy()

    @cached_property
    def nearest(self) -> NDArray[np.int32]:
        """Which selected sample is the nearest."""
        return np.full(len(self.samples), -1, dtype=np.int32)

    @property
    def is_measured(self) -> bool:
        """Whether anything may be known about any candidate's distance."""
        return "lower" in self.__dict__

    @property
    def selected(self) -> IndexArray:
        """The selected samples in order of selection."""
        return self._selected[: self.n_selected]

    @property
    def all_selected(self) -> IndexArray:
        """The selected samples and room for those to come."""
        return self._selected

    def select(self, sample: int) -> None:
        """Add a sample to the selection; candidates learn of it when they are next measured."""
        self._selected[self.n_selected] = sample
        self.n_selected += 1

    def select_many(self, samples: IndexArray) -> None:
        """Add samples in order."""
        self._selected[self.n_selected : self.n_selected + len(samples)] = samples
        self.n_selected += len(samples)

    def retire(self, rows: int | IndexArray) -> None:
        """Take candidates out of the race, because they were picked."""
        self.upper[rows] = -np.inf
        if self.is_measured:
            self.lower[rows] = -np.inf

    def put(
        self, rows: IndexArray, low: Float64Array, high: Float64Array, nearest: int | IndexArray
    ) -> None:
        """Write what was found out about candidates."""
        self.lower[rows], self.upper[rows], self.nearest[rows] = low, high, nearest

    def list_free(self) -> IndexArray:
        """Return the candidates that were not retired, ascending."""
        return np.flatnonzero(self.upper > -np.inf)

    def open_pool(self, rows: IndexArray, floor: float | Float64Array = -np.inf) -> Pool:
        """Return a pool of candidates, few enough to fit the cache.

        Args:
            rows: Candidates.
            floor: Upper bounds below this, one number or one per row, matter to nobody.
        """
        coded = self.coded
        return ProductPool(self, rows, floor) if coded is None else CodePool(coded, rows, floor)

    def settle(self, rows: IndexArray) -> None:
        """Bring candidates up to date with the whole selection, up to their interval."""
        for piece in self._pieces(rows[self.seen[rows] != self.n_selected]):
            self.open_pool(piece).catch_up()

    def meet_first_block(self) -> Iterator[None]:
        """Give all candidates a first bound; yields after each piece so that callers may stop."""
        for piece in self._pieces(np.flatnonzero(self.seen == 0)):
            self.open_pool(piece).catch_up(last=_FIRST_PICKS)
            yield

    def resolve(self, rows: IndexArray) -> None:
        """Replace intervals by exact values with one exact evaluation per open interval."""
        rows = rows[self.lower[rows] != self.upper[rows]]
        if rows.size:
            self.upper[rows] = self.lower[rows] = self.measure_pairs(
                self.samples[rows], self._selected[self.nearest[rows]]
            )

    def measure(self, row: int) -> float:
        """Return one candidate's exact squared distance to the whole selection."""
        if self.seen[row] != self.n_selected:
            self.settle(np.array([row]))
        if self.lower[row] != self.upper[row]:
            self.resolve(np.array([row]))
        return float(self.upper[row])

    def measure_pairs(self, left: IndexArray, right: IndexArray) -> Float64Array:
        """Return the defined squared distance of each pair of samples."""
        if self.kernels is None:
            return self.space.measure_exactly(left, right)
        return measure_pairs(self.kernels, self.space, left, right)

    def interval(self, rows: IndexArray) -> tuple[Float64Array, Float64Array]:
        """Return bounds of the squared distance of candidates to the whole selection."""
        is_current = self.seen[rows] == self.n_selected
        return np.where(is_current, self.lower[rows], 0.0), self.upper[rows]

    def pivots(self, first: int, last: int) -> Float32Array:
        """Return the screened form of selected samples ``first`` to ``last``."""
        return self.screened.pivots(first, last)

    def pivot_lengths(self, picks: IndexArray | slice) -> Float64Array:
        """Return the lengths of selected samples after centring."""
        return self.screened.lengths(picks)

    @property
    def screened(self) -> ScreenedPicks:
        """The selected samples in the form that float32 products take."""
        self._screened.follow(self.selected)
        return self._screened

    @cached_property
    def kernels(self) -> ModuleType | None:
        """The compiled loops if they are there or worth loading."""
        return find_kernels(len(self.samples), self.space.n_dims, len(self._selected))

    @cached_property
    def coded(self) -> Coded | None:
        """The selection and the candidates as codes; None if codes would not help."""
        if self.kernels is None:
            return None
        codec, capacity = Codec(self.space, self.kernels), len(self._selected)
        keeps = self._keep_codes and self.space.can_spare(len(self.samples) * codec.width)
        return Coded(self, codec, capacity, keeps) if codec.is_effective else None

    @cached_property
    def _screened(self) -> ScreenedPicks:
        return ScreenedPicks(self.space, len(self._selected))

    def _pieces(self, rows: IndexArray) -> Iterator[IndexArray]:
        step = self.space.rows_per_chunk
        for start in range(0, len(rows), step):
            yield rows[start : start + step]
