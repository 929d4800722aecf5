"""Groups of near-duplicates, and outliers."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Create the table."""
    op.create_table(
        "neighborhoods",
        sa.Column("id", sa.String(length=24), nullable=False),
        sa.Column("embedding_id", sa.String(length=24), nullable=False),
        sa.Column("kind", sa.String(length=20), nullable=False),
        sa.Column("parameters_json", sa.String(length=255), nullable=False),
        sa.Column("source_etag", sa.Text(), nullable=False),
        sa.Column("created_at_ms", sa.BigInteger(), nullable=False),
        sa.Column("summary_json", sa.Text(), nullable=False),
        sa.Column("content", sa.LargeBinary(), nullable=False),
        sa.ForeignKeyConstraint(
            ["embedding_id"],
            ["embeddings.id"],
            name=op.f("fk_neighborhoods_embedding_id"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_neighborhoods")),
        sa.UniqueConstraint(
            "embedding_id",
            "kind",
            "parameters_json",
            name=op.f("uq_neighborhoods_embedding_id_kind_parameters_json"),
        ),
    )
