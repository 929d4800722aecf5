"""Schedules, runs and leases as the server works with them."""

from __future__ import annotations

import enum
from dataclasses import dataclass

from lightly.openapi_generated.swagger_client.models.docker_run_scheduled_priority import (
    DockerRunScheduledPriority,
)
from lightly.openapi_generated.swagger_client.models.docker_run_state import DockerRunState

#: From the one that waits longest to the one that goes first; the position is what is stored.
PRIORITIES = tuple(DockerRunScheduledPriority)
FIRST_STATE = DockerRunState.STARTED


class ScheduleState(enum.StrEnum):
    """How far a scheduled run is; the words are the contract's `DockerRunScheduledState`."""

    OPEN = "OPEN"
    LOCKED = "LOCKED"
    DONE = "DONE"
    CANCELED = "CANCELED"


@dataclass(frozen=True)
class Schedule:
    """One row of the table of scheduled runs.

    Attributes:
        id: 24 hex digits.
        user_id: Who scheduled it.
        dataset_id: What it works on.
        config_id: The configuration of the worker.
        config_version: Which version that is in.
        priority: Position in `PRIORITIES`.
        runs_on_json: Sorted labels that a worker must have, as JSON text.
        state: How far it is.
        worker_id: The worker that locked it last.
        attempts: How often it was taken.
        created_at_ms: When it was made.
        last_modified_at_ms: When it last changed.
    """

    id: str
    user_id: str
    dataset_id: str
    config_id: str
    config_version: str
    priority: int
    runs_on_json: str
    state: str
    worker_id: str | None
    attempts: int
    created_at_ms: int
    last_modified_at_ms: int


@dataclass(frozen=True)
class Run:
    """One row of the runs table.

    Attributes:
        id: 24 hex digits.
        user_id: Whose it is.
        dataset_id: What it works on.
        config_id: The configuration of the worker.
        scheduled_id: The schedule that it carries out.
        worker_id: The worker that began the present attempt.
        docker_version: Of that worker.
        state: How far it is.
        message: What was last said of it.
        attempt: Counts from 1.
        progress_json: What the worker last said about its progress.
        stop_requested_at_ms: When somebody asked for its end.
        is_archived: Whether lists leave it out.
        last_lease_token: Whose lease ended it.
        log_end: The number of its next log entry.
        log_bytes: How long the kept entries are.
        created_at_ms: When it was made.
        last_modified_at_ms: When it last changed.
        finished_at_ms: When it reached its final state.
    """

    id: str
    user_id: str
    dataset_id: str | None
    config_id: str | None
    scheduled_id: str | None
    worker_id: str | None
    docker_version: str
    state: str
    message: str | None
    attempt: int
    progress_json: str | None
    stop_requested_at_ms: int | None
    is_archived: bool
    last_lease_token: str | None
    log_end: int
    log_bytes: int
    created_at_ms: int
    last_modified_at_ms: int
    finished_at_ms: int | None


@dataclass(frozen=True)
class Lease:
    """One row of the leases table: somebody works on a run until `expires_at_ms`.

    Attributes:
        id: 24 hex digits.
        token: What its holder sends along; None when a client of the contract took it.
        scheduled_id: The schedule that is locked by it.
        run_id: The run, once there is one.
        worker_id: Who holds it.
        session_id: Which process of that worker.
        expires_at_ms: Until when, in the database's own time.
    """

    id: str
    token: str | None
    scheduled_id: str | None
    run_id: str | None
    worker_id: str | None
    session_id: str | None
    expires_at_ms: int


@dataclass(frozen=True)
class Artifact:
    """One row of the artifacts table.

    Attributes:
        id: 24 hex digits.
        run_id: The run that made it.
        attempt: In which attempt.
        type: What it is, a word of the contract's `DockerRunArtifactType`.
        file_name: A relative path, unique in its run.
        storage_location: `LIGHTLY` or `DATASOURCE`.
        stated_size_bytes: How long it was said to be.
        stated_sha256: What digest it was said to have, 64 hex digits.
        size_bytes: How long it is.
        created_at_ms: When it was announced.
        confirmed_at_ms: When its upload was confirmed; before that nobody sees it.
    """

    id: str
    run_id: str
    attempt: int
    type: str
    file_name: str
    storage_location: str
    stated_size_bytes: int | None
    stated_sha256: str | None
    size_bytes: int | None
    created_at_ms: int
    confirmed_at_ms: int | None
