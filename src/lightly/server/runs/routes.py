"""HTTP in and out of runs, their logs and artifacts."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Annotated, Any

import orjson
from fastapi import APIRouter, Query
from starlette.responses import Response

from lightly.openapi_generated.swagger_client.models.docker_run_artifact_create_request import (
    DockerRunArtifactCreateRequest,
)
from lightly.openapi_generated.swagger_client.models.docker_run_artifact_storage_location import (
    DockerRunArtifactStorageLocation,
)
from lightly.openapi_generated.swagger_client.models.docker_run_create_request import (
    DockerRunCreateRequest,
)
from lightly.openapi_generated.swagger_client.models.docker_run_update_request import (
    DockerRunUpdateRequest,
)
from lightly.server.http.clients import Client
from lightly.server.http.parameters import (
    ArtifactId,
    AssetScopeParameter,
    DatasetId,
    PageParameter,
    RunId,
    ScheduledId,
)
from lightly.server.http.requests import ContractRoute, JsonBody, RawBody
from lightly.server.http.responses import created, json_response, stream_json_list
from lightly.server.platform import Caller, Platform
from lightly.server.runs import artifacts, logs, service
from lightly.server.runs.models import Artifact
from lightly.server.runs.service import RunWithArtifacts
from lightly.server.tags.routes import write_tag

router = APIRouter(prefix="/v1/docker/runs", route_class=ContractRoute)

ShowArchived = Annotated[bool | None, Query(alias="showArchived")]
Cursor = Annotated[int, Query(ge=0)]

#: Level names that clients before 1.5 know instead.
_OLD_LEVELS = {"WARNING": "WARN", "NOTSET": "VERBOSE"}
_LOG_DETAILS = frozenset({"group", "origin", "load"})


def write_run(found: RunWithArtifacts) -> dict[str, Any]:
    """Return the contract's `DockerRunData`."""
    run = found.run
    optional = {
        "datasetId": run.dataset_id,
        "configId": run.config_id,
        "scheduledId": run.scheduled_id,
        "message": run.message,
        "archived": run.is_archived or None,
        "artifacts": [_write_artifact(artifact) for artifact in found.artifacts] or None,
    }
    return {
        "id": run.id,
        "userId": run.user_id,
        "dockerVersion": run.docker_version,
        "state": run.state,
        "createdAt": run.created_at_ms,
        "lastModifiedAt": run.last_modified_at_ms,
    } | {name: value for name, value in optional.items() if value is not None}


def _write_artifact(artifact: Artifact) -> dict[str, Any]:
    return {
        "id": artifact.id,
        "type": artifact.type,
        "fileName": artifact.file_name,
        "storageLocation": artifact.storage_location,
        "createdAt": artifact.created_at_ms,
    }


def _stream_runs(runs: Iterable[RunWithArtifacts]) -> Response:
    return stream_json_list(write_run(run) for run in runs)


@router.get("")
def get_runs(
    platform: Platform,
    caller: Caller,
    page: PageParameter,
    scope: AssetScopeParameter,
    show_archived: ShowArchived = None,
) -> Response:
    """List runs, oldest first."""
    return _stream_runs(
        service.list_runs(platform, caller, scope, page, shows_archived=bool(show_archived))
    )


@router.post("", status_code=201)
def create_run(
    body: JsonBody[DockerRunCreateRequest], platform: Platform, caller: Caller
) -> Response:
    """Note that a worker has begun a run."""
    return created(service.create_run(platform, caller, body))


@router.get("/count")
def get_runs_count(
    platform: Platform,
    caller: Caller,
    scope: AssetScopeParameter,
    show_archived: ShowArchived = None,
) -> Response:
    """Return the number of runs as a text."""
    count = service.count_runs(platform, caller, scope, shows_archived=bool(show_archived))
    return json_response(str(count))


@router.get("/query/datasetId/{datasetId}")
def get_runs_of_dataset(
    dataset_id: DatasetId,
    platform: Platform,
    caller: Caller,
    page: PageParameter,
    scope: AssetScopeParameter,  # noqa: ARG001  whoever may use the dataset sees all its runs
) -> Response:
    """List the runs on a dataset, oldest first."""
    return _stream_runs(service.list_runs_of_dataset(platform, caller, dataset_id, page))


@router.get("/schedule/{scheduledId}")
def get_run_of_schedule(scheduled_id: ScheduledId, platform: Platform, caller: Caller) -> Response:
    """Return the run that carries out a schedule; 404 until a worker has begun it."""
    return json_response(write_run(service.get_run_of_schedule(platform, caller, scheduled_id)))


@router.get("/{runId}")
def get_run(run_id: RunId, platform: Platform, caller: Caller) -> Response:
    """Return one run."""
    return json_response(write_run(service.get_run(platform, caller, run_id)))


@router.put("/{runId}", status_code=204)
def update_run(
    run_id: RunId, body: JsonBody[DockerRunUpdateRequest], platform: Platform, caller: Caller
) -> Response:
    """Note how far a run is."""
    service.update_run(platform, caller, run_id, body)
    return Response(status_code=204)


@router.get("/{runId}/tags")
def get_run_tags(run_id: RunId, platform: Platform, caller: Caller) -> Response:
    """List the tags that a run made, newest first."""
    found = service.list_tags(platform, caller, run_id)
    return stream_json_list(write_tag(dataset_id, tag) for dataset_id, tag in found)


@router.get("/{runId}/logs")
def get_run_logs(
    run_id: RunId, platform: Platform, caller: Caller, client: Client, cursor: Cursor = 0
) -> Response:
    """Return the log of a run from a position on."""
    part = logs.read_log(platform, caller, run_id, cursor)
    entries = (
        [orjson.Fragment(text) for text in part.entries]
        if client.knows_log_details
        else [_write_old_entry(text) for text in part.entries]
    )
    return json_response({"cursor": part.cursor, "logs": entries})


def _write_old_entry(text: str) -> dict[str, Any]:
    """Return a log entry as clients before 1.5 know it."""
    entry = {name: value for name, value in orjson.loads(text).items() if name not in _LOG_DETAILS}
    return entry | {"level": _OLD_LEVELS.get(entry["level"], entry["level"])}


@router.put("/{runId}/logs", status_code=204)
def append_run_logs(run_id: RunId, body: RawBody, platform: Platform, caller: Caller) -> Response:
    """Append to the log of a run."""
    logs.append_log(platform, caller, run_id, body)
    return Response(status_code=204)


@router.post("/{runId}/artifacts", status_code=201)
def create_artifact(
    run_id: RunId,
    body: JsonBody[DockerRunArtifactCreateRequest],
    platform: Platform,
    caller: Caller,
) -> Response:
    """Announce a file that a run has made."""
    location = body.storage_location or DockerRunArtifactStorageLocation.LIGHTLY
    new = artifacts.NewArtifact(body.file_name, body.type, location)
    made = artifacts.create_artifact(platform, caller, run_id, new)
    return json_response({"signedWriteUrl": made.write_url, "artifactId": made.id}, 201)


@router.put("/{runId}/artifacts/{artifactId}/confirmUpload", status_code=204)
def confirm_artifact(
    run_id: RunId, artifact_id: ArtifactId, platform: Platform, caller: Caller
) -> Response:
    """Show an artifact whose bytes were uploaded."""
    artifacts.confirm_artifact(platform, caller, run_id, artifact_id)
    return Response(status_code=204)


@router.get("/{runId}/artifacts/{artifactId}/readurl")
def get_artifact_read_url(
    run_id: RunId, artifact_id: ArtifactId, platform: Platform, caller: Caller
) -> Response:
    """Return where to read an artifact from."""
    return json_response(artifacts.make_artifact_url(platform, caller, run_id, artifact_id))


@router.get("/{runId}/readReportUrl")
def get_report_read_url(run_id: RunId, platform: Platform, caller: Caller) -> Response:
    """Return where to read the report of a run from."""
    return json_response(artifacts.make_report_read_url(platform, caller, run_id))


@router.get("/{runId}/writeReportUrl")
def get_report_write_url(run_id: RunId, platform: Platform, caller: Caller) -> Response:
    """Return where to upload the report of a run to."""
    return json_response(artifacts.make_report_write_url(platform, caller, run_id))
