"""Queries on workers and their configurations."""

from __future__ import annotations

import functools
from collections.abc import Mapping
from typing import Any

import sqlalchemy as sa

from lightly.server.auth.users import User
from lightly.server.db.run_tables import scheduled_runs, worker_configurations, workers
from lightly.server.http.parameters import AssetScope
from lightly.server.teams.anybody import ANYBODY, name_caller
from lightly.server.teams.assets import select_rights
from lightly.server.teams.models import Rights
from lightly.server.teams.scopes import is_in_scope
from lightly.server.workers.models import ConfigVersion, Worker, WorkerConfig

_WORKER = [workers.c[name] for name in Worker.__dataclass_fields__]
_CONFIG = [worker_configurations.c[name] for name in WorkerConfig.__dataclass_fields__]


def find_worker(
    connection: sa.Connection, caller: User, worker_id: str
) -> tuple[Worker, Rights] | None:
    """Return a worker and what the caller may do with it; None when that is nothing."""
    values = name_caller(caller) | {"worker_id": worker_id}
    row = connection.execute(_select_worker(), values).one_or_none()
    if row is None or row[-1] is None:
        return None
    return Worker(*row[:-1]), Rights(row[-1])


@functools.cache
def _select_worker() -> sa.Select[tuple[Any, ...]]:
    rights = select_rights(ANYBODY, workers.c.user_id, workers.c.created_at_ms)
    is_wanted = workers.c.id == sa.bindparam("worker_id")
    return sa.select(*_WORKER, rights.label("rights")).where(is_wanted)


def list_workers(connection: sa.Connection, caller: User, scope: AssetScope) -> list[Worker]:
    """Return workers of the caller, of the caller's teams, or both; oldest first."""
    condition = is_in_scope(caller, scope, workers.c.user_id, workers.c.created_at_ms)
    rows = connection.execute(sa.select(*_WORKER).where(condition).order_by(workers.c.id))
    return [Worker(*row) for row in rows]


def find_worker_by_name(connection: sa.Connection, user_id: str, name: str) -> Worker | None:
    """Return the worker of an owner that has this name."""
    query = sa.select(*_WORKER).where(workers.c.user_id == user_id, workers.c.name == name)
    row = connection.execute(query).one_or_none()
    return None if row is None else Worker(*row)


def list_default_workers(connection: sa.Connection, user_id: str) -> list[Worker]:
    """Return the default workers of an owner, oldest first."""
    query = sa.select(*_WORKER).where(workers.c.user_id == user_id, workers.c.is_default)
    return [Worker(*row) for row in connection.execute(query.order_by(workers.c.id))]


def list_names(connection: sa.Connection, user_id: str) -> set[str]:
    """Return the names of all workers of an owner."""
    query = sa.select(workers.c.name).where(workers.c.user_id == user_id)
    return set(connection.execute(query).scalars())


def count_workers(connection: sa.Connection, user_id: str) -> int:
    """Return how many workers an owner has."""
    query = sa.select(sa.func.count()).select_from(workers).where(workers.c.user_id == user_id)
    count: int = connection.execute(query).scalar_one()
    return count


def insert_worker(connection: sa.Connection, worker: Worker) -> None:
    """Add a worker. Raises `IntegrityError` when its owner has one of this name."""
    values = {name: getattr(worker, name) for name in Worker.__dataclass_fields__}
    connection.execute(sa.insert(workers).values(**values))


def update_worker(connection: sa.Connection, worker_id: str, now_ms: int, **values: object) -> None:
    """Change columns of a worker and note that it was heard of."""
    connection.execute(
        sa.update(workers)
        .where(workers.c.id == worker_id)
        .values(last_modified_at_ms=now_ms, **values)
    )


def note_heard_of(connection: sa.Connection, heard_of: Mapping[str, int]) -> None:
    """Note when workers were heard of, by their ids, where that is news."""
    heard_at_ms = sa.bindparam("heard_at_ms", type_=sa.BigInteger)
    connection.execute(
        sa.update(workers)
        .where(workers.c.id == sa.bindparam("worker_id"))
        .where(workers.c.last_modified_at_ms < heard_at_ms)
        .values(last_modified_at_ms=heard_at_ms),
        # In one order everywhere, so that two servers never wait for each other.
        [{"worker_id": key, "heard_at_ms": heard_of[key]} for key in sorted(heard_of)],
    )


def delete_worker(connection: sa.Connection, worker_id: str) -> None:
    """Remove a worker; its name is free again."""
    connection.execute(sa.delete(workers).where(workers.c.id == worker_id))


def find_config(
    connection: sa.Connection, caller: User, config_id: str
) -> tuple[WorkerConfig, Rights] | None:
    """Return a configuration and what the caller may do with it; None when that is nothing."""
    table = worker_configurations
    rights = select_rights(caller, table.c.user_id, table.c.created_at_ms)
    row = connection.execute(
        sa.select(*_CONFIG, rights.label("rights")).where(table.c.id == config_id)
    ).one_or_none()
    if row is None or row[-1] is None:
        return None
    return WorkerConfig(*row[:-1]), Rights(row[-1])


def list_configs(
    connection: sa.Connection,
    user_id: str,
    version: ConfigVersion,
    *,
    after_id: str,
    limit: int,
) -> list[WorkerConfig]:
    """Return the next configurations of an owner and a version, oldest first."""
    table = worker_configurations
    query = (
        sa.select(*_CONFIG)
        .where(table.c.user_id == user_id, table.c.version == version.value, table.c.id > after_id)
        .order_by(table.c.id)
        .limit(limit)
    )
    return [WorkerConfig(*row) for row in connection.execute(query)]


def is_scheduled(connection: sa.Connection, config_id: str) -> bool:
    """Tell whether a run was ever scheduled with a configuration."""
    query = sa.select(scheduled_runs.c.id).where(scheduled_runs.c.config_id == config_id)
    return connection.execute(query.limit(1)).first() is not None


def insert_config(connection: sa.Connection, config: WorkerConfig) -> None:
    """Add a configuration."""
    values = {name: getattr(config, name) for name in WorkerConfig.__dataclass_fields__}
    connection.execute(sa.insert(worker_configurations).values(**values))


def update_config(
    connection: sa.Connection, config_id: str, now_ms: int, *, config_json: str
) -> None:
    """Replace what a configuration says."""
    connection.execute(
        sa.update(worker_configurations)
        .where(worker_configurations.c.id == config_id)
        .values(last_modified_at_ms=now_ms, config_json=config_json)
    )
