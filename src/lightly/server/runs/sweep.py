"""Ending what vanished workers have left, whoever notices first.

Every server does this every few seconds. It needs no lease of its own: each expired lease is looked
at in a transaction of its own, which takes it or leaves it to another server. A second pass right
after a first one changes nothing. Source: threat T42.
"""

from __future__ import annotations

import sqlalchemy as sa

from lightly.openapi_generated.swagger_client.models.creator import Creator
from lightly.openapi_generated.swagger_client.models.docker_run_state import DockerRunState
from lightly.server.db.engine import Database
from lightly.server.jobs.repository import read_database_ms
from lightly.server.runs import lease_repository, repository, schedule_repository
from lightly.server.runs.endings import end_run, free_run
from lightly.server.runs.models import Lease, Run
from lightly.server.runs.service import begin_run
from lightly.server.runs.states import is_end
from lightly.server.settings import Settings

#: Leases looked at in one pass; the others come up in the next one.
_AT_ONCE = 1_000
_UNKNOWN_VERSION = "unknown"
_REMEDY = "See the log of the run and of the worker's machine, then schedule it again."


def sweep_leases(database: Database, settings: Settings) -> int:
    """Free or end the runs of workers that show no sign of life; return how many that were."""
    with database.read() as connection:
        expired = lease_repository.list_expired(connection, read_database_ms(connection), _AT_ONCE)
    return sum(_end_lease(database, settings, lease_id) for lease_id in expired)


def _end_lease(database: Database, settings: Settings, lease_id: str) -> bool:
    with database.write() as connection:
        lease = lease_repository.lock_lease(connection, lease_id, skip_locked=True)
        # A sign of life may have come since, or another server may have been here.
        if lease is None or lease.expires_at_ms >= read_database_ms(connection):
            return False
        limit_s = settings.contract_run_lease_s if lease.token is None else settings.run_lease_s
        give_up_lease(connection, settings, lease, f"nothing was heard of it for {limit_s} s")
        return True


def give_up_lease(connection: sa.Connection, settings: Settings, lease: Lease, reason: str) -> None:
    """Take a run from a worker that has vanished: for another attempt if that is safe and left.

    Workers of ours carry out a run again without doing anything twice. What a client of the
    contract would do twice nobody knows, and it could come back without being recognised: once
    begun, its run is ended.

    Args:
        connection: An open write transaction that holds the lease or the session of its worker.
        settings: The server's.
        lease: What the worker held.
        reason: Why it counts as vanished; the end of a sentence.
    """
    now_ms = read_database_ms(connection)
    run = repository.find_run(connection, lease.run_id) if lease.run_id else None
    if run is not None and is_end(run.state):
        lease_repository.delete_lease(connection, lease.id)
        return
    attempts = _count_attempts(connection, lease)
    story = _tell(lease, run, attempts, settings.run_attempts, reason)
    if run is not None and run.stop_requested_at_ms is not None:
        message = f"The run was stopped on request. {story}"
        end_run(connection, run, DockerRunState.ABORTED, message, now_ms)
        return
    is_safe = lease.scheduled_id is not None and (lease.token is not None or run is None)
    if is_safe and attempts < settings.run_attempts:
        waiting = f"{story} Another worker will take it."
        free_run(connection, lease, waiting, now_ms, counts=True)
        return
    run = run or _begin_without_worker(connection, lease, now_ms)
    if run is not None:
        end_run(connection, run, DockerRunState.CRASHED, f"{story} {_REMEDY}", now_ms)
    else:
        lease_repository.delete_lease(connection, lease.id)


def _count_attempts(connection: sa.Connection, lease: Lease) -> int:
    if lease.scheduled_id is None:
        return 1
    schedule = schedule_repository.lock_schedule(connection, lease.scheduled_id)
    return schedule.attempts if schedule else 1


def _begin_without_worker(connection: sa.Connection, lease: Lease, now_ms: int) -> Run | None:
    """Return a run for a schedule that was locked again and again and never begun.

    Clients learn the end of a scheduled run from its run alone.
    """
    if lease.scheduled_id is None:
        return None
    schedule = schedule_repository.lock_schedule(connection, lease.scheduled_id)
    if schedule is None:
        return None
    return begin_run(
        connection,
        schedule,
        lease,
        docker_version=_UNKNOWN_VERSION,
        creator=Creator.UNKNOWN.value,
        now_ms=now_ms,
    )


def _tell(lease: Lease, run: Run | None, attempts: int, most: int, reason: str) -> str:
    """Return what is known about a worker that vanished."""
    worker = f"Worker {lease.worker_id}" if lease.worker_id else "The worker"
    count = f"attempt {attempts} of {most}" if lease.token is not None else f"attempt {attempts}"
    if run is None:
        return f"{worker} locked the scheduled run and did not begin it ({count}): {reason}."
    progress = f", last progress {run.progress_json}" if run.progress_json else ""
    return f"{worker} vanished in state {run.state} ({count}{progress}): {reason}."
