"""Queries on jobs and on the server processes that run them."""

from __future__ import annotations

from typing import Any

import orjson
import sqlalchemy as sa

from lightly.server.auth.users import User
from lightly.server.datasets.access import is_lost
from lightly.server.db.tables import job_executors, jobs
from lightly.server.jobs.models import Job, JobStatus, NewJob, OwedJob

_COLUMNS = [jobs.c[name] for name in Job.__dataclass_fields__]
_IS_UNFINISHED = jobs.c.status.in_([JobStatus.WAITING.value, JobStatus.RUNNING.value])


def _make_job(row: sa.Row[tuple[object, ...]]) -> Job:
    return Job(**row._mapping)  # noqa: SLF001  the documented name of this view


def insert_job(connection: sa.Connection, job_id: str, job: NewJob, now_ms: int) -> None:
    """Add a waiting job. Raises `IntegrityError` when one with its `dedupe_key` exists."""
    connection.execute(
        sa.insert(jobs).values(
            id=job_id,
            user_id=job.user_id,
            dataset_id=job.dataset_id,
            after_job_id=job.after_job_id,
            dedupe_key=job.dedupe_key,
            kind=job.kind.value,
            status=JobStatus.WAITING.value,
            input_json=orjson.dumps(job.input).decode(),
            attempts=0,
            created_at_ms=now_ms,
            last_modified_at_ms=now_ms,
        )
    )


def find_job(connection: sa.Connection, job_id: str) -> Job | None:
    """Return a job by id, whoever asked for it."""
    row = connection.execute(sa.select(*_COLUMNS).where(jobs.c.id == job_id)).one_or_none()
    return None if row is None else _make_job(row)


def find_job_of_user(connection: sa.Connection, caller: User, job_id: str) -> Job | None:
    """Return a job that this user asked for, unless the user has lost its dataset meanwhile."""
    query = sa.select(*_COLUMNS).where(
        jobs.c.id == job_id, jobs.c.user_id == caller.id, ~is_lost(caller, jobs.c.dataset_id)
    )
    row = connection.execute(query).one_or_none()
    return None if row is None else _make_job(row)


def find_job_by_key(connection: sa.Connection, dedupe_key: str) -> Job | None:
    """Return the job that holds a deduplication key."""
    query = sa.select(*_COLUMNS).where(jobs.c.dedupe_key == dedupe_key)
    row = connection.execute(query).one_or_none()
    return None if row is None else _make_job(row)


def drop_key(connection: sa.Connection, job_id: str) -> None:
    """Free a job's deduplication key for another job."""
    connection.execute(sa.update(jobs).where(jobs.c.id == job_id).values(dedupe_key=None))


def list_jobs_of_user(
    connection: sa.Connection, caller: User, *, before_id: str | None, limit: int
) -> list[Job]:
    """Return jobs of a user, newest first, that are older than `before_id`.

    Those of datasets that the user has lost are left out.
    """
    query = sa.select(*_COLUMNS).where(
        jobs.c.user_id == caller.id, ~is_lost(caller, jobs.c.dataset_id)
    )
    if before_id is not None:
        query = query.where(jobs.c.id < before_id)
    rows = connection.execute(query.order_by(jobs.c.id.desc()).limit(limit))
    return [_make_job(row) for row in rows]


def list_owed(connection: sa.Connection, limit: int, per_user: int) -> list[OwedJob]:
    """Return jobs that are not in their final status, from each user in turn.

    Args:
        connection: An open transaction.
        limit: Most jobs.
        per_user: Most jobs of each kind of one user, the oldest ones: the others' turn comes when
            these are done, so that nobody waits for all that somebody else has asked for.
    """
    turn = sa.func.row_number().over(partition_by=[jobs.c.user_id, jobs.c.kind], order_by=jobs.c.id)
    ranked = sa.select(jobs.c.id, turn.label("turn")).where(_IS_UNFINISHED).subquery()
    awaited = jobs.alias("awaited")
    query = (
        sa.select(jobs.c.id, jobs.c.kind, jobs.c.input_json, awaited.c.status, awaited.c.error)
        .join_from(ranked, jobs, ranked.c.id == jobs.c.id)
        .join(awaited, awaited.c.id == jobs.c.after_job_id, isouter=True)
        .where(ranked.c.turn <= per_user)
        .order_by(ranked.c.turn, jobs.c.id)
        .limit(limit)
    )
    return [OwedJob(*row) for row in connection.execute(query)]


def claim_job(connection: sa.Connection, job_id: str, claim_token: str, now_ms: int) -> Job | None:
    """Begin an attempt; whoever held the job before can no longer end it.

    Returns:
        The job with the new attempt counted; None when it is in its final status or gone.
    """
    changed = connection.execute(
        sa.update(jobs)
        .where(jobs.c.id == job_id, _IS_UNFINISHED)
        .values(
            status=JobStatus.RUNNING.value,
            claim_token=claim_token,
            attempts=jobs.c.attempts + 1,
            last_modified_at_ms=now_ms,
        )
    )
    return find_job(connection, job_id) if changed.rowcount else None


def release_job(connection: sa.Connection, job_id: str, claim_token: str, now_ms: int) -> None:
    """Give a claimed job back as if the attempt had never begun."""
    connection.execute(
        sa.update(jobs)
        .where(_is_held(job_id, claim_token))
        .values(
            status=JobStatus.WAITING.value,
            claim_token=None,
            attempts=jobs.c.attempts - 1,
            last_modified_at_ms=now_ms,
        )
    )


def touch_claim(connection: sa.Connection, job_id: str, claim_token: str, now_ms: int) -> bool:
    """Lock a job until the commit; tell whether `claim_token` still holds it."""
    changed = connection.execute(
        sa.update(jobs).where(_is_held(job_id, claim_token)).values(last_modified_at_ms=now_ms)
    )
    return changed.rowcount == 1


def note_progress(
    connection: sa.Connection, job_id: str, claim_token: str, progress_json: str, now_ms: int
) -> bool:
    """Note how far a job is; tell whether `claim_token` still holds it."""
    changed = connection.execute(
        sa.update(jobs)
        .where(_is_held(job_id, claim_token))
        .values(progress_json=progress_json, last_modified_at_ms=now_ms)
    )
    return changed.rowcount == 1


def read_progress(connection: sa.Connection, job_id: str) -> str | None:
    """Return how far a job is, as JSON text; None when it has told nothing."""
    query = sa.select(jobs.c.progress_json).where(jobs.c.id == job_id)
    return connection.execute(query).scalar_one_or_none()


def finish_job(
    connection: sa.Connection, job_id: str, claim_token: str, result: dict[str, Any], now_ms: int
) -> None:
    """Note the result of a job that `touch_claim` has locked."""
    connection.execute(
        sa.update(jobs)
        .where(_is_held(job_id, claim_token))
        .values(
            status=JobStatus.FINISHED.value,
            claim_token=None,
            result_json=orjson.dumps(result).decode(),
            last_modified_at_ms=now_ms,
            finished_at_ms=now_ms,
        )
    )


def fail_job(
    connection: sa.Connection,
    job_id: str,
    reason: str,
    now_ms: int,
    *,
    claim_token: str | None = None,
) -> bool:
    """End an unfinished job with a reason, and free its deduplication key for another try.

    Args:
        connection: An open write transaction.
        job_id: The job.
        reason: For people: what went wrong, what to do.
        now_ms: The present time.
        claim_token: Fail it only while this token holds it.

    Returns:
        Whether the job was ended by this call.
    """
    condition = jobs.c.id == job_id if claim_token is None else _is_held(job_id, claim_token)
    changed = connection.execute(
        sa.update(jobs)
        .where(condition, _IS_UNFINISHED)
        .values(
            status=JobStatus.FAILED.value,
            claim_token=None,
            dedupe_key=None,
            error=reason,
            last_modified_at_ms=now_ms,
            finished_at_ms=now_ms,
        )
    )
    return changed.rowcount == 1


def count_open_jobs(connection: sa.Connection) -> list[tuple[str, str, int]]:
    """Return kind, status and number of the jobs that are not finished."""
    counted = sa.select(jobs.c.kind, jobs.c.status, sa.func.count()).where(_IS_UNFINISHED)
    rows = connection.execute(counted.group_by(jobs.c.kind, jobs.c.status))
    return [(kind, status, count) for kind, status, count in rows]


def _is_held(job_id: str, claim_token: str) -> sa.ColumnElement[bool]:
    return sa.and_(
        jobs.c.id == job_id,
        jobs.c.status == JobStatus.RUNNING.value,
        jobs.c.claim_token == claim_token,
    )


def read_database_ms(connection: sa.Connection) -> int:
    """Return the database's own time: the one clock that all servers share."""
    if connection.dialect.name == "sqlite":
        # Days since 4713 BC; the other number is the epoch on that scale.
        text = "SELECT CAST((julianday('now') - 2440587.5) * 86400000 AS INTEGER)"
    else:
        text = "SELECT CAST(extract(epoch FROM clock_timestamp()) * 1000 AS BIGINT)"
    now_ms: int = connection.execute(sa.text(text)).scalar_one()
    return now_ms


def extend_executor(connection: sa.Connection, executor_id: str, lease_ms: int) -> bool:
    """Note a sign of life; tell whether the process was still counted among the living."""
    expires_at_ms = read_database_ms(connection) + lease_ms
    changed = connection.execute(
        sa.update(job_executors)
        .where(job_executors.c.id == executor_id)
        .values(expires_at_ms=expires_at_ms)
    )
    if changed.rowcount == 0:
        connection.execute(
            sa.insert(job_executors).values(id=executor_id, expires_at_ms=expires_at_ms)
        )
    return changed.rowcount == 1


def list_living_executors(connection: sa.Connection) -> set[str]:
    """Return the processes with a recent sign of life, after removing all others."""
    now_ms = read_database_ms(connection)
    connection.execute(sa.delete(job_executors).where(job_executors.c.expires_at_ms < now_ms))
    return set(connection.execute(sa.select(job_executors.c.id)).scalars())


def remove_executor(connection: sa.Connection, executor_id: str) -> None:
    """Note that a process runs no jobs any more."""
    connection.execute(sa.delete(job_executors).where(job_executors.c.id == executor_id))


def remove_all_executors(connection: sa.Connection) -> None:
    """Forget all processes: right where a database has one server only."""
    connection.execute(sa.delete(job_executors))
