"""Tables of compute workers, their configurations, schedules, runs."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Create the tables of compute workers, their configurations, schedules, runs."""
    op.create_table(
        "workers",
        sa.Column("id", sa.String(length=24), nullable=False),
        sa.Column("user_id", sa.String(length=24), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("worker_type", sa.String(length=16), nullable=False),
        sa.Column("state", sa.String(length=16), nullable=False),
        sa.Column("labels_json", sa.Text(), nullable=False),
        sa.Column("is_default", sa.Boolean(), nullable=False),
        sa.Column("docker_version", sa.Text(), nullable=True),
        sa.Column("creator", sa.String(length=32), nullable=False),
        sa.Column("session_id", sa.String(length=24), nullable=True),
        sa.Column("created_at_ms", sa.BigInteger(), nullable=False),
        sa.Column("last_modified_at_ms", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"], name=op.f("fk_workers_user_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_workers")),
        sa.UniqueConstraint("user_id", "name", name=op.f("uq_workers_user_id_name")),
    )
    op.create_table(
        "worker_configurations",
        sa.Column("id", sa.String(length=24), nullable=False),
        sa.Column("user_id", sa.String(length=24), nullable=False),
        sa.Column("version", sa.String(length=4), nullable=False),
        sa.Column("creator", sa.String(length=32), nullable=False),
        sa.Column("created_at_ms", sa.BigInteger(), nullable=False),
        sa.Column("last_modified_at_ms", sa.BigInteger(), nullable=False),
        sa.Column("config_json", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(
            ["user_id"], ["users.id"], name=op.f("fk_worker_configurations_user_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_worker_configurations")),
    )
    op.create_index(
        "ix_worker_configurations_user_id_version_id",
        "worker_configurations",
        ["user_id", "version", "id"],
        unique=False,
    )
    op.create_table(
        "run_artifacts",
        sa.Column("id", sa.String(length=24), nullable=False),
        sa.Column("run_id", sa.String(length=24), nullable=False),
        sa.Column("attempt", sa.Integer(), nullable=False),
        sa.Column("type", sa.String(length=40), nullable=False),
        sa.Column("file_name", sa.Text(), nullable=False),
        sa.Column("storage_location", sa.String(length=16), nullable=False),
        sa.Column("stated_size_bytes", sa.BigInteger(), nullable=True),
        sa.Column("stated_sha256", sa.String(length=64), nullable=True),
        sa.Column("size_bytes", sa.BigInteger(), nullable=True),
        sa.Column("created_at_ms", sa.BigInteger(), nullable=False),
        sa.Column("confirmed_at_ms", sa.BigInteger(), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_run_artifacts")),
        sa.UniqueConstraint("run_id", "file_name", name=op.f("uq_run_artifacts_run_id_file_name")),
    )
    op.create_table(
        "run_leases",
        sa.Column("id", sa.String(length=24), nullable=False),
        sa.Column("token", sa.String(length=64), nullable=True),
        sa.Column("scheduled_id", sa.String(length=24), nullable=True),
        sa.Column("run_id", sa.String(length=24), nullable=True),
        sa.Column("worker_id", sa.String(length=24), nullable=True),
        sa.Column("session_id", sa.String(length=24), nullable=True),
        sa.Column("expires_at_ms", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_run_leases")),
        sa.UniqueConstraint("run_id", name=op.f("uq_run_leases_run_id")),
        sa.UniqueConstraint("scheduled_id", name=op.f("uq_run_leases_scheduled_id")),
        sa.UniqueConstraint("token", name=op.f("uq_run_leases_token")),
    )
    op.create_index(
        op.f("ix_run_leases_expires_at_ms"), "run_leases", ["expires_at_ms"], unique=False
    )
    op.create_index(op.f("ix_run_leases_worker_id"), "run_leases", ["worker_id"], unique=False)
    op.create_table(
        "run_log_entries",
        sa.Column("run_id", sa.String(length=24), nullable=False),
        sa.Column("number", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("size_bytes", sa.Integer(), nullable=False),
        sa.Column("entry_json", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("run_id", "number", name=op.f("pk_run_log_entries")),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "runs",
        sa.Column("id", sa.String(length=24), nullable=False),
        sa.Column("user_id", sa.String(length=24), nullable=False),
        sa.Column("dataset_id", sa.String(length=24), nullable=True),
        sa.Column("config_id", sa.String(length=24), nullable=True),
        sa.Column("scheduled_id", sa.String(length=24), nullable=True),
        sa.Column("worker_id", sa.String(length=24), nullable=True),
        sa.Column("docker_version", sa.Text(), nullable=False),
        sa.Column("creator", sa.String(length=32), nullable=False),
        sa.Column("state", sa.String(length=40), nullable=False),
        sa.Column("message", sa.Text(), nullable=True),
        sa.Column("attempt", sa.Integer(), nullable=False),
        sa.Column("progress_json", sa.Text(), nullable=True),
        sa.Column("stop_requested_at_ms", sa.BigInteger(), nullable=True),
        sa.Column("is_archived", sa.Boolean(), nullable=False),
        sa.Column("last_lease_token", sa.String(length=64), nullable=True),
        sa.Column("log_end", sa.BigInteger(), nullable=False),
        sa.Column("log_bytes", sa.BigInteger(), nullable=False),
        sa.Column("created_at_ms", sa.BigInteger(), nullable=False),
        sa.Column("last_modified_at_ms", sa.BigInteger(), nullable=False),
        sa.Column("finished_at_ms", sa.BigInteger(), nullable=True),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"], name=op.f("fk_runs_user_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_runs")),
        sa.UniqueConstraint("scheduled_id", name=op.f("uq_runs_scheduled_id")),
    )
    op.create_index("ix_runs_dataset_id_id", "runs", ["dataset_id", "id"], unique=False)
    op.create_index("ix_runs_user_id_id", "runs", ["user_id", "id"], unique=False)
    op.create_table(
        "scheduled_runs",
        sa.Column("id", sa.String(length=24), nullable=False),
        sa.Column("user_id", sa.String(length=24), nullable=False),
        sa.Column("dataset_id", sa.String(length=24), nullable=False),
        sa.Column("config_id", sa.String(length=24), nullable=False),
        sa.Column("config_version", sa.String(length=4), nullable=False),
        sa.Column("priority", sa.SmallInteger(), nullable=False),
        sa.Column("runs_on_json", sa.Text(), nullable=False),
        sa.Column("state", sa.String(length=16), nullable=False),
        sa.Column("worker_id", sa.String(length=24), nullable=True),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("creator", sa.String(length=32), nullable=False),
        sa.Column("created_at_ms", sa.BigInteger(), nullable=False),
        sa.Column("last_modified_at_ms", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"], name=op.f("fk_scheduled_runs_user_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_scheduled_runs")),
    )
    op.create_index(
        op.f("ix_scheduled_runs_config_id"), "scheduled_runs", ["config_id"], unique=False
    )
    op.create_index(
        "ix_scheduled_runs_dataset_id_id", "scheduled_runs", ["dataset_id", "id"], unique=False
    )
    op.create_index(
        "ix_scheduled_runs_open",
        "scheduled_runs",
        ["user_id", "runs_on_json", "priority", "id"],
        unique=False,
        sqlite_where=sa.text("state = 'OPEN'"),
        postgresql_where=sa.text("state = 'OPEN'"),
    )
    op.create_index(
        "ix_scheduled_runs_worker_id_id", "scheduled_runs", ["worker_id", "id"], unique=False
    )
    op.create_index(
        "uq_scheduled_runs_locked_dataset",
        "scheduled_runs",
        ["dataset_id"],
        unique=True,
        sqlite_where=sa.text("state = 'LOCKED'"),
        postgresql_where=sa.text("state = 'LOCKED'"),
    )
