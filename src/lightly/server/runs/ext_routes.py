"""HTTP in and out of leases for our own workers; see `openapi/ext-v1.json`."""

from __future__ import annotations

from functools import partial
from typing import Annotated, Any, Literal

import orjson
from fastapi import APIRouter, Query
from starlette.responses import Response

from lightly.openapi_generated.swagger_client.models.docker_run_artifact_storage_location import (
    DockerRunArtifactStorageLocation,
)
from lightly.server.http.parameters import ID_PATTERN, RunId, SessionId, WorkerId
from lightly.server.http.requests import ContractRoute, JsonBody
from lightly.server.http.responses import json_response
from lightly.server.platform import Caller, Platform
from lightly.server.runs import artifacts, leases, overview, service, sessions
from lightly.server.runs.ext_requests import (
    ArtifactCreateRequest,
    RunArchiveRequest,
    RunClaimRequest,
    RunFinishRequest,
    RunHeartbeatRequest,
    RunReleaseRequest,
    SessionCreateRequest,
)
from lightly.server.runs.lifetimes import get_heartbeat_s
from lightly.server.runs.polling import ask_for_runs
from lightly.server.runs.quiet_polls import Poll

router = APIRouter(prefix="/ext/v1", route_class=ContractRoute)

#: Most runs of one page of a list.
MAX_LISTED = 200
#: Reports that pages draw.
ReportType = Literal["REPORT_V2_JSON", "REPORT_JSON"]


@router.post("/workers/{workerId}/sessions", status_code=201)
def begin_session(
    worker_id: WorkerId, body: JsonBody[SessionCreateRequest], platform: Platform, caller: Caller
) -> Response:
    """Let a process run under the name of a worker."""
    session = sessions.begin_session(
        platform,
        caller,
        worker_id,
        docker_version=body.docker_version,
        takes_over=body.takes_over,
    )
    content = {
        "sessionId": session.id,
        "pollIntervalSeconds": session.poll_interval_s,
        "heartbeatSeconds": session.heartbeat_s,
    }
    return json_response(content, 201)


@router.delete("/workers/{workerId}/sessions/{sessionId}", status_code=204)
def end_session(
    worker_id: WorkerId, session_id: SessionId, platform: Platform, caller: Caller
) -> Response:
    """Note that a process of a worker ends; what it has is handed back."""
    sessions.end_session(platform, caller, worker_id, session_id)
    return Response(status_code=204)


@router.post("/runs/claim")
async def claim_run(
    body: JsonBody[RunClaimRequest], platform: Platform, caller: Caller
) -> Response:
    """Return the most urgent run for a worker under a lease; 204 when there is none."""
    versions = None if body.versions is None else tuple(body.versions)
    poll = Poll(caller, body.worker_id, (body.session_id, body.docker_version, versions))
    claim = await ask_for_runs(platform, poll, partial(leases.claim_run, platform, caller, body))
    if claim is None:
        return Response(status_code=204)
    run = claim.run
    content = {
        "runId": run.id,
        "scheduledId": run.scheduled_id,
        "datasetId": run.dataset_id,
        "configId": run.config_id,
        "attempt": run.attempt,
        "maxAttempts": platform.settings.run_attempts,
        "lease": claim.lease.token,
        "leaseSeconds": platform.settings.run_lease_s,
        "heartbeatSeconds": get_heartbeat_s(platform.settings),
        "serverUrl": platform.settings.base_url,
    }
    return json_response(content)


@router.get("/runs")
def get_runs(
    platform: Platform,
    caller: Caller,
    dataset_id: Annotated[str | None, Query(alias="datasetId", pattern=ID_PATTERN)] = None,
    before: Annotated[str, Query(pattern="^([a-f0-9]{24})?$")] = "",
    limit: Annotated[int, Query(ge=1, le=MAX_LISTED)] = 50,
) -> Response:
    """List runs, the newest first, and what waits for a worker."""
    return json_response(overview.list_overview(platform, caller, dataset_id, before, limit))


@router.get("/runs/{runId}")
def get_run(run_id: RunId, platform: Platform, caller: Caller) -> Response:
    """Return what the contract has no room for: attempt, worker, progress, request to stop."""
    run = service.get_run(platform, caller, run_id).run
    optional = {
        "workerId": run.worker_id,
        "message": run.message,
        "progress": orjson.Fragment(run.progress_json) if run.progress_json else None,
        "finishedAt": run.finished_at_ms,
    }
    content: dict[str, Any] = {
        "id": run.id,
        "state": run.state,
        "attempt": run.attempt,
        "maxAttempts": platform.settings.run_attempts,
        "isStopRequested": run.stop_requested_at_ms is not None,
        "isArchived": run.is_archived,
        "createdAt": run.created_at_ms,
        "lastModifiedAt": run.last_modified_at_ms,
    } | {name: value for name, value in optional.items() if value is not None}
    return json_response(content)


@router.get("/runs/{runId}/report")
def get_report(
    run_id: RunId,
    platform: Platform,
    caller: Caller,
    type_: Annotated[ReportType, Query(alias="type")] = "REPORT_V2_JSON",
) -> Response:
    """Return the report of a run as JSON."""
    content = artifacts.read_report(platform, caller, run_id, type_)
    return Response(content, media_type="application/json")


@router.put("/runs/{runId}/heartbeat")
def show_life(
    run_id: RunId, body: JsonBody[RunHeartbeatRequest], platform: Platform, caller: Caller
) -> Response:
    """Extend the lease of a run, with news if there are any."""
    is_stop_requested = leases.show_life(platform, caller, run_id, body)
    content = {
        "leaseSeconds": platform.settings.run_lease_s,
        "isStopRequested": is_stop_requested,
    }
    return json_response(content)


@router.put("/runs/{runId}/release", status_code=204)
def release_run(
    run_id: RunId, body: JsonBody[RunReleaseRequest], platform: Platform, caller: Caller
) -> Response:
    """Hand a run back."""
    leases.release_run(platform, caller, run_id, body)
    return Response(status_code=204)


@router.put("/runs/{runId}/finish", status_code=204)
def finish_run(
    run_id: RunId, body: JsonBody[RunFinishRequest], platform: Platform, caller: Caller
) -> Response:
    """End a run."""
    leases.finish_run(platform, caller, run_id, body)
    return Response(status_code=204)


@router.put("/runs/{runId}/stop", status_code=204)
def stop_run(run_id: RunId, platform: Platform, caller: Caller) -> Response:
    """Ask for the end of a run; it ends as ABORTED."""
    leases.stop_run(platform, caller, run_id)
    return Response(status_code=204)


@router.put("/runs/{runId}/archived", status_code=204)
def set_archived(
    run_id: RunId, body: JsonBody[RunArchiveRequest], platform: Platform, caller: Caller
) -> Response:
    """Leave a run out of lists, or show it again."""
    service.set_archived(platform, caller, run_id, is_archived=body.is_archived)
    return Response(status_code=204)


@router.post("/runs/{runId}/artifacts", status_code=201)
def create_artifact(
    run_id: RunId, body: JsonBody[ArtifactCreateRequest], platform: Platform, caller: Caller
) -> Response:
    """Announce a file that a run has made, with what its bytes must be."""
    new = artifacts.NewArtifact(
        body.file_name,
        body.type,
        DockerRunArtifactStorageLocation.LIGHTLY,
        size_bytes=body.size_bytes,
        sha256=body.sha256,
    )
    made = artifacts.create_artifact(platform, caller, run_id, new)
    return json_response({"signedWriteUrl": made.write_url, "artifactId": made.id}, 201)
