"""Tables of predictions, their tasks and active-learning scores by task.

Columns named `*_ms` are milliseconds since the epoch, `*_json` is JSON text.
"""

from __future__ import annotations

import sqlalchemy as sa

from lightly.server.db.columns import ID as _ID
from lightly.server.db.columns import KEY as _KEY
from lightly.server.db.columns import metadata

# `key` is a small integer that stands for the task in rows that come by the million.
prediction_tasks = sa.Table(
    "prediction_tasks",
    metadata,
    sa.Column("key", _KEY, primary_key=True, autoincrement=True),
    sa.Column("id", _ID, nullable=False, unique=True),
    sa.Column("dataset_key", sa.BigInteger, nullable=False),
    sa.Column("name", sa.Text, nullable=False),
    sa.Column("type", sa.String(32), nullable=False),
    sa.Column("categories_json", sa.Text, nullable=False),
    sa.Column("version_ms", sa.BigInteger, nullable=False),
    sa.Column("has_predictions", sa.Boolean, nullable=False),
    sa.Column("created_at_ms", sa.BigInteger, nullable=False),
    sa.Column("last_modified_at_ms", sa.BigInteger, nullable=False),
    sa.UniqueConstraint("dataset_key", "name"),
    sqlite_autoincrement=True,
)

# One row per sample and task. `singletons` is JSON, compressed with zstd where that helps, without
# run lengths: those are in `segmentations`, the last column, so that lists without them never read
# them. `positions` is set where one request mixed the predictions of several tasks.
sample_predictions = sa.Table(
    "sample_predictions",
    metadata,
    sa.Column("dataset_key", sa.BigInteger, primary_key=True, autoincrement=False),
    sa.Column("idx", sa.BigInteger, primary_key=True, autoincrement=False),
    sa.Column("task_key", sa.BigInteger, primary_key=True, autoincrement=False),
    sa.Column("size_bytes", sa.Integer, nullable=False),
    sa.Column("positions_json", sa.Text),
    sa.Column("singletons", sa.LargeBinary, nullable=False),
    sa.Column("segmentations", sa.LargeBinary),
    sqlite_with_rowid=False,
)

# `scores` is little-endian float64, one per sample of the dataset, compressed with zstd.
prediction_scores = sa.Table(
    "prediction_scores",
    metadata,
    sa.Column("id", _ID, primary_key=True),
    sa.Column("dataset_key", sa.BigInteger, nullable=False, index=True),
    sa.Column(
        "task_key",
        sa.BigInteger,
        sa.ForeignKey("prediction_tasks.key", ondelete="CASCADE"),
        nullable=False,
    ),
    sa.Column("score_type", sa.Text, nullable=False),
    sa.Column("version_ms", sa.BigInteger, nullable=False),
    sa.Column("created_at_ms", sa.BigInteger, nullable=False),
    sa.Column("scores", sa.LargeBinary, nullable=False),
    sa.UniqueConstraint("task_key", "score_type"),
)

# What tag search reads: the tags of a block of neighbouring samples in one row, derived from
# `sample_predictions` as these are written. `content` is packed as `predictions.tag_blocks` says.
tag_blocks = sa.Table(
    "tag_blocks",
    metadata,
    sa.Column("dataset_key", sa.BigInteger, primary_key=True, autoincrement=False),
    sa.Column("block", sa.BigInteger, primary_key=True, autoincrement=False),
    sa.Column("content", sa.LargeBinary, nullable=False),
    sqlite_with_rowid=False,
)
