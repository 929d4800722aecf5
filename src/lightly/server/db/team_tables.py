"""Tables of teams, members, sharing.

Addresses are kept in the form that `auth.addresses.normalise_address` gives them, so that they
are compared with `=`.
"""

from __future__ import annotations

import sqlalchemy as sa

from lightly.server.db.columns import ID, metadata

teams = sa.Table(
    "teams",
    metadata,
    sa.Column("id", ID, primary_key=True),
    sa.Column("name", sa.String(255), nullable=False, unique=True),
    sa.Column("created_at_ms", sa.BigInteger, nullable=False),
)

# `user_id` may be of somebody who is still to come: see `invited_users`. What a member made before
# `assets_since_ms` is not the team's.
team_members = sa.Table(
    "team_members",
    metadata,
    sa.Column("team_id", ID, sa.ForeignKey("teams.id"), primary_key=True, autoincrement=False),
    sa.Column("user_id", ID, primary_key=True, autoincrement=False, index=True),
    sa.Column("role", sa.String(16), nullable=False),
    sa.Column("assets_since_ms", sa.BigInteger, nullable=False),
    sa.Column("created_at_ms", sa.BigInteger, nullable=False),
)

# A service account is a user whom nobody is behind. Its row stays when it is removed.
service_accounts = sa.Table(
    "service_accounts",
    metadata,
    sa.Column("user_id", ID, sa.ForeignKey("users.id"), primary_key=True),
    sa.Column("team_id", ID, sa.ForeignKey("teams.id"), nullable=False),
    sa.Column("name", sa.String(255), nullable=False),
    sa.Column("created_at_ms", sa.BigInteger, nullable=False),
    sa.Column("removed_at_ms", sa.BigInteger),
    sa.Index(
        "uq_service_accounts_team_id_name",
        "team_id",
        "name",
        unique=True,
        sqlite_where=sa.text("removed_at_ms IS NULL"),
        postgresql_where=sa.text("removed_at_ms IS NULL"),
    ),
)

# Addresses that were named before there is a user, with the id that the user will get.
invited_users = sa.Table(
    "invited_users",
    metadata,
    sa.Column("email", sa.String(320), primary_key=True),
    sa.Column("user_id", ID, nullable=False, unique=True),
    sa.Column("created_at_ms", sa.BigInteger, nullable=False),
)

# One row per dataset and type of access: who is in it, is in the two tables below.
dataset_shares = sa.Table(
    "dataset_shares",
    metadata,
    sa.Column("id", ID, primary_key=True),
    sa.Column("dataset_key", sa.BigInteger, nullable=False),
    sa.Column("access_type", sa.String(16), nullable=False),
    sa.Column("created_at_ms", sa.BigInteger, nullable=False),
    sa.Column("last_modified_at_ms", sa.BigInteger, nullable=False),
    sa.UniqueConstraint("dataset_key", "access_type"),
)

# Shared with addresses, not with ids: there may be no user of that address yet. `shown` is the
# address as it was given.
dataset_share_users = sa.Table(
    "dataset_share_users",
    metadata,
    sa.Column(
        "share_id", ID, sa.ForeignKey("dataset_shares.id", ondelete="CASCADE"), primary_key=True
    ),
    sa.Column("email", sa.String(320), primary_key=True, index=True),
    sa.Column("shown", sa.String(320), nullable=False),
    sa.Column("position", sa.Integer, nullable=False),
)

dataset_share_teams = sa.Table(
    "dataset_share_teams",
    metadata,
    sa.Column(
        "share_id", ID, sa.ForeignKey("dataset_shares.id", ondelete="CASCADE"), primary_key=True
    ),
    sa.Column("team_id", ID, sa.ForeignKey("teams.id"), primary_key=True, index=True),
    sa.Column("position", sa.Integer, nullable=False),
)

# How much an operator lets one user have. Without a row the server's own limit counts.
user_quotas = sa.Table(
    "user_quotas",
    metadata,
    sa.Column("user_id", ID, sa.ForeignKey("users.id"), primary_key=True),
    sa.Column("max_dataset_size", sa.BigInteger, nullable=False),
)
