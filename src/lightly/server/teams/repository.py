"""Queries on teams, their members and their service accounts."""

from __future__ import annotations

import sqlalchemy as sa

from lightly.openapi_generated.swagger_client.models.team_role import TeamRole
from lightly.server.db.tables import users
from lightly.server.db.team_tables import invited_users, service_accounts, team_members, teams
from lightly.server.teams.models import Member, ServiceAccount, Team

_SERVICEACCOUNT = TeamRole.SERVICEACCOUNT.value
_IS_IN_USE = service_accounts.c.removed_at_ms.is_(None)


def find_team_for(
    connection: sa.Connection, user_id: str, team_id: str
) -> tuple[Team, TeamRole] | None:
    """Return a team and the role that a user has in it, None if the user has none."""
    row = connection.execute(
        sa.select(teams, team_members.c.role)
        .join(team_members, team_members.c.team_id == teams.c.id)
        .where(teams.c.id == team_id, team_members.c.user_id == user_id)
    ).one_or_none()
    if row is None:
        return None
    return Team(row.id, row.name, row.created_at_ms), TeamRole(row.role)


def lock_team(connection: sa.Connection, team_id: str) -> None:
    """Hold a team against other changes of it until the commit."""
    connection.execute(sa.select(teams.c.id).where(teams.c.id == team_id).with_for_update())


def find_team(connection: sa.Connection, id_or_name: str) -> Team | None:
    """Return a team by id or name: for the operator."""
    row = connection.execute(
        sa.select(teams)
        .where(sa.or_(teams.c.id == id_or_name, teams.c.name == id_or_name))
        # Should the id of one be the name of another, the id is what is meant.
        .order_by(sa.case((teams.c.id == id_or_name, 0), else_=1))
        .limit(1)
    ).one_or_none()
    return None if row is None else Team(row.id, row.name, row.created_at_ms)


def list_teams(connection: sa.Connection) -> list[tuple[Team, int]]:
    """Return all teams by name, each with its number of members: for the operator."""
    counts = (
        sa.select(sa.func.count())
        .where(team_members.c.team_id == teams.c.id, team_members.c.role != _SERVICEACCOUNT)
        .scalar_subquery()
    )
    rows = connection.execute(sa.select(teams, counts.label("n")).order_by(teams.c.name)).all()
    return [(Team(row.id, row.name, row.created_at_ms), row.n) for row in rows]


def insert_team(connection: sa.Connection, team: Team) -> None:
    """Add a team. Raises `IntegrityError` when there is one of this name."""
    connection.execute(
        sa.insert(teams).values(id=team.id, name=team.name, created_at_ms=team.created_at_ms)
    )


def list_members(connection: sa.Connection, team_id: str) -> list[Member]:
    """Return the people of a team, in the order in which they came."""
    rows = connection.execute(
        _select_members(team_id).order_by(team_members.c.created_at_ms, team_members.c.user_id)
    )
    return [_make_member(row) for row in rows]


def find_member(connection: sa.Connection, team_id: str, user_id: str) -> Member | None:
    """Return one of the people of a team."""
    query = _select_members(team_id).where(team_members.c.user_id == user_id)
    row = connection.execute(query).one_or_none()
    return None if row is None else _make_member(row)


def _select_members(team_id: str) -> sa.Select[tuple[str, str, int, str]]:
    email = sa.func.coalesce(users.c.email, invited_users.c.email).label("email")
    return (
        sa.select(team_members.c.user_id, team_members.c.role, team_members.c.created_at_ms, email)
        .select_from(team_members)
        .outerjoin(users, users.c.id == team_members.c.user_id)
        .outerjoin(invited_users, invited_users.c.user_id == team_members.c.user_id)
        .where(team_members.c.team_id == team_id, team_members.c.role != _SERVICEACCOUNT)
    )


def _make_member(row: sa.Row[tuple[str, str, int, str]]) -> Member:
    return Member(row.user_id, row.email, TeamRole(row.role), row.created_at_ms)


def count_owners(connection: sa.Connection, team_id: str) -> int:
    """Return how many owners a team has."""
    query = sa.select(sa.func.count()).where(
        team_members.c.team_id == team_id, team_members.c.role == TeamRole.OWNER.value
    )
    return connection.execute(query).scalar_one()


def insert_member(
    connection: sa.Connection,
    team_id: str,
    user_id: str,
    role: TeamRole,
    *,
    assets_since_ms: int,
    now_ms: int,
) -> None:
    """Add a member. What the user made before `assets_since_ms` does not become the team's."""
    connection.execute(
        sa.insert(team_members).values(
            team_id=team_id,
            user_id=user_id,
            role=role.value,
            assets_since_ms=assets_since_ms,
            created_at_ms=now_ms,
        )
    )


def update_role(connection: sa.Connection, team_id: str, user_id: str, role: TeamRole) -> None:
    """Give a member another role."""
    connection.execute(
        sa.update(team_members)
        .where(team_members.c.team_id == team_id, team_members.c.user_id == user_id)
        .values(role=role.value)
    )


def delete_member(connection: sa.Connection, team_id: str, user_id: str) -> None:
    """Remove somebody from a team."""
    connection.execute(
        sa.delete(team_members).where(
            team_members.c.team_id == team_id, team_members.c.user_id == user_id
        )
    )


def list_service_accounts(connection: sa.Connection, team_id: str) -> list[ServiceAccount]:
    """Return the service accounts of a team, oldest first."""
    rows = connection.execute(
        sa.select(service_accounts)
        .where(service_accounts.c.team_id == team_id, _IS_IN_USE)
        .order_by(service_accounts.c.created_at_ms, service_accounts.c.user_id)
    )
    return [ServiceAccount(row.user_id, row.name, row.created_at_ms) for row in rows]


def find_service_account(
    connection: sa.Connection, team_id: str, id_or_name: str
) -> ServiceAccount | None:
    """Return one service account of a team by id or name."""
    row = connection.execute(
        sa.select(service_accounts)
        .where(
            service_accounts.c.team_id == team_id,
            sa.or_(service_accounts.c.user_id == id_or_name, service_accounts.c.name == id_or_name),
            _IS_IN_USE,
        )
        .order_by(sa.case((service_accounts.c.user_id == id_or_name, 0), else_=1))
        .limit(1)
    ).one_or_none()
    return None if row is None else ServiceAccount(row.user_id, row.name, row.created_at_ms)


def list_service_account_ids(connection: sa.Connection) -> set[str]:
    """Return the ids of all users that are service accounts: for the operator."""
    return set(connection.execute(sa.select(service_accounts.c.user_id)).scalars())


def insert_service_account(
    connection: sa.Connection, team_id: str, account: ServiceAccount
) -> None:
    """Add a service account. Raises `IntegrityError` when the team has one of this name."""
    connection.execute(
        sa.insert(service_accounts).values(
            user_id=account.user_id,
            team_id=team_id,
            name=account.name,
            created_at_ms=account.created_at_ms,
        )
    )


def mark_removed(connection: sa.Connection, user_id: str, now_ms: int) -> None:
    """Note that a service account is no more. What it owns stays the team's."""
    connection.execute(
        sa.update(service_accounts)
        .where(service_accounts.c.user_id == user_id)
        .values(removed_at_ms=now_ms)
    )
