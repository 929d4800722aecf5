"""Samples in the order of their likeness to some of them."""

from __future__ import annotations

import threading
from collections import OrderedDict

import numpy as np
from numpy.typing import NDArray

from lightly.server.embeddings.vectors import open_vectors
from lightly.server.storage.blobs import BlobStore

FloatArray = NDArray[np.float32]
IndexArray = NDArray[np.int64]

#: Rows that are in memory at once: 25 MB of 384 numbers each.
CHUNK_ROWS = 16_384
#: Vectors that stay open. Of object stores they are copies on this machine's disk.
MAX_OPEN = 4


class OpenVectors:
    """Vectors that were asked for lately, as memory maps."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._open: OrderedDict[str, FloatArray] = OrderedDict()

    def open(self, blobs: BlobStore, key: str) -> FloatArray:
        """Return the vectors under a key; the key changes whenever they do.

        Raises:
            FileNotFoundError: If there are none.
        """
        with self._lock:
            known = self._open.get(key)
            if known is not None:
                self._open.move_to_end(key)
                return known
        opened = open_vectors(blobs, key)
        with self._lock:
            self._open[key] = opened
            while len(self._open) > MAX_OPEN:
                self._open.popitem(last=False)
        return opened


def measure_distances(vectors: FloatArray, examples: IndexArray) -> FloatArray:
    """Return the Euclidean distance of each vector to the nearest of some of them.

    All vectors are looked at, in chunks, so that memory does not grow with their number.

    Args:
        vectors: Shape `[n, dimension]`.
        examples: Which of them to compare with.

    Returns:
        Shape `[n]`; zero for the examples themselves. None at all where there is no example.
    """
    if not len(examples):
        return np.empty(0, np.float32)
    wanted = vectors[examples].astype(np.float32)
    # Around the examples, distances to them are differences of small numbers.
    centre = wanted.mean(axis=0)
    wanted -= centre
    norms = np.einsum("ij,ij->i", wanted, wanted)
    distances = np.empty(len(vectors), dtype=np.float32)
    for start in range(0, len(vectors), CHUNK_ROWS):
        rows = vectors[start : start + CHUNK_ROWS] - centre
        squares = norms - 2 * (rows @ wanted.T)
        nearest = squares.min(axis=1) + np.einsum("ij,ij->i", rows, rows)
        distances[start : start + len(rows)] = np.sqrt(np.maximum(nearest, 0))
    distances[examples] = 0
    return distances


def order_by_distance(distances: FloatArray, n_samples: int) -> NDArray[np.uint32]:
    """Return the indices of all samples, the nearest first; those without a vector come last.

    Args:
        distances: Of the first samples. Equal ones are in the order of their indices.
        n_samples: How many samples there are.
    """
    order = np.arange(n_samples, dtype=np.uint32)
    count = min(len(distances), n_samples)
    order[:count] = np.argsort(distances[:count], kind="stable")
    return order
