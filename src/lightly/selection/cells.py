"""Samples in cells of near ones: the cells of k-means, the same on every machine.

Coordinates are rounded to the integer grid of `places`, so that squared distances to centres are
exact in float64, whatever adds them up. Centres are rounded to the grid as well.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from lightly.selection.embeddings import EmbeddingSpace, Float64Array, IndexArray
from lightly.selection.places import MOST_EXAMINED, Grid, draw_samples, lay_grid
from lightly.selection.progress import Pulse
from lightly.selection.threads import run_in_threads

# Fewer samples are compared with all others as soon as with those in some cells.
FEWEST_SAMPLES = 50_000
# Centres are moved so often, to the means of so many samples per cell.
_MOVES, _MOVED_BY = 4, 32
# Distances to centres that are in memory at a time, per thread.
_SCORES_AT_ONCE = 1 << 20


@dataclass(frozen=True, eq=False)
class Cells:
    """A partition of samples.

    Attributes:
        samples: Positions in the input, cell by cell, shape ``[M]``.
        order: Their places in what was given.
        starts: Where each cell begins, shape ``[cells + 1]``.
        centres: Of the cells, on the grid, shape ``[cells, d]``.
        lengths2: Squared lengths of centres.
    """

    samples: IndexArray
    order: IndexArray
    starts: IndexArray
    centres: Float64Array
    lengths2: Float64Array
    grid: Grid
    space: EmbeddingSpace

    @property
    def sizes(self) -> IndexArray:
        """How many samples each cell has."""
        return np.diff(self.starts)

    def find_cell(self, numbers: IndexArray) -> IndexArray:
        """Return in which cell the samples at these places of ``samples`` are."""
        return np.searchsorted(self.starts, numbers, side="right") - 1

    def score(self, numbers: IndexArray) -> Float64Array:
        """Return how far each cell's centre is from some samples, shape ``[samples, cells]``.

        Squared distances less the squared length of the sample: integers.
        """
        points = self.grid.round(self.space.read(self.samples[numbers]))
        return _score(points, self.centres, self.lengths2)


def lay_cells(space: EmbeddingSpace, samples: IndexArray, pulse: Pulse) -> Cells | None:
    """Put samples into cells; None if there are too few for that to pay.

    Cost: M C d multiply-adds in float64 products, for M samples and C = sqrt(M) cells.

    Args:
        space: Embeddings.
        samples: Positions of the M samples, ascending.
        pulse: Beats every now and then.
    """
    if len(samples) < FEWEST_SAMPLES:
        return None
    n_cells = math.isqrt(len(samples))
    grid = lay_grid(space.read(draw_samples(samples, MOST_EXAMINED)))
    centres = grid.round(space.read(draw_samples(samples, n_cells)))
    trained = draw_samples(samples, n_cells * _MOVED_BY)
    for _ in range(_MOVES):
        nearest = _find_nearest(space, trained, grid, centres, pulse)
        centres = _move(space, trained, grid, centres, nearest)
    nearest = _find_nearest(space, samples, grid, centres, pulse)
    order = np.argsort(nearest, kind="stable")
    starts = np.concatenate([[0], np.cumsum(np.bincount(nearest, minlength=n_cells))])
    lengths2 = np.einsum("ij,ij->i", centres, centres)
    return Cells(samples[order], order, starts, centres, lengths2, grid, space)


def _find_nearest(
    space: EmbeddingSpace,
    samples: IndexArray,
    grid: Grid,
    centres: Float64Array,
    pulse: Pulse,
) -> NDArray[np.int32]:
    """Return the nearest centre of each sample, the first of equals."""
    nearest = np.empty(len(samples), dtype=np.int32)
    lengths2 = np.einsum("ij,ij->i", centres, centres)
    step = max(1, _SCORES_AT_ONCE // len(centres))

    def find(start: int) -> None:
        pulse.beat()
        points = grid.round(space.read(samples[start : start + step]))
        nearest[start : start + step] = _score(points, centres, lengths2).argmin(axis=1)

    run_in_threads(find, range(0, len(samples), step))
    return nearest


def _score(points: Float64Array, centres: Float64Array, lengths2: Float64Array) -> Float64Array:
    scores: Float64Array = (points * -2.0) @ centres.T
    scores += lengths2
    return scores


def _move(
    space: EmbeddingSpace,
    samples: IndexArray,
    grid: Grid,
    centres: Float64Array,
    nearest: NDArray[np.int32],
) -> Float64Array:
    """Return centres in the middle of their samples; those without any stay."""
    order = np.argsort(nearest, kind="stable")
    counts = np.bincount(nearest, minlength=len(centres))
    moved = centres.copy()
    ends = np.cumsum(counts)
    for cell in np.flatnonzero(counts):
        members = samples[order[ends[cell] - counts[cell] : ends[cell]]]
        moved[cell] = np.rint(grid.round(space.read(members)).sum(axis=0) / counts[cell])
    return moved
