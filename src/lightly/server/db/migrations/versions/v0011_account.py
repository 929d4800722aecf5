"""Names of API tokens, favourites, and when runs changed."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add a column, a table and an index."""
    op.add_column("tokens", sa.Column("name", sa.Text(), nullable=True))
    op.create_table(
        "favourite_datasets",
        sa.Column("user_id", sa.String(length=24), nullable=False),
        sa.Column("dataset_key", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.ForeignKeyConstraint(
            ["user_id"], ["users.id"], name=op.f("fk_favourite_datasets_user_id_users")
        ),
        sa.PrimaryKeyConstraint("user_id", "dataset_key", name=op.f("pk_favourite_datasets")),
    )
    op.create_index(
        op.f("ix_favourite_datasets_dataset_key"), "favourite_datasets", ["dataset_key"]
    )
    op.create_index(op.f("ix_runs_last_modified_at_ms"), "runs", ["last_modified_at_ms"])
