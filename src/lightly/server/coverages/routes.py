"""HTTP in and out of coverage; see `openapi/ext-v1.json`."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query
from starlette.responses import Response

from lightly.server.columns.wire import MEDIA_TYPE
from lightly.server.coverages import service
from lightly.server.coverages.requests import CoverageCreateRequest
from lightly.server.http.parameters import ID_PATTERN, DatasetId, TagId
from lightly.server.http.requests import ContractRoute, JsonBody
from lightly.server.http.responses import json_response
from lightly.server.platform import Caller, Platform

router = APIRouter(prefix="/ext/v1/datasets/{datasetId}", route_class=ContractRoute)

OfEmbedding = Annotated[str | None, Query(alias="embeddingId", pattern=ID_PATTERN)]
_HEADERS = {
    "Vary": "Authorization, Cookie",
    "X-Content-Type-Options": "nosniff",
    "Cache-Control": "private, no-cache",
}


@router.post("/tags/{tagId}/coverage")
def create_coverage(
    dataset_id: DatasetId,
    tag_id: TagId,
    body: JsonBody[CoverageCreateRequest],
    platform: Platform,
    caller: Caller,
) -> Response:
    """Begin to measure how far all samples are from a tag."""
    job_id = service.request_coverage(platform, caller, dataset_id, tag_id, body)
    return json_response({"jobId": job_id})


@router.get("/columns/tags/{tagId}/coverage")
def get_coverage_column(
    dataset_id: DatasetId,
    tag_id: TagId,
    platform: Platform,
    caller: Caller,
    embedding_id: OfEmbedding = None,
) -> Response:
    """Return how far each sample is from a tag; nothing as long as nobody has measured it."""
    content = service.write_column(platform, caller, dataset_id, tag_id, embedding_id)
    if content is None:
        return Response(status_code=204, headers=_HEADERS)
    return Response(content, media_type=MEDIA_TYPE, headers=_HEADERS)
