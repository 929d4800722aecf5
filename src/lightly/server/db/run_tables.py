"""Tables of compute workers, their configurations, schedules, runs.

Whoever a worker or a configuration belongs to is its `user_id`; a team's are those of its members.
"""

from __future__ import annotations

import sqlalchemy as sa

from lightly.server.db.columns import ID as _ID
from lightly.server.db.columns import metadata

# `state` is what the worker last said of itself and `last_modified_at_ms` when it was last heard
# of; from both follows what others are told. `session_id` is the process that runs under this name
# now: a process that starts takes the name over, and the one before it is fenced off.
workers = sa.Table(
    "workers",
    metadata,
    sa.Column("id", _ID, primary_key=True),
    sa.Column("user_id", _ID, sa.ForeignKey("users.id"), nullable=False),
    sa.Column("name", sa.Text, nullable=False),
    sa.Column("worker_type", sa.String(16), nullable=False),
    sa.Column("state", sa.String(16), nullable=False),
    sa.Column("labels_json", sa.Text, nullable=False),
    sa.Column("is_default", sa.Boolean, nullable=False),
    sa.Column("docker_version", sa.Text),
    sa.Column("creator", sa.String(32), nullable=False),
    sa.Column("session_id", _ID),
    sa.Column("created_at_ms", sa.BigInteger, nullable=False),
    sa.Column("last_modified_at_ms", sa.BigInteger, nullable=False),
    sa.UniqueConstraint("user_id", "name"),
)

# `version` is V0, V2, V3 or V4, and `config_json` fits the contract's model of that version.
worker_configurations = sa.Table(
    "worker_configurations",
    metadata,
    sa.Column("id", _ID, primary_key=True),
    sa.Column("user_id", _ID, sa.ForeignKey("users.id"), nullable=False),
    sa.Column("version", sa.String(4), nullable=False),
    sa.Column("creator", sa.String(32), nullable=False),
    sa.Column("created_at_ms", sa.BigInteger, nullable=False),
    sa.Column("last_modified_at_ms", sa.BigInteger, nullable=False),
    sa.Column("config_json", sa.Text, nullable=False),
    sa.Index("ix_worker_configurations_user_id_version_id", "user_id", "version", "id"),
)

# A configuration that waits for a worker, is with one, or has been. `runs_on_json` is the sorted
# labels that a worker must have: there are few different ones, so a poll looks at those first.
scheduled_runs = sa.Table(
    "scheduled_runs",
    metadata,
    sa.Column("id", _ID, primary_key=True),
    sa.Column("user_id", _ID, sa.ForeignKey("users.id"), nullable=False),
    sa.Column("dataset_id", _ID, nullable=False),
    sa.Column("config_id", _ID, nullable=False, index=True),
    sa.Column("config_version", sa.String(4), nullable=False),
    sa.Column("priority", sa.SmallInteger, nullable=False),
    sa.Column("runs_on_json", sa.Text, nullable=False),
    sa.Column("state", sa.String(16), nullable=False),
    # Who locked it last.
    sa.Column("worker_id", _ID),
    # How often it was taken, but for what was handed back.
    sa.Column("attempts", sa.Integer, nullable=False),
    sa.Column("creator", sa.String(32), nullable=False),
    sa.Column("created_at_ms", sa.BigInteger, nullable=False),
    sa.Column("last_modified_at_ms", sa.BigInteger, nullable=False),
    sa.Index("ix_scheduled_runs_dataset_id_id", "dataset_id", "id"),
    sa.Index("ix_scheduled_runs_worker_id_id", "worker_id", "id"),
    sa.Index(
        "ix_scheduled_runs_open",
        "user_id",
        "runs_on_json",
        "priority",
        "id",
        sqlite_where=sa.text("state = 'OPEN'"),
        postgresql_where=sa.text("state = 'OPEN'"),
    ),
    # One run per dataset at a time, whoever is asked at once.
    sa.Index(
        "uq_scheduled_runs_locked_dataset",
        "dataset_id",
        unique=True,
        sqlite_where=sa.text("state = 'LOCKED'"),
        postgresql_where=sa.text("state = 'LOCKED'"),
    ),
)

# What a worker does with a scheduled run; a later attempt goes on in the same row. Runs outlive
# their dataset, and one can be made without a schedule. `last_lease_token` is who ended it.
runs = sa.Table(
    "runs",
    metadata,
    sa.Column("id", _ID, primary_key=True),
    sa.Column("user_id", _ID, sa.ForeignKey("users.id"), nullable=False),
    sa.Column("dataset_id", _ID),
    sa.Column("config_id", _ID),
    sa.Column("scheduled_id", _ID, unique=True),
    sa.Column("worker_id", _ID),
    sa.Column("docker_version", sa.Text, nullable=False),
    sa.Column("creator", sa.String(32), nullable=False),
    sa.Column("state", sa.String(40), nullable=False),
    sa.Column("message", sa.Text),
    sa.Column("attempt", sa.Integer, nullable=False),
    sa.Column("progress_json", sa.Text),
    sa.Column("stop_requested_at_ms", sa.BigInteger),
    sa.Column("is_archived", sa.Boolean, nullable=False),
    sa.Column("last_lease_token", sa.String(64)),
    # The number of the next log entry, and how much is kept of the log.
    sa.Column("log_end", sa.BigInteger, nullable=False),
    sa.Column("log_bytes", sa.BigInteger, nullable=False),
    sa.Column("created_at_ms", sa.BigInteger, nullable=False),
    # Pages that watch runs ask for what changed lately.
    sa.Column("last_modified_at_ms", sa.BigInteger, nullable=False, index=True),
    sa.Column("finished_at_ms", sa.BigInteger),
    sa.Index("ix_runs_user_id_id", "user_id", "id"),
    sa.Index("ix_runs_dataset_id_id", "dataset_id", "id"),
)

# Who works on a scheduled run or a run just now. Without a row nobody does. Times are the
# database's own. `token` fences: what does not carry it changes nothing. Clients of the contract
# know no token, so a lease that one of them took has none.
run_leases = sa.Table(
    "run_leases",
    metadata,
    sa.Column("id", _ID, primary_key=True),
    sa.Column("token", sa.String(64), unique=True),
    sa.Column("scheduled_id", _ID, unique=True),
    sa.Column("run_id", _ID, unique=True),
    sa.Column("worker_id", _ID, index=True),
    sa.Column("session_id", _ID),
    sa.Column("expires_at_ms", sa.BigInteger, nullable=False, index=True),
)

# `entry_json` is the contract's `DockerRunLogEntryData`. Numbers grow by one; old entries go.
run_log_entries = sa.Table(
    "run_log_entries",
    metadata,
    sa.Column("run_id", _ID, primary_key=True),
    sa.Column("number", sa.BigInteger, primary_key=True, autoincrement=False),
    sa.Column("size_bytes", sa.Integer, nullable=False),
    sa.Column("entry_json", sa.Text, nullable=False),
    sqlite_with_rowid=False,
)

# Without `confirmed_at_ms` an artifact is only announced. `stated_*` is what its bytes must be.
run_artifacts = sa.Table(
    "run_artifacts",
    metadata,
    sa.Column("id", _ID, primary_key=True),
    sa.Column("run_id", _ID, nullable=False),
    sa.Column("attempt", sa.Integer, nullable=False),
    sa.Column("type", sa.String(40), nullable=False),
    sa.Column("file_name", sa.Text, nullable=False),
    sa.Column("storage_location", sa.String(16), nullable=False),
    sa.Column("stated_size_bytes", sa.BigInteger),
    sa.Column("stated_sha256", sa.String(64)),
    sa.Column("size_bytes", sa.BigInteger),
    sa.Column("created_at_ms", sa.BigInteger, nullable=False),
    sa.Column("confirmed_at_ms", sa.BigInteger),
    sa.UniqueConstraint("run_id", "file_name"),
)
