"""Write the first migration from the tables: only until the first release."""

from __future__ import annotations

from pathlib import Path

import sqlalchemy as sa
from alembic.autogenerate import produce_migrations, render_python_code
from alembic.runtime.migration import MigrationContext

from lightly.server.db.tables import metadata

TARGET = Path("src/lightly/server/db/migrations/versions/v0001_first_schema.py")
HEADER = '''"""The first schema."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

# SQLite numbers rows by itself only in a column of exactly this type.
_KEY = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    """Create all tables."""
'''


def main() -> None:
    """Render the tables as one migration."""
    engine = sa.create_engine("sqlite://")
    with engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"target_metadata": metadata})
        operations = produce_migrations(context, metadata).upgrade_ops
        assert operations is not None
        code = render_python_code(operations)
    body = "\n".join(line for line in code.splitlines() if not line.strip().startswith("#"))
    # Autogenerate only knows the dialect it is connected to; these are for the other one too.
    body = body.replace("sa.BigInteger().with_variant(sa.Integer(), 'sqlite')", "_KEY")
    TARGET.write_text(HEADER + "    " + body.strip() + "\n")


if __name__ == "__main__":
    main()
