"""Queries on whom datasets are shared with."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import sqlalchemy as sa

from lightly._kit.ids import make_id
from lightly.openapi_generated.swagger_client.models.shared_access_type import SharedAccessType
from lightly.server.auth.users import User
from lightly.server.db.tables import datasets
from lightly.server.db.team_tables import (
    dataset_share_teams,
    dataset_share_users,
    dataset_shares,
    team_members,
)

_WRITE = SharedAccessType.WRITE.value


@dataclass(frozen=True)
class Share:
    """One access configuration of a dataset.

    Attributes:
        id: 24 hex digits.
        access_type: What it gives: `WRITE`.
        emails: Of the users, as they were given.
        team_ids: The teams.
        created_at_ms: When it was made.
        last_modified_at_ms: When it was replaced last.
    """

    id: str
    access_type: str
    emails: list[str]
    team_ids: list[str]
    created_at_ms: int
    last_modified_at_ms: int


def is_shared_with(caller: User) -> sa.ColumnElement[bool]:
    """Return the condition that the row of `datasets` at hand is shared with the caller.

    For one dataset that was found by its id. To find datasets, `is_among_shared` is quicker.
    """
    by_address, by_team = _select_shared_keys(caller)
    is_this = dataset_shares.c.dataset_key == datasets.c.key
    return sa.or_(by_address.where(is_this).exists(), by_team.where(is_this).exists())


def is_among_shared(caller: User) -> sa.ColumnElement[bool]:
    """Return the condition that a dataset is somebody else's and shared with the caller."""
    shared = sa.union_all(*_select_shared_keys(caller))
    return sa.and_(datasets.c.key.in_(shared), datasets.c.user_id != caller.id)


def _select_shared_keys(caller: User) -> tuple[sa.Select[tuple[int]], sa.Select[tuple[int]]]:
    """Return what finds datasets that are shared with the caller's address, and with its teams."""
    by_address = sa.select(dataset_shares.c.dataset_key).where(
        dataset_shares.c.access_type == _WRITE,
        dataset_shares.c.id == dataset_share_users.c.share_id,
        dataset_share_users.c.email == caller.email,
    )
    by_team = sa.select(dataset_shares.c.dataset_key).where(
        dataset_shares.c.access_type == _WRITE,
        dataset_shares.c.id == dataset_share_teams.c.share_id,
        dataset_share_teams.c.team_id == team_members.c.team_id,
        team_members.c.user_id == caller.id,
    )
    return by_address, by_team


def list_shares(connection: sa.Connection, dataset_key: int) -> list[Share]:
    """Return the access configurations of a dataset."""
    rows = connection.execute(
        sa.select(dataset_shares)
        .where(dataset_shares.c.dataset_key == dataset_key)
        .order_by(dataset_shares.c.id)
    ).all()
    return [
        Share(
            id=row.id,
            access_type=row.access_type,
            emails=_list_column(connection, dataset_share_users.c.shown, row.id),
            team_ids=_list_column(connection, dataset_share_teams.c.team_id, row.id),
            created_at_ms=row.created_at_ms,
            last_modified_at_ms=row.last_modified_at_ms,
        )
        for row in rows
    ]


def _list_column(connection: sa.Connection, column: sa.Column[str], share_id: str) -> list[str]:
    table = column.table
    query = sa.select(column).where(table.c.share_id == share_id).order_by(table.c.position)
    return list(connection.execute(query).scalars())


def put_share(
    connection: sa.Connection,
    dataset_key: int,
    access_type: str,
    emails: dict[str, str],
    team_ids: Iterable[str],
    now_ms: int,
) -> str:
    """Replace whom a dataset is shared with and return the configuration's id.

    Args:
        connection: An open write transaction that holds the dataset against other writers.
        dataset_key: The dataset.
        access_type: What is given.
        emails: Normal addresses, each with the address as it was given.
        team_ids: Teams, each once.
        now_ms: The time.
    """
    share_id = _touch_share(connection, dataset_key, access_type, now_ms)
    for table in (dataset_share_users, dataset_share_teams):
        connection.execute(sa.delete(table).where(table.c.share_id == share_id))
    users = [
        {"share_id": share_id, "email": email, "shown": shown, "position": position}
        for position, (email, shown) in enumerate(emails.items())
    ]
    teams = [
        {"share_id": share_id, "team_id": team_id, "position": position}
        for position, team_id in enumerate(team_ids)
    ]
    if users:
        connection.execute(sa.insert(dataset_share_users), users)
    if teams:
        connection.execute(sa.insert(dataset_share_teams), teams)
    return share_id


def _touch_share(connection: sa.Connection, dataset_key: int, access_type: str, now_ms: int) -> str:
    found = connection.execute(
        sa.select(dataset_shares.c.id).where(
            dataset_shares.c.dataset_key == dataset_key,
            dataset_shares.c.access_type == access_type,
        )
    ).scalar_one_or_none()
    if found is not None:
        connection.execute(
            sa.update(dataset_shares)
            .where(dataset_shares.c.id == found)
            .values(last_modified_at_ms=now_ms)
        )
        return str(found)
    share_id = make_id()
    connection.execute(
        sa.insert(dataset_shares).values(
            id=share_id,
            dataset_key=dataset_key,
            access_type=access_type,
            created_at_ms=now_ms,
            last_modified_at_ms=now_ms,
        )
    )
    return share_id


def delete_share(connection: sa.Connection, dataset_key: int, share_id: str) -> bool:
    """Remove an access configuration of a dataset; tell whether there was one."""
    deleted = connection.execute(
        sa.delete(dataset_shares).where(
            dataset_shares.c.dataset_key == dataset_key, dataset_shares.c.id == share_id
        )
    )
    return deleted.rowcount > 0
