"""Tables behind the web app: sessions of browsers, favourites, and which samples changed.

Columns named `*_ms` are milliseconds since the epoch.
"""

from __future__ import annotations

import sqlalchemy as sa

from lightly.server.db.columns import ID as _ID
from lightly.server.db.columns import metadata

# Only a keyed hash of a session is stored. It goes with the API token that it was begun with, so
# that whoever revokes the token ends the session too.
web_sessions = sa.Table(
    "web_sessions",
    metadata,
    sa.Column("hash", sa.String(64), primary_key=True),
    sa.Column("user_id", _ID, sa.ForeignKey("users.id"), nullable=False, index=True),
    sa.Column(
        "token_hash",
        sa.String(64),
        sa.ForeignKey("tokens.hash", ondelete="CASCADE"),
        nullable=False,
        index=True,
    ),
    sa.Column("created_at_ms", sa.BigInteger, nullable=False),
    sa.Column("expires_at_ms", sa.BigInteger, nullable=False, index=True),
)

# One row per block of neighbouring samples. `revision` counts the commits that changed any of them;
# a block without a row has not changed since columns are derived from it.
sample_changes = sa.Table(
    "sample_changes",
    metadata,
    sa.Column("dataset_key", sa.BigInteger, primary_key=True, autoincrement=False),
    sa.Column("block", sa.BigInteger, primary_key=True, autoincrement=False),
    sa.Column("revision", sa.BigInteger, nullable=False),
    sqlite_with_rowid=False,
)

# Datasets that somebody marked, for nobody else to see.
favourite_datasets = sa.Table(
    "favourite_datasets",
    metadata,
    sa.Column("user_id", _ID, sa.ForeignKey("users.id"), primary_key=True),
    sa.Column("dataset_key", sa.BigInteger, primary_key=True, autoincrement=False, index=True),
)

# What the explore page shows, as the query of its address. Those without a name are short links.
saved_views = sa.Table(
    "saved_views",
    metadata,
    sa.Column("id", _ID, primary_key=True),
    sa.Column("dataset_key", sa.BigInteger, nullable=False),
    sa.Column("user_id", _ID, sa.ForeignKey("users.id"), nullable=False),
    # The name, or a hash of the query: nobody has one of them twice.
    sa.Column("label", sa.Text, nullable=False),
    sa.Column("is_named", sa.Boolean, nullable=False),
    sa.Column("query", sa.Text, nullable=False),
    sa.Column("created_at_ms", sa.BigInteger, nullable=False),
    sa.UniqueConstraint("dataset_key", "user_id", "is_named", "label"),
)
