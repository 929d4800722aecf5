"""Table of what samples have near them: groups of near-duplicates, and outliers.

`content` has one value per sample that the embedding covers, little-endian and compressed with
zstd. Everything here follows from vectors: without it nothing is lost but the time to search again.
"""

from __future__ import annotations

import sqlalchemy as sa

from lightly.server.db.columns import ID, metadata

neighborhoods = sa.Table(
    "neighborhoods",
    metadata,
    sa.Column("id", ID, primary_key=True),
    sa.Column(
        "embedding_id", ID, sa.ForeignKey("embeddings.id", ondelete="CASCADE"), nullable=False
    ),
    sa.Column("kind", sa.String(20), nullable=False),
    sa.Column("parameters_json", sa.String(255), nullable=False),
    sa.Column("source_etag", sa.Text, nullable=False),
    sa.Column("created_at_ms", sa.BigInteger, nullable=False),
    sa.Column("summary_json", sa.Text, nullable=False),
    sa.Column("content", sa.LargeBinary, nullable=False),
    sa.UniqueConstraint("embedding_id", "kind", "parameters_json"),
)
