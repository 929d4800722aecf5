"""Waiting for a job of the server."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lightly.api.answers import read_model
from lightly.api.client_base import make_path
from lightly.api.errors import JobFailed
from lightly.api.progress import show_waiting
from lightly.api.transport import Transport

if TYPE_CHECKING:
    from lightly.openapi_generated.swagger_client.models.job_status_data import JobStatusData

_UNFINISHED = frozenset({"UNKNOWN", "WAITING", "RUNNING"})
#: The server says when to ask again; this holds where it says "at once", or something absurd.
MIN_POLL_S = 0.1
MAX_POLL_S = 30.0


def wait_for_job(transport: Transport, job_id: str, *, title: str) -> JobStatusData:
    """Return a job once it has finished.

    Args:
        transport: Calls the server, and waits between two questions.
        job_id: The job.
        title: What a progress bar says while the job runs.

    Raises:
        JobFailed: If it failed; the message has the server's reason.
    """
    with show_waiting(title) as bar:
        while True:
            job = _read_job(transport, job_id)
            if job.status.value not in _UNFINISHED:
                break
            wait_s = min(MAX_POLL_S, max(MIN_POLL_S, job.wait_time_till_next_poll))
            transport.policy.sleep(wait_s)
            bar.update(wait_s)
    if job.status.value == "FAILED":
        raise JobFailed(f"{title} failed: {job.error or 'the server gives no reason'}")
    return job


def _read_job(transport: Transport, job_id: str) -> JobStatusData:
    from lightly.openapi_generated.swagger_client.models.job_status_data import JobStatusData

    return read_model(JobStatusData, transport.get(make_path("v1", "jobs", job_id)))
