"""Queries on users and tokens."""

from __future__ import annotations

import sqlalchemy as sa

from lightly.server.auth.users import User
from lightly.server.db.tables import tokens, users
from lightly.server.db.team_tables import invited_users


def find_user_by_token_hash(connection: sa.Connection, token_hash: str) -> User | None:
    """Return the enabled user whose token has this hash."""
    row = connection.execute(
        sa.select(users.c.id, users.c.email, users.c.is_admin)
        .join(tokens, tokens.c.user_id == users.c.id)
        .where(tokens.c.hash == token_hash, users.c.disabled_at_ms.is_(None))
    ).one_or_none()
    return None if row is None else User(row.id, row.email, row.is_admin)


def find_enabled_user(connection: sa.Connection, user_id: str) -> User | None:
    """Return the enabled user with this id."""
    row = connection.execute(
        sa.select(users.c.id, users.c.email, users.c.is_admin).where(
            users.c.id == user_id, users.c.disabled_at_ms.is_(None)
        )
    ).one_or_none()
    return None if row is None else User(row.id, row.email, row.is_admin)


def find_user_by_email(connection: sa.Connection, email: str) -> User | None:
    """Return the user with this address, disabled or not."""
    row = connection.execute(
        sa.select(users.c.id, users.c.email, users.c.is_admin).where(users.c.email == email)
    ).one_or_none()
    return None if row is None else User(row.id, row.email, row.is_admin)


def has_admin(connection: sa.Connection) -> bool:
    """Tell whether anybody may administer the server."""
    query = sa.select(users.c.id).where(users.c.is_admin).limit(1)
    return connection.execute(query).first() is not None


def list_users(connection: sa.Connection) -> list[tuple[User, bool]]:
    """Return all users by address, each with whether it is disabled."""
    rows = connection.execute(sa.select(users).order_by(users.c.email)).all()
    return [(User(r.id, r.email, r.is_admin), r.disabled_at_ms is not None) for r in rows]


def reserve_id(connection: sa.Connection, email: str, new_id: str, now_ms: int) -> str:
    """Return the id that the user of an address has or will have.

    Of those who name an address at the same time, one sets the id and the others wait for it: the
    address is the key of `invited_users`, whether there is a user already or not.

    Args:
        connection: An open write transaction.
        email: A normal address.
        new_id: The id to be, unless there is one.
        now_ms: The time.
    """
    connection.execute(
        sa.text(
            "INSERT INTO invited_users (email, user_id, created_at_ms) "
            "VALUES (:email, :user_id, :now_ms) ON CONFLICT (email) DO NOTHING"
        ),
        {"email": email, "user_id": new_id, "now_ms": now_ms},
    )
    user = find_user_by_email(connection, email)
    if user is not None:
        forget_invitation(connection, email)
        return user.id
    reserved: str = connection.execute(
        sa.select(invited_users.c.user_id).where(invited_users.c.email == email)
    ).scalar_one()
    return reserved


def forget_invitation(connection: sa.Connection, email: str) -> None:
    """Note that nobody is to come under this address any more."""
    connection.execute(sa.delete(invited_users).where(invited_users.c.email == email))


def insert_user(connection: sa.Connection, user: User, now_ms: int) -> None:
    """Add a user."""
    connection.execute(
        sa.insert(users).values(
            id=user.id, email=user.email, is_admin=user.is_admin, created_at_ms=now_ms
        )
    )


def insert_token(connection: sa.Connection, token_hash: str, user_id: str, now_ms: int) -> None:
    """Add a token of a user."""
    connection.execute(
        sa.insert(tokens).values(hash=token_hash, user_id=user_id, created_at_ms=now_ms)
    )


def delete_tokens(connection: sa.Connection, user_id: str) -> int:
    """Remove all tokens of a user; return how many there were."""
    return connection.execute(sa.delete(tokens).where(tokens.c.user_id == user_id)).rowcount


def disable_user(connection: sa.Connection, user_id: str, now_ms: int) -> None:
    """Mark a user as disabled."""
    connection.execute(sa.update(users).where(users.c.id == user_id).values(disabled_at_ms=now_ms))
