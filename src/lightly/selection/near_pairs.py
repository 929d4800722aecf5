"""Which samples are within a distance of each other: a block of them against batches of others.

A block is laid out as 8-bit codes, or for float32 products where codes do not help, and both leave
few pairs to the defined arithmetic. Memory is bounded by the block, however many samples there are.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from types import ModuleType
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from lightly.selection.codes import Codec, RowCodes, address_of
from lightly.selection.embeddings import EmbeddingSpace, Float32Array, Float64Array, IndexArray
from lightly.selection.kernels.loading import find_kernels, load_more_kernels

#: Samples of a block, and of a batch.
BLOCK_ROWS, BATCH_ROWS = 65_536, 2_048
# Rows that are measured against each other directly, and columns of one tile of products.
_OWN_ROWS, _TILE_COLUMNS = 512, 2_048
# Pairs whose defined distance is measured at once: 30 MB at 64 dimensions.
_MEASURED_PAIRS = 65_536
# What rounding the square of a distance can move a comparison by.
_SLACK = 1e-12
_NOBODY = -1


class NearPairs(Protocol):
    """Finds pairs of samples that are near each other.

    Samples are known by their number, which is their place among those that are looked at.
    """

    def lay_out(self, numbers: IndexArray) -> None:
        """Take up to `BLOCK_ROWS` samples as the block, numbers ascending."""

    def join(self, parents: IndexArray, batch: range) -> None:
        """Connect samples of a batch with later ones of the block that are near.

        Args:
            parents: Per sample one that it is connected with, the lowest one for itself.
            batch: Numbers.
        """

    def find_first(self, numbers: IndexArray) -> IndexArray:
        """Return the first of the block that is near each of some samples, -1 for none."""

    def find_own(self, numbers: IndexArray) -> IndexArray:
        """Return each sample's centre: itself, or the first centre before it that is near."""


def open_near_pairs(space: EmbeddingSpace, samples: IndexArray, distance: float) -> NearPairs:
    """Return what finds pairs of samples whose defined distance is at most `distance`.

    Args:
        space: Embeddings.
        samples: Positions of the samples to look at, ascending.
        distance: At least 0.
    """
    kernels = find_kernels(len(samples), space.n_dims, len(samples))
    if kernels is not None:
        codec = Codec(space, kernels)
        if codec.is_effective:
            return _CodedPairs(codec, load_more_kernels("near_pairs"), samples, distance)
    return _ScreenedPairs(space, samples, distance)


def find_roots(parents: IndexArray, numbers: IndexArray) -> IndexArray:
    """Return the lowest sample that each is known to be connected with; shortens the ways there."""
    while True:
        above = parents[numbers]
        top = parents[above]
        if np.array_equal(above, top):
            return above
        parents[numbers] = top
        numbers = top


def join_pairs(parents: IndexArray, left: IndexArray, right: IndexArray) -> None:
    """Connect pairs of samples."""
    while len(left):
        one, other = find_roots(parents, left), find_roots(parents, right)
        differ = one != other
        left, right = one[differ], other[differ]
        np.minimum.at(parents, np.maximum(left, right), np.minimum(left, right))


@dataclass(frozen=True)
class _Rows:
    """Rows as codes, and where their coordinates are."""

    matrix: Float32Array
    places: IndexArray
    codes: RowCodes

    def write(self) -> tuple[object, ...]:
        """Return them as compiled loops take them."""
        codes = self.codes
        return (address_of(self.matrix), self.places, codes.codes, codes.lengths2, codes.errors)


class _Panels:
    """A block of samples as `screen_tile` takes it."""

    def __init__(self, codec: Codec, loops: ModuleType, rows: _Rows) -> None:
        per_panel = codec.kernels.PANEL_PICKS
        n_panels = -(-len(rows.places) // per_panel)
        self._rows = rows
        self._panels = np.empty((n_panels, codec.width // 4, per_panel, 4), dtype=np.int8)
        self._starts = np.empty((n_panels, per_panel), dtype=np.int32)
        self._widest = np.empty(n_panels, dtype=np.float32)
        codes = rows.codes
        loops.pack_panels(
            codes.codes, codes.lengths2, codes.errors, 0, self._panels, self._starts, self._widest
        )

    def write(self) -> tuple[object, ...]:
        """Return the block as compiled loops take it."""
        rows = self._rows
        where = (len(rows.places), address_of(rows.matrix), rows.places)
        return (*where, self._panels, self._starts, self._widest)


class _CodedPairs:
    """Near pairs by compiled loops on codes."""

    def __init__(
        self, codec: Codec, loops: ModuleType, samples: IndexArray, distance: float
    ) -> None:
        self._codec, self._loops, self._samples = codec, loops, samples
        space = codec.space
        self._distance = distance
        upper = distance * distance / space.true_unit * (1.0 + _SLACK)
        self._limits = (space.n_dims, codec.step, upper, distance, space.scale == 1.0)
        self._numbers = np.empty(0, dtype=np.int64)
        self._block: _Panels | None = None

    def lay_out(self, numbers: IndexArray) -> None:
        self._numbers = numbers
        self._block = _Panels(self._codec, self._loops, self._encode(numbers))

    def join(self, parents: IndexArray, batch: range) -> None:
        if self._block is None:
            return
        rows = self._encode(np.arange(batch.start, batch.stop))
        self._loops.join_near(
            batch.start,
            len(batch),
            *rows.write(),
            self._numbers[0],
            *self._block.write(),
            *self._limits,
            parents,
        )

    def find_first(self, numbers: IndexArray) -> IndexArray:
        found = np.full(len(numbers), _NOBODY)
        if self._block is not None and len(numbers):
            rows = self._encode(numbers)
            every = np.arange(len(numbers))
            self._loops.find_centres(
                every, *rows.write(), *self._block.write(), *self._limits, found
            )
        return np.where(found < 0, _NOBODY, self._numbers[found]) if len(self._numbers) else found

    def find_own(self, numbers: IndexArray) -> IndexArray:
        space = self._codec.space
        matrix, places = space.locate(self._samples[numbers])
        found = np.empty(len(numbers), dtype=np.int64)
        self._loops.find_own_centres(
            np.arange(len(numbers)),
            address_of(matrix),
            places,
            space.n_dims,
            self._distance,
            space.scale == 1.0,
            found,
        )
        return numbers[found]

    def _encode(self, numbers: IndexArray) -> _Rows:
        samples = self._samples[numbers]
        matrix, places = self._codec.space.locate(samples)
        return _Rows(matrix, np.ascontiguousarray(places), self._codec.encode(samples))


class _ScreenedPairs:
    """Near pairs by float32 products."""

    def __init__(self, space: EmbeddingSpace, samples: IndexArray, distance: float) -> None:
        self._space, self._samples, self._distance = space, samples, distance
        self._upper = distance * distance / space.true_unit * (1.0 + _SLACK)
        self._numbers = np.empty(0, dtype=np.int64)

    def lay_out(self, numbers: IndexArray) -> None:
        self._numbers = numbers

    def join(self, parents: IndexArray, batch: range) -> None:
        for left, right in self._screen(np.arange(batch.start, batch.stop), self._numbers):
            later = right > left
            one, other = left[later], right[later]
            open_ = find_roots(parents, one) != find_roots(parents, other)
            one, other = one[open_], other[open_]
            is_near = self._are_near(one, other)
            join_pairs(parents, one[is_near], other[is_near])

    def find_first(self, numbers: IndexArray) -> IndexArray:
        return self._find_first(numbers, self._numbers)

    def find_own(self, numbers: IndexArray) -> IndexArray:
        centres = numbers.copy()
        near: list[tuple[IndexArray, IndexArray]] = []
        for left, right in self._screen(numbers, numbers):
            earlier = right < left
            one, other = left[earlier], right[earlier]
            is_near = self._are_near(one, other)
            near.append((one[is_near], other[is_near]))
        left, right = (np.concatenate(side) for side in zip(*near, strict=True))
        order = np.lexsort((right, left))
        is_centre = dict.fromkeys(numbers.tolist(), True)
        places = {number: place for place, number in enumerate(numbers.tolist())}
        for one, other in zip(left[order].tolist(), right[order].tolist(), strict=True):
            if is_centre[one] and is_centre[other]:
                is_centre[one] = False
                centres[places[one]] = other
        return centres

    def _find_first(self, numbers: IndexArray, others: IndexArray) -> IndexArray:
        first = np.full(len(numbers), np.iinfo(np.int64).max)
        for left, right in self._screen(numbers, others):
            is_near = self._are_near(left, right)
            np.minimum.at(first, np.searchsorted(numbers, left[is_near]), right[is_near])
        return np.where(first == np.iinfo(np.int64).max, _NOBODY, first)

    def _screen(
        self, numbers: IndexArray, others: IndexArray
    ) -> Iterator[tuple[IndexArray, IndexArray]]:
        """Yield pairs that may be near, some at a time."""
        space = self._space
        for start in range(0, len(numbers), _OWN_ROWS):
            rows = numbers[start : start + _OWN_ROWS]
            points, lengths = space.screen_points(self._samples[rows])
            limits = (self._upper - space.offsets(lengths)).astype(np.float32)
            # The comparison is in float32: rounding the limit up can only let more pairs pass.
            limits = np.nextafter(limits, np.float32(np.inf))
            for first in range(0, len(others), _TILE_COLUMNS):
                columns = others[first : first + _TILE_COLUMNS]
                pivots = space.turn_into_pivots(space.screen_points(self._samples[columns])[0])
                place, column = np.nonzero(points @ pivots.T <= limits[:, None])
                for begin in range(0, len(place), _MEASURED_PAIRS):
                    some = slice(begin, begin + _MEASURED_PAIRS)
                    yield rows[place[some]], columns[column[some]]

    def _are_near(self, left: IndexArray, right: IndexArray) -> NDArray[np.bool_]:
        """Return for which pairs the defined distance is at most the threshold."""
        exact: Float64Array = self._space.measure_exactly(self._samples[left], self._samples[right])
        is_near: NDArray[np.bool_] = np.sqrt(exact * self._space.true_unit) <= self._distance
        return is_near
