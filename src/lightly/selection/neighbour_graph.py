"""Who is near whom: each sample's nearest neighbours, and whose neighbour it is.

Exact copies of a sample share a *spot*. Distances are integers: float64 distances times a power of
two, rounded. Sums of them are below 2**53 and so exact in any order.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from lightly.selection.cell_search import CellSearch, Recall
from lightly.selection.cells import lay_cells
from lightly.selection.embeddings import EmbeddingSpace, Float32Array, IndexArray
from lightly.selection.kernels.loading import get_loaded_kernels, load_more_kernels
from lightly.selection.neighbours import find_neighbours
from lightly.selection.progress import Pulse

# Distances have so many bits, less where sums over all samples would pass 2**53.
_DISTANCE_BITS, _SUM_BITS = 31, 53
_HASH_SEED = 20_261_122
# All bits of a hash count.
_HASH_MASK = np.uint64(2**64 - 1)

ShortArray = NDArray[np.int32]


@dataclass(frozen=True, eq=False)
class NeighbourGraph:
    """The K nearest other spots of every spot.

    Attributes:
        spot_of: Spot of each sample looked at, shape ``[M]``. Spots are in the order of their first
            samples.
        weights: How many samples each spot has, shape ``[spots]``.
        reach: Distance of each spot to its K-th neighbour, shape ``[spots]``.
        numbers: The neighbours nearer than that, row by row.
        distances: To them, integers.
        starts: Where each spot's neighbours begin, shape ``[spots + 1]``.
        n_neighbours: K.
        exponent: Distances are true ones times two to the power of this.
        recall: How many of the true neighbours these are.
    """

    spot_of: IndexArray
    weights: IndexArray
    reach: IndexArray
    numbers: ShortArray
    distances: ShortArray
    starts: IndexArray
    n_neighbours: int
    exponent: int
    recall: Recall

    @property
    def n_spots(self) -> int:
        """How many different samples there are."""
        return len(self.weights)

    def list_neighbours(self, spot: int) -> slice:
        """Return where a spot's neighbours are in ``numbers`` and ``distances``."""
        return slice(int(self.starts[spot]), int(self.starts[spot + 1]))

    @cached_property
    def followers(self) -> Followers:
        """Whose neighbour each spot is."""
        counts = np.bincount(self.numbers, minlength=self.n_spots)
        starts = np.concatenate([[0], np.cumsum(counts)])
        if get_loaded_kernels() is not None:
            numbers, distances = np.empty_like(self.numbers), np.empty_like(self.distances)
            load_more_kernels("gains").list_followers(
                self.starts, self.numbers, self.distances, starts[:-1].copy(), numbers, distances
            )
            return Followers(numbers, distances, starts)
        # Stable: followers of a spot are ascending.
        order = np.argsort(self.numbers, kind="stable")
        owners = np.repeat(np.arange(self.n_spots, dtype=np.int32), np.diff(self.starts))
        return Followers(
            numbers=owners[order],
            distances=self.distances[order],
            starts=starts,
        )


@dataclass(frozen=True, eq=False)
class Followers:
    """Whose neighbour each spot is.

    Attributes:
        numbers: Spots, row by row.
        distances: To them, integers.
        starts: Where each spot's followers begin.
    """

    numbers: ShortArray
    distances: ShortArray
    starts: IndexArray

    def find(self, spot: int) -> tuple[ShortArray, ShortArray]:
        """Return the followers of a spot, ascending, and the distances to them."""
        part = slice(int(self.starts[spot]), int(self.starts[spot + 1]))
        return self.numbers[part], self.distances[part]


def build_graph(
    space: EmbeddingSpace,
    samples: IndexArray,
    n_neighbours: int,
    pulse: Pulse,
    *,
    is_exact: bool = True,
) -> NeighbourGraph:
    """Find the K nearest other spots of every spot.

    Cost: M^2 d multiply-adds for M samples, as `find_neighbours`; where it need not be exact as
    `find_nearly`. Memory: 8 K bytes per spot, as much for followers, and what these need.

    Args:
        space: Embeddings.
        samples: Positions of the samples to look at, ascending, at least one.
        n_neighbours: K; at most one less than there are spots is used.
        pulse: Beats every now and then.
        is_exact: Whether all neighbours have to be found.
    """
    spot_of = find_spots(space, samples, pulse)
    firsts = np.unique(spot_of, return_index=True)[1]
    weights = np.bincount(spot_of)
    n_used = min(n_neighbours, len(firsts) - 1)
    if n_used == 0:
        nothing = np.empty(0, dtype=np.int32)
        reach, starts = np.ones(1, dtype=np.int64), np.zeros(2, dtype=np.int64)
        return NeighbourGraph(spot_of, weights, reach, nothing, nothing, starts, 0, 0, Recall())
    spots = samples[firsts]
    cells = None if is_exact else lay_cells(space, spots, pulse)
    search = None if cells is None else CellSearch(cells, n_used, pulse)
    tiles = search.find() if search else find_neighbours(space, spots, n_used, pulse)
    distances = np.empty((len(spots), n_used))
    numbers = np.empty((len(spots), n_used), dtype=np.int32)
    for tile in tiles:
        distances[tile.rows], numbers[tile.rows] = tile.distances, tile.numbers
    exponent = _choose_exponent(float(distances[:, -1].max()), len(samples))
    reach = np.rint(np.ldexp(distances[:, -1], exponent)).astype(np.int64)
    # Of neighbours as far as the K-th any may be left out: they make no difference.
    is_nearer = distances < distances[:, -1:]
    return NeighbourGraph(
        spot_of=spot_of,
        weights=weights,
        reach=reach,
        numbers=numbers[is_nearer],
        distances=np.rint(np.ldexp(distances[is_nearer], exponent)).astype(np.int32),
        starts=np.concatenate([[0], np.cumsum(is_nearer.sum(axis=1))]),
        n_neighbours=n_used,
        exponent=exponent,
        recall=search.measure_recall(distances) if search else Recall(),
    )


def find_spots(space: EmbeddingSpace, samples: IndexArray, pulse: Pulse) -> IndexArray:
    """Return a number per sample; equal vectors have equal numbers, in the order of first ones."""
    hashes = np.empty(len(samples), dtype=np.uint64)
    factors = np.random.PCG64(_HASH_SEED).random_raw(space.n_dims) | np.uint64(1)
    step = space.rows_per_chunk
    for start in range(0, len(samples), step):
        pulse.beat()
        bits = _read_bits(space, samples[start : start + step]).astype(np.uint64)
        # The high bits of a product depend on all bits of the factors, the low ones do not.
        mixed = bits * factors
        mixed ^= mixed >> np.uint64(29)
        sums = (mixed * factors).sum(axis=1, dtype=np.uint64)
        hashes[start : start + step] = sums & _HASH_MASK
    _, first, spot_of = np.unique(hashes, return_index=True, return_inverse=True)
    _separate(space, samples, first, spot_of)
    _, first, spot_of = np.unique(spot_of, return_index=True, return_inverse=True)
    ranks = np.empty(len(first), dtype=np.int64)
    ranks[np.argsort(first)] = np.arange(len(first))
    numbers: IndexArray = ranks[spot_of]
    return numbers


def _separate(
    space: EmbeddingSpace, samples: IndexArray, first: IndexArray, spot_of: IndexArray
) -> None:
    """Give samples other numbers that have the hash of the first of theirs, but not its vector."""
    others = np.flatnonzero(first[spot_of] != np.arange(len(samples)))
    step, n_spots = space.rows_per_chunk, len(first)
    known: dict[bytes, int] = {}
    for start in range(0, len(others), step):
        some = others[start : start + step]
        own = _read_bits(space, samples[some])
        differs = (own != _read_bits(space, samples[first[spot_of[some]]])).any(axis=1)
        for place, bits in zip(some[differs], own[differs], strict=True):
            spot_of[place] = known.setdefault(bits.tobytes(), n_spots + len(known))


def _read_bits(space: EmbeddingSpace, samples: IndexArray) -> NDArray[np.uint32]:
    """Return coordinates as bits; zero is zero whatever its sign."""
    rows: Float32Array = space.read(samples) + np.float32(0.0)
    return np.ascontiguousarray(rows).view(np.uint32)


def _choose_exponent(largest: float, n_samples: int) -> int:
    if largest == 0.0:
        return 0
    n_bits = min(_DISTANCE_BITS, _SUM_BITS - math.ceil(math.log2(n_samples + 1)) - 1)
    return n_bits - math.frexp(largest)[1]
