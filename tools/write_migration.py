"""Print the body of a migration: what the tables have that the migrations do not make yet.

    python -m tools.write_migration [TABLE ...]

Released migrations never change; a change of the schema is a new one. The printed operations are a
draft: read them, and move data where the shape of stored rows changes.
"""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

from alembic.autogenerate import produce_migrations, render_python_code
from alembic.runtime.migration import MigrationContext

from lightly.server.db.engine import open_database
from lightly.server.db.migrate import migrate_database
from lightly.server.db.schema import metadata


def main(table_names: list[str]) -> None:
    """Compare a freshly migrated database with the tables."""
    with tempfile.TemporaryDirectory() as folder:
        database = open_database(f"sqlite:///{Path(folder, 'empty.sqlite')}")
        migrate_database(database)
        with database.read() as connection:
            options = {
                "target_metadata": metadata,
                "include_name": lambda name, kind, _parents: (
                    kind != "table" or not table_names or name in table_names
                ),
                "include_object": lambda _found, name, kind, _reflected, _other: (
                    kind != "table" or not table_names or name in table_names
                ),
            }
            context = MigrationContext.configure(connection, opts=options)
            operations = produce_migrations(context, metadata).upgrade_ops
        database.close()
    assert operations is not None
    code = render_python_code(operations)
    # SQLite numbers rows by itself only in a column of exactly this type.
    print(code.replace("sa.BigInteger().with_variant(sa.Integer(), 'sqlite')", "_KEY"))


if __name__ == "__main__":
    main(sys.argv[1:])
