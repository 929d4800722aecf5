"""HTTP in and out of predictions, as the contract has it."""

from __future__ import annotations

from typing import Annotated, Any

import orjson
from fastapi import APIRouter, Path, Query
from starlette.responses import Response, StreamingResponse

from lightly.openapi_generated.swagger_client.models.active_learning_score_create_request import (
    ActiveLearningScoreCreateRequest,
)
from lightly.server.http.clients import Client
from lightly.server.http.parameters import DatasetId, PageParameter, SampleId, ScoreId
from lightly.server.http.requests import ContractRoute, RawBody, decode_json, parse_body
from lightly.server.http.responses import created, json_response
from lightly.server.platform import Caller, Platform
from lightly.server.predictions import scores, service
from lightly.server.predictions.listing import open_listing
from lightly.server.predictions.models import PredictionScore, PredictionTask
from lightly.server.samples.listing import stream_pieces
from lightly.server.tags.routes import stream_scores

router = APIRouter(prefix="/v1/datasets/{datasetId}/predictions", route_class=ContractRoute)

_NAME_PATTERN = "^[a-zA-Z0-9_+=,.@:/-]*$"

#: Kept with schemas and scores and told again, but it chooses nothing: clients up to 1.3 told
#: versions of predictions apart by it.
VersionMs = Annotated[int | None, Query(alias="predictionUUIDTimestamp", ge=0, le=2**53)]
TaskName = Annotated[str, Query(alias="taskName", pattern=_NAME_PATTERN)]
OptionalTaskName = Annotated[str | None, Query(alias="taskName", pattern=_NAME_PATTERN)]
PathTaskName = Annotated[str, Path(alias="taskName", pattern=_NAME_PATTERN)]
Lean = Annotated[bool, Query()]


def write_task(task: PredictionTask) -> dict[str, Any]:
    """Return the contract's `PredictionTaskSchema`."""
    return {
        "name": task.name,
        "type": task.type,
        "categories": orjson.Fragment(task.categories_json),
    }


@router.get("/tasks")
def get_tasks(
    dataset_id: DatasetId,
    platform: Platform,
    caller: Caller,
    client: Client,
    version_ms: VersionMs = None,  # noqa: ARG001  accepted without effect
) -> Response:
    """List the schemas of all tasks. Clients up to 1.3 take the list by itself."""
    tasks = service.list_tasks(platform, caller, dataset_id)
    schemas = [write_task(task) for task in tasks]
    if client.expects_bare_task_schemas:
        return json_response(schemas)
    newest_ms = max((task.version_ms for task in tasks), default=0)
    return json_response({"predictionUUIDTimestamp": newest_ms, "schemas": schemas})


@router.post("/tasks", status_code=201)
def put_task(
    dataset_id: DatasetId,
    body: RawBody,
    platform: Platform,
    caller: Caller,
    version_ms: VersionMs = None,
) -> Response:
    """Store the schema of a task. The same name again replaces it."""
    return created(service.put_task(platform, caller, dataset_id, body, version_ms))


@router.get("/tasks/{taskName:path}")
def get_task(
    dataset_id: DatasetId,
    task_name: PathTaskName,
    platform: Platform,
    caller: Caller,
    version_ms: VersionMs = None,  # noqa: ARG001  accepted without effect
) -> Response:
    """Return the schema of one task."""
    return json_response(write_task(service.get_task(platform, caller, dataset_id, task_name)))


@router.get("/samples")
def get_predictions_of_all(
    dataset_id: DatasetId,
    platform: Platform,
    caller: Caller,
    page: PageParameter,
    version_ms: VersionMs = None,  # noqa: ARG001  accepted without effect
    task_name: OptionalTaskName = None,
    lean: Lean = False,
) -> Response:
    """List the predictions of each sample in index order, with `lean` without run lengths."""
    listing = open_listing(platform, caller, dataset_id, task_name, is_lean=lean)
    return stream_pieces(listing.iterate(page))


@router.get("/samples/{sampleId}")
def get_predictions(
    dataset_id: DatasetId,
    sample_id: SampleId,
    platform: Platform,
    caller: Caller,
    version_ms: VersionMs = None,  # noqa: ARG001  accepted without effect
) -> Response:
    """Return all predictions of a sample, in the order in which they were sent."""
    content = service.get_predictions(platform, caller, dataset_id, sample_id)
    return Response(content, media_type="application/json")


@router.post("/samples/{sampleId}", status_code=201)
def put_predictions(
    dataset_id: DatasetId,
    sample_id: SampleId,
    body: RawBody,
    platform: Platform,
    caller: Caller,
    version_ms: VersionMs = None,  # noqa: ARG001  accepted without effect
) -> Response:
    """Store predictions of a sample. They replace those that it has of the same tasks."""
    return created(service.put_predictions(platform, caller, dataset_id, sample_id, body))


@router.get("/scores")
def get_scores(
    dataset_id: DatasetId,
    platform: Platform,
    caller: Caller,
    version_ms: VersionMs = None,  # noqa: ARG001  accepted without effect
) -> Response:
    """List which scores a dataset has."""
    found = scores.list_scores(platform, caller, dataset_id)
    return json_response([_write_score(dataset_id, score) for score in found])


@router.post("/scores", status_code=201)
def put_scores(
    dataset_id: DatasetId,
    body: RawBody,
    platform: Platform,
    caller: Caller,
    task_name: TaskName,
    version_ms: VersionMs = None,
) -> Response:
    """Store one score per sample of a dataset; the same task and type again replace them."""
    request = parse_body(ActiveLearningScoreCreateRequest, decode_json(body))
    return created(scores.put_scores(platform, caller, dataset_id, task_name, request, version_ms))


@router.get("/scores/{scoreId}")
def get_score(
    dataset_id: DatasetId, score_id: ScoreId, platform: Platform, caller: Caller
) -> Response:
    """Return one score with its values."""
    score, values = scores.get_scores(platform, caller, dataset_id, score_id)
    content = stream_scores(_write_score(dataset_id, score), values)
    return StreamingResponse(content, media_type="application/json")


def _write_score(dataset_id: str, score: PredictionScore) -> dict[str, Any]:
    return {
        "id": score.id,
        "datasetId": dataset_id,
        "predictionUUIDTimestamp": score.version_ms,
        "taskName": score.task_name,
        "scoreType": score.score_type,
        "createdAt": score.created_at_ms,
    }
