"""Arithmetic on embeddings. Loads no model."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Vectors = NDArray[np.float32]


def normalize_vectors(vectors: Vectors) -> Vectors:
    """Return the vectors with length 1; vectors of zeros stay as they are."""
    lengths = np.linalg.norm(vectors.astype(np.float64), axis=1, keepdims=True)
    return (vectors / np.where(lengths == 0, 1, lengths)).astype(np.float32)
