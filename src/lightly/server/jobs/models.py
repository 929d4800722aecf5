"""Jobs as the server works with them."""

from __future__ import annotations

import enum
from dataclasses import dataclass
from typing import Any


class JobKind(enum.StrEnum):
    """What a job does; the words are the contract's `JobResultType`."""

    EMBEDDING = "EMBEDDING"
    EMBEDDINGS2D = "EMBEDDINGS2D"
    SAMPLING = "SAMPLING"


class JobStatus(enum.StrEnum):
    """How far a job is; the words are the contract's `JobState`."""

    WAITING = "WAITING"
    RUNNING = "RUNNING"
    FAILED = "FAILED"
    FINISHED = "FINISHED"

    @property
    def is_final(self) -> bool:
        """Whether nothing happens to the job any more."""
        return self in {JobStatus.FAILED, JobStatus.FINISHED}


@dataclass(frozen=True)
class Job:
    """One row of the jobs table.

    Attributes:
        id: 24 hex digits.
        user_id: Who asked for it; nobody else sees it.
        dataset_id: The dataset it works on.
        kind: What it does.
        status: How far it is.
        input_json: What it was asked to do, as JSON text.
        result_json: The contract's `result` of a finished job, as JSON text.
        error: Why it failed, for people.
        attempts: How often it was begun.
        created_at_ms: When it was asked for.
        last_modified_at_ms: When anything of it last changed.
        finished_at_ms: When it reached its final status.
    """

    id: str
    user_id: str
    dataset_id: str
    kind: str
    status: str
    input_json: str
    result_json: str | None
    error: str | None
    attempts: int
    created_at_ms: int
    last_modified_at_ms: int
    finished_at_ms: int | None


@dataclass(frozen=True)
class NewJob:
    """A job to be done.

    Attributes:
        kind: What it does.
        user_id: Who asks for it.
        dataset_id: The dataset it works on.
        input: What exactly to do; JSON.
        dedupe_key: No two jobs have the same; None for no such bound.
        after_job_id: A job that has to finish first; when that one fails, this one does too.
    """

    kind: JobKind
    user_id: str
    dataset_id: str
    input: dict[str, Any]
    dedupe_key: str | None = None
    after_job_id: str | None = None


@dataclass(frozen=True)
class OwedJob:
    """A job that is not in its final status, and what it waits for.

    Attributes:
        id: The job's id.
        kind: What it does.
        input_json: What it was asked to do, as JSON text.
        awaited_status: Status of the job that has to finish first; None when there is none.
        awaited_error: Why that job failed.
    """

    id: str
    kind: str
    input_json: str
    awaited_status: str | None
    awaited_error: str | None
