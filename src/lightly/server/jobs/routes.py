"""HTTP out of jobs."""

from __future__ import annotations

from typing import Annotated, Any

import orjson
from fastapi import APIRouter, Path
from starlette.responses import Response

from lightly.server.http.requests import ContractRoute
from lightly.server.http.responses import json_response
from lightly.server.jobs import service
from lightly.server.jobs.models import Job, JobStatus
from lightly.server.platform import Caller, Platform
from lightly.server.samples.listing import stream_pieces

router = APIRouter(route_class=ContractRoute)

#: Clients ask first after one second, then at this pace.
_NEXT_POLL_S = 1
JobId = Annotated[str, Path(alias="jobId")]


def write_job(job: Job) -> dict[str, Any]:
    """Return the contract's `JobsData`."""
    data = {
        "id": job.id,
        "jobId": job.id,
        "jobType": job.kind,
        "datasetId": job.dataset_id,
        "status": job.status,
        "createdAt": job.created_at_ms,
    }
    if job.finished_at_ms is not None:
        data["finishedAt"] = job.finished_at_ms
    return data


def write_job_status(job: Job) -> dict[str, Any]:
    """Return the contract's `JobStatusData`."""
    data: dict[str, Any] = {
        "id": job.id,
        "datasetId": job.dataset_id,
        "status": job.status,
        "waitTimeTillNextPoll": _NEXT_POLL_S,
        "createdAt": job.created_at_ms,
        "lastModifiedAt": job.last_modified_at_ms,
    }
    if job.finished_at_ms is not None:
        data["finishedAt"] = job.finished_at_ms
    if job.status == JobStatus.FAILED:
        data["error"] = job.error
    if job.result_json is not None:
        data["result"] = orjson.Fragment(job.result_json)
    return data


def write_job_details(job: Job, progress_json: str | None) -> dict[str, Any]:
    """Return the extension document's `JobDetails`."""
    if JobStatus(job.status).is_final:
        progress_json = None
    progress = None if progress_json is None else orjson.Fragment(progress_json)
    return write_job(job) | {"attempts": job.attempts, "progress": progress}


@router.get("/v1/jobs")
def get_jobs(platform: Platform, caller: Caller) -> Response:
    """List the caller's jobs, newest first."""
    pieces = service.iterate_jobs(platform, caller)
    return stream_pieces([write_job(job) for job in piece] for piece in pieces)


@router.get("/v1/jobs/{jobId}")
def get_job(job_id: JobId, platform: Platform, caller: Caller) -> Response:
    """Tell how far a job is."""
    return json_response(write_job_status(service.get_job(platform, caller, job_id)))


@router.get("/ext/v1/jobs/{jobId}")
def get_job_details(job_id: JobId, platform: Platform, caller: Caller) -> Response:
    """Tell how far a job is, with what `/v1` has no room for."""
    job, progress_json = service.get_job_with_progress(platform, caller, job_id)
    return json_response(write_job_details(job, progress_json))


@router.put("/ext/v1/jobs/{jobId}/cancel", status_code=204)
def cancel_job(job_id: JobId, platform: Platform, caller: Caller) -> Response:
    """End a selection before it has an effect."""
    service.cancel_job(platform, caller, job_id)
    return Response(status_code=204)
