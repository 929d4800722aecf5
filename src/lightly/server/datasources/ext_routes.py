"""HTTP in and out of our own operations on files of datasources; see `openapi/ext-v1.json`."""

from __future__ import annotations

from fastapi import APIRouter
from starlette.responses import Response

from lightly.server.datasources import read_urls
from lightly.server.http.parameters import DatasetId
from lightly.server.http.requests import ContractRoute, RawBody
from lightly.server.http.responses import json_response
from lightly.server.platform import Caller, Platform
from lightly.server.samples.ext_routes import run_bulk

router = APIRouter(prefix="/ext/v1/datasets/{datasetId}/datasource", route_class=ContractRoute)


@router.post("/writeUrls")
async def make_write_urls(
    dataset_id: DatasetId, body: RawBody, platform: Platform, caller: Caller
) -> Response:
    """Return where thumbnails, frames, crops and other files below `.lightly/` go."""
    made = await run_bulk(
        caller, lambda: read_urls.make_write_urls(platform, caller, dataset_id, body)
    )
    headers = {"headers": dict(made.headers)} if made.headers else {}
    return json_response({"urls": made.urls, **headers})
