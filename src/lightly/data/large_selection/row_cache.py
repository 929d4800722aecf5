"""Rows that were read lately."""

from __future__ import annotations

import threading

import numpy as np
from numpy.typing import NDArray


class RowCache:
    """Keeps rows, each in the one place that its number names; the latest stays.

    Args:
        size_bytes: Most memory for rows; with less than one row nothing is kept.
        n_dims: Columns.
        dtype: Of the numbers.
    """

    def __init__(self, size_bytes: int, n_dims: int, dtype: np.dtype[np.generic]) -> None:
        n_places = max(1, size_bytes // (n_dims * dtype.itemsize + 8))
        self._rows = np.empty((n_places, n_dims), dtype=dtype)
        self._numbers = np.full(n_places, -1)
        self._lock = threading.Lock()

    def take(self, numbers: NDArray[np.int64], found: NDArray[np.generic]) -> NDArray[np.int64]:
        """Write the rows that are here; return the places of those that are not."""
        places = numbers % len(self._numbers)
        with self._lock:
            is_here = self._numbers[places] == numbers
            found[is_here] = self._rows[places[is_here]]
        return np.flatnonzero(~is_here)

    def put(self, numbers: NDArray[np.int64], rows: NDArray[np.generic]) -> None:
        """Keep rows."""
        places = numbers % len(self._numbers)
        # Of several rows for one place one is kept, with its own number.
        places, chosen = np.unique(places, return_index=True)
        with self._lock:
            self._numbers[places] = numbers[chosen]
            self._rows[places] = rows[chosen]
