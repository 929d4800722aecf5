"""Tables of what selections have to say about the tags that they made.

`report_json` is small whatever was selected: all that grows with the picks or with the samples is
in columns. A column lies in blocks of values, little-endian and compressed with zstd, so that any
part of it can be read at the cost of that part.
"""

from __future__ import annotations

import sqlalchemy as sa

from lightly.server.db.columns import ID, metadata

selection_reports = sa.Table(
    "selection_reports",
    metadata,
    sa.Column("tag_id", ID, sa.ForeignKey("tags.id", ondelete="CASCADE"), primary_key=True),
    sa.Column("job_id", ID, nullable=False, unique=True),
    sa.Column("created_at_ms", sa.BigInteger, nullable=False),
    sa.Column("report_json", sa.Text, nullable=False),
)

selection_columns = sa.Table(
    "selection_columns",
    metadata,
    sa.Column(
        "tag_id",
        ID,
        sa.ForeignKey("selection_reports.tag_id", ondelete="CASCADE"),
        primary_key=True,
    ),
    sa.Column("name", sa.String(40), primary_key=True),
    sa.Column("block", sa.Integer, primary_key=True, autoincrement=False),
    sa.Column("content", sa.LargeBinary, nullable=False),
)
