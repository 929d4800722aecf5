"""Rules of scheduled runs: made by users, taken by workers of the contract."""

from __future__ import annotations

import dataclasses
from collections.abc import Collection, Iterable

import sqlalchemy as sa

from lightly._kit.ids import make_id
from lightly.openapi_generated.swagger_client.models.creator import Creator
from lightly.openapi_generated.swagger_client.models.docker_run_scheduled_create_request import (
    DockerRunScheduledCreateRequest,
)
from lightly.openapi_generated.swagger_client.models.docker_run_scheduled_update_request import (
    DockerRunScheduledUpdateRequest,
)
from lightly.openapi_generated.swagger_client.models.docker_run_state import DockerRunState
from lightly.server.auth.users import User
from lightly.server.datasets.access import load_dataset
from lightly.server.datasets.models import Action
from lightly.server.errors import LeaseLost, ScheduleUpdateFailed
from lightly.server.http.parameters import AssetScope
from lightly.server.jobs.repository import read_database_ms
from lightly.server.platform import PlatformState
from lightly.server.runs import lease_repository, repository, schedule_repository
from lightly.server.runs.access import load_schedule
from lightly.server.runs.endings import end_run, free_run
from lightly.server.runs.fencing import get_token
from lightly.server.runs.labels import fits, pack_labels
from lightly.server.runs.lifetimes import get_end_ms
from lightly.server.runs.models import PRIORITIES, Lease, Schedule, ScheduleState
from lightly.server.runs.referenced_files import check_referenced_files
from lightly.server.runs.states import is_end
from lightly.server.workers.access import load_config, load_worker
from lightly.server.workers.configs import check_for_run, read_options
from lightly.server.workers.models import Worker
from lightly.server.workers.service import end_silence

#: What lists of a dataset leave out unless they are asked for it.
_CLOSED = frozenset({ScheduleState.DONE, ScheduleState.CANCELED})
UNFINISHED = tuple(state for state in ScheduleState if state not in _CLOSED)
#: How a poll asks for every version of configurations.
ALL_VERSIONS = "*"


def create_schedule(
    platform: PlatformState,
    caller: User,
    dataset_id: str,
    body: DockerRunScheduledCreateRequest,
    *,
    validates: bool,
) -> str:
    """Put a configuration into the queue of a dataset and return the id of the scheduled run.

    Args:
        platform: The server.
        caller: Who wants the run.
        dataset_id: The dataset.
        body: What to do, and how soon.
        validates: Whether to look at the options and at the files that they refer to.

    Raises:
        WorkerConfigInvalid: If no run could be carried out with these options.
        RelevantFilenamesInvalid, ConfigReferencesInvalidFiles: If such a file cannot be used.
    """
    runs_on_json = pack_labels(body.runs_on or [])
    if validates:
        # Before the transaction: files may take a while.
        _check_files(platform, caller, dataset_id, body.config_id)
    with platform.database.write() as connection:
        dataset = load_dataset(connection, caller, dataset_id, Action.WRITE)
        config = load_config(connection, caller, body.config_id)
        check_for_run(connection, caller, config, dataset=dataset, checks_options=validates)
        now_ms = read_database_ms(connection)
        schedule = Schedule(
            id=make_id(),
            user_id=caller.id,
            dataset_id=dataset.id,
            config_id=config.id,
            config_version=config.version,
            priority=PRIORITIES.index(body.priority),
            runs_on_json=runs_on_json,
            state=ScheduleState.OPEN.value,
            worker_id=None,
            attempts=0,
            created_at_ms=now_ms,
            last_modified_at_ms=now_ms,
        )
        creator = (body.creator or Creator.UNKNOWN).value
        schedule_repository.insert_schedule(connection, schedule, creator)
    return schedule.id


def _check_files(platform: PlatformState, caller: User, dataset_id: str, config_id: str) -> None:
    with platform.database.read() as connection:
        dataset = load_dataset(connection, caller, dataset_id, Action.WRITE)
        config = load_config(connection, caller, config_id)
        check_for_run(connection, caller, config, dataset=dataset, checks_options=True)
    check_referenced_files(platform, caller, dataset, read_options(config))


def list_schedules(
    platform: PlatformState, caller: User, dataset_id: str, states: Collection[ScheduleState]
) -> list[Schedule]:
    """Return the scheduled runs of a dataset in some states, oldest first."""
    with platform.database.read() as connection:
        dataset = load_dataset(connection, caller, dataset_id, Action.READ)
        return schedule_repository.list_of_dataset(
            connection, dataset.id, [state.value for state in states]
        )


def list_for_labels(
    platform: PlatformState,
    caller: User,
    scope: AssetScope,
    *,
    state: ScheduleState,
    labels: Iterable[str],
    version: str,
    includes_unlockable: bool,
) -> list[Schedule]:
    """Return what a worker with some labels could take, most urgent first.

    Args:
        platform: The server.
        caller: Who asks.
        scope: Whose scheduled runs.
        state: OPEN for what can be taken; else what is in another state.
        labels: Of the worker.
        version: Of configurations; `*` for all.
        includes_unlockable: Whether runs count whose dataset another run has locked.
    """
    versions = None if version == ALL_VERSIONS else [version]
    with platform.database.read() as connection:
        if state is not ScheduleState.OPEN:
            found = schedule_repository.list_in_state(connection, caller, scope, state.value)
            return [
                schedule
                for schedule in found
                if fits(schedule.runs_on_json, labels)
                and (versions is None or schedule.config_version in versions)
            ]
        return list_open_in(
            connection,
            caller,
            scope,
            labels,
            versions=versions,
            includes_unlockable=includes_unlockable,
        )


def list_for_worker(
    platform: PlatformState, caller: User, worker_id: str, scope: AssetScope, state: ScheduleState
) -> list[Schedule]:
    """Return what a worker may take, most urgent first, or what it has taken, oldest first."""
    with platform.database.read() as connection:
        worker = load_worker(connection, caller, worker_id)
        if state is ScheduleState.OPEN:
            found = list_open_in(connection, caller, scope, worker.labels)
        else:
            found = schedule_repository.list_of_worker(connection, worker.id, state.value)
    end_silence(platform, worker)
    return found


def list_open_in(
    connection: sa.Connection,
    caller: User,
    scope: AssetScope,
    labels: Iterable[str],
    *,
    versions: Collection[str] | None = None,
    includes_unlockable: bool = False,
) -> list[Schedule]:
    """Return open runs for some labels; arguments as of `schedule_repository.list_open`."""
    label_sets = find_fitting_sets(connection, caller, scope, labels)
    if not label_sets:
        return []
    return schedule_repository.list_open(
        connection,
        caller,
        scope,
        label_sets,
        versions=versions,
        includes_unlockable=includes_unlockable,
    )


def find_fitting_sets(
    connection: sa.Connection, caller: User, scope: AssetScope, labels: Iterable[str]
) -> list[str]:
    """Return which of the label sets that open runs have a worker fits."""
    chosen = set(labels)
    packed = schedule_repository.list_open_label_sets(connection, caller, scope)
    return [text for text in packed if fits(text, chosen)]


def cancel_schedule(
    platform: PlatformState, caller: User, dataset_id: str, scheduled_id: str
) -> None:
    """Take a scheduled run out of the queue.

    Raises:
        ScheduleUpdateFailed: If it is not OPEN: a worker has it, had it, or it was cancelled.
    """
    with platform.database.write() as connection:
        dataset = load_dataset(connection, caller, dataset_id, Action.WRITE)
        schedule = load_schedule(connection, caller, scheduled_id, dataset.id)
        _cancel(connection, schedule, read_database_ms(connection))


def _cancel(connection: sa.Connection, schedule: Schedule, now_ms: int) -> None:
    if schedule.state != ScheduleState.OPEN.value:
        raise ScheduleUpdateFailed(
            f"The scheduled run is {schedule.state}: only OPEN ones can be cancelled. "
            "A run that a worker has begun can be stopped."
        )
    schedule_repository.update_schedule(
        connection, schedule.id, now_ms, state=ScheduleState.CANCELED.value
    )
    run = repository.find_run_of_schedule(connection, schedule.id)
    if run is not None and not is_end(run.state):
        end_run(connection, run, DockerRunState.ABORTED, "The scheduled run was cancelled.", now_ms)


def update_schedule(
    platform: PlatformState,
    caller: User,
    dataset_id: str,
    worker_id: str,
    scheduled_id: str,
    body: DockerRunScheduledUpdateRequest,
) -> None:
    """Do what a worker asks for: lock a scheduled run, hand it back, finish or cancel it.

    An OPEN one can also get another priority and other labels.

    Raises:
        ScheduleUpdateFailed: If its state does not allow this; says why.
        LeaseLost: If a worker with a lease has it.
    """
    target = ScheduleState(body.state.value)
    try:
        with platform.database.write() as connection:
            dataset = load_dataset(connection, caller, dataset_id, Action.WRITE)
            worker = load_worker(connection, caller, worker_id)
            schedule = load_schedule(connection, caller, scheduled_id, dataset.id)
            now_ms = read_database_ms(connection)
            schedule = _apply_request(connection, schedule, body, now_ms)
            if target is ScheduleState.LOCKED:
                end_ms = get_end_ms(platform.settings, now_ms, is_fenced=False)
                _lock(connection, schedule, worker, end_ms, now_ms)
            elif target is ScheduleState.CANCELED:
                _cancel(connection, schedule, now_ms)
            elif target.value != schedule.state:
                _let_go(connection, schedule, worker, target, now_ms)
    except sa.exc.IntegrityError as error:
        raise ScheduleUpdateFailed(
            "Another run of the same dataset is locked. Wait for its end."
        ) from error


def _apply_request(
    connection: sa.Connection,
    schedule: Schedule,
    body: DockerRunScheduledUpdateRequest,
    now_ms: int,
) -> Schedule:
    """Note another priority and other labels; return the scheduled run as it is then."""
    priority = schedule.priority if body.priority is None else PRIORITIES.index(body.priority)
    labels = schedule.runs_on_json if body.runs_on is None else pack_labels(body.runs_on)
    changed = dataclasses.replace(schedule, priority=priority, runs_on_json=labels)
    if changed == schedule:
        return schedule
    if schedule.state != ScheduleState.OPEN.value:
        raise ScheduleUpdateFailed(
            f"The scheduled run is {schedule.state}: priority and labels can only be changed "
            "while it is OPEN."
        )
    schedule_repository.update_schedule(
        connection, schedule.id, now_ms, priority=priority, runs_on_json=labels
    )
    return changed


def _lock(
    connection: sa.Connection, schedule: Schedule, worker: Worker, end_ms: int, now_ms: int
) -> None:
    if schedule.state != ScheduleState.OPEN.value:
        raise ScheduleUpdateFailed(f"The scheduled run is {schedule.state}, not OPEN.")
    if not fits(schedule.runs_on_json, worker.labels):
        raise ScheduleUpdateFailed(
            "The worker does not have all labels that the scheduled run asks for in 'runsOn'."
        )
    schedule_repository.update_schedule(
        connection,
        schedule.id,
        now_ms,
        state=ScheduleState.LOCKED.value,
        worker_id=worker.id,
        attempts=schedule.attempts + 1,
    )
    lease_repository.insert_lease(
        connection,
        token=None,
        scheduled_id=schedule.id,
        run_id=None,
        worker_id=worker.id,
        session_id=None,
        expires_at_ms=end_ms,
    )


def _let_go(
    connection: sa.Connection,
    schedule: Schedule,
    worker: Worker,
    target: ScheduleState,
    now_ms: int,
) -> None:
    """Carry out LOCKED to OPEN or DONE; everything else is refused."""
    if schedule.state != ScheduleState.LOCKED.value:
        raise ScheduleUpdateFailed(
            f"The scheduled run is {schedule.state} and cannot become {target.value}."
        )
    lease = lease_repository.find_lease_of_schedule(connection, schedule.id)
    if lease is None or lease.worker_id != worker.id:
        raise ScheduleUpdateFailed("Another worker has locked the scheduled run.")
    if lease.token != get_token():
        raise LeaseLost
    if target is ScheduleState.OPEN:
        free_run(connection, lease, "A worker handed the run back.", now_ms, counts=False)
        return
    schedule_repository.update_schedule(
        connection, schedule.id, now_ms, state=ScheduleState.DONE.value
    )
    if _has_no_work_left(connection, lease):
        lease_repository.delete_lease(connection, lease.id)


def _has_no_work_left(connection: sa.Connection, lease: Lease) -> bool:
    """Tell whether no run needs the lease any more: one that goes on has to end some time."""
    run = repository.find_run(connection, lease.run_id) if lease.run_id else None
    return run is None or is_end(run.state)
