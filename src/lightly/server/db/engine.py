"""Connections and transactions.

Services open a transaction, repositories use the connection they are given. A 2xx is sent only
after the block of `Database.write` has ended, that is after the commit.
"""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any, cast

import sqlalchemy as sa
from sqlalchemy import event

from lightly._kit.errors import BadInput
from lightly.server.db.changes import ChangeStamps
from lightly.server.db.failures import translate_errors, wrap_driver_errors
from lightly.server.errors import Unavailable

#: How long a writer waits for its turn before the request ends with 503: once for the other threads
#: of this process and once for other processes.
SQLITE_BUSY_TIMEOUT_MS = 30_000
#: Of PostgreSQL: a machine that does not even refuse a connection counts as away after this many
#: seconds; one that falls silent under a connection is noticed within about a minute.
POSTGRES_CONNECT_TIMEOUT_S = 10
_POSTGRES_DEFAULTS = {
    "connect_timeout": POSTGRES_CONNECT_TIMEOUT_S,
    "keepalives_idle": 30,
    "keepalives_interval": 10,
    "keepalives_count": 3,
}
#: Pages of 4 kB that SQLite may cache per connection: 16 MB.
SQLITE_CACHE_PAGES = 4_000

#: What runs first in every write of the present request, inside the transaction: it raises unless
#: whoever asks may still write.
write_guard: ContextVar[Callable[[sa.Connection], object] | None] = ContextVar(
    "write_guard", default=None
)


class Database:
    """One SQL database and its transactions."""

    def __init__(self, engine: sa.Engine) -> None:
        self.engine = engine
        self.is_sqlite = engine.dialect.name == "sqlite"
        #: Tell whether anything was committed.
        self.stamps = ChangeStamps(engine)
        # SQLite takes one writer at a time. Waiting here is fair and costs nothing,
        # waiting in SQLite is polling.
        self._write_lock = threading.Lock()

    @contextmanager
    def read(self) -> Iterator[sa.Connection]:
        """Yield a connection with a consistent view of the data."""
        with translate_errors(), self.engine.connect() as connection, connection.begin():
            yield connection

    @contextmanager
    def snapshot(self) -> Iterator[sa.Connection]:
        """Yield a connection that sees the data of one moment, however long the block takes."""
        with translate_errors(), self.engine.connect() as connection:
            if not self.is_sqlite:
                connection = connection.execution_options(isolation_level="REPEATABLE READ")  # noqa: PLW2901  the same connection
            with connection.begin():
                yield connection

    @contextmanager
    def write(self) -> Iterator[sa.Connection]:
        """Yield a connection whose changes are committed, durably, when the block ends."""
        with (
            translate_errors(),
            self._take_turn(),
            self.engine.connect() as connection,
        ):
            writing = connection.execution_options(is_writing=True)
            with writing.begin():
                guard = write_guard.get()
                if guard is not None:
                    guard(writing)
                yield writing
            self.stamps.note_commit()

    @contextmanager
    def _take_turn(self) -> Iterator[None]:
        if not self.is_sqlite:
            yield
            return
        if not self._write_lock.acquire(timeout=SQLITE_BUSY_TIMEOUT_MS / 1000):
            raise Unavailable("The database is busy with other changes. Try again shortly.")
        try:
            yield
        finally:
            self._write_lock.release()

    def ping(self) -> None:
        """Raise `Unavailable` unless the database answers."""
        with self.read() as connection:
            connection.execute(sa.text("SELECT 1"))

    def close(self) -> None:
        """Close all connections."""
        self.stamps.close()
        self.engine.dispose()


def open_database(url: str, *, pool_size: int = 40) -> Database:
    """Return the database at `url`, with durable settings.

    Args:
        url: `sqlite:///path` or `postgresql://user@host/name`.
        pool_size: Most connections at once.

    Raises:
        BadInput: If the URL is of another kind.
    """
    if url.startswith("sqlite:///"):
        return Database(_open_sqlite(url, pool_size))
    if url.startswith(("postgresql://", "postgres://", "postgresql+psycopg://")):
        engine = _open_postgres(url, pool_size)
        _refuse_unsafe_postgres(engine)
        return Database(engine)
    scheme = url.split(":", 1)[0][:20]
    raise BadInput(f"The database URL must start with sqlite:/// or postgresql://, got {scheme!r}.")


def _open_sqlite(url: str, pool_size: int) -> sa.Engine:
    engine = sa.create_engine(
        url, pool_size=pool_size, max_overflow=0, connect_args={"check_same_thread": False}
    )

    @event.listens_for(engine, "connect")
    def prepare(connection: sqlite3.Connection, _record: object) -> None:
        # The driver must not begin transactions on its own: see `begin` below.
        connection.isolation_level = None
        for pragma in (
            "journal_mode=WAL",
            "synchronous=FULL",
            "foreign_keys=ON",
            "trusted_schema=OFF",
            f"busy_timeout={SQLITE_BUSY_TIMEOUT_MS}",
            f"cache_size={SQLITE_CACHE_PAGES}",
        ):
            connection.execute(f"PRAGMA {pragma}")

    @event.listens_for(engine, "begin")
    def begin(connection: sa.Connection) -> None:
        # A writer takes the lock first, so that it never has to upgrade a read in the middle.
        if connection.get_execution_options().get("is_writing", False):
            connection.exec_driver_sql("BEGIN IMMEDIATE")
        else:
            # This takes no lock and cannot fail: it needs none of what surrounds a statement.
            cast("sqlite3.Connection", connection.connection.dbapi_connection).execute("BEGIN")

    return engine


def _open_postgres(url: str, pool_size: int) -> sa.Engine:
    parsed = sa.make_url(f"postgresql+psycopg://{url.split('://', 1)[1]}")
    given = {name: value for name, value in _POSTGRES_DEFAULTS.items() if name not in parsed.query}
    return sa.create_engine(
        parsed, pool_size=pool_size, pool_pre_ping=True, pool_timeout=10, connect_args=given
    )


def _refuse_unsafe_postgres(engine: sa.Engine) -> None:
    """Refuse a server that acknowledges commits which a crash would lose."""
    with translate_errors(), engine.connect() as connection:
        for name in ("fsync", "full_page_writes"):
            value = connection.execute(sa.text(f"SHOW {name}")).scalar_one()
            if value != "on":
                raise BadInput(f"PostgreSQL runs with {name}={value}: commits are not durable.")


def insert_rows(
    connection: sa.Connection, table: sa.Table, columns: list[str], rows: list[tuple[Any, ...]]
) -> None:
    """Insert many rows at the speed of the driver.

    The statement compiler costs more than the insert itself on a bulk path, so this goes to the
    driver: `executemany` on SQLite, COPY on PostgreSQL.

    Args:
        connection: An open write transaction.
        table: Where the rows go.
        columns: Names of the columns, in the order of each row's values.
        rows: The values.
    """
    names = ", ".join(columns)
    if connection.dialect.name == "sqlite":
        marks = ", ".join("?" * len(columns))
        statement = f"INSERT INTO {table.name} ({names}) VALUES ({marks})"  # noqa: S608  our names
        connection.exec_driver_sql(statement, rows)
        return
    statement = f"COPY {table.name} ({names}) FROM STDIN"
    with wrap_driver_errors(connection, statement):
        raw = connection.connection.driver_connection
        if raw is None:
            raise Unavailable
        with raw.cursor() as cursor, cursor.copy(statement) as copy:
            for row in rows:
                copy.write_row(row)
