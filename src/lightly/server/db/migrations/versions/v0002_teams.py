"""Tables of teams, members, sharing; addresses in one form."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Create the tables of teams, members, sharing and write all addresses in lower case."""
    _create_teams()
    _create_accounts()
    _create_shares()
    _normalise_addresses()


def _create_teams() -> None:
    op.create_table(
        "teams",
        sa.Column("id", sa.String(length=24), nullable=False),
        sa.Column("name", sa.String(length=255), nullable=False),
        sa.Column("created_at_ms", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_teams")),
        sa.UniqueConstraint("name", name=op.f("uq_teams_name")),
    )
    op.create_table(
        "team_members",
        sa.Column("team_id", sa.String(length=24), autoincrement=False, nullable=False),
        sa.Column("user_id", sa.String(length=24), autoincrement=False, nullable=False),
        sa.Column("role", sa.String(length=16), nullable=False),
        sa.Column("assets_since_ms", sa.BigInteger(), nullable=False),
        sa.Column("created_at_ms", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["team_id"], ["teams.id"], name=op.f("fk_team_members_team_id")),
        sa.PrimaryKeyConstraint("team_id", "user_id", name=op.f("pk_team_members")),
    )
    op.create_index(op.f("ix_team_members_user_id"), "team_members", ["user_id"], unique=False)


def _create_accounts() -> None:
    op.create_table(
        "service_accounts",
        sa.Column("user_id", sa.String(length=24), nullable=False),
        sa.Column("team_id", sa.String(length=24), nullable=False),
        sa.Column("name", sa.String(length=255), nullable=False),
        sa.Column("created_at_ms", sa.BigInteger(), nullable=False),
        sa.Column("removed_at_ms", sa.BigInteger(), nullable=True),
        sa.ForeignKeyConstraint(
            ["team_id"], ["teams.id"], name=op.f("fk_service_accounts_team_id")
        ),
        sa.ForeignKeyConstraint(
            ["user_id"], ["users.id"], name=op.f("fk_service_accounts_user_id")
        ),
        sa.PrimaryKeyConstraint("user_id", name=op.f("pk_service_accounts")),
    )
    op.create_index(
        "uq_service_accounts_team_id_name",
        "service_accounts",
        ["team_id", "name"],
        unique=True,
        sqlite_where=sa.text("removed_at_ms IS NULL"),
        postgresql_where=sa.text("removed_at_ms IS NULL"),
    )
    op.create_table(
        "invited_users",
        sa.Column("email", sa.String(length=320), nullable=False),
        sa.Column("user_id", sa.String(length=24), nullable=False),
        sa.Column("created_at_ms", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("email", name=op.f("pk_invited_users")),
        sa.UniqueConstraint("user_id", name=op.f("uq_invited_users_user_id")),
    )
    op.create_table(
        "user_quotas",
        sa.Column("user_id", sa.String(length=24), nullable=False),
        sa.Column("max_dataset_size", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"], name=op.f("fk_user_quotas_user_id")),
        sa.PrimaryKeyConstraint("user_id", name=op.f("pk_user_quotas")),
    )


def _create_shares() -> None:
    op.create_table(
        "dataset_shares",
        sa.Column("id", sa.String(length=24), nullable=False),
        sa.Column("dataset_key", sa.BigInteger(), nullable=False),
        sa.Column("access_type", sa.String(length=16), nullable=False),
        sa.Column("created_at_ms", sa.BigInteger(), nullable=False),
        sa.Column("last_modified_at_ms", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_dataset_shares")),
        sa.UniqueConstraint(
            "dataset_key", "access_type", name=op.f("uq_dataset_shares_dataset_key_access_type")
        ),
    )
    op.create_table(
        "dataset_share_users",
        sa.Column("share_id", sa.String(length=24), nullable=False),
        sa.Column("email", sa.String(length=320), nullable=False),
        sa.Column("shown", sa.String(length=320), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(
            ["share_id"],
            ["dataset_shares.id"],
            name=op.f("fk_dataset_share_users_share_id"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("share_id", "email", name=op.f("pk_dataset_share_users")),
    )
    op.create_index(
        op.f("ix_dataset_share_users_email"), "dataset_share_users", ["email"], unique=False
    )
    op.create_table(
        "dataset_share_teams",
        sa.Column("share_id", sa.String(length=24), nullable=False),
        sa.Column("team_id", sa.String(length=24), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(
            ["share_id"],
            ["dataset_shares.id"],
            name=op.f("fk_dataset_share_teams_share_id"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["team_id"], ["teams.id"], name=op.f("fk_dataset_share_teams_team_id")
        ),
        sa.PrimaryKeyConstraint("share_id", "team_id", name=op.f("pk_dataset_share_teams")),
    )
    op.create_index(
        op.f("ix_dataset_share_teams_team_id"), "dataset_share_teams", ["team_id"], unique=False
    )


def _normalise_addresses() -> None:
    """Write addresses as they are compared from now on, unless somebody has that one already."""
    users = sa.table("users", sa.column("id"), sa.column("email"))
    connection = op.get_bind()
    found = connection.execute(sa.select(users.c.id, users.c.email).order_by(users.c.id)).all()
    taken = {row.email for row in found}
    for row in found:
        email = row.email.lower()
        if email not in taken:
            taken.add(email)
            connection.execute(sa.update(users).where(users.c.id == row.id).values(email=email))
