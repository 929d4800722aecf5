"""What an interrupted embedding run has finished already, beside its output.

A SQLite file: every batch is one transaction, so a run that is killed at any moment goes on after
its last batch. Rows of a file that was changed meanwhile are forgotten.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Self

from lightly._kit.errors import LightlyError

_SCHEMA = """
create table if not exists settings (digest text not null);
create table if not exists sources (
    name text primary key, size_bytes integer, mtime_ns integer, n_frames integer, is_done integer
) without rowid;
create table if not exists rows (
    source text, frame integer, name text, vector text, corruption text,
    primary key (source, frame)
) without rowid;
"""


class EmbeddingRunFailed(LightlyError, RuntimeError):
    """The embeddings cannot be written."""

    code = "embedding_run_failed"


@dataclass(frozen=True, slots=True)
class SourceVersion:
    """A file as it was when it was read."""

    name: str
    size_bytes: int
    mtime_ns: int


@dataclass(frozen=True, slots=True)
class FinishedRow:
    """The result for one image or frame.

    Attributes:
        source: Name of the file that it came from.
        frame: Number of the frame; 0 for an image.
        name: File name of the sample.
        vector: The numbers as they stand in the CSV; None for a corrupt sample.
        corruption: The reason; None for a good sample.
    """

    source: str
    frame: int
    name: str
    vector: str | None
    corruption: str | None


class EmbeddingState:
    """The finished rows of one output file.

    Args:
        path: The state file.
        digest: Of everything that decides about a vector; rows of another digest are dropped.

    Raises:
        EmbeddingRunFailed: If another process works on the same output.
    """

    def __init__(self, path: Path, digest: str) -> None:
        self._path = path
        path.parent.mkdir(parents=True, exist_ok=True)
        try:
            self._connection = _open(path)
        except sqlite3.DatabaseError as error:
            if "locked" in str(error):
                raise EmbeddingRunFailed(
                    f"Another process is writing {path.name!r}."
                    " Wait for it or choose another output."
                ) from error
            # A damaged state costs the work that it held, not the run.
            path.unlink()
            self._connection = _open(path)
        self._check_digest(digest)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._connection.close()

    def remove(self) -> None:
        """Close and delete the state: the output is complete."""
        self._connection.close()
        self._path.unlink(missing_ok=True)

    def clear(self) -> None:
        """Forget everything."""
        with self._connection as transaction:
            transaction.execute("delete from rows")
            transaction.execute("delete from sources")

    def begin(self, source: SourceVersion) -> bool:
        """Make ready for a source; return whether it is done already."""
        known = self._connection.execute(
            "select size_bytes, mtime_ns, is_done from sources where name = ?", (source.name,)
        ).fetchone()
        if known is not None and known[:2] == (source.size_bytes, source.mtime_ns):
            return bool(known[2])
        with self._connection as transaction:
            transaction.execute("delete from rows where source = ?", (source.name,))
            transaction.execute(
                "insert or replace into sources values (?, ?, ?, null, 0)",
                (source.name, source.size_bytes, source.mtime_ns),
            )
        return False

    def set_frame_count(self, source: str, n_frames: int | None) -> None:
        """Remember how many frames a video has."""
        with self._connection as transaction:
            transaction.execute(
                "update sources set n_frames = ? where name = ?", (n_frames, source)
            )

    def frame_count(self, source: str) -> int | None:
        """Return how many frames a video has, if that is known."""
        found = self._connection.execute(
            "select n_frames from sources where name = ?", (source,)
        ).fetchone()
        return None if found is None else found[0]

    def next_frame(self, source: str) -> int:
        """Return the number of the first frame without a row."""
        found = self._connection.execute(
            "select max(frame) from rows where source = ?", (source,)
        ).fetchone()
        return 0 if found[0] is None else int(found[0]) + 1

    def add(self, rows: Iterable[FinishedRow], done: Iterable[str]) -> None:
        """Keep the results of a batch and which sources it completed, both or nothing.

        Raises:
            EmbeddingRunFailed: If they cannot be written, for lack of space for example.
        """
        values = [(row.source, row.frame, row.name, row.vector, row.corruption) for row in rows]
        try:
            with self._connection as transaction:
                transaction.executemany(
                    "insert or replace into rows values (?, ?, ?, ?, ?)", values
                )
                transaction.executemany(
                    "update sources set is_done = 1 where name = ?", [(name,) for name in done]
                )
        except sqlite3.OperationalError as error:
            raise EmbeddingRunFailed(
                f"The state of the run cannot be written: {error}."
                " A second start goes on from here."
            ) from error

    def rows_of(self, source: str) -> Iterator[FinishedRow]:
        """Yield the rows of a source in frame order."""
        found = self._connection.execute(
            "select source, frame, name, vector, corruption from rows where source = ?"
            " order by frame",
            (source,),
        )
        for row in found:
            yield FinishedRow(*row)

    def _check_digest(self, digest: str) -> None:
        known = self._connection.execute("select digest from settings").fetchone()
        if known == (digest,):
            return
        self.clear()
        with self._connection as transaction:
            transaction.execute("delete from settings")
            transaction.execute("insert into settings values (?)", (digest,))


def _open(path: Path) -> sqlite3.Connection:
    connection = sqlite3.connect(path, timeout=0)
    try:
        # Nobody else may read or write along; the lock ends with the process, however it ends.
        connection.execute("pragma locking_mode = exclusive")
        connection.execute("pragma journal_mode = wal")
        connection.execute("pragma synchronous = normal")
        # Copying the log into the file is work that a deleted file does not need.
        connection.execute("pragma wal_autocheckpoint = 16384")
        connection.executescript(_SCHEMA)
    except sqlite3.DatabaseError:
        connection.close()
        raise
    return connection
