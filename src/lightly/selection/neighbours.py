"""Exact distances of samples to their nearest neighbours."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial

import numpy as np
from numpy.typing import NDArray

from lightly.selection.codes import Codec, CodedPicks, address_of
from lightly.selection.embeddings import EmbeddingSpace, Float32Array, Float64Array, IndexArray
from lightly.selection.kernels.loading import find_kernels, load_more_kernels
from lightly.selection.progress import Pulse
from lightly.selection.threads import run_in_threads

# One tile of screened distances, 16 MB: large enough for fast products, far from N x N.
_TILE_ROWS, _TILE_COLUMNS = 512, 8_192
# Tiles of rows between two beats, shared among threads.
_TILES_AT_ONCE = 8
# Samples that are put together because the same one of some pivots is the nearest to them.
_GROUP_ROWS, _MOST_PIVOTS = 128, 1_024


@dataclass(frozen=True)
class NeighbourTile:
    """The nearest neighbours of some samples.

    Attributes:
        rows: Which of the samples, in any order.
        distances: Euclidean, ascending, shape ``[rows, K]``.
        numbers: Places of the neighbours among the samples, shape ``[rows, K]``. Of neighbours that
            are as far as the last one, any may be left out.
    """

    rows: IndexArray
    distances: Float64Array
    numbers: IndexArray


def measure_neighbours(
    space: EmbeddingSpace, samples: IndexArray, n_neighbours: int, pulse: Pulse
) -> Float64Array:
    """Return each sample's distances to its nearest other samples, ascending, shape ``[N, K]``.

    As `find_neighbours`; memory for the result too.
    """
    result = np.empty((len(samples), n_neighbours))
    for tile in find_neighbours(space, samples, n_neighbours, pulse):
        result[tile.rows] = tile.distances
    return result


def find_neighbours(
    space: EmbeddingSpace, samples: IndexArray, n_neighbours: int, pulse: Pulse
) -> Iterator[NeighbourTile]:
    """Yield each sample's nearest other samples, some samples at a time.

    Screens all pairs with float32 products in tiles and measures exactly the few that can be among
    the nearest. Cost: N^2 d inside products, N K exact evaluations. Memory: a tile per thread.

    Args:
        space: Embeddings.
        samples: The N samples to look among, each once, N > ``n_neighbours``.
        n_neighbours: K.
        pulse: Beats between tiles.
    """
    order = _put_together(space, samples)
    samples = samples[order]
    measure = _open_kernels(space, samples, n_neighbours) or partial(
        measure_by_products, space, samples, n_neighbours
    )
    starts = range(0, len(samples), _TILE_ROWS)
    for first in range(0, len(starts), _TILES_AT_ONCE):
        pulse.beat()
        tiles: dict[int, NeighbourTile] = {}

        def find(start: int, found: dict[int, NeighbourTile] = tiles) -> None:
            rows = np.arange(start, min(start + _TILE_ROWS, len(samples)))
            nearest, numbers = measure(rows, pulse)
            distances = np.sqrt(nearest * space.true_unit)
            found[start] = NeighbourTile(order[rows], distances, order[numbers])

        some = starts[first : first + _TILES_AT_ONCE]
        run_in_threads(find, some)
        for start in some:
            yield tiles[start]


def _put_together(space: EmbeddingSpace, samples: IndexArray) -> IndexArray:
    """Return an order in which samples follow each other that are near each other.

    A sample that meets near ones first soon rules out the others, with half as many measured. Rows
    that are read from somewhere had better be read as they lie there.
    """
    n_pivots = min(_MOST_PIVOTS, len(samples) // _GROUP_ROWS)
    if n_pivots < 2 or space.whole is None:
        return np.arange(len(samples))
    chosen = samples[np.arange(n_pivots) * len(samples) // n_pivots]
    pivots = space.turn_into_pivots(space.screen_points(chosen)[0]).T
    nearest = np.empty(len(samples), dtype=np.int16)
    step = space.rows_per_chunk
    for start in range(0, len(samples), step):
        points, _ = space.screen_points(samples[start : start + step])
        nearest[start : start + step] = (points @ pivots).argmin(axis=1)
    return np.argsort(nearest, kind="stable")


_Measure = Callable[[IndexArray, Pulse], tuple[Float64Array, IndexArray]]


def _open_kernels(space: EmbeddingSpace, samples: IndexArray, n_neighbours: int) -> _Measure | None:
    """Return what measures with compiled loops; None where they do not run or do not pay."""
    kernels = find_kernels(len(samples), space.n_dims, len(samples))
    if kernels is None:
        return None
    loops = load_more_kernels("neighbours")
    codec = Codec(space, kernels)
    if n_neighbours > loops.MOST_NEIGHBOURS or not codec.is_effective:
        return None
    coded = CodedPicks(codec, len(samples))
    coded.extend(samples)
    unit = 1.0 / space.true_unit

    def measure(rows: IndexArray, _: Pulse) -> tuple[Float64Array, IndexArray]:
        points, places = space.locate(samples[rows])
        codes = codec.encode(samples[rows])
        nearest = np.empty((len(rows), n_neighbours))
        numbers = np.empty((len(rows), n_neighbours), dtype=np.int64)
        loops.find_nearest(
            rows[0],
            len(rows),
            address_of(points),
            places,
            codes.codes,
            codes.lengths2,
            codes.errors,
            coded.panels,
            coded.starts,
            coded.widest,
            coded.n_picks,
            coded.address,
            coded.places,
            space.n_dims,
            unit,
            codec.step,
            nearest,
            numbers,
        )
        return nearest, numbers

    return measure


def measure_by_products(
    space: EmbeddingSpace,
    samples: IndexArray,
    n_neighbours: int,
    rows: IndexArray,
    pulse: Pulse,
    *,
    columns: IndexArray | None = None,
    may_count: Callable[[IndexArray], NDArray[np.bool_]] | None = None,
) -> tuple[Float64Array, IndexArray]:
    """Return the smallest squared distances of a few rows, ascending, and to which samples.

    Args:
        space: Embeddings.
        samples: The samples to look among.
        n_neighbours: K; each row has at least so many others that count.
        rows: Places of samples.
        pulse: Beats between tiles.
        columns: Places of the samples to look at, ascending; all if None.
        may_count: Returns which of some samples count for which row; all do if None.
    """
    points, lengths = space.screen_points(samples[rows])
    bars = np.full(len(rows), np.inf)
    found: list[tuple[IndexArray, IndexArray, Float64Array]] = []
    columns = np.arange(len(samples)) if columns is None else columns
    for start in range(0, len(columns), _TILE_COLUMNS):
        pulse.beat()
        some = columns[start : start + _TILE_COLUMNS]
        others, other_lengths = space.screen_points(samples[some])
        low = points @ space.turn_into_pivots(others).T
        _mask_selves(low, rows, some)
        if may_count is not None:
            low[~may_count(some)] = np.inf
        widest = space.screen_widths(lengths, other_lengths.max(keepdims=True))
        offsets = space.offsets(lengths)
        bars = np.minimum(bars, _find_bars(low, n_neighbours) + offsets + widest)
        # The comparison is in float32: rounding the limit up can only let more pairs pass.
        limits = np.nextafter((bars - offsets).astype(np.float32), np.float32(np.inf))
        place, column = np.nonzero(low <= limits[:, None])
        found.append((place, some[column], low[place, column] + offsets[place]))
    place, column, bound = (np.concatenate(parts) for parts in zip(*found, strict=True))
    stays = (bound <= bars[place]) & np.isfinite(bound)
    place, column = place[stays], column[stays]
    exact = space.measure_exactly(samples[rows[place]], samples[column])
    order = np.lexsort((column, exact, place))
    firsts = np.searchsorted(place[order], np.arange(len(rows)))
    chosen = order[firsts[:, None] + np.arange(n_neighbours)]
    return exact[chosen], column[chosen]


def _mask_selves(low: Float32Array, rows: IndexArray, columns: IndexArray) -> None:
    """No sample is its own neighbour."""
    places = np.minimum(np.searchsorted(columns, rows), len(columns) - 1)
    own = np.flatnonzero(columns[places] == rows)
    low[own, places[own]] = np.inf


def _find_bars(low: Float32Array, n_neighbours: int) -> Float64Array:
    """Return the K-th smallest value of each row; infinity where a tile has fewer."""
    if low.shape[1] < n_neighbours:
        return np.full(len(low), np.inf)
    kth = np.partition(low, n_neighbours - 1, axis=1)[:, n_neighbours - 1]
    bars: Float64Array = kth.astype(np.float64)
    return bars
