"""Queries on runs. Which of them a caller may see is decided in `access`."""

from __future__ import annotations

from collections.abc import Iterable

import sqlalchemy as sa

from lightly.server.auth.users import User
from lightly.server.datasets.shares import is_shared_with
from lightly.server.db.run_tables import run_artifacts, run_log_entries, runs
from lightly.server.db.tables import datasets, tags
from lightly.server.http.parameters import AssetScope
from lightly.server.runs.models import Run
from lightly.server.teams.assets import select_rights
from lightly.server.teams.scopes import is_in_scope

_COLUMNS = [runs.c[name] for name in Run.__dataclass_fields__]
_WITH_DATASETS = runs.outerjoin(datasets, datasets.c.id == runs.c.dataset_id)


def _make_run(row: sa.Row[tuple[object, ...]]) -> Run:
    return Run(**row._mapping)  # noqa: SLF001  the documented name of this view


def _find_run(connection: sa.Connection, query: sa.Select[tuple[object, ...]]) -> Run | None:
    row = connection.execute(query).one_or_none()
    return None if row is None else _make_run(row)


def _is_visible(caller: User) -> sa.ColumnElement[bool]:
    """Return the condition that the caller may see a run.

    It is for those who may use its dataset, even a deleted one, so that taking somebody's access
    away covers the runs. A run without dataset, or whose dataset was purged, is its owner's asset.
    """
    in_dataset = select_rights(
        caller, datasets.c.user_id, datasets.c.created_at_ms, is_shared_with(caller)
    )
    of_its_own = select_rights(caller, runs.c.user_id, runs.c.created_at_ms)
    return sa.case((datasets.c.id.is_not(None), in_dataset), else_=of_its_own).is_not(None)


def find_run_for(connection: sa.Connection, caller: User, run_id: str) -> Run | None:
    """Return a run if the caller may see it: only `access.load_run` calls this."""
    query = sa.select(*_COLUMNS).select_from(_WITH_DATASETS)
    return _find_run(connection, query.where(runs.c.id == run_id, _is_visible(caller)))


def find_run_of_schedule_for(
    connection: sa.Connection, caller: User, scheduled_id: str
) -> Run | None:
    """Return the run that carries out a schedule if the caller may see it."""
    query = sa.select(*_COLUMNS).select_from(_WITH_DATASETS)
    return _find_run(
        connection, query.where(runs.c.scheduled_id == scheduled_id, _is_visible(caller))
    )


def insert_run(connection: sa.Connection, run: Run, creator: str) -> None:
    """Add a run. Raises `IntegrityError` when its schedule has one."""
    connection.execute(sa.insert(runs).values(**vars(run), creator=creator))


def find_run(connection: sa.Connection, run_id: str) -> Run | None:
    """Return a run by id, whoever owns it: for work of the server itself, never for requests."""
    return _find_run(connection, sa.select(*_COLUMNS).where(runs.c.id == run_id))


def find_run_of_schedule(connection: sa.Connection, scheduled_id: str) -> Run | None:
    """Return the run that carries out a schedule."""
    return _find_run(connection, sa.select(*_COLUMNS).where(runs.c.scheduled_id == scheduled_id))


def lock_run(connection: sa.Connection, run_id: str) -> Run | None:
    """Return a run as it is, held against other writers until the commit."""
    query = sa.select(*_COLUMNS).where(runs.c.id == run_id).with_for_update()
    return _find_run(connection, query)


def update_run(connection: sa.Connection, run_id: str, now_ms: int, **values: object) -> None:
    """Change columns of a run and note when."""
    connection.execute(
        sa.update(runs).where(runs.c.id == run_id).values(last_modified_at_ms=now_ms, **values)
    )


def matches_scope(
    caller: User, scope: AssetScope, *, shows_archived: bool
) -> sa.ColumnElement[bool]:
    """Return the condition that a run belongs into a list of runs of the caller or of mates."""
    chosen = is_in_scope(caller, scope, runs.c.user_id, runs.c.created_at_ms)
    if not shows_archived:
        chosen = sa.and_(chosen, runs.c.is_archived.is_(False))
    return sa.and_(chosen, _is_visible(caller))


def matches_dataset(dataset_id: str) -> sa.ColumnElement[bool]:
    """Return the condition that a run works on a dataset, which was loaded for the caller."""
    return sa.and_(runs.c.dataset_id == dataset_id, runs.c.is_archived.is_(False))


def list_runs(
    connection: sa.Connection,
    condition: sa.ColumnElement[bool],
    *,
    after_id: str,
    offset: int,
    limit: int,
) -> list[Run]:
    """Return runs that match, oldest first.

    Args:
        connection: An open transaction.
        condition: Of `matches_scope` or `matches_dataset`.
        after_id: Only runs behind this id; empty for all.
        offset: How many of those are left out.
        limit: Most runs.
    """
    query = (
        sa.select(*_COLUMNS)
        .select_from(_WITH_DATASETS)
        .where(condition, runs.c.id > after_id)
        .order_by(runs.c.id)
        .offset(offset)
        .limit(limit)
    )
    return [_make_run(row) for row in connection.execute(query)]


def count_runs(connection: sa.Connection, condition: sa.ColumnElement[bool]) -> int:
    """Return how many runs match."""
    query = sa.select(sa.func.count()).select_from(_WITH_DATASETS).where(condition)
    return connection.execute(query).scalar_one()


def list_unfinished(
    connection: sa.Connection, dataset_id: str, end_states: Iterable[str]
) -> list[Run]:
    """Return the runs on a dataset that are not over."""
    query = sa.select(*_COLUMNS).where(
        runs.c.dataset_id == dataset_id, runs.c.state.not_in(list(end_states))
    )
    return [_make_run(row) for row in connection.execute(query.order_by(runs.c.id))]


def list_tags(connection: sa.Connection, run_id: str) -> list[tuple[str, str]]:
    """Return dataset id and id of each tag that a run made, the newest first."""
    query = (
        sa.select(datasets.c.id, tags.c.id)
        .join(datasets, datasets.c.key == tags.c.dataset_key)
        .where(tags.c.run_id == run_id, datasets.c.deleted_at_ms.is_(None))
        .order_by(tags.c.created_at_ms.desc(), tags.c.id.desc())
    )
    return [(dataset_id, tag_id) for dataset_id, tag_id in connection.execute(query)]


def delete_belongings(connection: sa.Connection, dataset_id: str) -> None:
    """Remove the logs and artifacts of the runs on a dataset; that there were runs stays known."""
    run_ids = sa.select(runs.c.id).where(runs.c.dataset_id == dataset_id)
    for table in (run_log_entries, run_artifacts):
        connection.execute(sa.delete(table).where(table.c.run_id.in_(run_ids)))
