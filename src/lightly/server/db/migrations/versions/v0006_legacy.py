"""Tables of what only published clients before 1.2 make."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Create the table of metadata configurations without a dataset."""
    op.create_table(
        "user_metadata_configurations",
        sa.Column("id", sa.String(length=24), nullable=False),
        sa.Column("user_id", sa.String(length=24), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("entries_json", sa.Text(), nullable=False),
        sa.Column("created_at_ms", sa.BigInteger(), nullable=False),
        sa.Column("last_modified_at_ms", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(
            ["user_id"], ["users.id"], name=op.f("fk_user_metadata_configurations_user_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_user_metadata_configurations")),
    )
    op.create_index(
        "ix_user_metadata_configurations_user_id",
        "user_metadata_configurations",
        ["user_id"],
        unique=False,
    )
