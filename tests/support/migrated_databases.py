"""Databases with the tables of this release, made once and copied from then on."""

from __future__ import annotations

import tempfile
from functools import cache
from pathlib import Path

from lightly.server.db.engine import open_database
from lightly.server.db.migrate import migrate_database


def make_tables(url: str) -> None:
    """Bring a database to the schema of this release."""
    database = open_database(url)
    try:
        migrate_database(database)
    finally:
        database.close()


def copy_migrated_sqlite(path: Path) -> None:
    """Put a database with all tables and no rows where there is none yet."""
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        path.write_bytes(_make_migrated_sqlite())


@cache
def _make_migrated_sqlite() -> bytes:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "lightly.sqlite"
        make_tables(f"sqlite:///{path}")
        return path.read_bytes()
