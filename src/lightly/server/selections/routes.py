"""HTTP in and out of selections; see `openapi/ext-v1.json`."""

from __future__ import annotations

from typing import Annotated, Any

import orjson
from fastapi import APIRouter, Path, Query
from starlette.responses import Response, StreamingResponse

from lightly.server.http.parameters import DatasetId, TagId
from lightly.server.http.requests import ContractRoute, JsonBody
from lightly.server.http.responses import json_response
from lightly.server.jobs.routes import JobId
from lightly.server.platform import Caller, Platform
from lightly.server.selections import service
from lightly.server.selections.models import StoredReport
from lightly.server.selections.requests import SelectionCreateRequest

router = APIRouter(prefix="/ext/v1", route_class=ContractRoute)

_REPORT = "/datasets/{datasetId}/tags/{tagId}/selectionReport"

ColumnName = Annotated[str, Path(alias="columnName", pattern="^[a-zA-Z0-9.]{1,40}$")]
Offset = Annotated[int, Query(ge=0, le=2**53)]
Limit = Annotated[int | None, Query(ge=1, le=2**53)]


def write_report(report: StoredReport) -> dict[str, Any]:
    """Return the extension document's `SelectionReport`."""
    body: dict[str, Any] = orjson.loads(report.report_json)
    head = {"tagId": report.tag_id, "jobId": report.job_id, "createdAt": report.created_at_ms}
    return head | body


@router.post("/datasets/{datasetId}/selection")
def create_selection(
    dataset_id: DatasetId,
    body: JsonBody[SelectionCreateRequest],
    platform: Platform,
    caller: Caller,
) -> Response:
    """Begin a selection."""
    job_id = service.request_selection(platform, caller, dataset_id, body)
    return json_response({"jobId": job_id})


@router.get(_REPORT)
def get_report(
    dataset_id: DatasetId, tag_id: TagId, platform: Platform, caller: Caller
) -> Response:
    """Return what the selection that made a tag has to say."""
    return json_response(write_report(service.get_report(platform, caller, dataset_id, tag_id)))


@router.get(f"{_REPORT}/columns/{{columnName}}")
def get_column(
    dataset_id: DatasetId,
    tag_id: TagId,
    column_name: ColumnName,
    platform: Platform,
    caller: Caller,
    offset: Offset = 0,
    limit: Limit = None,
) -> Response:
    """Return values of a column as bytes."""
    report = service.get_report(platform, caller, dataset_id, tag_id)
    column = service.find_column(report, column_name)
    start = min(offset, column.length)
    stop = column.length if limit is None else min(start + limit, column.length)
    pieces = service.iterate_column(platform, report, column, start, stop)
    return StreamingResponse(pieces, media_type="application/octet-stream")


@router.get("/jobs/{jobId}/report")
def get_report_of_job(job_id: JobId, platform: Platform, caller: Caller) -> Response:
    """Return what a finished selection has to say, by its job."""
    return json_response(write_report(service.get_report_of_job(platform, caller, job_id)))
