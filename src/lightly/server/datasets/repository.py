"""Queries on datasets. Deleted ones are invisible here but to the operator's functions."""

from __future__ import annotations

from collections.abc import Iterable

import sqlalchemy as sa

from lightly.server.auth.users import User
from lightly.server.datasets.models import Dataset, Scope
from lightly.server.datasets.shares import is_among_shared, is_shared_with
from lightly.server.db.tables import datasets
from lightly.server.http.parameters import Page
from lightly.server.teams.assets import is_asset_of_mates, select_rights
from lightly.server.teams.models import Rights

_COLUMNS = [datasets.c[name] for name in Dataset.__dataclass_fields__ if name in datasets.c]
_IS_ALIVE = datasets.c.deleted_at_ms.is_(None)


def _make_dataset(row: sa.Row[tuple[object, ...]]) -> Dataset:
    return Dataset(**row._mapping)  # noqa: SLF001  the documented name of this view


def find_dataset(connection: sa.Connection, dataset_id: str) -> Dataset | None:
    """Return a dataset by id, whoever owns it: for the server's own work, never for requests."""
    row = connection.execute(
        sa.select(*_COLUMNS).where(datasets.c.id == dataset_id, _IS_ALIVE)
    ).one_or_none()
    return None if row is None else _make_dataset(row)


def rights_in(caller: User) -> sa.ColumnElement[str | None]:
    """Return the expression of the caller's rights in the row of `datasets` at hand."""
    return select_rights(
        caller, datasets.c.user_id, datasets.c.created_at_ms, is_shared_with(caller)
    )


def find_dataset_for(
    connection: sa.Connection, caller: User, dataset_id: str
) -> tuple[Dataset, Rights | None] | None:
    """Return a dataset and the caller's rights in it: only `access.load_dataset` calls this.

    Both come from one statement, which is the same for datasets that do not exist.
    """
    rights = rights_in(caller)
    row = connection.execute(
        sa.select(*_COLUMNS, rights.label("rights")).where(datasets.c.id == dataset_id, _IS_ALIVE)
    ).one_or_none()
    if row is None:
        return None
    columns = dict(row._mapping)  # noqa: SLF001  the documented name of this view
    value = columns.pop("rights")
    return Dataset(**columns), None if value is None else Rights(value)


def lock_dataset(connection: sa.Connection, dataset_key: int) -> int:
    """Hold the dataset against other writers until the commit; return its sample count."""
    n_samples: int = connection.execute(
        sa.select(datasets.c.n_samples).where(datasets.c.key == dataset_key).with_for_update()
    ).scalar_one()
    return n_samples


def _is_in(caller: User, scope: Scope) -> sa.ColumnElement[bool]:
    conditions: list[sa.ColumnElement[bool]] = []
    if Scope.OWN in scope:
        conditions.append(datasets.c.user_id == caller.id)
    if Scope.SHARED in scope:
        conditions.append(is_among_shared(caller))
    if Scope.TEAM in scope:
        conditions.append(is_asset_of_mates(caller, datasets.c.user_id, datasets.c.created_at_ms))
    return sa.or_(sa.false(), *conditions)


def list_datasets(
    connection: sa.Connection, caller: User, scope: Scope, page: Page
) -> list[Dataset]:
    """Return the datasets in a scope of the caller's, oldest first."""
    query = sa.select(*_COLUMNS).where(_is_in(caller, scope), _IS_ALIVE)
    return _fetch_page(connection, query, page)


def list_datasets_by_name(
    connection: sa.Connection,
    caller: User,
    scope: Scope,
    name: str,
    *,
    is_exact: bool,
    page: Page,
) -> list[Dataset]:
    """Return the datasets in a scope whose name equals or starts with `name`, oldest first."""
    if is_exact:
        matches: sa.ColumnElement[bool] = datasets.c.name == name
    else:
        # Compared as text, not as a pattern: LIKE ignores case on SQLite.
        matches = sa.func.substr(datasets.c.name, 1, len(name)) == name
    query = sa.select(*_COLUMNS).where(_is_in(caller, scope), matches, _IS_ALIVE)
    return _fetch_page(connection, query, page)


def list_datasets_by_ids(
    connection: sa.Connection, caller: User, dataset_ids: Iterable[str]
) -> list[Dataset]:
    """Return those of some datasets that the caller can see, oldest first."""
    query = sa.select(*_COLUMNS).where(
        datasets.c.id.in_(dataset_ids),
        _is_in(caller, Scope.OWN | Scope.SHARED | Scope.TEAM),
        _IS_ALIVE,
    )
    return _fetch_page(connection, query, Page(0, None))


def list_children(connection: sa.Connection, caller: User, parent_id: str) -> list[Dataset]:
    """Return the datasets that were cut from `parent_id`, those that the caller can see."""
    query = sa.select(*_COLUMNS).where(
        _is_in(caller, Scope.OWN | Scope.SHARED | Scope.TEAM),
        datasets.c.parent_dataset_id == parent_id,
        _IS_ALIVE,
    )
    return _fetch_page(connection, query, Page(0, None))


def _fetch_page(
    connection: sa.Connection, query: sa.Select[tuple[object, ...]], page: Page
) -> list[Dataset]:
    query = query.order_by(datasets.c.key).offset(page.offset).limit(page.size)
    return [_make_dataset(row) for row in connection.execute(query)]


def insert_dataset(
    connection: sa.Connection,
    *,
    dataset_id: str,
    user_id: str,
    name: str,
    type_: str,
    img_type: str | None,
    creator: str,
    parent_dataset_id: str | None,
    now_ms: int,
) -> None:
    """Add an empty dataset. Raises `IntegrityError` when the owner has one of this name."""
    connection.execute(
        sa.insert(datasets).values(
            id=dataset_id,
            user_id=user_id,
            name=name,
            type=type_,
            img_type=img_type,
            creator=creator,
            n_samples=0,
            size_bytes=0,
            parent_dataset_id=parent_dataset_id,
            created_at_ms=now_ms,
            last_modified_at_ms=now_ms,
        )
    )


def update_dataset(
    connection: sa.Connection, dataset_key: int, now_ms: int, **values: object
) -> None:
    """Change columns of a dataset and note when."""
    connection.execute(
        sa.update(datasets)
        .where(datasets.c.key == dataset_key)
        .values(last_modified_at_ms=now_ms, **values)
    )


def mark_deleted(connection: sa.Connection, dataset_key: int, now_ms: int) -> None:
    """Hide a dataset; the operator can bring it back until it is purged."""
    connection.execute(
        sa.update(datasets).where(datasets.c.key == dataset_key).values(deleted_at_ms=now_ms)
    )
