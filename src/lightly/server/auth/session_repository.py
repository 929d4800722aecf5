"""Queries on sessions of the web app."""

from __future__ import annotations

import sqlalchemy as sa

from lightly.server.auth.users import User
from lightly.server.db.tables import tokens, users
from lightly.server.db.web_tables import web_sessions


def has_token(connection: sa.Connection, token_hash: str, user_id: str) -> bool:
    """Tell whether a user has a token; it is held against being revoked until the commit."""
    query = (
        sa.select(tokens.c.hash)
        .where(tokens.c.hash == token_hash, tokens.c.user_id == user_id)
        .with_for_update()
    )
    return connection.execute(query).first() is not None


def insert_session(
    connection: sa.Connection,
    *,
    session_hash: str,
    user_id: str,
    token_hash: str,
    now_ms: int,
    expires_at_ms: int,
) -> None:
    """Add a session."""
    connection.execute(
        sa.insert(web_sessions).values(
            hash=session_hash,
            user_id=user_id,
            token_hash=token_hash,
            created_at_ms=now_ms,
            expires_at_ms=expires_at_ms,
        )
    )


def find_user(connection: sa.Connection, session_hash: str, now_ms: int) -> User | None:
    """Return the enabled user of a session that has not expired."""
    row = connection.execute(
        sa.select(users.c.id, users.c.email, users.c.is_admin)
        .join(web_sessions, web_sessions.c.user_id == users.c.id)
        .where(
            web_sessions.c.hash == session_hash,
            web_sessions.c.expires_at_ms > now_ms,
            users.c.disabled_at_ms.is_(None),
        )
    ).one_or_none()
    return None if row is None else User(row.id, row.email, row.is_admin)


def delete_session(connection: sa.Connection, session_hash: str) -> str | None:
    """Remove a session; return whose it was."""
    query = sa.select(web_sessions.c.user_id).where(web_sessions.c.hash == session_hash)
    user_id: str | None = connection.execute(query).scalar()
    connection.execute(sa.delete(web_sessions).where(web_sessions.c.hash == session_hash))
    return user_id


def delete_expired(connection: sa.Connection, now_ms: int) -> None:
    """Remove the sessions whose time is over."""
    connection.execute(sa.delete(web_sessions).where(web_sessions.c.expires_at_ms <= now_ms))
