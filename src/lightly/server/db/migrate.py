"""Bringing a database to the schema of this release."""

from __future__ import annotations

from pathlib import Path

import sqlalchemy as sa
from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory

from lightly._kit.errors import BadInput
from lightly.server.db.engine import Database

#: Key of the PostgreSQL lock that lets one process migrate at a time.
_ADVISORY_LOCK = 7_301_992_022


def migrate_database(database: Database, revision: str = "head") -> None:
    """Apply all missing migrations in one transaction: killed half-way, nothing has happened.

    Args:
        database: With an older schema, or none.
        revision: Where to stop.

    Raises:
        BadInput: If the database was made by a newer release: going back is refused.
    """
    config = _make_config()
    script = ScriptDirectory.from_config(config)
    with database.write() as connection:
        if not database.is_sqlite:
            connection.execute(sa.text(f"SELECT pg_advisory_xact_lock({_ADVISORY_LOCK})"))
        current = MigrationContext.configure(connection).get_current_revision()
        known = {found.revision for found in script.walk_revisions()}
        for name in {current, revision} - {None, "head"} - known:
            raise BadInput(
                f"The database has schema {name}, which this release does not know. "
                "It was made by a newer release; use that one."
            )
        if current == script.get_current_head():
            return
        config.attributes["connection"] = connection
        command.upgrade(config, revision)


def _make_config() -> Config:
    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent / "migrations"))
    # Alembic warns unless it is told how to split paths.
    config.set_main_option("path_separator", "os")
    return config
