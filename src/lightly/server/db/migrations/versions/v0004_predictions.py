"""Tables of predictions and their tasks."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

_KEY = sa.BigInteger().with_variant(sa.Integer, "sqlite")


def upgrade() -> None:
    """Create the tables of predictions and their tasks."""
    op.create_table(
        "prediction_tasks",
        sa.Column("key", _KEY, autoincrement=True, nullable=False),
        sa.Column("id", sa.String(length=24), nullable=False),
        sa.Column("dataset_key", sa.BigInteger(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("type", sa.String(length=32), nullable=False),
        sa.Column("categories_json", sa.Text(), nullable=False),
        sa.Column("version_ms", sa.BigInteger(), nullable=False),
        sa.Column("has_predictions", sa.Boolean(), nullable=False),
        sa.Column("created_at_ms", sa.BigInteger(), nullable=False),
        sa.Column("last_modified_at_ms", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("key", name=op.f("pk_prediction_tasks")),
        sa.UniqueConstraint(
            "dataset_key", "name", name=op.f("uq_prediction_tasks_dataset_key_name")
        ),
        sa.UniqueConstraint("id", name=op.f("uq_prediction_tasks_id")),
        sqlite_autoincrement=True,
    )
    op.create_table(
        "sample_predictions",
        sa.Column("dataset_key", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("idx", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("task_key", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("size_bytes", sa.Integer(), nullable=False),
        sa.Column("positions_json", sa.Text(), nullable=True),
        sa.Column("singletons", sa.LargeBinary(), nullable=False),
        sa.Column("segmentations", sa.LargeBinary(), nullable=True),
        sa.PrimaryKeyConstraint(
            "dataset_key", "idx", "task_key", name=op.f("pk_sample_predictions")
        ),
        sqlite_with_rowid=False,
    )
    _create_scores()


def _create_scores() -> None:
    op.create_table(
        "prediction_scores",
        sa.Column("id", sa.String(length=24), nullable=False),
        sa.Column("dataset_key", sa.BigInteger(), nullable=False),
        sa.Column("task_key", sa.BigInteger(), nullable=False),
        sa.Column("score_type", sa.Text(), nullable=False),
        sa.Column("version_ms", sa.BigInteger(), nullable=False),
        sa.Column("created_at_ms", sa.BigInteger(), nullable=False),
        sa.Column("scores", sa.LargeBinary(), nullable=False),
        sa.ForeignKeyConstraint(
            ["task_key"],
            ["prediction_tasks.key"],
            name=op.f("fk_prediction_scores_task_key"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_prediction_scores")),
        sa.UniqueConstraint(
            "task_key", "score_type", name=op.f("uq_prediction_scores_task_key_score_type")
        ),
    )
    op.create_index(
        op.f("ix_prediction_scores_dataset_key"),
        "prediction_scores",
        ["dataset_key"],
        unique=False,
    )
