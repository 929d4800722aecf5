"""Synthetic embeddings whose difficulty is known."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

N_CLUSTERS, CLUSTER_DIMS, EXPONENT, NOISE = 200, 16, 0.8, 0.05


def make_embeddings(kind: str, n_samples: int, n_dims: int, seed: int = 0) -> NDArray[np.float32]:
    """Return unit vectors: ``uniform`` on the sphere, or ``clustered``.

    Clustered: 200 clusters of power-law sizes, each an anisotropic Gaussian of 16 dimensions in
    R^d around a random direction, plus noise in all dimensions.
    """
    rng = np.random.default_rng(seed)
    if kind == "uniform":
        rows = rng.standard_normal(size=(n_samples, n_dims), dtype=np.float32)
    else:
        rows = _make_clusters(rng, n_samples, n_dims)
    rows /= np.linalg.norm(rows, axis=1, keepdims=True)
    return rows


def _make_clusters(rng: np.random.Generator, n_samples: int, n_dims: int) -> NDArray[np.float32]:
    shares = (np.arange(N_CLUSTERS) + 1.0) ** -EXPONENT
    cluster = rng.choice(N_CLUSTERS, size=n_samples, p=shares / shares.sum())
    centres = rng.standard_normal(size=(N_CLUSTERS, n_dims), dtype=np.float32)
    centres /= np.linalg.norm(centres, axis=1, keepdims=True)
    rows = np.empty((n_samples, n_dims), dtype=np.float32)
    for k in range(N_CLUSTERS):
        members = np.flatnonzero(cluster == k)
        spread = rng.uniform(0.1, 0.6, size=(CLUSTER_DIMS, 1)) / np.sqrt(n_dims)
        axes = (spread * rng.normal(size=(CLUSTER_DIMS, n_dims))).astype(np.float32)
        inside = rng.standard_normal(size=(len(members), CLUSTER_DIMS), dtype=np.float32) @ axes
        noise = rng.standard_normal(size=(len(members), n_dims), dtype=np.float32)
        rows[members] = centres[k] + inside + np.float32(NOISE) * noise
    return rows
