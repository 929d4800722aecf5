"""Tables of users, datasets, samples, tags, embeddings and jobs.

Columns named `*_ms` are milliseconds since the epoch, `*_json` is JSON text.

Identity of samples is narrow and apart from their contents, so that listing names reads little.
`dataset_key` is a small integer that stands for the dataset in rows that come by the million.
JSON is kept as text: answers splice it in without parsing it.
"""

from __future__ import annotations

import sqlalchemy as sa

from lightly.server.db.columns import ID as _ID
from lightly.server.db.columns import KEY as _KEY
from lightly.server.db.columns import metadata

users = sa.Table(
    "users",
    metadata,
    sa.Column("id", _ID, primary_key=True),
    sa.Column("email", sa.String(320), nullable=False, unique=True),
    sa.Column("is_admin", sa.Boolean, nullable=False),
    sa.Column("created_at_ms", sa.BigInteger, nullable=False),
    sa.Column("disabled_at_ms", sa.BigInteger),
)

# Only a keyed hash of a token is stored: a copy of the database opens nothing.
tokens = sa.Table(
    "tokens",
    metadata,
    sa.Column("hash", sa.String(64), primary_key=True),
    sa.Column("user_id", _ID, sa.ForeignKey("users.id"), nullable=False, index=True),
    sa.Column("created_at_ms", sa.BigInteger, nullable=False),
    # What its user calls it; those that the operator made have none.
    sa.Column("name", sa.Text),
)

datasets = sa.Table(
    "datasets",
    metadata,
    sa.Column("key", _KEY, primary_key=True, autoincrement=True),
    sa.Column("id", _ID, nullable=False, unique=True),
    sa.Column("user_id", _ID, sa.ForeignKey("users.id"), nullable=False),
    sa.Column("name", sa.Text, nullable=False),
    sa.Column("type", sa.String(16), nullable=False),
    sa.Column("img_type", sa.String(16)),
    sa.Column("creator", sa.String(32), nullable=False),
    sa.Column("n_samples", sa.BigInteger, nullable=False),
    sa.Column("size_bytes", sa.BigInteger, nullable=False),
    sa.Column("parent_dataset_id", _ID),
    sa.Column("metadata_configuration_id", _ID),
    sa.Column("upload_json", sa.Text),
    sa.Column("created_at_ms", sa.BigInteger, nullable=False),
    sa.Column("last_modified_at_ms", sa.BigInteger, nullable=False),
    sa.Column("deleted_at_ms", sa.BigInteger),
    # A deleted dataset keeps its row for a while and must not block its name.
    sa.Index(
        "uq_datasets_owner_name",
        "user_id",
        "name",
        unique=True,
        sqlite_where=sa.text("deleted_at_ms IS NULL"),
        postgresql_where=sa.text("deleted_at_ms IS NULL"),
    ),
    sqlite_autoincrement=True,
)

# `idx` is dense and append-only: it is the sample's bit in every tag.
samples = sa.Table(
    "samples",
    metadata,
    sa.Column("dataset_key", sa.BigInteger, primary_key=True, autoincrement=False),
    sa.Column("idx", sa.BigInteger, primary_key=True, autoincrement=False),
    sa.Column("id", _ID, nullable=False),
    sa.Column("file_name", sa.Text, nullable=False),
    sa.Column("type", sa.String(16), nullable=False),
    sa.Column("created_at_ms", sa.BigInteger, nullable=False),
    sa.Index("uq_samples_dataset_key_id", "dataset_key", "id", unique=True),
    sa.Index("uq_samples_dataset_key_file_name", "dataset_key", "file_name", unique=True),
    sqlite_with_rowid=False,
)

sample_contents = sa.Table(
    "sample_contents",
    metadata,
    sa.Column("dataset_key", sa.BigInteger, primary_key=True, autoincrement=False),
    sa.Column("idx", sa.BigInteger, primary_key=True, autoincrement=False),
    sa.Column("last_modified_at_ms", sa.BigInteger, nullable=False),
    sa.Column("thumb_name", sa.Text),
    sa.Column("metadata_json", sa.Text),
    sa.Column("custom_metadata_json", sa.Text),
    sa.Column("exif_json", sa.Text),
    sa.Column("video_frame_json", sa.Text),
    sa.Column("crop_json", sa.Text),
    sqlite_with_rowid=False,
)

# `mask` is a little-endian bit mask, compressed with zstd. It is the last column, so that SQLite
# reads the others without walking through it.
tags = sa.Table(
    "tags",
    metadata,
    sa.Column("id", _ID, primary_key=True),
    sa.Column("dataset_key", sa.BigInteger, nullable=False),
    sa.Column("name", sa.Text, nullable=False),
    sa.Column("prev_tag_id", _ID),
    sa.Column("query_tag_id", _ID),
    sa.Column("preselected_tag_id", _ID),
    sa.Column("run_id", _ID, index=True),
    sa.Column("creator", sa.String(32), nullable=False),
    sa.Column("tot_size", sa.BigInteger, nullable=False),
    sa.Column("changes_json", sa.Text),
    sa.Column("created_at_ms", sa.BigInteger, nullable=False),
    sa.Column("last_modified_at_ms", sa.BigInteger, nullable=False),
    sa.Column("mask", sa.LargeBinary, nullable=False),
    sa.UniqueConstraint("dataset_key", "name"),
)

# `scores` is little-endian float64, one per sample of the tag, compressed with zstd.
tag_scores = sa.Table(
    "tag_scores",
    metadata,
    sa.Column("id", _ID, primary_key=True),
    sa.Column("tag_id", _ID, sa.ForeignKey("tags.id", ondelete="CASCADE"), nullable=False),
    sa.Column("score_type", sa.Text, nullable=False),
    sa.Column("created_at_ms", sa.BigInteger, nullable=False),
    sa.Column("scores", sa.LargeBinary, nullable=False),
    sa.UniqueConstraint("tag_id", "score_type"),
)

# `state`: WAITING for its CSV, READY, or FAILED with `error`.
embeddings = sa.Table(
    "embeddings",
    metadata,
    sa.Column("id", _ID, primary_key=True),
    sa.Column("dataset_key", sa.BigInteger, nullable=False),
    sa.Column("name", sa.Text, nullable=False),
    sa.Column("state", sa.String(16), nullable=False),
    sa.Column("error", sa.Text),
    sa.Column("n_rows", sa.BigInteger, nullable=False),
    sa.Column("dimension", sa.Integer, nullable=False),
    sa.Column("source_etag", sa.Text),
    sa.Column("created_at_ms", sa.BigInteger, nullable=False),
    sa.UniqueConstraint("dataset_key", "name"),
)

# `coordinates` is two float32 columns, one after the other, compressed with zstd.
embeddings_2d = sa.Table(
    "embeddings_2d",
    metadata,
    sa.Column("id", _ID, primary_key=True),
    sa.Column(
        "embedding_id", _ID, sa.ForeignKey("embeddings.id", ondelete="CASCADE"), nullable=False
    ),
    sa.Column("name", sa.Text, nullable=False),
    sa.Column("method", sa.String(16), nullable=False),
    sa.Column("created_at_ms", sa.BigInteger, nullable=False),
    sa.Column("coordinates", sa.LargeBinary, nullable=False),
    sa.UniqueConstraint("embedding_id", "method", "name"),
)

# What clients see of background work, and the outbox of it: a row that is WAITING or RUNNING is
# work that some server owes. `claim_token` fences: only who holds it may end the job.
jobs = sa.Table(
    "jobs",
    metadata,
    sa.Column("id", _ID, primary_key=True),
    sa.Column("user_id", _ID, sa.ForeignKey("users.id"), nullable=False),
    sa.Column("dataset_id", _ID, index=True),
    # The job that has to finish first.
    sa.Column("after_job_id", _ID),
    # The same request twice finds the same job: what makes it the same is in this key.
    sa.Column("dedupe_key", sa.Text, unique=True),
    sa.Column("kind", sa.String(32), nullable=False),
    sa.Column("status", sa.String(16), nullable=False, index=True),
    sa.Column("input_json", sa.Text, nullable=False),
    sa.Column("result_json", sa.Text),
    sa.Column("error", sa.Text),
    sa.Column("attempts", sa.Integer, nullable=False),
    sa.Column("claim_token", _ID),
    sa.Column("created_at_ms", sa.BigInteger, nullable=False),
    sa.Column("last_modified_at_ms", sa.BigInteger, nullable=False),
    sa.Column("finished_at_ms", sa.BigInteger),
    # How far a running job is: the extension document's `JobProgress`.
    sa.Column("progress_json", sa.Text),
    sa.Index("ix_jobs_user_id_id", "user_id", "id"),
)

# One row per server process that runs jobs; it shows a sign of life before `expires_at_ms`, which
# is the database's own time.
job_executors = sa.Table(
    "job_executors",
    metadata,
    sa.Column("id", _ID, primary_key=True),
    sa.Column("expires_at_ms", sa.BigInteger, nullable=False),
)

metadata_configurations = sa.Table(
    "metadata_configurations",
    metadata,
    sa.Column("id", _ID, primary_key=True),
    sa.Column("dataset_key", sa.BigInteger, nullable=False, index=True),
    sa.Column("name", sa.Text, nullable=False),
    sa.Column("entries_json", sa.Text, nullable=False),
    sa.Column("created_at_ms", sa.BigInteger, nullable=False),
    sa.Column("last_modified_at_ms", sa.BigInteger, nullable=False),
)
