"""Vectors at rest: one little-endian float32 `.npy` file per embedding, in sample order."""

from __future__ import annotations

import itertools
import os
from collections.abc import Iterator
from contextlib import contextmanager
from typing import BinaryIO

import numpy as np
from numpy.typing import NDArray

from lightly.server.storage.blobs import BlobStore

Float32Array = NDArray[np.float32]
IndexArray = NDArray[np.int64]

_DTYPE = np.dtype("<f4")


class VectorWriter:
    """Puts rows where their samples' indices want them, in any order.

    Args:
        file: An empty file.
        n_rows: How many rows there will be.
        dimension: Length of a row.
    """

    def __init__(self, file: BinaryIO, n_rows: int, dimension: int) -> None:
        header = {"descr": _DTYPE.str, "fortran_order": False, "shape": (n_rows, dimension)}
        np.lib.format.write_array_header_1_0(file, header)
        file.flush()
        self._descriptor = file.fileno()
        self._start_bytes = file.tell()
        self._row_bytes = _DTYPE.itemsize * dimension

    def write(self, indices: IndexArray, rows: Float32Array) -> None:
        """Write rows, one system call per run of neighbours.

        Args:
            indices: Sample index of each row, shape `[n]`.
            rows: Shape `[n, dimension]`.
        """
        breaks = np.flatnonzero(np.diff(indices) != 1) + 1
        if breaks.size:
            order = np.argsort(indices)
            indices, rows = indices[order], rows[order]
            breaks = np.flatnonzero(np.diff(indices) != 1) + 1
        content = memoryview(np.ascontiguousarray(rows, dtype=_DTYPE).data).cast("B")
        for start, end in itertools.pairwise([0, *breaks.tolist(), len(indices)]):
            piece = content[start * self._row_bytes : end * self._row_bytes]
            self._write_at(piece, self._start_bytes + int(indices[start]) * self._row_bytes)

    def _write_at(self, rest: memoryview, offset: int) -> None:
        # A system call may write less than it was given.
        while rest:
            written = os.pwrite(self._descriptor, rest, offset)
            rest, offset = rest[written:], offset + written


@contextmanager
def open_vector_writer(
    blobs: BlobStore, key: str, n_rows: int, dimension: int
) -> Iterator[VectorWriter]:
    """Yield a writer whose rows become the object when the block ends without an error.

    Raises:
        StorageFull: If the disk is full; nothing is left behind then.
    """
    with blobs.open_writer(key) as file:
        yield VectorWriter(file, n_rows, dimension)


def open_vectors(blobs: BlobStore, key: str) -> Float32Array:
    """Return the vectors as a memory map, shape `[samples, dimension]`; nothing is read yet.

    Raises:
        FileNotFoundError: If there are none under this key.
    """
    with blobs.open(key) as file:
        np.lib.format.read_magic(file)
        shape, _, dtype = np.lib.format.read_array_header_1_0(file)
        return np.memmap(file, dtype=dtype, mode="r", offset=file.tell(), shape=shape)
