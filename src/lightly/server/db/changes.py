"""Telling whether the database has changed, for far less than asking it again.

Whoever found nothing a moment ago finds nothing now if nobody has committed anything meanwhile. A
stamp stands for everything that is committed: two equal ones, and what was read after the first is
still true. SQLite counts the commits of all processes and tells the number from shared memory.
PostgreSQL tells its snapshot, which moves with every transaction that writes anything, on any
server; that takes a round trip, so it is asked a few times a second at most.
"""

from __future__ import annotations

import itertools
import sqlite3
import threading
import time
from collections.abc import Callable, Hashable
from typing import cast

import sqlalchemy as sa

from lightly.server.db.failures import translate_errors
from lightly.server.errors import Unavailable

#: For how long a snapshot of PostgreSQL is taken for the present one: the changes of this process
#: are noticed at once, those of others this much later.
SNAPSHOT_TTL_S = 0.25


class ChangeStamps:
    """Reads stamps of one database.

    Args:
        engine: The database.
        monotonic: The time.
    """

    def __init__(self, engine: sa.Engine, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._engine = engine
        self._monotonic = monotonic
        self._is_sqlite = engine.dialect.name == "sqlite"
        self._lock = threading.Lock()
        self._file: sqlite3.Connection | None = None
        self._commits = itertools.count(1)
        self._last_commit = 0
        self._snapshot: tuple[str, float] = ("", -float("inf"))

    def note_commit(self) -> None:
        """Note that this process has committed something."""
        # Each number is used once, so that whoever comes late hides no other commit.
        self._last_commit = next(self._commits)

    def peek(self) -> Hashable | None:
        """Return the present stamp; None if it takes waiting to know it."""
        if self._is_sqlite:
            return self._read_file()
        commit, (snapshot, fresh_until) = self._last_commit, self._snapshot
        return (commit, snapshot) if self._monotonic() < fresh_until else None

    def read(self) -> Hashable:
        """Return the present stamp, if need be after asking the database."""
        return self.peek() or self._read_snapshot()

    def close(self) -> None:
        """Give back what is open."""
        with self._lock:
            if self._file is not None:
                self._file.close()
                self._file = None

    def _read_file(self) -> int:
        with self._lock:
            try:
                self._file = self._file or self._open_file()
                version: int = self._file.execute("PRAGMA data_version").fetchone()[0]
            except sqlite3.Error as error:
                raise Unavailable("The database does not answer. Try again shortly.") from error
            return version

    def _open_file(self) -> sqlite3.Connection:
        """Return a connection for this alone: what others commit is what SQLite counts for it."""
        with translate_errors():
            pooled = self._engine.raw_connection()
        file = cast("sqlite3.Connection", pooled.driver_connection)
        pooled.detach()
        return file

    def _read_snapshot(self) -> Hashable:
        commit, asked_at = self._last_commit, self._monotonic()
        query = sa.text("SELECT CAST(pg_current_snapshot() AS TEXT)")
        with translate_errors(), self._engine.connect() as connection:
            # One statement needs no transaction around it, which would be two more round trips.
            alone = connection.execution_options(isolation_level="AUTOCOMMIT")
            snapshot: str = alone.execute(query).scalar_one()
        self._snapshot = (snapshot, asked_at + SNAPSHOT_TTL_S)
        return commit, snapshot
