"""Two-dimensional maps of the input with what was selected."""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lightly.worker.report.distances import Vectors, choose_evenly
from lightly.worker.report.facts import SelectionFacts

#: Points of a map: more cannot be told apart on a page.
MAX_POINTS = 2_000
N_EXAMPLES = 12
#: Fewer images have no neighbourhoods that a picture could show, and UMAP compiles for a while.
FEWEST_FOR_UMAP = 500


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
    _, _, axes = np.linalg.svd(centred, full_matrices=False)
    points = centred @ axes[:2].T
    if points.shape[1] < 2:
        points = np.column_stack([points, np.zeros(len(points))])
    signs = np.sign(points[np.abs(points).argmax(axis=0), [0, 1]])
    return np.asarray(points * np.where(signs == 0, 1.0, signs))


def project_neighbourhoods(vectors: Vectors, start: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return a map that keeps neighbours together (UMAP); of few vectors, the PCA again."""
    if len(vectors) < FEWEST_FOR_UMAP:
        return start
    import umap  # noqa: PLC0415  takes seconds to load

    with warnings.catch_warnings():
        # It says that a seed takes one thread.
        warnings.simplefilter("ignore")
        model = umap.UMAP(n_neighbors=15, random_state=0, n_jobs=1)
        return np.asarray(model.fit_transform(vectors), np.float64)
