"""Ways in which the work on a run ends, all inside the caller's transaction.

A run that is not over is either under a lease or waits for the next worker, its schedule OPEN.
Rows are taken in one order everywhere: lease, schedule, run.
"""

from __future__ import annotations

import sqlalchemy as sa

from lightly.openapi_generated.swagger_client.models.docker_run_state import DockerRunState
from lightly.server.jobs.repository import read_database_ms
from lightly.server.runs import lease_repository, repository, schedule_repository
from lightly.server.runs.logs import LogEntry, append_entries
from lightly.server.runs.models import FIRST_STATE, Lease, Run, ScheduleState
from lightly.server.runs.states import END_STATES, is_end

_END_STATES = [state.value for state in END_STATES]
_UNFINISHED_SCHEDULES = (ScheduleState.OPEN.value, ScheduleState.LOCKED.value)
_LEVELS = {DockerRunState.COMPLETED.value: "INFO", DockerRunState.ABORTED.value: "WARNING"}


def end_run(
    connection: sa.Connection,
    run: Run,
    state: DockerRunState,
    message: str,
    now_ms: int,
    *,
    ts_ms: int | None = None,
) -> None:
    """End a run for good: its lease goes, its schedule is DONE.

    Args:
        connection: An open write transaction.
        run: The run, not over yet.
        state: One of the end states.
        message: Why, for people.
        now_ms: The database's own time.
        ts_ms: When it happened, by the clock of who says so; None for now.
    """
    lease = lease_repository.find_lease_of_run(connection, run.id)
    if lease is not None:
        lease_repository.delete_lease(connection, lease.id)
    if run.scheduled_id is not None:
        _close_schedule(connection, run.scheduled_id, ScheduleState.DONE, now_ms)
    repository.update_run(
        connection,
        run.id,
        now_ms,
        state=state.value,
        message=message,
        last_lease_token=lease.token if lease else None,
        finished_at_ms=now_ms,
    )
    level = _LEVELS.get(state.value, "ERROR")
    entry = LogEntry(
        ts=now_ms if ts_ms is None else ts_ms, level=level, msg=message, state=state.value
    )
    append_entries(connection, run, [entry])


def free_run(
    connection: sa.Connection,
    lease: Lease,
    reason: str,
    now_ms: int,
    *,
    counts: bool,
) -> None:
    """Let another worker take what a lease was for: the schedule is OPEN again.

    Args:
        connection: An open write transaction that holds the lease.
        lease: Of a scheduled run.
        reason: Why, for people.
        now_ms: The database's own time.
        counts: Whether the attempt counts; what was handed back does not.
    """
    lease_repository.delete_lease(connection, lease.id)
    if lease.scheduled_id is not None:
        schedule = schedule_repository.lock_schedule(connection, lease.scheduled_id)
        if schedule is not None and schedule.state == ScheduleState.LOCKED.value:
            schedule_repository.update_schedule(
                connection,
                schedule.id,
                now_ms,
                state=ScheduleState.OPEN.value,
                attempts=schedule.attempts if counts else max(0, schedule.attempts - 1),
            )
    run = repository.lock_run(connection, lease.run_id) if lease.run_id else None
    if run is not None and not is_end(run.state):
        append_entries(connection, run, [LogEntry(ts=now_ms, level="WARNING", msg=reason)])
        repository.update_run(
            connection, run.id, now_ms, state=FIRST_STATE.value, message=reason, progress_json=None
        )


def cancel_runs_of_dataset(connection: sa.Connection, dataset_id: str, reason: str) -> None:
    """End all that is done or waits to be done with a dataset.

    Runs end as ABORTED, schedules that wait are CANCELED.
    """
    now_ms = read_database_ms(connection)
    for run in repository.list_unfinished(connection, dataset_id, _END_STATES):
        end_run(connection, run, DockerRunState.ABORTED, reason, now_ms)
    for schedule in schedule_repository.list_of_dataset(
        connection, dataset_id, _UNFINISHED_SCHEDULES
    ):
        lease = lease_repository.find_lease_of_schedule(connection, schedule.id)
        if lease is not None:
            lease_repository.delete_lease(connection, lease.id)
        _close_schedule(connection, schedule.id, ScheduleState.CANCELED, now_ms)


def cancel_runs_of_worker(connection: sa.Connection, worker_id: str, reason: str) -> None:
    """End all runs that a worker works on; what it has locked but not begun is OPEN again."""
    now_ms = read_database_ms(connection)
    for lease in lease_repository.list_leases_of_worker(connection, worker_id):
        run = repository.lock_run(connection, lease.run_id) if lease.run_id else None
        if run is None or is_end(run.state):
            free_run(connection, lease, reason, now_ms, counts=False)
        else:
            end_run(connection, run, DockerRunState.ABORTED, reason, now_ms)


def _close_schedule(
    connection: sa.Connection, scheduled_id: str, state: ScheduleState, now_ms: int
) -> None:
    schedule = schedule_repository.lock_schedule(connection, scheduled_id)
    if schedule is not None and schedule.state in _UNFINISHED_SCHEDULES:
        schedule_repository.update_schedule(connection, schedule.id, now_ms, state=state.value)
