"""Tables of datasources."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Create the tables of datasources."""
    op.create_table(
        "datasources",
        sa.Column("id", sa.String(length=24), nullable=False),
        sa.Column("dataset_key", sa.BigInteger(), nullable=False),
        sa.Column("purpose", sa.String(length=16), nullable=False),
        sa.Column("type", sa.String(length=24), nullable=False),
        sa.Column("full_path", sa.Text(), nullable=False),
        sa.Column("settings_json", sa.Text(), nullable=False),
        sa.Column("sealed_secrets", sa.Text(), nullable=True),
        sa.Column("created_at_ms", sa.BigInteger(), nullable=False),
        sa.Column("last_modified_at_ms", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_datasources")),
        sa.UniqueConstraint(
            "dataset_key", "purpose", name=op.f("uq_datasources_dataset_key_purpose")
        ),
    )
    op.create_table(
        "datasource_clocks",
        sa.Column("dataset_key", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("processed_until_s", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("dataset_key", name=op.f("pk_datasource_clocks")),
    )
    op.create_table(
        "datasource_files",
        sa.Column("dataset_key", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column(
            "name", sa.Text().with_variant(sa.Text(collation="C"), "postgresql"), nullable=False
        ),
        sa.Column("created_at_ms", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("dataset_key", "name", name=op.f("pk_datasource_files")),
        sqlite_with_rowid=False,
    )
