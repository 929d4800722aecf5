"""Asking for background work: a row in the caller's own transaction, nothing else.

The work exists if and only if the transaction commits. Afterwards call `JobService.notify`, so that
it begins at once; a server that dies before that finds the row at its next start.
"""

from __future__ import annotations

import sqlalchemy as sa

from lightly._kit.ids import make_id
from lightly.server.jobs import repository
from lightly.server.jobs.models import Job, JobStatus, NewJob


def add_job(connection: sa.Connection, job: NewJob, now_ms: int) -> str:
    """Add a job and return its id.

    Where a job with the same `dedupe_key` is under way or has finished, that one's id is returned.
    One that failed has given its key back, so the same request tries again.
    """
    if job.dedupe_key is not None:
        existing = repository.find_job_by_key(connection, job.dedupe_key)
        if existing is not None:
            return existing.id
    job_id = make_id()
    try:
        with connection.begin_nested():
            repository.insert_job(connection, job_id, job, now_ms)
    except sa.exc.IntegrityError:
        winner = job.dedupe_key and repository.find_job_by_key(connection, job.dedupe_key)
        if not winner:
            raise
        return winner.id
    return job_id


def find_running_job(connection: sa.Connection, dedupe_key: str) -> Job | None:
    """Return the job under a key if it has not reached its final status."""
    job = repository.find_job_by_key(connection, dedupe_key)
    return None if job is None or JobStatus(job.status).is_final else job
