"""Which role a datasource uses, as a keyed hash, so that one tenant has it to itself."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Create the table and the column. The running server fills in what was there before."""
    op.create_table(
        "delegated_roles",
        sa.Column("role_hash", sa.String(length=64), nullable=False),
        sa.PrimaryKeyConstraint("role_hash", name=op.f("pk_delegated_roles")),
    )
    op.add_column("datasources", sa.Column("role_hash", sa.String(length=64), nullable=True))
    op.create_index(op.f("ix_datasources_role_hash"), "datasources", ["role_hash"], unique=False)
