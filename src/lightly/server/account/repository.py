"""Queries on what belongs to one user."""

from __future__ import annotations

from dataclasses import dataclass

import sqlalchemy as sa

from lightly.openapi_generated.swagger_client.models.team_role import TeamRole
from lightly.server.auth.users import User
from lightly.server.datasets.repository import rights_in
from lightly.server.db.tables import datasets, tokens
from lightly.server.db.team_tables import team_members, teams
from lightly.server.db.web_tables import favourite_datasets, web_sessions
from lightly.server.teams.models import Team


@dataclass(frozen=True)
class ApiToken:
    """What is known of an API token: everything but the token.

    Attributes:
        hash: Keyed; never leaves the server whole.
        name: What its user calls it; None of those that the operator made.
        created_at_ms: When it was made.
    """

    hash: str
    name: str | None
    created_at_ms: int

    @property
    def id(self) -> str:
        """24 hex digits. The hash is keyed, so that nothing follows from a part of it."""
        return self.hash[:24]


def list_tokens(connection: sa.Connection, user_id: str) -> list[ApiToken]:
    """Return the tokens of a user, oldest first."""
    query = (
        sa.select(tokens.c.hash, tokens.c.name, tokens.c.created_at_ms)
        .where(tokens.c.user_id == user_id)
        .order_by(tokens.c.created_at_ms, tokens.c.hash)
    )
    return [ApiToken(*row) for row in connection.execute(query)]


def insert_token(
    connection: sa.Connection, token_hash: str, user_id: str, name: str, now_ms: int
) -> None:
    """Add a token of a user."""
    connection.execute(
        sa.insert(tokens).values(hash=token_hash, user_id=user_id, name=name, created_at_ms=now_ms)
    )


def delete_token(connection: sa.Connection, token_hash: str) -> None:
    """Remove a token; sessions that were begun with it end."""
    connection.execute(sa.delete(tokens).where(tokens.c.hash == token_hash))


def hold_user(connection: sa.Connection, user_id: str) -> None:
    """Let nobody else change the tokens of a user until the commit."""
    query = sa.select(tokens.c.hash).where(tokens.c.user_id == user_id).with_for_update()
    connection.execute(query).all()


def find_token_hash_of_session(connection: sa.Connection, session_hash: str) -> str | None:
    """Return which token a session was begun with."""
    query = sa.select(web_sessions.c.token_hash).where(web_sessions.c.hash == session_hash)
    found: str | None = connection.execute(query).scalar_one_or_none()
    return found


def list_teams(connection: sa.Connection, user_id: str) -> list[tuple[Team, TeamRole]]:
    """Return the teams of a user by name, each with the role in it."""
    query = (
        sa.select(teams.c.id, teams.c.name, teams.c.created_at_ms, team_members.c.role)
        .join(team_members, team_members.c.team_id == teams.c.id)
        .where(team_members.c.user_id == user_id)
        .order_by(teams.c.name)
    )
    return [
        (Team(row.id, row.name, row.created_at_ms), TeamRole(row.role))
        for row in connection.execute(query)
    ]


def list_favourites(connection: sa.Connection, caller: User) -> list[str]:
    """Return the ids of the datasets that a user marked and may still see."""
    query = (
        sa.select(datasets.c.id)
        .join(favourite_datasets, favourite_datasets.c.dataset_key == datasets.c.key)
        .where(
            favourite_datasets.c.user_id == caller.id,
            datasets.c.deleted_at_ms.is_(None),
            rights_in(caller).is_not(None),
        )
        .order_by(datasets.c.id)
    )
    return list(connection.execute(query).scalars())


def insert_favourite(connection: sa.Connection, user_id: str, dataset_key: int) -> None:
    """Mark a dataset; one that is marked stays so."""
    connection.execute(
        sa.text(
            "INSERT INTO favourite_datasets (user_id, dataset_key) VALUES (:user_id, :dataset_key) "
            "ON CONFLICT DO NOTHING"
        ),
        {"user_id": user_id, "dataset_key": dataset_key},
    )


def delete_favourite(connection: sa.Connection, user_id: str, dataset_key: int) -> None:
    """Take the mark away."""
    connection.execute(
        sa.delete(favourite_datasets).where(
            favourite_datasets.c.user_id == user_id,
            favourite_datasets.c.dataset_key == dataset_key,
        )
    )
