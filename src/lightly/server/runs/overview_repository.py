"""Queries on runs for pages that show many of them."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa

from lightly.server.auth.users import User
from lightly.server.db.run_tables import run_artifacts, runs
from lightly.server.db.tables import datasets, tags
from lightly.server.http.parameters import AssetScope
from lightly.server.runs.models import Run
from lightly.server.runs.repository import matches_dataset, matches_scope

_COLUMNS = [runs.c[name] for name in Run.__dataclass_fields__]
_WITH_DATASETS = runs.outerjoin(datasets, datasets.c.id == runs.c.dataset_id)

#: A run, and what its dataset is called; None when that is gone.
NamedRun = tuple[Run, str | None]


def list_newest(
    connection: sa.Connection, caller: User, dataset_id: str | None, before_id: str, limit: int
) -> list[NamedRun]:
    """Return runs, newest first.

    Args:
        connection: An open transaction.
        caller: Who asks.
        dataset_id: Only on this dataset, which was loaded for the caller; None for the caller's
            own ones and those of mates.
        before_id: Only older ones than this; empty for all.
        limit: Most runs.
    """
    query = _select(caller, dataset_id)
    if before_id:
        query = query.where(runs.c.id < before_id)
    return _read(connection, query.order_by(runs.c.id.desc()).limit(limit))


def list_changed(
    connection: sa.Connection, caller: User, dataset_id: str | None, since_ms: int, limit: int
) -> list[NamedRun]:
    """Return runs that changed at or after a moment of the database's time; otherwise likewise."""
    query = _select(caller, dataset_id).where(runs.c.last_modified_at_ms >= since_ms)
    return _read(connection, query.order_by(runs.c.last_modified_at_ms).limit(limit))


def count_results(connection: sa.Connection, run_id: str) -> tuple[int, int]:
    """Return how many artifacts and tags a run has made so far."""
    n_artifacts = connection.execute(
        sa.select(sa.func.count()).where(
            run_artifacts.c.run_id == run_id, run_artifacts.c.confirmed_at_ms.is_not(None)
        )
    ).scalar_one()
    n_tags = connection.execute(
        sa.select(sa.func.count()).where(tags.c.run_id == run_id)
    ).scalar_one()
    return n_artifacts, n_tags


def find_dataset_name(connection: sa.Connection, dataset_id: str | None) -> str | None:
    """Return what the dataset of a run is called."""
    query = sa.select(datasets.c.name).where(
        datasets.c.id == dataset_id, datasets.c.deleted_at_ms.is_(None)
    )
    name: str | None = connection.execute(query).scalar_one_or_none()
    return name


def _select(caller: User, dataset_id: str | None) -> sa.Select[tuple[object, ...]]:
    name = sa.case((datasets.c.deleted_at_ms.is_(None), datasets.c.name), else_=None)
    condition = (
        matches_scope(caller, AssetScope.BOTH, shows_archived=False)
        if dataset_id is None
        else matches_dataset(dataset_id)
    )
    return sa.select(*_COLUMNS, name).select_from(_WITH_DATASETS).where(condition)


def _read(connection: sa.Connection, query: sa.Select[tuple[object, ...]]) -> list[NamedRun]:
    found: list[NamedRun] = []
    for row in connection.execute(query):
        values: list[Any] = list(row)
        found.append((Run(*values[:-1]), values[-1]))
    return found
