"""Embeddings that are read piece by piece, because they are larger than memory."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import cast

import numpy as np
from numpy.typing import ArrayLike, NDArray

IndexArray = NDArray[np.int64]


class RowSource(ABC):
    """Rows of a matrix that is not in memory.

    Where embeddings are asked for, a source may be given in place of an array. What it reads must
    not change while it is used.

    Attributes:
        shape: Rows and columns.
        dtype: Of the numbers.
        spare_bytes: Memory for what only saves time; None for as much as it takes.
    """

    shape: tuple[int, int]
    dtype: np.dtype[np.generic]
    spare_bytes: int | None = None
    ndim = 2

    @abstractmethod
    def read_range(self, start: int, stop: int) -> NDArray[np.generic]:
        """Return consecutive rows."""

    @abstractmethod
    def read_rows(self, rows: IndexArray) -> NDArray[np.generic]:
        """Return rows in any order."""

    def __len__(self) -> int:
        """Return the number of rows."""
        return self.shape[0]

    def __getitem__(self, rows: slice | IndexArray) -> NDArray[np.generic]:
        """Return some rows as an array."""
        if isinstance(rows, slice):
            start, stop, step = rows.indices(len(self))
            if step != 1:
                return self.read_rows(np.arange(start, stop, step))
            return self.read_range(start, max(start, stop))
        return self.read_rows(np.asarray(rows, dtype=np.int64))


def as_matrix(values: ArrayLike) -> NDArray[np.generic]:
    """Return values as an array, or a source as it is, which reads like one."""
    if isinstance(values, RowSource):
        return cast("NDArray[np.generic]", values)
    return np.asarray(values)
