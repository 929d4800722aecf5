"""Nearly all of the nearest neighbours: those in the cells whose centres are the nearest.

How many cells to look into is tried out on some samples, whose neighbours are found exactly; how
many neighbours were found is then measured on others.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from lightly.selection.cells import Cells
from lightly.selection.codes import Codec, CodedPicks, address_of
from lightly.selection.embeddings import EmbeddingSpace, Float64Array, IndexArray
from lightly.selection.kernels.loading import find_kernels, load_more_kernels
from lightly.selection.neighbours import NeighbourTile, measure_by_products
from lightly.selection.places import draw_samples
from lightly.selection.progress import Pulse
from lightly.selection.threads import run_in_threads

# So many cells are looked into that this share of neighbours is in them, and at most this share.
_AIM, _MOST_LOOKED_INTO = 0.9, 1 / 8
_TRIED, _CHECKED = 1_000, 1_000
# Distances to centres that are in memory at a time, per thread; tiles between two beats.
_SCORES_AT_ONCE, _TILES_AT_ONCE = 1 << 20, 8

FlagArray = NDArray[np.bool_]


@dataclass(frozen=True)
class Recall:
    """How many neighbours were found.

    Attributes:
        share: Of the true neighbours, or of others that are as near.
        n_samples: Of so many random samples; 0 where neighbours are exact.
    """

    share: float = 1.0
    n_samples: int = 0


class CellSearch:
    """Looks for neighbours in the nearest cells only.

    Args:
        cells: The samples to look among, more than ``n_neighbours``.
        n_neighbours: K.
        pulse: Beats every now and then.

    Attributes:
        n_looked_into: How many cells each sample looks into.
    """

    def __init__(self, cells: Cells, n_neighbours: int, pulse: Pulse) -> None:
        self._cells, self._pulse = cells, pulse
        self._n_neighbours = n_neighbours
        self._look = _open_codes(cells, n_neighbours) or _Products(cells, n_neighbours, pulse)
        drawn = draw_samples(np.arange(len(cells.samples)), _TRIED + _CHECKED)
        self._checked = drawn[1::2].copy()
        self.n_looked_into = self._try_out(drawn[::2].copy())
        fewest = np.sort(cells.sizes)[: self.n_looked_into].sum()
        self._may_lack = bool(fewest <= n_neighbours)

    def find(self) -> Iterator[NeighbourTile]:
        """Yield neighbours of all samples, some samples at a time."""
        order, n_rows = self._cells.order, self._rows_at_once
        starts = range(0, len(order), n_rows)
        for first in range(0, len(starts), _TILES_AT_ONCE):
            self._pulse.beat()
            tiles: dict[int, NeighbourTile] = {}

            def find(start: int, found: dict[int, NeighbourTile] = tiles) -> None:
                rows = np.arange(start, min(start + n_rows, len(order)))
                distances, numbers = self._measure(rows, self._choose(rows))
                found[start] = NeighbourTile(order[rows], distances, order[numbers])

            some = starts[first : first + _TILES_AT_ONCE]
            run_in_threads(find, some)
            for start in some:
                yield tiles[start]

    def measure_recall(self, distances: Float64Array) -> Recall:
        """Return how many neighbours were found.

        Args:
            distances: To the neighbours that were found, ascending, in the order of the samples
                that the cells were made of.
        """
        rows = self._checked
        exact, _ = self._measure_all(rows)
        n_found = np.count_nonzero(distances[self._cells.order[rows]] <= exact[:, -1:])
        return Recall(float(n_found / exact.size), len(rows))

    def _try_out(self, rows: IndexArray) -> int:
        """Return how many cells hold as many neighbours as is aimed at, or the most."""
        cells = self._cells
        _, numbers = self._measure_all(rows)
        scores = cells.score(rows)
        own = np.take_along_axis(scores, cells.find_cell(numbers), axis=1)
        scores.sort(axis=1)
        pairs = zip(scores, own, strict=True)
        ranks = np.sort(np.concatenate([np.searchsorted(line, some) for line, some in pairs]))
        enough = int(ranks[math.ceil(_AIM * len(ranks)) - 1]) + 1
        return min(enough, math.ceil(_MOST_LOOKED_INTO * len(cells.centres)))

    @property
    def _rows_at_once(self) -> int:
        return max(1, _SCORES_AT_ONCE // len(self._cells.centres))

    def _choose(self, rows: IndexArray) -> FlagArray:
        """Return which cells rows look into: the nearest, those that are as near as the last one.

        Where these have too few samples, all cells.
        """
        scores = self._cells.score(rows)
        kth = np.partition(scores, self.n_looked_into - 1, axis=1)[:, self.n_looked_into - 1]
        chosen: FlagArray = scores <= kth[:, None]
        if self._may_lack:
            chosen[chosen @ self._cells.sizes <= self._n_neighbours] = True
        return chosen

    def _measure_all(self, rows: IndexArray) -> tuple[Float64Array, IndexArray]:
        """Return exact neighbours."""
        parts = np.array_split(rows, max(1, len(rows) // self._rows_at_once))
        n_cells = len(self._cells.centres)
        found: dict[int, tuple[Float64Array, IndexArray]] = {}

        def measure(part: int) -> None:
            everything = np.ones((len(parts[part]), n_cells), dtype=np.bool_)
            found[part] = self._measure(parts[part], everything)

        self._pulse.beat()
        run_in_threads(measure, range(len(parts)))
        distances, numbers = zip(*(found[part] for part in range(len(parts))), strict=True)
        return np.concatenate(distances), np.concatenate(numbers)

    def _measure(self, rows: IndexArray, chosen: FlagArray) -> tuple[Float64Array, IndexArray]:
        nearest, numbers = self._look.find(rows, chosen)
        return np.sqrt(nearest * self._cells.space.true_unit), numbers


class _Products:
    """Looks into cells by float32 products."""

    def __init__(self, cells: Cells, n_neighbours: int, pulse: Pulse) -> None:
        self._cells, self._n_neighbours, self._pulse = cells, n_neighbours, pulse

    def find(self, rows: IndexArray, chosen: FlagArray) -> tuple[Float64Array, IndexArray]:
        """Return squared distances to the nearest others in chosen cells, and their numbers."""
        cells = self._cells
        cell_of = np.repeat(np.arange(len(cells.centres)), cells.sizes)
        is_looked_into: FlagArray = np.logical_or.reduce(chosen, axis=0)
        columns = np.flatnonzero(is_looked_into[cell_of])
        return measure_by_products(
            cells.space, cells.samples, self._n_neighbours, rows, self._pulse,
            columns=columns, may_count=lambda some: chosen[:, cell_of[some]],
        )  # fmt: skip


class _Codes:
    """Looks into cells by compiled loops."""

    def __init__(self, cells: Cells, n_neighbours: int, codec: Codec) -> None:
        self._cells, self._n_neighbours, self._codec = cells, n_neighbours, codec
        self._loops = load_more_kernels("cells")
        self._coded = CodedPicks(codec, len(cells.samples))
        self._coded.extend(cells.samples)

    def find(self, rows: IndexArray, chosen: FlagArray) -> tuple[Float64Array, IndexArray]:
        """Return squared distances to the nearest others in chosen cells, and their numbers."""
        nearest = np.full((len(rows), self._n_neighbours), np.inf)
        numbers = np.full(nearest.shape, -1, dtype=np.int64)
        samples = self._cells.samples[rows]
        points, places = self._codec.space.locate(samples)
        codes = self._codec.encode(samples)
        coded = self._coded
        row, cell = np.nonzero(chosen)
        is_own = self._cells.find_cell(rows)[row] == cell
        # Most neighbours are in a row's own cell: they rule out most of the others.
        for some in (is_own, ~is_own):
            looking, row_ends, cells = _list_by_cell(row[some], cell[some], chosen.shape[1])
            self._loops.extend_nearest(
                looking, row_ends, self._cells.starts[cells], self._cells.starts[cells + 1], rows,
                address_of(points), places, codes.codes, codes.lengths2, codes.errors,
                coded.panels, coded.starts, coded.widest, coded.address, coded.places,
                self._codec.space.n_dims, 1.0 / self._codec.space.true_unit, self._codec.step,
                nearest, numbers,
            )  # fmt: skip
        return nearest, numbers


def _list_by_cell(
    row: IndexArray, cell: IndexArray, n_cells: int
) -> tuple[IndexArray, IndexArray, IndexArray]:
    """Return the rows that look into each cell, where those of each cell end, and the cells."""
    # Numbers of 16 bits are sorted by counting.
    order = np.argsort(cell.astype(np.min_scalar_type(n_cells)), kind="stable")
    counts = np.bincount(cell, minlength=n_cells)
    cells = np.flatnonzero(counts)
    return row[order], np.cumsum(counts[cells]), cells


def _open_codes(cells: Cells, n_neighbours: int) -> _Codes | None:
    """Return what measures with compiled loops; None where they do not run or do not pay."""
    space: EmbeddingSpace = cells.space
    kernels = find_kernels(len(cells.samples), space.n_dims, len(cells.samples))
    if kernels is None:
        return None
    codec = Codec(space, kernels)
    return _Codes(cells, n_neighbours, codec) if codec.is_effective else None
