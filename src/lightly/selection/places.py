"""Which samples show the same thing, and how much each of them counts.

Samples within a small radius of each other share a *place*. A sample weighs one over the number of
samples at its place: a burst of near-duplicates counts about as much as a single image.

All of it is integer arithmetic. Coordinates are rounded to a grid, so that squared distances are
integers below 2**53; float64 products and sums of them are exact, in any order, on any machine.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from fractions import Fraction

import numpy as np
from numpy.typing import NDArray

from lightly.selection.embeddings import EmbeddingSpace, Float32Array, Float64Array, IndexArray
from lightly.selection.progress import Pulse

# All pairs of examined samples are measured and kept, in 64 MB.
MOST_EXAMINED = 4_096
# Samples share a place within this share of the root mean square distance to the mean. Measured on
# embedded images: in pools of bursts three quarters have another one within 0.23 of it; of single
# images 95 % have none within 0.37.
PLACE_RADIUS = Fraction(1, 3)
# The root mean square distance to the mean is 2**12 to 2**13 units of the grid.
_GRID_BITS = 13
# Lengths up to this keep squared distances exact, and distances exact in float32.
_LARGEST_LENGTH = 2.0**23
FARTHEST = 2.0 * _LARGEST_LENGTH
_WEIGHT_UNIT = 2.0**16
_COLUMNS = 256


@dataclass(frozen=True, kw_only=True, eq=False)
class Places:
    """Samples, how far they are from each other, and how crowded it is around them.

    Attributes:
        samples: Those that were examined, ascending positions in the input, shape ``[M]``.
        distances: Between all of them in units of the grid, integers, shape ``[M, M]``.
        crowd: How many of them are at each one's place, itself included, shape ``[M]``.
        radius: Within which samples share a place, in true units.
    """

    samples: IndexArray
    distances: Float32Array
    crowd: IndexArray
    radius: float
    grid: Grid

    @property
    def weights(self) -> Float64Array:
        """What each sample counts: integers, in proportion to one over its crowd."""
        weights: Float64Array = np.rint(_WEIGHT_UNIT / self.crowd)
        return weights

    @property
    def n_distinct(self) -> float:
        """How many different things the samples show."""
        return float(self.weights.sum() / _WEIGHT_UNIT)


@dataclass(frozen=True, eq=False)
class Grid:
    """Rounds coordinates to integers.

    Attributes:
        mean: Centre of the examined samples.
        exponent: A coordinate is multiplied by two to the power of this.
    """

    mean: Float64Array
    exponent: int

    def round(self, rows: Float32Array) -> Float64Array:
        """Return integers; what lies thousands of times beyond the others is drawn nearer."""
        limit = math.floor(_LARGEST_LENGTH / math.sqrt(len(self.mean)))
        centred = rows.astype(np.float64)
        centred -= self.mean
        np.rint(np.ldexp(centred, self.exponent, out=centred), out=centred)
        rounded: Float64Array = np.clip(centred, -limit, limit, out=centred)
        return rounded


def find_places(space: EmbeddingSpace, samples: IndexArray, pulse: Pulse) -> Places:
    """Measure how crowded it is around samples.

    Cost: M^2 d float64 multiply-adds. Memory: 4 M^2 bytes and 8 M d.

    Args:
        space: Embeddings of all samples.
        samples: Ascending positions, at least one; of more than ``MOST_EXAMINED`` a fixed random
            subset is examined.
        pulse: Beats every now and then.
    """
    examined = draw_samples(samples, MOST_EXAMINED)
    rows = space.read(examined)
    grid = lay_grid(rows)
    points = grid.round(rows)
    lengths2 = np.einsum("ij,ij->i", points, points)
    total = int(lengths2.astype(np.int64).sum())
    reach2 = int(PLACE_RADIUS**2 * total / len(examined))
    distances = np.empty((len(examined), len(examined)), dtype=np.float32)
    crowd = np.zeros(len(examined), dtype=np.int64)
    for start in range(0, len(examined), _COLUMNS):
        pulse.beat()
        part = slice(start, start + _COLUMNS)
        distances2 = measure_grid(points, lengths2, points[part], lengths2[part])
        crowd[part] = np.count_nonzero(distances2 <= reach2, axis=0)
        distances[:, part] = np.rint(np.sqrt(distances2))
    return Places(
        samples=examined,
        distances=distances,
        crowd=crowd,
        radius=math.ldexp(math.sqrt(reach2), -grid.exponent),
        grid=grid,
    )


def measure_reach(
    space: EmbeddingSpace, places: Places, selected: IndexArray, pulse: Pulse
) -> Float64Array:
    """Return the distance of each examined sample to its nearest selected one, in grid units."""
    nearest2: Float64Array = np.full(len(places.samples), FARTHEST**2)
    points = places.grid.round(space.read(places.samples))
    lengths2 = np.einsum("ij,ij->i", points, points)
    for start in range(0, len(selected), _COLUMNS):
        pulse.beat()
        others = places.grid.round(space.read(selected[start : start + _COLUMNS]))
        others2 = np.einsum("ij,ij->i", others, others)
        found = measure_grid(points, lengths2, others, others2).min(axis=1)
        np.minimum(nearest2, found, out=nearest2)
    reach: Float64Array = np.rint(np.sqrt(nearest2))
    return reach


def measure_grid(
    left: Float64Array, left2: Float64Array, right: Float64Array, right2: Float64Array
) -> Float64Array:
    """Return squared distances of all pairs of grid points, given their squared lengths."""
    distances2: Float64Array = np.matmul(left, right.T)
    distances2 *= -2.0
    distances2 += left2[:, None]
    distances2 += right2
    return distances2


def draw_samples(samples: IndexArray, n_most: int) -> IndexArray:
    """Return all samples or a random subset, ascending, that depends on their positions alone."""
    if len(samples) <= n_most:
        return samples
    ranks = _scramble(samples.astype(np.uint64))
    # Scrambling is one to one: there are no ties.
    return np.sort(samples[np.argpartition(ranks, n_most)[:n_most]])


def _scramble(positions: NDArray[np.uint64]) -> NDArray[np.uint64]:
    """Return a random-looking permutation of 64-bit integers (the finalizer of SplitMix64)."""
    z = (positions + np.uint64(1)) * np.uint64(0x9E3779B97F4A7C15)
    z = (z ^ (z >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    z = (z ^ (z >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return z ^ (z >> np.uint64(31))


def lay_grid(rows: Float32Array) -> Grid:
    """Return the grid on which the typical distance to the mean is a few thousand units."""
    mean = _add_up(rows.astype(np.float64)) / len(rows)
    centred = rows - mean
    np.multiply(centred, centred, out=centred)
    spread = math.sqrt(float(_add_up(_add_up(centred)[:, None])[0]) / len(rows))
    return Grid(mean, _GRID_BITS - math.frexp(spread)[1] if spread > 0.0 else 0)


def _add_up(rows: Float64Array) -> Float64Array:
    """Return column sums, added in order of rows: the order of a plain sum is numpy's choice."""
    sums: Float64Array = np.add.accumulate(rows, axis=0)[-1]
    return sums
