"""HTTP in and out of neighborhoods; see `openapi/ext-v1.json`."""

from __future__ import annotations

from fastapi import APIRouter
from starlette.responses import Response

from lightly.server.columns.wire import MEDIA_TYPE
from lightly.server.http.parameters import DatasetId, NeighborhoodId
from lightly.server.http.requests import ContractRoute, JsonBody
from lightly.server.http.responses import json_response
from lightly.server.neighborhoods import service
from lightly.server.neighborhoods.requests import NeighborhoodCreateRequest
from lightly.server.platform import Caller, Platform

router = APIRouter(prefix="/ext/v1/datasets/{datasetId}", route_class=ContractRoute)

_HEADERS = {
    "Vary": "Authorization, Cookie",
    "X-Content-Type-Options": "nosniff",
    "Cache-Control": "private, no-cache",
}


@router.post("/neighborhoods")
def create_neighborhood(
    dataset_id: DatasetId,
    body: JsonBody[NeighborhoodCreateRequest],
    platform: Platform,
    caller: Caller,
) -> Response:
    """Begin a search for near-duplicates or outliers."""
    job_id = service.request_neighborhood(platform, caller, dataset_id, body)
    return json_response({"jobId": job_id})


@router.get("/neighborhoods")
def get_neighborhoods(dataset_id: DatasetId, platform: Platform, caller: Caller) -> Response:
    """List what was found."""
    return json_response(service.list_neighborhoods(platform, caller, dataset_id))


@router.get("/columns/neighborhoods/{neighborhoodId}")
def get_neighborhood_column(
    dataset_id: DatasetId, neighborhood_id: NeighborhoodId, platform: Platform, caller: Caller
) -> Response:
    """Return what was found as a column."""
    content = service.write_column(platform, caller, dataset_id, neighborhood_id)
    return Response(content, media_type=MEDIA_TYPE, headers=_HEADERS)
