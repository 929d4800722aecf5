"""Queries on saved views. All but the one behind short links are bound to a dataset."""

from __future__ import annotations

import sqlalchemy as sa

from lightly.server.db.tables import datasets
from lightly.server.db.web_tables import saved_views
from lightly.server.views.models import SavedView

_COLUMNS = [saved_views.c[name] for name in SavedView.__dataclass_fields__]


def list_named(connection: sa.Connection, dataset_key: int) -> list[SavedView]:
    """Return the views of a dataset that have names, oldest first."""
    query = (
        sa.select(*_COLUMNS)
        .where(saved_views.c.dataset_key == dataset_key, saved_views.c.is_named)
        .order_by(saved_views.c.created_at_ms, saved_views.c.id)
    )
    return [SavedView(*row) for row in connection.execute(query)]


def find_view(connection: sa.Connection, dataset_key: int, view_id: str) -> SavedView | None:
    """Return a view of a dataset by id."""
    condition = (saved_views.c.dataset_key == dataset_key) & (saved_views.c.id == view_id)
    return _find(connection, condition)


def find_same(
    connection: sa.Connection, dataset_key: int, user_id: str, label: str, *, is_named: bool
) -> SavedView | None:
    """Return the view of a user under a name, or a hash."""
    return _find(
        connection,
        (saved_views.c.dataset_key == dataset_key)
        & (saved_views.c.user_id == user_id)
        & (saved_views.c.is_named == is_named)
        & (saved_views.c.label == label),
    )


def _find(connection: sa.Connection, condition: sa.ColumnElement[bool]) -> SavedView | None:
    row = connection.execute(sa.select(*_COLUMNS).where(condition)).one_or_none()
    return None if row is None else SavedView(*row)


def find_dataset_id(connection: sa.Connection, view_id: str) -> str | None:
    """Return the dataset of a view, for its access to be checked."""
    query = (
        sa.select(datasets.c.id)
        .select_from(saved_views.join(datasets, datasets.c.key == saved_views.c.dataset_key))
        .where(saved_views.c.id == view_id)
    )
    found: str | None = connection.execute(query).scalar()
    return found


def count_views(
    connection: sa.Connection, dataset_key: int, user_id: str, *, is_named: bool
) -> int:
    """Return how many views somebody has of a dataset."""
    query = sa.select(sa.func.count()).where(_belong(dataset_key, user_id, is_named=is_named))
    return int(connection.execute(query).scalar_one())


def delete_oldest(connection: sa.Connection, dataset_key: int, user_id: str) -> None:
    """Remove the oldest short link of somebody."""
    oldest = (
        sa.select(saved_views.c.id)
        .where(_belong(dataset_key, user_id, is_named=False))
        .order_by(saved_views.c.created_at_ms, saved_views.c.id)
        .limit(1)
        .scalar_subquery()
    )
    connection.execute(sa.delete(saved_views).where(saved_views.c.id == oldest))


def _belong(dataset_key: int, user_id: str, *, is_named: bool) -> sa.ColumnElement[bool]:
    return (
        (saved_views.c.dataset_key == dataset_key)
        & (saved_views.c.user_id == user_id)
        & (saved_views.c.is_named == is_named)
    )


def insert_view(connection: sa.Connection, view: SavedView) -> None:
    """Add a view."""
    values = {name: getattr(view, name) for name in SavedView.__dataclass_fields__}
    connection.execute(sa.insert(saved_views).values(values))


def update_view(connection: sa.Connection, view_id: str, **values: object) -> None:
    """Change columns of a view."""
    connection.execute(sa.update(saved_views).where(saved_views.c.id == view_id).values(values))


def delete_view(connection: sa.Connection, view_id: str) -> None:
    """Remove a view."""
    connection.execute(sa.delete(saved_views).where(saved_views.c.id == view_id))
