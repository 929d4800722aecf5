"""Leases of our own workers: claim, sign of life, hand back, finish; and stopping by a user.

A lease is the right to work on a run. It is taken with the run in one transaction, ends unless a
sign of life comes in time, and its token goes with all that the worker writes (see `fencing`).
"""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from dataclasses import dataclass

import orjson
import sqlalchemy as sa

from lightly.openapi_generated.swagger_client.models.creator import Creator
from lightly.openapi_generated.swagger_client.models.docker_run_state import DockerRunState
from lightly.openapi_generated.swagger_client.models.docker_worker_state import DockerWorkerState
from lightly.server.auth.users import User
from lightly.server.errors import LeaseLost, RunStateRefused
from lightly.server.http.parameters import AssetScope
from lightly.server.jobs.repository import read_database_ms
from lightly.server.platform import PlatformState
from lightly.server.runs import lease_repository, repository, schedule_repository
from lightly.server.runs.access import load_run, load_run_to_write
from lightly.server.runs.endings import end_run, free_run
from lightly.server.runs.ext_requests import (
    RunClaimRequest,
    RunFinishRequest,
    RunHeartbeatRequest,
    RunReleaseRequest,
)
from lightly.server.runs.fencing import LEASE_HEADER, get_token
from lightly.server.runs.lifetimes import get_end_ms
from lightly.server.runs.logs import LogEntry, append_entries
from lightly.server.runs.models import Lease, Run, Schedule, ScheduleState
from lightly.server.runs.schedules import find_fitting_sets
from lightly.server.runs.service import begin_run, report_state
from lightly.server.runs.sessions import check_session
from lightly.server.runs.states import is_end
from lightly.server.runs.texts import check_name, clean_text
from lightly.server.workers.access import load_worker
from lightly.server.workers.models import Worker
from lightly.server.workers.repository import update_worker
from lightly.server.workers.service import end_silence

#: How often a claim is tried that meets another one for the same dataset.
_TRIES = 5


@dataclass(frozen=True)
class Claim:
    """A run that a worker got, and its lease.

    Attributes:
        run: The run, in its first state.
        lease: The right to work on it.
    """

    run: Run
    lease: Lease


def claim_run(platform: PlatformState, caller: User, body: RunClaimRequest) -> Claim | None:
    """Return the most urgent run that a worker may take, under a lease; None when there is none.

    A process that has a run already gets the same one again: the first answer may have been lost.
    Looking whether there is any is a read: workers ask for nothing all day.

    Raises:
        SessionLost: If the process does not have the name of the worker any more.
    """
    check_name(body.docker_version, "dockerVersion")
    with platform.database.read() as connection:
        worker = load_worker(connection, caller, body.worker_id)
        has_work = _has_work(connection, caller, worker, body)
    if not has_work:
        end_silence(platform, worker)
        return None
    for _ in range(_TRIES):
        try:
            with platform.database.write() as connection:
                return _claim(platform, connection, caller, worker, body)
        except sa.exc.IntegrityError:
            # On PostgreSQL another worker took another run of the same dataset at this moment.
            continue
    return None


def _has_work(
    connection: sa.Connection, caller: User, worker: Worker, body: RunClaimRequest
) -> bool:
    if worker.session_id != body.session_id:
        # The write says so; it looks at the session under a lock.
        return True
    if lease_repository.list_leases_of_worker(connection, worker.id):
        return True
    return bool(_list_open(connection, caller, worker, body.versions, locks=False))


def _list_open(
    connection: sa.Connection,
    caller: User,
    worker: Worker,
    versions: Sequence[str] | None,
    *,
    locks: bool,
) -> list[Schedule]:
    label_sets = find_fitting_sets(connection, caller, AssetScope.BOTH, worker.labels)
    if not label_sets:
        return []
    return schedule_repository.list_open(
        connection,
        caller,
        AssetScope.BOTH,
        label_sets,
        versions=versions,
        includes_unlockable=False,
        limit=1,
        locks=locks,
    )


def _claim(
    platform: PlatformState,
    connection: sa.Connection,
    caller: User,
    worker: Worker,
    body: RunClaimRequest,
) -> Claim | None:
    check_session(connection, worker.id, body.session_id)
    now_ms = read_database_ms(connection)
    end_ms = get_end_ms(platform.settings, now_ms, is_fenced=True)
    for lease in lease_repository.list_leases_of_worker(connection, worker.id):
        if lease.session_id == body.session_id:
            return _claim_again(connection, lease, end_ms)
    found = _list_open(connection, caller, worker, body.versions, locks=True)
    if not found or not schedule_repository.hold_dataset(connection, found[0].dataset_id):
        return None
    run, lease = _take(connection, found[0], worker, body, end_ms=end_ms, now_ms=now_ms)
    busy = DockerWorkerState.BUSY.value
    update_worker(connection, worker.id, platform.clock.now_ms(), state=busy)
    attempt = f"attempt {run.attempt} of {platform.settings.run_attempts}"
    entry = LogEntry(ts=now_ms, level="INFO", msg=f"Worker {worker.id} begins {attempt}.")
    append_entries(connection, run, [entry])
    return Claim(run, lease)


def _claim_again(connection: sa.Connection, lease: Lease, end_ms: int) -> Claim | None:
    run = repository.find_run(connection, lease.run_id) if lease.run_id else None
    if run is None:
        return None
    lease_repository.extend_lease(connection, lease.id, end_ms)
    return Claim(run, lease)


def _take(
    connection: sa.Connection,
    schedule: Schedule,
    worker: Worker,
    body: RunClaimRequest,
    *,
    end_ms: int,
    now_ms: int,
) -> tuple[Run, Lease]:
    schedule_repository.update_schedule(
        connection,
        schedule.id,
        now_ms,
        state=ScheduleState.LOCKED.value,
        worker_id=worker.id,
        attempts=schedule.attempts + 1,
    )
    lease = lease_repository.insert_lease(
        connection,
        token=secrets.token_hex(32),
        scheduled_id=schedule.id,
        run_id=None,
        worker_id=worker.id,
        session_id=body.session_id,
        expires_at_ms=end_ms,
    )
    locked = schedule_repository.lock_schedule(connection, schedule.id) or schedule
    run = begin_run(
        connection,
        locked,
        lease,
        docker_version=body.docker_version,
        creator=Creator.USER_WORKER.value,
        now_ms=now_ms,
    )
    return repository.find_run(connection, run.id) or run, lease


def show_life(
    platform: PlatformState, caller: User, run_id: str, body: RunHeartbeatRequest
) -> bool:
    """Extend the lease of a run, with news if there are any; tell whether the run shall stop.

    Raises:
        LeaseLost: If the request does not carry the lease of the run, or it has ended.
        RunStateRefused: If the run cannot go into the state.
    """
    with platform.database.write() as connection:
        run = load_run_to_write(connection, caller, run_id)
        lease = _require_lease(connection, run)
        now_ms = read_database_ms(connection)
        end_ms = get_end_ms(platform.settings, now_ms, is_fenced=True)
        lease_repository.extend_lease(connection, lease.id, end_ms)
        if body.progress is not None:
            progress = orjson.dumps(body.progress.to_dict(by_alias=True)).decode()
            repository.update_run(connection, run.id, now_ms, progress_json=progress)
        elif body.state is not None and body.state.value != run.state:
            repository.update_run(connection, run.id, now_ms, progress_json=None)
        if body.state is not None or body.message is not None:
            state = body.state or DockerRunState(run.state)
            if is_end(state.value):
                raise RunStateRefused("A sign of life cannot end a run: finish it.")
            report_state(connection, run, state, body.message, now_ms)
        if lease.worker_id is not None:
            busy = DockerWorkerState.BUSY.value
            update_worker(connection, lease.worker_id, platform.clock.now_ms(), state=busy)
        return run.stop_requested_at_ms is not None


def release_run(
    platform: PlatformState, caller: User, run_id: str, body: RunReleaseRequest
) -> None:
    """Hand a run back as if this attempt had never begun; the next worker may take it at once.

    A run that shall stop is ended instead.
    """
    with platform.database.write() as connection:
        run = load_run_to_write(connection, caller, run_id)
        lease = _require_lease(connection, run)
        now_ms = read_database_ms(connection)
        message = clean_text(body.message or "A worker handed the run back.")
        if run.stop_requested_at_ms is not None:
            end_run(connection, run, DockerRunState.ABORTED, message, now_ms)
        else:
            free_run(connection, lease, message, now_ms, counts=False)
        _set_idle(platform, connection, lease)


def finish_run(platform: PlatformState, caller: User, run_id: str, body: RunFinishRequest) -> None:
    """End a run. Repeating it with the same lease and state changes nothing."""
    state = DockerRunState(body.state)
    with platform.database.read() as connection:
        # Read, because the lease is over after the first time and the guard of writes would say so.
        run = load_run(connection, caller, run_id)
        if run.state == state.value and run.last_lease_token == get_token() is not None:
            return
    with platform.database.write() as connection:
        run = load_run_to_write(connection, caller, run_id)
        lease = _require_lease(connection, run)
        message = clean_text(body.message or f"The run ended as {state.value}.")
        end_run(connection, run, state, message, read_database_ms(connection))
        _set_idle(platform, connection, lease)


def stop_run(platform: PlatformState, caller: User, run_id: str) -> None:
    """Ask for the end of a run: it ends as ABORTED, with its worker's next sign of life.

    Where nobody would see the request, it ends at once: while the run waits for another attempt, or
    when its worker speaks the contract only, which has no word for this. Repeating it changes
    nothing.

    Raises:
        RunStateRefused: If the run has ended in another way.
    """
    with platform.database.write() as connection:
        run = load_run(connection, caller, run_id)
        if run.scheduled_id is not None:
            lease = _lock_with_schedule(connection, run.scheduled_id)
        else:
            found = lease_repository.find_lease_of_run(connection, run.id)
            lease = lease_repository.lock_lease(connection, found.id) if found else None
        run = repository.lock_run(connection, run.id) or run
        if is_end(run.state):
            if run.state == DockerRunState.ABORTED.value:
                return
            raise RunStateRefused(f"The run has ended as {run.state} already.")
        now_ms = read_database_ms(connection)
        if lease is None or lease.token is None:
            message = "The run was stopped on request."
            end_run(connection, run, DockerRunState.ABORTED, message, now_ms)
        elif run.stop_requested_at_ms is None:
            repository.update_run(connection, run.id, now_ms, stop_requested_at_ms=now_ms)
            entry = LogEntry(ts=now_ms, level="WARNING", msg="Somebody asked for the run to stop.")
            append_entries(connection, run, [entry])


def _lock_with_schedule(connection: sa.Connection, scheduled_id: str) -> Lease | None:
    """Return the lease on a scheduled run; none is taken or ended until the commit."""
    found = lease_repository.find_lease_of_schedule(connection, scheduled_id)
    lease = lease_repository.lock_lease(connection, found.id) if found else None
    schedule_repository.lock_schedule(connection, scheduled_id)
    # A worker may have taken it while this waited for the schedule.
    return lease or lease_repository.find_lease_of_schedule(connection, scheduled_id)


def _require_lease(connection: sa.Connection, run: Run) -> Lease:
    lease = lease_repository.find_lease_of_run(connection, run.id)
    if lease is None or lease.token is None or lease.token != get_token():
        raise LeaseLost(f"Send the token of the run's lease in the header {LEASE_HEADER}.")
    return lease


def _set_idle(platform: PlatformState, connection: sa.Connection, lease: Lease) -> None:
    if lease.worker_id is not None:
        idle = DockerWorkerState.IDLE.value
        update_worker(connection, lease.worker_id, platform.clock.now_ms(), state=idle)
