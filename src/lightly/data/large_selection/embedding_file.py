"""A file of embeddings, read piece by piece.

Pieces are read, not mapped: a file that is cut short while it is mapped ends the process without a
word, and mapped pages count as the process's memory.
"""

from __future__ import annotations

import os
import weakref
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO, Self

import numpy as np
from numpy.typing import NDArray

from lightly._kit.errors import BadInput
from lightly.data.large_selection.row_cache import RowCache
from lightly.selection import RowSource

_MAGIC = b"\x93NUMPY"
_DTYPES = {"<f4": "float32", "<f2": "float16"}
_MOST_DIMENSIONS = 65_536
#: Rows that were read lately are kept in so much memory, unless something else is said.
_CACHE_BYTES = 16 << 20


class EmbeddingFileInvalid(BadInput):
    """A file of embeddings breaks a rule. The message names it, the rule and the remedy."""


@dataclass(frozen=True)
class _Layout:
    """Where the rows of a file are."""

    dtype: np.dtype[np.generic]
    shape: tuple[int, int]
    offset: int


class EmbeddingFile(RowSource):
    """Embeddings in a file: ``.npy``, or rows one after the other without any header.

    Rows are float32 or float16, little-endian, C-ordered. The file must not change while it is
    used: every piece that is read is preceded by a look at its size and time of modification.

    Args:
        path: The file.
        n_dims: Columns of a file without header; None for ``.npy``.
        dtype: Of a file without header.

    Raises:
        EmbeddingFileInvalid: If the file is no such file.

    Example:
        >>> from lightly.data.large_selection import EmbeddingFile
        >>> EmbeddingFile("embeddings.npy").shape  # doctest: +SKIP
        (1000000, 512)
    """

    def __init__(
        self, path: str | os.PathLike[str], *, n_dims: int | None = None, dtype: str = "float32"
    ) -> None:
        self._path = Path(path)
        self._options: dict[str, Any] = {} if n_dims is None else {"n_dims": n_dims, "dtype": dtype}
        try:
            self._file: BinaryIO = self._path.open("rb", buffering=0)
        except OSError as error:
            raise EmbeddingFileInvalid(
                f"The file {self.name} cannot be opened: {error.strerror}."
            ) from error
        weakref.finalize(self, self._file.close)
        self._descriptor = self._file.fileno()
        self._state = self._take_state()
        layout = _read_header(self._file, self.name) if n_dims is None else _plan(n_dims, dtype)
        self.dtype, self._offset = layout.dtype, layout.offset
        self._row_bytes = layout.shape[1] * layout.dtype.itemsize
        self.shape = (self._count_rows(layout, is_raw=n_dims is not None), layout.shape[1])
        self.keep_rows(_CACHE_BYTES)

    @property
    def name(self) -> str:
        """What messages call the file."""
        return repr(self._path.name[:200])

    def __reduce__(self) -> tuple[object, ...]:
        """Let other processes open the file by themselves; it must be as long there."""
        return _reopen, (str(self._path), self._options, self.shape)

    def close(self) -> None:
        """Close the file."""
        self._file.close()

    def __enter__(self) -> Self:
        """Return the file, which is open."""
        return self

    def __exit__(self, *_: object) -> None:
        """Close the file."""
        self.close()

    def check_unchanged(self) -> None:
        """Look whether the file is what it was when it was opened.

        Raises:
            EmbeddingFileInvalid: If not.
        """
        if self._take_state() != self._state:
            raise EmbeddingFileInvalid(
                f"The file {self.name} has changed since it was opened. Leave it as it is until "
                "the selection has ended, then start again."
            )

    def read_range(self, start: int, stop: int) -> NDArray[np.generic]:
        """Return consecutive rows."""
        self.check_unchanged()
        rows = np.empty((stop - start, self.shape[1]), dtype=self.dtype)
        self._fill(_view_bytes(rows), start)
        return rows

    def read_rows(self, rows: NDArray[np.int64]) -> NDArray[np.generic]:
        """Return rows in any order; neighbours in the file are read together."""
        self.check_unchanged()
        found = np.empty((len(rows), self.shape[1]), dtype=self.dtype)
        starts = np.flatnonzero(np.diff(rows, prepend=-2) != 1)
        if 2 * len(starts) < len(rows):
            self._read_runs(rows, starts, found)
            return found
        missing = self._cache.take(rows, found)
        if len(missing):
            wanted = rows[missing]
            read = np.empty((len(wanted), self.shape[1]), dtype=self.dtype)
            self._read_runs(wanted, np.flatnonzero(np.diff(wanted, prepend=-2) != 1), read)
            self._cache.put(wanted, read)
            found[missing] = read
        return found

    def keep_rows(self, size_bytes: int) -> None:
        """Keep rows that were read lately in this much memory."""
        self._cache = RowCache(size_bytes, self.shape[1], self.dtype)

    def _read_runs(
        self, rows: NDArray[np.int64], starts: NDArray[np.int64], found: NDArray[np.generic]
    ) -> None:
        """Read rows, of which those between two starts are neighbours in the file."""
        target, size = _view_bytes(found), self._row_bytes
        ends = np.append(starts[1:], len(rows)) * size
        places = (starts * size).tolist()
        for place, end, first in zip(places, ends.tolist(), rows[starts].tolist(), strict=True):
            self._fill(target[place:end], first)

    def _fill(self, wanted: memoryview, start: int) -> None:
        """Read rows from ``start`` on into memory of as many bytes."""
        offset = self._offset + start * self._row_bytes
        while len(wanted):
            size = os.preadv(self._descriptor, [wanted], offset)
            if size == 0:
                row = (offset - self._offset) // self._row_bytes
                raise EmbeddingFileInvalid(
                    f"The file {self.name} ends within row {row}, although it had "
                    f"{self.shape[0]} rows when it was opened. Write it again, then start again."
                )
            wanted, offset = wanted[size:], offset + size

    def _take_state(self) -> tuple[int, int, int, int]:
        """Return what changes when the file does, or another takes its place."""
        try:
            of_file = os.fstat(self._file.fileno())
            of_name = self._path.stat()
        except OSError as error:
            raise EmbeddingFileInvalid(
                f"The file {self.name} is not there any more: {error.strerror}. Put it back, then "
                "start again."
            ) from error
        return of_file.st_size, of_file.st_mtime_ns, of_name.st_ino, of_name.st_dev

    def _count_rows(self, layout: _Layout, *, is_raw: bool) -> int:
        """Return how many rows there are; the file must end where they do."""
        size_bytes = self._state[0] - self._offset
        n_rows, left = divmod(size_bytes, self._row_bytes)
        if is_raw:
            if left:
                raise EmbeddingFileInvalid(
                    f"The file {self.name} has {size_bytes} bytes, which is no whole number of "
                    f"rows of {self._row_bytes} bytes: it is cut off within row {n_rows}, or its "
                    "number of dimensions or its type is another one."
                )
            return n_rows
        if size_bytes < layout.shape[0] * self._row_bytes:
            raise EmbeddingFileInvalid(
                f"The file {self.name} ends within row {n_rows}; its header announces "
                f"{layout.shape[0]} rows. Write it again."
            )
        if size_bytes > layout.shape[0] * self._row_bytes:
            raise EmbeddingFileInvalid(
                f"The file {self.name} goes on after the {layout.shape[0]} rows that its header "
                "announces. Write it again."
            )
        return layout.shape[0]


def _view_bytes(rows: NDArray[np.generic]) -> memoryview:
    return rows.reshape(-1).view(np.uint8).data


def _reopen(path: str, options: dict[str, Any], shape: tuple[int, int]) -> EmbeddingFile:
    file = EmbeddingFile(path, **options)
    if file.shape != shape:
        raise EmbeddingFileInvalid(
            f"The file {file.name} has shape {file.shape} here and {shape} where the selection was "
            "started. Give all processes the same file."
        )
    return file


def _read_header(file: BinaryIO, name: str) -> _Layout:
    """Return what the header of a ``.npy`` file says."""
    from numpy.lib import format as npy  # noqa: PLC0415  only here

    if os.pread(file.fileno(), len(_MAGIC), 0) != _MAGIC:
        raise EmbeddingFileInvalid(
            f"The file {name} is no .npy file. Save it with numpy.save, or give the number of "
            "dimensions of a file without header."
        )
    try:
        version = npy.read_magic(file)
        read = npy.read_array_header_1_0 if version == (1, 0) else npy.read_array_header_2_0
        shape, is_column_major, dtype = read(file)
    except (ValueError, EOFError) as error:
        raise EmbeddingFileInvalid(
            f"The header of the file {name} cannot be read. Write the file again."
        ) from error
    if len(shape) != 2 or not 1 <= shape[1] <= _MOST_DIMENSIONS:
        raise EmbeddingFileInvalid(
            f"The file {name} has shape {shape}; embeddings have one row per sample and 1 to "
            f"{_MOST_DIMENSIONS} columns."
        )
    if dtype.str not in _DTYPES:
        raise EmbeddingFileInvalid(
            f"The file {name} holds numbers of type {dtype.str}; float32 and float16, "
            "little-endian, can be read. Save it with .astype('float32')."
        )
    if is_column_major and min(shape) > 1:
        raise EmbeddingFileInvalid(
            f"The file {name} is stored column by column. Save numpy.ascontiguousarray of it."
        )
    return _Layout(dtype, (shape[0], shape[1]), file.tell())


def _plan(n_dims: int, dtype: str) -> _Layout:
    """Return the layout of a file without header."""
    if dtype not in _DTYPES.values():
        raise EmbeddingFileInvalid(
            f"Rows without header are float32 or float16, little-endian. Got {str(dtype)[:40]!r}."
        )
    if isinstance(n_dims, bool) or not 1 <= n_dims <= _MOST_DIMENSIONS:
        raise EmbeddingFileInvalid(
            f"The number of dimensions must be 1 to {_MOST_DIMENSIONS}. Got {str(n_dims)[:40]!r}."
        )
    return _Layout(np.dtype(dtype).newbyteorder("<"), (0, n_dims), 0)
