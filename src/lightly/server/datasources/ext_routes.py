"""HTTP in and out of our own operations on files of datasources; see `openapi/ext-v1.json`."""

from __future__ import annotations

from dataclasses import replace
from typing import Annotated

from fastapi import APIRouter, Query
from starlette.responses import Response

from lightly.server.datasources import listings, read_urls
from lightly.server.datasources.listings import SAMPLES
from lightly.server.datasources.routes import OnlyName, WindowParameter
from lightly.server.http.parameters import DatasetId
from lightly.server.http.requests import ContractRoute, RawBody
from lightly.server.http.responses import json_response
from lightly.server.platform import Caller, Platform
from lightly.server.samples.ext_routes import run_bulk

router = APIRouter(prefix="/ext/v1/datasets/{datasetId}/datasource", route_class=ContractRoute)


@router.get("/list")
def list_raw_files_with_versions(
    dataset_id: DatasetId,
    platform: Platform,
    caller: Caller,
    relevant: OnlyName,
    window: WindowParameter,
    has_expiry: Annotated[bool, Query(alias="withExpiry")] = False,
) -> Response:
    """List images or videos like `/v1`, with what stands for the bytes of each."""
    query = replace(
        window, subject=SAMPLES, relevant=relevant, has_versions=True, has_expiry=has_expiry
    )
    return json_response(listings.list_page(platform, caller, dataset_id, query))


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
