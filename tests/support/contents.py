"""Everything that a server stores and asks its database, for tests of what changes and what not."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import sqlalchemy as sa

from lightly.server.db.schema import metadata
from lightly.server.platform import PlatformState

#: Rows that servers write about themselves at any time.
_OWN_TABLES = frozenset({"job_executors"})
#: Threads of the server that query the database between requests.
_OWN_THREADS = frozenset({"job-dispatcher", "maintenance"})

Contents = dict[str, list[tuple[Any, ...]]]


def read_contents(platform: PlatformState) -> Contents:
    """Return every row of every table, and every stored object with what changes when it does."""
    contents: Contents = {}
    with platform.database.read() as connection:
        for name, table in metadata.tables.items():
            if name not in _OWN_TABLES:
                order = table.primary_key.columns
                # Signs of life of workers are noted some time later.
                kept = [c for c in table.c if (name, c.name) != ("workers", "last_modified_at_ms")]
                rows = connection.execute(sa.select(*kept).order_by(*order))
                contents[name] = [tuple(row) for row in rows]
    contents["blobs"] = [
        (key, platform.blobs.head(key)) for key in sorted(platform.blobs.list_keys("datasets"))
    ]
    return contents


@contextmanager
def record_statements(platform: PlatformState) -> Iterator[list[str]]:
    """Yield a list that collects the SQL of requests, but for looking up the caller's token."""
    statements: list[str] = []

    def record(_connection: Any, _cursor: Any, statement: str, *_rest: Any) -> None:
        is_own = threading.current_thread().name in _OWN_THREADS
        # Tokens are looked up every few seconds only, so whether it happens says nothing.
        is_login = "tokens.hash = " in statement or statement == "BEGIN"
        # Whether anything was committed is asked now and then only, too.
        is_stamp = "pg_current_snapshot" in statement
        if not (is_own or is_login or is_stamp):
            statements.append(statement)

    engine = platform.database.engine
    sa.event.listen(engine, "before_cursor_execute", record)
    try:
        yield statements
    finally:
        sa.event.remove(engine, "before_cursor_execute", record)
