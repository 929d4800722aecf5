"""Exact distances of samples to their nearest neighbours."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import numpy as np

from lightly.selection.codes import Codec, CodedPicks, address_of
from lightly.selection.embeddings import EmbeddingSpace, Float32Array, Float64Array, IndexArray
from lightly.selection.kernels.loading import find_kernels, load_neighbour_kernels
from lightly.selection.progress import Pulse

# One tile of screened distances, 16 MB: large enough for fast products, far from N x N.
_TILE_ROWS, _TILE_COLUMNS = 512, 8_192


def measure_neighbours(
    space: EmbeddingSpace, samples: IndexArray, n_neighbours: int, pulse: Pulse
) -> Float64Array:
    """Return each sample's distances to its nearest other samples, ascending.

    Screens all pairs with float32 products in tiles and measures exactly the few that can be among
    the nearest. Cost: N^2 d inside products, N K exact evaluations. Memory: a tile and the result.

    Args:
        space: Embeddings.
        samples: The N samples to look among, each once, N > ``n_neighbours``.
        n_neighbours: K.
        pulse: Beats once per tile.

    Returns:
        Euclidean distances, shape ``[N, K]``.
    """
    measure = _open_kernels(space, samples, n_neighbours) or partial(
        _measure_by_products, space, samples, n_neighbours
    )
    result = np.empty((len(samples), n_neighbours))
    for start in range(0, len(samples), _TILE_ROWS):
        pulse.beat()
        rows = np.arange(start, min(start + _TILE_ROWS, len(samples)))
        result[rows] = measure(rows, pulse)
    distances: Float64Array = np.sqrt(result * space.true_unit)
    return distances


_Measure = Callable[[IndexArray, Pulse], Float64Array]


def _open_kernels(space: EmbeddingSpace, samples: IndexArray, n_neighbours: int) -> _Measure | None:
    """Return what measures with compiled loops; None where they do not run or do not pay."""
    kernels = find_kernels(len(samples), space.n_dims, len(samples))
    if kernels is None:
        return None
    loops = load_neighbour_kernels()
    codec = Codec(space, kernels)
    if n_neighbours > loops.MOST_NEIGHBOURS or not codec.is_effective:
        return None
    coded = CodedPicks(codec, len(samples))
    coded.extend(samples)
    unit = 1.0 / space.true_unit

    def measure(rows: IndexArray, _: Pulse) -> Float64Array:
        points, places = space.locate(samples[rows])
        codes = codec.encode(samples[rows])
        nearest = np.empty((len(rows), n_neighbours))
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
        )
        return nearest

    return measure


def _measure_by_products(
    space: EmbeddingSpace, samples: IndexArray, n_neighbours: int, rows: IndexArray, pulse: Pulse
) -> Float64Array:
    """Return the smallest squared distances of a few rows, ascending."""
    points, lengths = space.screen_points(samples[rows])
    bars = np.full(len(rows), np.inf)
    found: list[tuple[IndexArray, IndexArray, Float64Array]] = []
    for start in range(0, len(samples), _TILE_COLUMNS):
        pulse.beat()
        columns = np.arange(start, min(start + _TILE_COLUMNS, len(samples)))
        others, other_lengths = space.screen_points(samples[columns])
        low = points @ space.turn_into_pivots(others).T
        _mask_selves(low, rows, start)
        widest = space.screen_widths(lengths, other_lengths.max(keepdims=True))
        offsets = space.offsets(lengths)
        bars = np.minimum(bars, _find_bars(low, n_neighbours) + offsets + widest)
        # The comparison is in float32: rounding the limit up can only let more pairs pass.
        limits = np.nextafter((bars - offsets).astype(np.float32), np.float32(np.inf))
        place, column = np.nonzero(low <= limits[:, None])
        found.append((place, columns[column], low[place, column] + offsets[place]))
    place, column, bound = (np.concatenate(parts) for parts in zip(*found, strict=True))
    stays = (bound <= bars[place]) & np.isfinite(bound)
    place, column = place[stays], column[stays]
    exact = space.measure_exactly(samples[rows[place]], samples[column])
    order = np.lexsort((exact, place))
    firsts = np.searchsorted(place[order], np.arange(len(rows)))
    nearest: Float64Array = exact[order][firsts[:, None] + np.arange(n_neighbours)]
    return nearest


def _mask_selves(low: Float32Array, rows: IndexArray, first_column: int) -> None:
    """No sample is its own neighbour."""
    inside = np.flatnonzero((rows >= first_column) & (rows < first_column + low.shape[1]))
    low[inside, rows[inside] - first_column] = np.inf


def _find_bars(low: Float32Array, n_neighbours: int) -> Float64Array:
    """Return the K-th smallest value of each row; infinity where a tile has fewer."""
    if low.shape[1] < n_neighbours:
        return np.full(len(low), np.inf)
    kth = np.partition(low, n_neighbours - 1, axis=1)[:, n_neighbours - 1]
    bars: Float64Array = kth.astype(np.float64)
    return bars
