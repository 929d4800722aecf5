"""Other ways to pick diverse samples, each as one function of embeddings and a number of picks."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Embeddings = NDArray[np.float32]
Picks = NDArray[np.int64]


def pick_with_numpy(embeddings: Embeddings, n_picks: int) -> Picks:
    """Greedy with one matrix-vector product per pick, as usually written in numpy."""
    lengths = np.einsum("ij,ij->i", embeddings, embeddings)
    nearest = np.full(len(embeddings), np.inf, dtype=np.float32)
    picks = np.zeros(n_picks, dtype=np.int64)
    for place in range(1, n_picks):
        pick = picks[place - 1]
        distances = embeddings @ embeddings[pick]
        distances *= -2.0
        distances += lengths + lengths[pick]
        np.minimum(nearest, distances, out=nearest)
        picks[place] = nearest.argmax()
    return picks


def pick_with_mundig(embeddings: Embeddings, n_picks: int) -> Picks:
    """The selection library that the published worker ships."""
    from lightly_mundig import Selection

    selection = Selection()
    selection.add_diversifying_strategy(embeddings, strength=1.0)
    picks = selection.run_selection(
        preselected_indices=[],
        n_total_samples=len(embeddings),
        n_samples_to_select=n_picks,
    )
    return np.asarray(picks)


def pick_with_fpsample(embeddings: Embeddings, n_picks: int) -> Picks:
    """Exact farthest-point sampling written in Rust."""
    import fpsample

    return np.asarray(fpsample.fps_sampling(embeddings, n_picks, start_idx=0)).astype(np.int64)


def pick_with_apricot(embeddings: Embeddings, n_picks: int) -> Picks:
    """Facility location by lazy greedy: another objective, the mean distance."""
    from apricot import FacilityLocationSelection

    selection = FacilityLocationSelection(n_picks, metric="euclidean", optimizer="lazy")
    return np.asarray(selection.fit(embeddings.astype(np.float64)).ranking)


def pick_at_random(embeddings: Embeddings, n_picks: int) -> Picks:
    """No method at all."""
    return np.random.default_rng(0).permutation(len(embeddings))[:n_picks]
