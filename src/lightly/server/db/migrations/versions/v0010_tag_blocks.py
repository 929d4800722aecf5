"""Tags of neighbouring samples, for tag search."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Create the table. It stays empty for predictions that were stored before."""
    op.create_table(
        "tag_blocks",
        sa.Column("dataset_key", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("block", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("content", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("dataset_key", "block", name=op.f("pk_tag_blocks")),
        sqlite_with_rowid=False,
    )
