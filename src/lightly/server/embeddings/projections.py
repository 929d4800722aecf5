"""Vectors to two dimensions: PCA, UMAP, t-SNE.

All are deterministic: the same vectors give the same picture. The neighbour methods work on the
first principal components and, above `MAX_FITTED_ROWS`, on a part of the rows drawn with a fixed
seed; the others are placed between their nearest neighbours of that part.
"""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import scipy.linalg  # type: ignore[import-untyped]  # ships no types
import scipy.sparse.linalg  # type: ignore[import-untyped]  # ships no types
from numpy.typing import NDArray

Float32Array = NDArray[np.float32]
Float64Array = NDArray[np.float64]

#: Cost and memory of the neighbour methods beyond this: minutes and gigabytes.
MAX_FITTED_ROWS = 100_000
#: Fewer rows have no neighbourhoods to keep; their picture is that of PCA.
MIN_NEIGHBOUR_ROWS = 16
#: Neighbours are searched in so many principal components: more cost time and change little.
REDUCED_DIMENSION = 50
_SEED = 20_260_101
#: Up to here the covariance fits in memory (2048: 32 MB); longer vectors are iterated over.
_MAX_COVARIANCE_DIMENSION = 2_048
#: Rows that are placed at once; their vectors are read piece by piece.
_PLACED_AT_ONCE = 20_000
_LARGEST = float(np.finfo(np.float32).max)
_CHUNK_BYTES = 4 * 1024 * 1024
_UMAP_NEIGHBOURS = 15
_TSNE_PERPLEXITY = 30.0
#: A row that was left out lies between so many rows that were not.
_PLACING_NEIGHBOURS = 5
#: Fitted rows that others are placed between: 10 s per 100,000 rows on one core.
_MAX_ANCHORS = 25_000
#: Rows whose vectors are copied at once: 32 MB for the longest vectors.
_READ_AT_ONCE = 500


@dataclass(frozen=True)
class Reduction:
    """Principal components.

    Attributes:
        mean: Of the vectors, shape `[d]`.
        axes: Shape `[d, k]`, the most important first.
    """

    mean: Float64Array
    axes: Float64Array

    def apply(self, vectors: Float32Array, n_components: int | None = None) -> Float32Array:
        """Return the first components of each vector, shape `[n, n_components]`."""
        axes = self.axes[:, :n_components]
        result = np.empty((len(vectors), axes.shape[1]), dtype=np.float32)
        for start, piece in _iterate_pieces(vectors):
            components = (piece - self.mean) @ axes
            # Vectors near the end of the range of float32 have components beyond it.
            result[start : start + len(piece)] = np.clip(components, -_LARGEST, _LARGEST)
        return result


def project(vectors: Float32Array, method: str) -> Float32Array:
    """Return 2-D coordinates.

    Memory: what the neighbour methods need for `MAX_FITTED_ROWS` rows, and 8 bytes per row.

    Args:
        vectors: Shape `[n, d]`, finite, n and d at least 1; may be a memory map.
        method: `PCA`, `TSNE` or `UMAP`.

    Returns:
        Shape `[n, 2]`, finite. Vectors that are all equal are all at the origin.
    """
    if method == "PCA" or len(vectors) < MIN_NEIGHBOUR_ROWS:
        return _pad(fit_reduction(vectors, 2).apply(vectors))
    reduction = fit_reduction(vectors, REDUCED_DIMENSION)
    n_fitted = min(len(vectors), MAX_FITTED_ROWS)
    # Drawn, not evenly spaced: data may repeat itself at the same pace, as videos do.
    drawn = np.random.default_rng(_SEED).choice(len(vectors), n_fitted, replace=False)
    fitted = np.sort(drawn)
    reduced = np.concatenate(
        [
            reduction.apply(vectors[rows])
            for rows in np.array_split(fitted, 1 + n_fitted // _READ_AT_ONCE)
        ]
    )
    scale = np.abs(reduced).max()
    if scale == 0:
        return _pad(reduction.apply(vectors, 2))
    # The libraries square distances in float32; which rows are neighbours has no unit.
    reduced /= scale
    coordinates = (_fit_umap if method == "UMAP" else _fit_tsne)(reduced)
    if n_fitted == len(vectors):
        return coordinates
    result = _place_others(
        vectors, Reduction(reduction.mean, reduction.axes / scale), reduced, coordinates
    )
    result[fitted] = coordinates
    return result


def fit_reduction(vectors: Float32Array, n_components: int) -> Reduction:
    """Return the first principal components of the vectors.

    The covariance is summed up in float64 over pieces of the rows, so that memory does not grow
    with their number. Each axis points to where its largest loading is positive.

    Args:
        vectors: Shape `[n, d]`.
        n_components: How many to return; d where that is less.
    """
    mean = _measure_mean(vectors)
    axes = _find_axes(vectors, mean, min(n_components, vectors.shape[1]))
    largest = axes[np.argmax(np.abs(axes), axis=0), np.arange(axes.shape[1])]
    return Reduction(mean, axes * np.where(largest < 0, -1.0, 1.0))


def _measure_mean(vectors: Float32Array) -> Float64Array:
    total = np.zeros(vectors.shape[1])
    for _, piece in _iterate_pieces(vectors):
        total += piece.sum(axis=0)
    return total / len(vectors)


def _find_axes(vectors: Float32Array, mean: Float64Array, n_components: int) -> Float64Array:
    """Return the eigenvectors of the largest eigenvalues of the scatter, shape `[d, k]`."""
    dimension = vectors.shape[1]
    if dimension <= _MAX_COVARIANCE_DIMENSION:
        scatter = np.zeros((dimension, dimension))
        for _, piece in _iterate_pieces(vectors):
            centred = piece - mean
            scatter += centred.T @ centred
        chosen = (dimension - n_components, dimension - 1)
        _, axes = scipy.linalg.eigh(scatter, subset_by_index=chosen)
        return np.asarray(axes[:, ::-1])

    def multiply(vector: Float64Array) -> Float64Array:
        product = np.zeros(dimension)
        for _, piece in _iterate_pieces(vectors):
            centred = piece - mean
            product += centred.T @ (centred @ vector.ravel())
        return product

    operator = scipy.sparse.linalg.LinearOperator((dimension, dimension), matvec=multiply)
    start = np.random.default_rng(_SEED).standard_normal(dimension)
    values, axes = scipy.sparse.linalg.eigsh(operator, k=n_components, v0=start)
    return np.asarray(axes[:, np.argsort(-values)])


def _iterate_pieces(vectors: Float32Array) -> Iterator[tuple[int, Float64Array]]:
    """Yield rows as float64, some at a time, each piece with the number of its first row."""
    step = max(1, _CHUNK_BYTES // (8 * vectors.shape[1]))
    for start in range(0, len(vectors), step):
        yield start, np.asarray(vectors[start : start + step], dtype=np.float64)


def _pad(components: Float32Array) -> Float32Array:
    """Return two columns where vectors had one dimension only."""
    missing = 2 - components.shape[1]
    return np.pad(components, ((0, 0), (0, missing)))


def _fit_umap(rows: Float32Array) -> Float32Array:
    with warnings.catch_warnings():
        # It warns of a part that is not installed and not used.
        warnings.simplefilter("ignore", ImportWarning)
        import umap  # noqa: PLC0415  takes 5 s to load, and other methods do without

    neighbours = min(_UMAP_NEIGHBOURS, len(rows) - 1)
    # A random start would be another picture each time, and a spectral one fails on duplicates.
    model = umap.UMAP(
        n_neighbors=neighbours, init=_make_start(rows, 10.0), random_state=_SEED, n_jobs=1
    )
    return np.asarray(model.fit_transform(rows), dtype=np.float32)


def _fit_tsne(rows: Float32Array) -> Float32Array:
    import openTSNE  # noqa: PLC0415  takes 3 s to load, and other methods do without

    model = openTSNE.TSNE(
        perplexity=min(_TSNE_PERPLEXITY, (len(rows) - 1) / 3),
        initialization=_make_start(rows, 1e-4),
        random_state=_SEED,
        n_jobs=1,
    )
    return np.asarray(model.fit(rows), dtype=np.float32)


def _make_start(rows: Float32Array, spread: float) -> Float32Array:
    """Return the first two components at a given scale, duplicates moved apart a little."""
    start = _pad(rows[:, :2]).astype(np.float64)
    start *= spread / np.abs(start).max()
    noise = np.random.default_rng(_SEED).standard_normal(start.shape)
    return (start + noise * spread * 1e-4).astype(np.float32)


def _place_others(
    vectors: Float32Array, reduction: Reduction, reduced: Float32Array, coordinates: Float32Array
) -> Float32Array:
    """Return a place for every row between its nearest neighbours among the fitted ones.

    The search is exact: approximate graphs do not find their way between separate clusters.
    """
    from sklearn.neighbors import NearestNeighbors  # noqa: PLC0415  slow to load, rarely needed

    step = 1 + (len(reduced) - 1) // _MAX_ANCHORS
    anchors, anchor_places = reduced[::step], coordinates[::step].astype(np.float64)
    n_neighbours = min(_PLACING_NEIGHBOURS, len(anchors))
    index = NearestNeighbors(n_neighbors=n_neighbours, algorithm="brute").fit(anchors)
    result = np.empty((len(vectors), 2), dtype=np.float32)
    for start in range(0, len(vectors), _PLACED_AT_ONCE):
        piece = reduction.apply(vectors[start : start + _PLACED_AT_ONCE])
        distances, places = index.kneighbors(piece)
        weights = 1.0 / (distances.astype(np.float64) + 1e-12)
        weights /= weights.sum(axis=1, keepdims=True)
        placed = np.einsum("ij,ijk->ik", weights, anchor_places[places])
        result[start : start + len(piece)] = placed
    return result
