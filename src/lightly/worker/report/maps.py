"""Two-dimensional maps of the input with what was selected."""

from __future__ import annotations

from typing import Any

import numpy as np
import threadpoolctl  # type: ignore[import-untyped]  # ships no type information
from numpy.typing import NDArray

from lightly.selection.blas import hold_blas_to_one_thread
from lightly.worker.report.distances import Vectors, choose_evenly
from lightly.worker.report.facts import SelectionFacts
from lightly.worker.report.neighbour_layout import lay_out

#: Points of a map: more cannot be told apart on a page.
MAX_POINTS = 1_500
N_EXAMPLES = 12
_NEIGHBOURS = 15
_HALVINGS = 50
_BLOCK = 64
#: Fewer images have no neighbourhoods that a picture could show.
FEWEST_FOR_UMAP = 500


@hold_blas_to_one_thread()
def draw_maps(found: SelectionFacts) -> dict[str, Any]:
    """Return the contract's `ScatterPlotData`: PCA, and the same points by neighbourhood."""
    places = _choose_points(found)
    datapool = found.datapool[choose_evenly(len(found.datapool), MAX_POINTS)]
    vectors = np.concatenate([found.embeddings[places], datapool])
    flat = project_pca(vectors)
    spread = project_neighbourhoods(vectors, flat)
    is_selected = np.isin(places, found.picks)
    return {
        "pcaEmbeddingData": _write_map(found, places, is_selected, flat),
        "umapEmbeddingData": _write_map(found, places, is_selected, spread),
    }


def _choose_points(found: SelectionFacts) -> NDArray[np.int64]:
    """Return positions to show: picks first of all, the rest evenly from the input."""
    n_picks = len(found.picks)
    picks = found.picks[choose_evenly(n_picks, MAX_POINTS // 2)]
    others = np.setdiff1d(np.arange(len(found.embeddings)), found.picks)
    return np.concatenate([picks, others[choose_evenly(len(others), MAX_POINTS - len(picks))]])


def _write_map(
    found: SelectionFacts,
    places: NDArray[np.int64],
    is_selected: NDArray[np.bool_],
    points: NDArray[np.float64],
) -> dict[str, Any]:
    own, datapool = points[: len(places)], points[len(places) :]
    shown = np.flatnonzero(is_selected)[choose_evenly(int(is_selected.sum()), N_EXAMPLES)]
    return {
        "input2dEmbeddings": own.tolist(),
        "datapool2dEmbeddings": datapool.tolist(),
        "selectedExcludingDatapool2dEmbeddings": own[is_selected].tolist(),
        "exampleImages": [
            {"location": own[row].tolist(), "filename": found.names[int(places[row])]}
            for row in shown
            if int(places[row]) in found.names
        ],
    }


def project_pca(vectors: Vectors) -> NDArray[np.float64]:
    """Return the two directions in which vectors differ most, each with a fixed sign."""
    if len(vectors) < 2:
        return np.zeros((len(vectors), 2))
    centred = vectors.astype(np.float64) - vectors.mean(axis=0, dtype=np.float64)
    points = centred @ _find_main_axes(centred)
    if points.shape[1] < 2:
        points = np.column_stack([points, np.zeros(len(points))])
    signs = np.sign(points[np.abs(points).argmax(axis=0), [0, 1]])
    return np.asarray(points * np.where(signs == 0, 1.0, signs))


def _find_main_axes(centred: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the two main axes of rows around 0, shape (d, 2) or fewer columns.

    Of all axes that a decomposition of the rows would find, in a tenth of the time: from the
    products of rows where these are fewer, else of columns.
    """
    import scipy.linalg  # type: ignore[import-untyped]  # noqa: PLC0415  takes a while to load

    has_few_rows = centred.shape[0] < centred.shape[1]
    products = centred @ centred.T if has_few_rows else centred.T @ centred
    last = [max(0, len(products) - 2), len(products) - 1]
    # This library has a BLAS of its own, whose threads wait for each other most of the time.
    with threadpoolctl.threadpool_limits(1, user_api="blas"):
        _, found = scipy.linalg.eigh(products, subset_by_index=last)
    axes: NDArray[np.float64] = np.asarray(found[:, ::-1])
    if has_few_rows:
        axes = centred.T @ axes
        lengths = np.linalg.norm(axes, axis=0)
        axes /= np.where(lengths > 0, lengths, 1.0)
    return axes


def project_neighbourhoods(vectors: Vectors, start: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return a map that keeps neighbours together (UMAP); of few vectors, the PCA again.

    The library takes three seconds to load and compile, five times as long as this for so few
    points.
    """
    if len(vectors) < FEWEST_FOR_UMAP:
        return start
    return lay_out(weigh_neighbours(vectors), start)


def weigh_neighbours(vectors: Vectors) -> Any:
    """Return how near vectors are to their nearest ones, as the sparse symmetric graph of UMAP.

    A neighbour weighs 1 at the distance of the nearest one and less behind it, at a pace of each
    vector's own that makes the weights of its neighbours sum up to log2 of their number. Source:
    McInnes, Healy, Melville: UMAP (2018), section 3.1.
    """
    from scipy.sparse import (  # type: ignore[import-untyped]  # noqa: PLC0415  slow to load
        csr_matrix,
    )

    count = len(vectors)
    nearest, distances = _find_neighbours(vectors, min(_NEIGHBOURS, count) - 1)
    positive = np.where(distances > 0, distances, np.inf).min(axis=1, keepdims=True)
    behind = np.maximum(distances - np.where(np.isfinite(positive), positive, 0.0), 0.0)
    # A vector counts as one of its own neighbours.
    target = np.log2(nearest.shape[1] + 1)
    low, high = np.zeros((count, 1)), np.full((count, 1), max(1.0, 1e3 * float(behind.max())))
    for _ in range(_HALVINGS):
        middle = (low + high) / 2
        is_wide = np.exp(-behind / middle).sum(axis=1, keepdims=True) > target
        low, high = np.where(is_wide, low, middle), np.where(is_wide, middle, high)
    weights = np.exp(-behind / high)
    rows = np.repeat(np.arange(count), nearest.shape[1])
    one_way = csr_matrix((weights.ravel(), (rows, nearest.ravel())), shape=(count, count))
    other_way = one_way.T.tocsr()
    return one_way + other_way - one_way.multiply(other_way)


def _find_neighbours(vectors: Vectors, count: int) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """Return positions and distances of the nearest others of each vector, shape (n, count)."""
    squares = np.einsum("ij,ij->i", vectors, vectors)
    nearest = np.empty((len(vectors), count), np.int64)
    distances = np.empty((len(vectors), count))
    for start in range(0, len(vectors), _BLOCK):
        block = vectors[start : start + _BLOCK]
        scores = squares - 2 * (block @ vectors.T)
        scores[np.arange(len(block)), np.arange(start, start + len(block))] = np.inf
        found = np.argpartition(scores, count - 1, axis=1)[:, :count]
        gaps = vectors[found] - block[:, None, :]
        nearest[start : start + _BLOCK] = found
        distances[start : start + _BLOCK] = np.sqrt(np.einsum("ijk,ijk->ij", gaps, gaps))
    return nearest, distances
