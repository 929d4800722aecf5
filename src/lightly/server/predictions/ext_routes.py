"""HTTP in of predictions of many samples; see `openapi/ext-v1.json`."""

from __future__ import annotations

from fastapi import APIRouter
from starlette.responses import Response

from lightly.server.http.parameters import DatasetId
from lightly.server.http.requests import ContractRoute, RawBody
from lightly.server.platform import Caller, Platform
from lightly.server.predictions import service
from lightly.server.samples.ext_routes import run_bulk

router = APIRouter(prefix="/ext/v1/datasets/{datasetId}/predictions", route_class=ContractRoute)


@router.put("/samples", status_code=204)
async def put_predictions_of_many(
    dataset_id: DatasetId, body: RawBody, platform: Platform, caller: Caller
) -> Response:
    """Store predictions of many samples, of all or of none."""
    await run_bulk(
        caller, lambda: service.put_predictions_of_many(platform, caller, dataset_id, body)
    )
    return Response(status_code=204)
