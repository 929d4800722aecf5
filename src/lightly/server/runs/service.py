"""Rules of runs: made by workers, followed by users."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

import sqlalchemy as sa

from lightly._kit.ids import make_id
from lightly.openapi_generated.swagger_client.models.creator import Creator
from lightly.openapi_generated.swagger_client.models.docker_run_create_request import (
    DockerRunCreateRequest,
)
from lightly.openapi_generated.swagger_client.models.docker_run_state import DockerRunState
from lightly.openapi_generated.swagger_client.models.docker_run_update_request import (
    DockerRunUpdateRequest,
)
from lightly.server.auth.users import User
from lightly.server.datasets.access import load_dataset
from lightly.server.datasets.models import Action
from lightly.server.errors import BadRequest, DatasetUnknown, LeaseLost, ScheduleUpdateFailed
from lightly.server.http.parameters import AssetScope, Page
from lightly.server.jobs.repository import read_database_ms
from lightly.server.platform import PlatformState
from lightly.server.runs import artifact_repository, lease_repository, repository
from lightly.server.runs.access import load_run, load_run_of_schedule, load_schedule
from lightly.server.runs.endings import end_run
from lightly.server.runs.fencing import get_token, hold_run
from lightly.server.runs.lifetimes import extend_contract_lease, get_end_ms
from lightly.server.runs.logs import LogEntry, append_entries
from lightly.server.runs.models import FIRST_STATE, Artifact, Lease, Run, Schedule, ScheduleState
from lightly.server.runs.states import END_STATES, check_transition, is_end
from lightly.server.runs.texts import check_name, clean_text
from lightly.server.tags.models import Tag
from lightly.server.tags.repository import find_tags
from lightly.server.workers.access import load_config

#: Runs read at once while a list is sent.
LIST_CHUNK = 1_000


class RunWithArtifacts(NamedTuple):
    """A run and what came of it, as far as its upload is confirmed."""

    run: Run
    artifacts: list[Artifact]


def get_run(platform: PlatformState, caller: User, run_id: str) -> RunWithArtifacts:
    """Return one run."""
    with platform.database.read() as connection:
        return _add_artifacts(connection, [load_run(connection, caller, run_id)])[0]


def get_run_of_schedule(
    platform: PlatformState, caller: User, scheduled_id: str
) -> RunWithArtifacts:
    """Return the run that carries out a schedule.

    Raises:
        RunUnknown: If no worker has begun it yet; clients take this for "still waiting".
    """
    with platform.database.read() as connection:
        run = load_run_of_schedule(connection, caller, scheduled_id)
        return _add_artifacts(connection, [run])[0]


def list_runs(
    platform: PlatformState, caller: User, scope: AssetScope, page: Page, *, shows_archived: bool
) -> Iterator[RunWithArtifacts]:
    """Return runs of the caller, of the caller's teams, or both; oldest first."""
    condition = repository.matches_scope(caller, scope, shows_archived=shows_archived)
    return _iterate_runs(platform, condition, page)


def list_runs_of_dataset(
    platform: PlatformState, caller: User, dataset_id: str, page: Page
) -> Iterator[RunWithArtifacts]:
    """Return the runs on a dataset, whoever scheduled them; oldest first."""
    with platform.database.read() as connection:
        dataset = load_dataset(connection, caller, dataset_id, Action.READ)
    return _iterate_runs(platform, repository.matches_dataset(dataset.id), page)


def count_runs(
    platform: PlatformState, caller: User, scope: AssetScope, *, shows_archived: bool
) -> int:
    """Return how many runs `list_runs` has."""
    condition = repository.matches_scope(caller, scope, shows_archived=shows_archived)
    with platform.database.read() as connection:
        return repository.count_runs(connection, condition)


def _iterate_runs(
    platform: PlatformState, condition: sa.ColumnElement[bool], page: Page
) -> Iterator[RunWithArtifacts]:
    after_id, offset, left = "", page.offset, page.size
    while left is None or left > 0:
        limit = LIST_CHUNK if left is None else min(LIST_CHUNK, left)
        with platform.database.read() as connection:
            found = repository.list_runs(
                connection, condition, after_id=after_id, offset=offset, limit=limit
            )
            piece = _add_artifacts(connection, found)
        yield from piece
        if len(found) < limit:
            return
        after_id, offset = found[-1].id, 0
        left = None if left is None else left - len(found)


def _add_artifacts(connection: sa.Connection, runs: list[Run]) -> list[RunWithArtifacts]:
    found = artifact_repository.list_confirmed(connection, [run.id for run in runs])
    return [RunWithArtifacts(run, found.get(run.id, [])) for run in runs]


def create_run(platform: PlatformState, caller: User, body: DockerRunCreateRequest) -> str:
    """Note that a worker has begun a run and return its id.

    With a scheduled run that the worker has locked before, this is that one's run: asking again
    gives the same id, and so does a later attempt.

    Raises:
        ScheduleUpdateFailed: If the scheduled run is not locked.
        LeaseLost: If a worker with a lease has it.
        BadRequest: If dataset or configuration are not those of the scheduled run.
    """
    version = check_name(body.docker_version, "dockerVersion")
    with platform.database.write() as connection:
        if body.dataset_id is not None:
            load_dataset(connection, caller, body.dataset_id, Action.WRITE)
        if body.config_id is not None:
            load_config(connection, caller, body.config_id)
        now_ms = read_database_ms(connection)
        creator = (body.creator or Creator.UNKNOWN).value
        if body.scheduled_id is None:
            run = make_run(caller.id, version, body.dataset_id, body.config_id, now_ms=now_ms)
            repository.insert_run(connection, run, creator)
            end_ms = get_end_ms(platform.settings, now_ms, is_fenced=False)
            _insert_contract_lease(connection, run, end_ms)
        else:
            schedule = load_schedule(connection, caller, body.scheduled_id, body.dataset_id)
            if body.config_id not in {None, schedule.config_id}:
                raise BadRequest("configId (body): the scheduled run has another configuration.")
            lease = _find_contract_lease(connection, schedule)
            run = begin_run(
                connection, schedule, lease, docker_version=version, creator=creator, now_ms=now_ms
            )
        if body.message is not None:
            message = clean_text(body.message)
            repository.update_run(connection, run.id, now_ms, message=message)
            append_entries(connection, run, [LogEntry(ts=now_ms, level="INFO", msg=message)])
    return run.id


def make_run(
    user_id: str,
    docker_version: str,
    dataset_id: str | None,
    config_id: str | None,
    *,
    now_ms: int,
    schedule: Schedule | None = None,
) -> Run:
    """Return a run in its first state."""
    return Run(
        id=make_id(),
        user_id=user_id,
        dataset_id=dataset_id,
        config_id=config_id,
        scheduled_id=schedule.id if schedule else None,
        worker_id=schedule.worker_id if schedule else None,
        docker_version=docker_version,
        state=FIRST_STATE.value,
        message=None,
        attempt=max(1, schedule.attempts) if schedule else 1,
        progress_json=None,
        stop_requested_at_ms=None,
        is_archived=False,
        last_lease_token=None,
        log_end=0,
        log_bytes=0,
        created_at_ms=now_ms,
        last_modified_at_ms=now_ms,
        finished_at_ms=None,
    )


def begin_run(
    connection: sa.Connection,
    schedule: Schedule,
    lease: Lease,
    *,
    docker_version: str,
    creator: str,
    now_ms: int,
) -> Run:
    """Return the run of a locked schedule: a new one, or the next attempt of the one it has.

    Args:
        connection: An open write transaction that holds the schedule.
        schedule: As it is since it was locked.
        lease: Under which it is locked.
        docker_version: Of the worker.
        creator: Which kind of client begins it.
        now_ms: The database's own time.
    """
    run = repository.find_run_of_schedule(connection, schedule.id)
    if run is not None and lease.run_id == run.id:
        return run
    if run is None:
        run = make_run(
            schedule.user_id,
            docker_version,
            schedule.dataset_id,
            schedule.config_id,
            now_ms=now_ms,
            schedule=schedule,
        )
        repository.insert_run(connection, run, creator)
    else:
        repository.update_run(
            connection,
            run.id,
            now_ms,
            state=FIRST_STATE.value,
            attempt=schedule.attempts,
            worker_id=schedule.worker_id,
            docker_version=docker_version,
            progress_json=None,
        )
    lease_repository.assign_run(connection, lease.id, run.id)
    return run


def _find_contract_lease(connection: sa.Connection, schedule: Schedule) -> Lease:
    """Return the lease under which the present request has locked a scheduled run."""
    lease = lease_repository.find_lease_of_schedule(connection, schedule.id)
    if schedule.state != ScheduleState.LOCKED.value or lease is None:
        raise ScheduleUpdateFailed(
            f"The scheduled run is {schedule.state}. Lock it before its run is created."
        )
    if lease.token != get_token():
        raise LeaseLost
    return lease


def _insert_contract_lease(connection: sa.Connection, run: Run, end_ms: int) -> None:
    lease_repository.insert_lease(
        connection,
        token=None,
        scheduled_id=None,
        run_id=run.id,
        worker_id=None,
        session_id=None,
        expires_at_ms=end_ms,
    )


def update_run(
    platform: PlatformState, caller: User, run_id: str, body: DockerRunUpdateRequest
) -> None:
    """Note how far a run is. To end it in the same way twice changes nothing.

    Raises:
        RunStateRefused: If the run cannot go into this state any more.
        LeaseLost: If a worker holds the run and the request does not carry its lease.
    """
    with platform.database.write() as connection:
        run = load_run(connection, caller, run_id)
        if is_end(run.state) and run.state == body.state.value:
            return
        run = hold_run(connection, run)
        now_ms = read_database_ms(connection)
        report_state(connection, run, body.state, body.message, now_ms, ts_ms=body.ts)
        extend_contract_lease(connection, platform.settings, run, now_ms)


def report_state(
    connection: sa.Connection,
    run: Run,
    state: DockerRunState,
    message: str | None,
    now_ms: int,
    *,
    ts_ms: int | None = None,
) -> None:
    """Note what a worker says of its run, in the run and in its log.

    Args:
        connection: An open write transaction.
        run: Loaded with `load_run_to_write`.
        state: How far it is.
        message: For people.
        now_ms: The database's own time.
        ts_ms: When it happened, by the worker's clock.
    """
    check_transition(run.state, state.value)
    text = None if message is None else clean_text(message)
    if state in END_STATES:
        ending = text or f"The run ended as {state.value}."
        end_run(connection, run, state, ending, now_ms, ts_ms=ts_ms)
        return
    changes = {} if text is None else {"message": text}
    repository.update_run(connection, run.id, now_ms, state=state.value, **changes)
    if text is not None or state.value != run.state:
        entry = LogEntry(
            ts=now_ms if ts_ms is None else ts_ms,
            level="INFO",
            msg=text or f"The run is in {state.value}.",
            state=state.value,
        )
        append_entries(connection, run, [entry])


def list_tags(platform: PlatformState, caller: User, run_id: str) -> list[tuple[str, Tag]]:
    """Return dataset id and tag of all that a run made and the caller may see, newest first."""
    found: list[tuple[str, Tag]] = []
    with platform.database.read() as connection:
        load_run(connection, caller, run_id)
        ids: dict[str, list[str]] = {}
        for dataset_id, tag_id in repository.list_tags(connection, run_id):
            ids.setdefault(dataset_id, []).append(tag_id)
        for dataset_id, tag_ids in ids.items():
            try:
                dataset = load_dataset(connection, caller, dataset_id, Action.READ)
            except DatasetUnknown:
                continue
            tags = find_tags(connection, dataset.key, tag_ids)
            found += [(dataset_id, tag) for tag in tags]
    return sorted(found, key=lambda pair: (pair[1].created_at_ms, pair[1].id), reverse=True)


def set_archived(platform: PlatformState, caller: User, run_id: str, *, is_archived: bool) -> None:
    """Leave a run out of lists, or show it again."""
    with platform.database.write() as connection:
        run = load_run(connection, caller, run_id)
        if run.is_archived != is_archived:
            now_ms = read_database_ms(connection)
            repository.update_run(connection, run.id, now_ms, is_archived=is_archived)
