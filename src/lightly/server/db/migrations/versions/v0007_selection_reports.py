"""Tables of what selections report, and how far a job is."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Create the tables and the column."""
    op.create_table(
        "selection_reports",
        sa.Column("tag_id", sa.String(length=24), nullable=False),
        sa.Column("job_id", sa.String(length=24), nullable=False),
        sa.Column("created_at_ms", sa.BigInteger(), nullable=False),
        sa.Column("report_json", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(
            ["tag_id"], ["tags.id"], name=op.f("fk_selection_reports_tag_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("tag_id", name=op.f("pk_selection_reports")),
        sa.UniqueConstraint("job_id", name=op.f("uq_selection_reports_job_id")),
    )
    op.create_table(
        "selection_columns",
        sa.Column("tag_id", sa.String(length=24), nullable=False),
        sa.Column("name", sa.String(length=40), nullable=False),
        sa.Column("block", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("content", sa.LargeBinary(), nullable=False),
        sa.ForeignKeyConstraint(
            ["tag_id"],
            ["selection_reports.tag_id"],
            name=op.f("fk_selection_columns_tag_id"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("tag_id", "name", "block", name=op.f("pk_selection_columns")),
    )
    op.add_column("jobs", sa.Column("progress_json", sa.Text(), nullable=True))
