"""Queries on the logs of runs."""

from __future__ import annotations

from typing import NamedTuple

import sqlalchemy as sa

from lightly.server.db.run_tables import run_log_entries as entries
from lightly.server.db.run_tables import runs

#: Entries read at once.
_CHUNK = 1_000


class Place(NamedTuple):
    """Where new entries go: the number of the first, and how long all entries are with them."""

    start: int
    kept_bytes: int


def reserve(connection: sa.Connection, run_id: str, count: int, size_bytes: int) -> Place:
    """Take the next numbers of a log; nobody else gets the same."""
    row = connection.execute(
        sa.update(runs)
        .where(runs.c.id == run_id)
        .values(log_end=runs.c.log_end + count, log_bytes=runs.c.log_bytes + size_bytes)
        .returning(runs.c.log_end, runs.c.log_bytes)
    ).one()
    return Place(row.log_end - count, row.log_bytes)


def list_entries(
    connection: sa.Connection, run_id: str, start: int, max_bytes: int
) -> list[tuple[int, str]]:
    """Return number and text of entries from a number on: at least one if there is any."""
    found: list[tuple[int, str]] = []
    total_bytes = 0
    while True:
        rows = connection.execute(
            sa.select(entries.c.number, entries.c.size_bytes, entries.c.entry_json)
            .where(entries.c.run_id == run_id, entries.c.number >= start)
            .order_by(entries.c.number)
            .limit(_CHUNK)
        ).all()
        for number, size_bytes, text in rows:
            total_bytes += size_bytes
            if found and total_bytes > max_bytes:
                return found
            found.append((number, text))
        if len(rows) < _CHUNK:
            return found
        start = rows[-1].number + 1


def trim(connection: sa.Connection, run_id: str, min_bytes: int) -> None:
    """Remove the oldest entries of a log, at least so many bytes of them."""
    removed_bytes = 0
    start = 0
    while removed_bytes < min_bytes:
        rows = connection.execute(
            sa.select(entries.c.number, entries.c.size_bytes)
            .where(entries.c.run_id == run_id, entries.c.number >= start)
            .order_by(entries.c.number)
            .limit(_CHUNK)
        ).all()
        if not rows:
            break
        for number, size_bytes in rows:
            if removed_bytes >= min_bytes:
                break
            removed_bytes += size_bytes
            start = number + 1
    connection.execute(
        sa.delete(entries).where(entries.c.run_id == run_id, entries.c.number < start)
    )
    connection.execute(
        sa.update(runs)
        .where(runs.c.id == run_id)
        .values(log_bytes=runs.c.log_bytes - removed_bytes)
    )
