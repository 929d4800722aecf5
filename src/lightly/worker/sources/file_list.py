"""The list of input files of a run, on disk: ten million names need no memory."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Iterator
from itertools import islice
from pathlib import Path
from typing import NamedTuple

_ROWS_PER_INSERT = 2_000


class InputFile(NamedTuple):
    """One file of the input.

    Attributes:
        name: Relative to the datasource.
        location: A URL to read it from, a secret; or a path on this machine.
        version: Stands for its bytes: as long as it stays, they do. Empty if nothing does.
        expires_at_ms: When the store removes it, since 1970; None if it does not, or nobody asked.
    """

    name: str
    location: str
    version: str = ""
    expires_at_ms: int | None = None


class FileList:
    """The files of one run, each name once, in the order of their names.

    The order does not depend on how the store lists, so a run gives the same on every store.

    Args:
        path: The file to keep it in. What an earlier attempt has left there is dropped: its URLs
            may have expired.
    """

    def __init__(self, path: Path) -> None:
        for suffix in ("", "-wal", "-shm"):
            path.with_name(path.name + suffix).unlink(missing_ok=True)
        self._connection = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
        self._connection.execute("PRAGMA journal_mode=OFF")
        self._connection.execute("PRAGMA synchronous=OFF")
        self._connection.execute(
            "CREATE TABLE files (name BLOB PRIMARY KEY, location TEXT NOT NULL,"
            " version TEXT NOT NULL) WITHOUT ROWID"
        )

    def close(self) -> None:
        """Close the file."""
        self._connection.close()

    def add(self, files: Iterable[InputFile]) -> int:
        """Add files; return how many names were there already and are left out."""
        n_repeated = 0
        remaining = iter(files)
        while batch := list(islice(remaining, _ROWS_PER_INSERT)):
            before = self._connection.total_changes
            self._connection.execute("BEGIN")
            self._connection.executemany(
                "INSERT OR IGNORE INTO files VALUES (?, ?, ?)",
                (
                    (file.name.encode("utf-8", "surrogateescape"), file.location, file.version)
                    for file in batch
                ),
            )
            self._connection.execute("COMMIT")
            n_repeated += len(batch) - (self._connection.total_changes - before)
        return n_repeated

    def drop(self, names: Iterable[str]) -> list[str]:
        """Remove files by name; return those that were there."""
        dropped = []
        self._connection.execute("BEGIN")
        for name in names:
            key = name.encode("utf-8", "surrogateescape")
            if self._connection.execute("DELETE FROM files WHERE name = ?", (key,)).rowcount:
                dropped.append(name)
        self._connection.execute("COMMIT")
        return dropped

    def has(self, name: str) -> bool:
        """Tell whether a file is in the list."""
        key = name.encode("utf-8", "surrogateescape")
        query = "SELECT 1 FROM files WHERE name = ?"
        return self._connection.execute(query, (key,)).fetchone() is not None

    def __len__(self) -> int:
        """Return how many there are."""
        row = self._connection.execute("SELECT count(*) FROM files").fetchone()
        return int(row[0])

    def iterate(self) -> Iterator[InputFile]:
        """Yield all files by name."""
        last = b""
        query = "SELECT name, location, version FROM files WHERE name > ? ORDER BY name LIMIT ?"
        while rows := self._connection.execute(query, (last, _ROWS_PER_INSERT)).fetchall():
            for name, location, version in rows:
                yield InputFile(name.decode("utf-8", "surrogateescape"), location, version)
            last = rows[-1][0]

    def split(self, size: int) -> Iterator[list[InputFile]]:
        """Yield all files by name, `size` at a time."""
        remaining = self.iterate()
        while batch := list(islice(remaining, size)):
            yield batch
