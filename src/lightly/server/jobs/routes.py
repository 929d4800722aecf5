"""HTTP out of jobs."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated, Any, BinaryIO

import orjson
from fastapi import APIRouter, Path
from starlette.responses import Response, StreamingResponse

from lightly.server.errors import NotFound
from lightly.server.http.requests import ContractRoute
from lightly.server.http.responses import json_response
from lightly.server.jobs import service
from lightly.server.jobs.models import Job, JobStatus
from lightly.server.jobs.reports import make_report_key
from lightly.server.platform import Caller, Platform
from lightly.server.samples.listing import stream_pieces

router = APIRouter(route_class=ContractRoute)

#: Clients ask first after one second, then at this pace.
_NEXT_POLL_S = 1
_REPORT_CHUNK_BYTES = 256 * 1024
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


@router.get("/v1/jobs")
def get_jobs(platform: Platform, caller: Caller) -> Response:
    """List the caller's jobs, newest first."""
    pieces = service.iterate_jobs(platform, caller)
    return stream_pieces([write_job(job) for job in piece] for piece in pieces)


@router.get("/v1/jobs/{jobId}")
def get_job(job_id: JobId, platform: Platform, caller: Caller) -> Response:
    """Tell how far a job is."""
    return json_response(write_job_status(service.get_job(platform, caller, job_id)))


@router.get("/ext/v1/jobs/{jobId}/report")
def get_report(job_id: JobId, platform: Platform, caller: Caller) -> Response:
    """Return what a finished job has to say about its work, as JSON."""
    job = service.get_job(platform, caller, job_id)
    try:
        file = platform.blobs.open(make_report_key(job.dataset_id, job.id))
    except FileNotFoundError as error:
        raise NotFound("This job has no report: only finished selections have one.") from error
    return StreamingResponse(_read_chunks(file), media_type="application/json")


def _read_chunks(file: BinaryIO) -> Iterator[bytes]:
    with file:
        while chunk := file.read(_REPORT_CHUNK_BYTES):
            yield chunk
