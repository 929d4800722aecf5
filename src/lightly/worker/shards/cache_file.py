"""The file of the record cache: SQLite, bounded in size, and never a reason for a run to fail.

Several workers may share the file if they are on one machine. A file that is broken, locked for
long or cannot grow is put aside for the rest of the run; one that is no database is removed, so
that the next run begins a new one.
"""

from __future__ import annotations

import logging
import shutil
import sqlite3
import threading
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

log = logging.getLogger("lightly.worker")

Result = TypeVar("Result")

#: Changes with the tables; a file of another layout is begun anew.
_LAYOUT = 1
_LOCK_TIMEOUT_S = 20.0
#: Down to which share of the limit is evicted, so that it is not done at each shard.
_EVICTED_TO = 0.9
_ROWS_PER_EVICTION = 50
_TABLES = """
CREATE TABLE IF NOT EXISTS contents (id INTEGER PRIMARY KEY, content BLOB NOT NULL);
CREATE TABLE IF NOT EXISTS entries (
    digest BLOB NOT NULL, purpose BLOB NOT NULL, content_id INTEGER NOT NULL,
    used_s INTEGER NOT NULL, PRIMARY KEY (digest, purpose)
) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS entries_by_use ON entries (used_s);
CREATE TABLE IF NOT EXISTS versions (
    version BLOB PRIMARY KEY, digest BLOB NOT NULL
) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS versions_by_digest ON versions (digest);
"""


class CacheFile:
    """Tables `contents`, `entries` and `versions` in one file; used by one thread at a time.

    Args:
        path: The file; made if it is not there.
        limit_bytes: How large it may become. Half of what is free on the disk stays free too.
    """

    def __init__(self, path: Path, limit_bytes: int) -> None:
        self._path = path
        self._limit_bytes = limit_bytes
        self._lock = threading.Lock()
        self._connection: sqlite3.Connection | None = None
        try:
            path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            self._connection = self._open()
        except (sqlite3.Error, OSError) as error:
            self._give_up(error)

    def close(self) -> None:
        """Close the file."""
        with self._lock:
            if self._connection is not None:
                self._connection.close()
            self._connection = None

    def read(self, work: Callable[[sqlite3.Connection], Result], otherwise: Result) -> Result:
        """Return what is read; `otherwise` if that cannot be done."""
        with self._lock:
            if self._connection is None:
                return otherwise
            try:
                return work(self._connection)
            except (sqlite3.Error, OSError) as error:
                self._give_up(error)
                return otherwise

    def write(self, work: Callable[[sqlite3.Connection], object]) -> None:
        """Change the tables in one transaction, if that can be done; keep the file small enough."""
        with self._lock:
            connection = self._connection
            if connection is None:
                return
            try:
                connection.execute("BEGIN IMMEDIATE")
                work(connection)
                limit_bytes = self._find_limit(connection)
                is_reduced = _measure(connection) > limit_bytes
                if is_reduced:
                    _evict(connection, int(limit_bytes * _EVICTED_TO))
                connection.execute("COMMIT")
                if is_reduced:
                    connection.execute("PRAGMA incremental_vacuum").fetchall()
            except (sqlite3.Error, OSError) as error:
                self._give_up(error)

    def _open(self) -> sqlite3.Connection:
        connection = _connect(self._path)
        (layout,) = connection.execute("PRAGMA user_version").fetchone()
        if layout not in {0, _LAYOUT}:
            connection.close()
            self._remove()
            connection = _connect(self._path)
        # Only ever works on a file without tables: space that was freed is given back.
        connection.execute("PRAGMA auto_vacuum = INCREMENTAL")
        connection.executescript(f"{_TABLES} PRAGMA user_version = {_LAYOUT};")
        return connection

    def _find_limit(self, connection: sqlite3.Connection) -> int:
        free_bytes = shutil.disk_usage(self._path.parent).free
        return min(self._limit_bytes, _measure(connection) + free_bytes // 2)

    def _give_up(self, error: Exception) -> None:
        """Go on without the file. One that is broken is removed."""
        log.warning("The cache of the worker is not used by this run: %s", error)
        if self._connection is not None:
            self._connection.close()
            self._connection = None
        # Others are about this moment: locked, full, or not to be opened.
        if isinstance(error, sqlite3.DatabaseError) and not isinstance(
            error, sqlite3.OperationalError
        ):
            self._remove()

    def _remove(self) -> None:
        # The journal first: SQLite would else apply it to the file that comes next.
        for suffix in ("-journal", ""):
            self._path.with_name(self._path.name + suffix).unlink(missing_ok=True)


def _connect(path: Path) -> sqlite3.Connection:
    connection = sqlite3.connect(
        path, timeout=_LOCK_TIMEOUT_S, isolation_level=None, check_same_thread=False
    )
    # A crash of the machine may break the file. That is noticed, and costs time only.
    connection.execute("PRAGMA synchronous = OFF")
    return connection


def _measure(connection: sqlite3.Connection) -> int:
    """Return how many bytes of the file are in use."""
    (n_pages,) = connection.execute("PRAGMA page_count").fetchone()
    (n_free,) = connection.execute("PRAGMA freelist_count").fetchone()
    (page_bytes,) = connection.execute("PRAGMA page_size").fetchone()
    return int((n_pages - n_free) * page_bytes)


def _evict(connection: sqlite3.Connection, limit_bytes: int) -> None:
    """Forget what was not used for longest."""
    oldest = "SELECT digest, purpose, content_id FROM entries ORDER BY used_s LIMIT ?"
    while _measure(connection) > limit_bytes:
        rows = connection.execute(oldest, (_ROWS_PER_EVICTION,)).fetchall()
        if not rows:
            return
        connection.executemany("DELETE FROM contents WHERE id = ?", [row[2:] for row in rows])
        connection.executemany("DELETE FROM entries WHERE digest = ? AND purpose = ?",
                               [row[:2] for row in rows])  # fmt: skip
        connection.executemany("DELETE FROM versions WHERE digest = ?", [row[:1] for row in rows])
