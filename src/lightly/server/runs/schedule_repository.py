"""Queries on scheduled runs."""

from __future__ import annotations

import functools
from collections.abc import Collection

import sqlalchemy as sa

from lightly.server.auth.users import User
from lightly.server.datasets.shares import is_shared_with
from lightly.server.db.run_tables import scheduled_runs
from lightly.server.db.tables import datasets
from lightly.server.http.parameters import AssetScope
from lightly.server.runs.models import Schedule
from lightly.server.teams.anybody import ANYBODY, name_caller
from lightly.server.teams.assets import select_rights
from lightly.server.teams.scopes import is_in_scope

_COLUMNS = [scheduled_runs.c[name] for name in Schedule.__dataclass_fields__]
_WITH_DATASETS = scheduled_runs.join(datasets, datasets.c.id == scheduled_runs.c.dataset_id)
# Written out, because a bound parameter would hide from the planner that the small indices fit.
_IS_OPEN = scheduled_runs.c.state == sa.literal_column("'OPEN'")


def _make_schedule(row: sa.Row[tuple[object, ...]]) -> Schedule:
    return Schedule(**row._mapping)  # noqa: SLF001  the documented name of this view


def insert_schedule(connection: sa.Connection, schedule: Schedule, creator: str) -> None:
    """Add a scheduled run."""
    connection.execute(sa.insert(scheduled_runs).values(**vars(schedule), creator=creator))


def _is_usable(caller: User) -> sa.ColumnElement[bool]:
    """Return the condition that the caller may use the dataset of a scheduled run."""
    rights = select_rights(
        caller, datasets.c.user_id, datasets.c.created_at_ms, is_shared_with(caller)
    )
    return sa.and_(datasets.c.deleted_at_ms.is_(None), rights.is_not(None))


def lock_schedule_for(
    connection: sa.Connection, caller: User, scheduled_id: str, dataset_id: str | None
) -> Schedule | None:
    """Return a scheduled run if the caller may use its dataset, held until the commit.

    Args:
        connection: An open write transaction.
        caller: Who asks.
        scheduled_id: The scheduled run.
        dataset_id: Only if it is one of this dataset; None for any.
    """
    query = sa.select(*_COLUMNS).select_from(_WITH_DATASETS)
    query = query.where(scheduled_runs.c.id == scheduled_id, _is_usable(caller))
    if dataset_id is not None:
        query = query.where(scheduled_runs.c.dataset_id == dataset_id)
    row = connection.execute(query.with_for_update(of=scheduled_runs)).one_or_none()
    return None if row is None else _make_schedule(row)


def lock_schedule(connection: sa.Connection, scheduled_id: str) -> Schedule | None:
    """Return a scheduled run as it is, held against other writers until the commit."""
    query = sa.select(*_COLUMNS).where(scheduled_runs.c.id == scheduled_id).with_for_update()
    row = connection.execute(query).one_or_none()
    return None if row is None else _make_schedule(row)


def update_schedule(
    connection: sa.Connection, scheduled_id: str, now_ms: int, **values: object
) -> None:
    """Change columns of a scheduled run and note when.

    Raises `IntegrityError` when it would be the second locked one of its dataset.
    """
    connection.execute(
        sa.update(scheduled_runs)
        .where(scheduled_runs.c.id == scheduled_id)
        .values(last_modified_at_ms=now_ms, **values)
    )


def hold_dataset(connection: sa.Connection, dataset_id: str) -> bool:
    """Keep a dataset from being deleted until the commit; tell whether it still exists."""
    query = sa.select(datasets.c.key).where(
        datasets.c.id == dataset_id, datasets.c.deleted_at_ms.is_(None)
    )
    return connection.execute(query.with_for_update(read=True)).first() is not None


def list_of_dataset(
    connection: sa.Connection, dataset_id: str, states: Collection[str]
) -> list[Schedule]:
    """Return the scheduled runs of a dataset in some states, oldest first."""
    query = (
        sa.select(*_COLUMNS)
        .where(scheduled_runs.c.dataset_id == dataset_id, scheduled_runs.c.state.in_(states))
        .order_by(scheduled_runs.c.id)
    )
    return [_make_schedule(row) for row in connection.execute(query)]


def list_of_worker(connection: sa.Connection, worker_id: str, state: str) -> list[Schedule]:
    """Return the scheduled runs that a worker locked and that are in a state, oldest first."""
    query = (
        sa.select(*_COLUMNS)
        .where(scheduled_runs.c.worker_id == worker_id, scheduled_runs.c.state == state)
        .order_by(scheduled_runs.c.id)
    )
    return [_make_schedule(row) for row in connection.execute(query)]


def list_in_state(
    connection: sa.Connection, caller: User, scope: AssetScope, state: str
) -> list[Schedule]:
    """Return scheduled runs in a state whose dataset the caller may use, most urgent first."""
    query = sa.select(*_COLUMNS).select_from(_WITH_DATASETS)
    query = query.where(
        _is_in(caller, scope), scheduled_runs.c.state == state, _is_usable(caller)
    ).order_by(scheduled_runs.c.priority.desc(), scheduled_runs.c.id)
    return [_make_schedule(row) for row in connection.execute(query)]


def list_waiting(
    connection: sa.Connection, caller: User, dataset_id: str | None, limit: int
) -> list[tuple[Schedule, str]]:
    """Return open runs with the names of their datasets, most urgent first.

    Args:
        connection: An open transaction.
        caller: Who asks.
        dataset_id: Only on this dataset; None for the caller's own ones and those of mates.
        limit: Most runs.
    """
    of_whom = (
        _is_in(caller, AssetScope.BOTH)
        if dataset_id is None
        else scheduled_runs.c.dataset_id == dataset_id
    )
    query = (
        sa.select(*_COLUMNS, datasets.c.name)
        .select_from(_WITH_DATASETS)
        .where(of_whom, _IS_OPEN, _is_usable(caller))
        .order_by(scheduled_runs.c.priority.desc(), scheduled_runs.c.id)
        .limit(limit)
    )
    return [(Schedule(*row[:-1]), row[-1]) for row in connection.execute(query)]


def find_owner_with_open(connection: sa.Connection, runs_on_json: str) -> str | None:
    """Return whose run is the most urgent one that asks for these labels and could begin now."""
    query = (
        sa.select(scheduled_runs.c.user_id)
        .select_from(_WITH_DATASETS)
        .where(
            _IS_OPEN,
            scheduled_runs.c.runs_on_json == runs_on_json,
            datasets.c.deleted_at_ms.is_(None),
            ~_is_dataset_locked(),
        )
        .order_by(scheduled_runs.c.priority.desc(), scheduled_runs.c.id)
        .limit(1)
    )
    found: str | None = connection.execute(query).scalar_one_or_none()
    return found


def list_open_label_sets(connection: sa.Connection, caller: User, scope: AssetScope) -> list[str]:
    """Return the different `runs_on_json` of open runs: an index alone answers this."""
    found = connection.execute(_select_open_label_sets(scope), name_caller(caller))
    return [label_set for (label_set,) in found]


def list_open(
    connection: sa.Connection,
    caller: User,
    scope: AssetScope,
    label_sets: Collection[str],
    *,
    versions: Collection[str] | None,
    includes_unlockable: bool,
    limit: int | None = None,
    locks: bool = False,
) -> list[Schedule]:
    """Return open runs that a worker may take, most urgent first, older before newer.

    Args:
        connection: An open transaction.
        caller: Whose token the worker has.
        scope: Whose scheduled runs.
        label_sets: Which `runs_on_json` the worker fits.
        versions: Which versions of configurations it reads; None for all.
        includes_unlockable: Whether runs count whose dataset another run has locked.
        limit: Most runs; None for all.
        locks: Hold them until the commit, and leave out those that others hold.
    """
    query = _select_open(
        scope,
        filters_versions=versions is not None,
        includes_unlockable=includes_unlockable,
        limit=limit,
        locks=locks,
    )
    values = {"label_sets": list(label_sets), "versions": list(versions or ())}
    return [_make_schedule(row) for row in connection.execute(query, name_caller(caller) | values)]


@functools.cache
def _select_open_label_sets(scope: AssetScope) -> sa.Select[str]:
    return (
        sa.select(scheduled_runs.c.runs_on_json).where(_is_in(ANYBODY, scope), _IS_OPEN).distinct()
    )


@functools.cache
def _select_open(
    scope: AssetScope,
    *,
    filters_versions: bool,
    includes_unlockable: bool,
    limit: int | None,
    locks: bool,
) -> sa.Select[tuple[object, ...]]:
    label_sets: sa.BindParameter[str] = sa.bindparam("label_sets", expanding=True, type_=sa.Text)
    query = (
        sa.select(*_COLUMNS)
        .select_from(_WITH_DATASETS)
        .where(
            _is_in(ANYBODY, scope),
            _IS_OPEN,
            scheduled_runs.c.runs_on_json.in_(label_sets),
            _is_usable(ANYBODY),
        )
    )
    if filters_versions:
        versions: sa.BindParameter[str] = sa.bindparam("versions", expanding=True, type_=sa.Text)
        query = query.where(scheduled_runs.c.config_version.in_(versions))
    if not includes_unlockable:
        query = query.where(~_is_dataset_locked())
    query = query.order_by(scheduled_runs.c.priority.desc(), scheduled_runs.c.id).limit(limit)
    return query.with_for_update(of=scheduled_runs, skip_locked=True) if locks else query


def _is_in(caller: User, scope: AssetScope) -> sa.ColumnElement[bool]:
    """Return the condition that a scheduled run is the caller's own or one of mates."""
    return is_in_scope(caller, scope, scheduled_runs.c.user_id, scheduled_runs.c.created_at_ms)


def _is_dataset_locked() -> sa.ColumnElement[bool]:
    other = scheduled_runs.alias("other")
    is_locked = other.c.state == sa.literal_column("'LOCKED'")
    return sa.exists().where(other.c.dataset_id == scheduled_runs.c.dataset_id, is_locked)
