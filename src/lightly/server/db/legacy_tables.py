"""Tables of what only published clients before 1.2 make."""

from __future__ import annotations

import sqlalchemy as sa

from lightly.server.db.columns import ID, metadata

# Client 1.1 makes metadata configurations without a dataset; a dataset goes by one when its
# `metadata_configuration_id` says so.
user_metadata_configurations = sa.Table(
    "user_metadata_configurations",
    metadata,
    sa.Column("id", ID, primary_key=True),
    sa.Column("user_id", ID, sa.ForeignKey("users.id"), nullable=False, index=True),
    sa.Column("name", sa.Text, nullable=False),
    sa.Column("entries_json", sa.Text, nullable=False),
    sa.Column("created_at_ms", sa.BigInteger, nullable=False),
    sa.Column("last_modified_at_ms", sa.BigInteger, nullable=False),
)
