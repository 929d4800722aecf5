"""Embeddings that users bring along in a CSV, kept on disk by file name."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Iterator
from itertools import islice
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from lightly.data.datasource_files.embedding_files import (
    iterate_custom_embeddings,
    read_dimension,
    refuse_repeated_name,
)

_ROWS_PER_INSERT = 1_000


class CustomEmbeddings:
    """The vectors of a file with custom embeddings.

    Args:
        file: Its name in the datasource, for errors.
        index_path: Where to keep which image is in which row; what is there is dropped.
        vectors_path: Where to keep the vectors.
        dim: Length of a vector.

    Attributes:
        file: Its name in the datasource.
        dim: Length of a vector.
    """

    def __init__(self, file: str, index_path: Path, vectors_path: Path, dim: int) -> None:
        self.file = file
        self.dim = dim
        self._vectors_path = vectors_path
        self._vectors = np.empty((0, dim), np.float32)
        index_path.unlink(missing_ok=True)
        self._connection = sqlite3.connect(
            index_path, isolation_level=None, check_same_thread=False
        )
        self._connection.execute("PRAGMA journal_mode=OFF")
        self._connection.execute("PRAGMA synchronous=OFF")
        self._connection.execute(
            "CREATE TABLE rows (name BLOB PRIMARY KEY, number INTEGER NOT NULL,"
            " is_masked INTEGER NOT NULL) WITHOUT ROWID"
        )

    def close(self) -> None:
        """Close the files."""
        self._connection.close()

    def read(self, path: Path, *, n_dimensions: int | None) -> None:
        """Take in all rows.

        Args:
            path: The CSV on this machine.
            n_dimensions: What the length of the vectors must be; None if any will do.

        Raises:
            FileInvalid: At the first row that breaks a rule.
        """
        rows = iterate_custom_embeddings(path, self.file, n_dimensions=n_dimensions)
        number = 0
        with self._vectors_path.open("wb") as file:
            while batch := list(islice(rows, _ROWS_PER_INSERT)):
                self._connection.execute("BEGIN")
                for name, vector, is_masked in batch:
                    file.write(vector.tobytes())
                    self._insert(name, number, is_masked=is_masked)
                    number += 1
                self._connection.execute("COMMIT")
        if number:
            self._vectors = np.memmap(self._vectors_path, np.float32, "r").reshape(-1, self.dim)

    def __len__(self) -> int:
        """Return how many images have a row."""
        return len(self._vectors)

    def find(self, name: str) -> NDArray[np.float32] | None:
        """Return the vector of an image; None if it has no row."""
        query = "SELECT number FROM rows WHERE name = ?"
        row = self._connection.execute(query, (_encode(name),)).fetchone()
        return None if row is None else self._vectors[row[0]]

    def find_missing(self, names: Iterable[str]) -> Iterator[str]:
        """Yield those of some names that have no row."""
        query = "SELECT 1 FROM rows WHERE name = ?"
        for name in names:
            if self._connection.execute(query, (_encode(name),)).fetchone() is None:
                yield name

    def iterate_names(self, *, is_masked: bool = False) -> Iterator[tuple[int, str]]:
        """Yield the numbers, from 1, and names of rows that count, or of those that do not."""
        query = "SELECT number, name FROM rows WHERE is_masked = ? ORDER BY name"
        for number, name in self._connection.execute(query, (is_masked,)):
            yield number + 1, name.decode("utf-8", "surrogateescape")

    def _insert(self, name: str, number: int, *, is_masked: bool) -> None:
        row = (_encode(name), number, is_masked)
        try:
            self._connection.execute("INSERT INTO rows VALUES (?, ?, ?)", row)
        except sqlite3.IntegrityError:
            raise refuse_repeated_name(self.file, number + 1, name) from None


def open_custom_embeddings(file: str, path: Path, folder: Path) -> CustomEmbeddings:
    """Return what takes in a CSV.

    Args:
        file: Its name in the datasource, for errors.
        path: The CSV on this machine.
        folder: Where to keep what it holds.

    Raises:
        FileInvalid: If its header breaks a rule.
    """
    dim = read_dimension(path, file)
    return CustomEmbeddings(
        file, folder / "custom_embeddings.sqlite", folder / "custom_embeddings.f32", dim
    )


def _encode(name: str) -> bytes:
    return name.encode("utf-8", "surrogateescape")
