"""HTTP in and out of our own operations on many samples; see `openapi/ext-v1.json`."""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated, TypeVar

import anyio
from anyio.lowlevel import RunVar
from fastapi import APIRouter, Query
from starlette.responses import Response

from lightly.server.http.parameters import DatasetId, Page
from lightly.server.http.requests import ContractRoute, RawBody
from lightly.server.http.responses import json_response
from lightly.server.platform import Caller, Platform
from lightly.server.samples import bulk, listing, repository
from lightly.server.samples.listing import stream_pieces
from lightly.server.samples.models import ImageKind

router = APIRouter(prefix="/ext/v1/datasets/{datasetId}/samples", route_class=ContractRoute)

#: Most names in one answer, as many as the contract's clients ask for at once.
MAX_NAMES = 25_000
#: Bulk requests worked on at once: one is parsed while another one waits for the disk. More would
#: not be faster, but take 100 MB each at worst and all threads from short requests.
BULK_THREADS = 2

_bulk_limiter: RunVar[anyio.CapacityLimiter] = RunVar("bulk_limiter")

AfterIndex = Annotated[int, Query(ge=-1, le=2**53)]
NameLimit = Annotated[int, Query(ge=1, le=MAX_NAMES)]

ResultT = TypeVar("ResultT")


async def _run_bulk(work: Callable[[], ResultT]) -> ResultT:
    """Run `work` in one of few threads of its own."""
    limiter = _bulk_limiter.get(None)
    if limiter is None:
        limiter = anyio.CapacityLimiter(BULK_THREADS)
        _bulk_limiter.set(limiter)
    return await anyio.to_thread.run_sync(work, limiter=limiter)


@router.post("/bulk", status_code=201)
async def create_samples(
    dataset_id: DatasetId, body: RawBody, platform: Platform, caller: Caller
) -> Response:
    """Register many samples, all or none. The same name again gets the same id."""
    ids = await _run_bulk(lambda: bulk.create_samples(platform, caller, dataset_id, body))
    return json_response({"ids": ids}, 201)


@router.post("/writeUrls")
async def make_write_urls(
    dataset_id: DatasetId, body: RawBody, platform: Platform, caller: Caller
) -> Response:
    """Return where the images of many samples go."""
    made = await _run_bulk(lambda: bulk.make_write_urls(platform, caller, dataset_id, body))
    return json_response({"urls": made})


@router.put("/customMetadata", status_code=204)
async def update_custom_metadata(
    dataset_id: DatasetId, body: RawBody, platform: Platform, caller: Caller
) -> Response:
    """Replace the custom metadata of many samples, of all or of none."""
    await _run_bulk(lambda: bulk.update_custom_metadata(platform, caller, dataset_id, body))
    return Response(status_code=204)


@router.get("/names")
def get_names(
    dataset_id: DatasetId,
    platform: Platform,
    caller: Caller,
    after: AfterIndex = -1,
    limit: NameLimit = MAX_NAMES,
) -> Response:
    """List `[index, id, file name]` of the samples behind an index, in order."""
    dataset = listing.open_dataset(platform, caller, dataset_id)
    page = Page(after + 1, limit)
    return stream_pieces(listing.iterate_range(platform, dataset, page, repository.read_identities))


@router.get("/stored")
async def get_stored(
    dataset_id: DatasetId, platform: Platform, caller: Caller, kind: ImageKind
) -> Response:
    """Tell which samples have their image or thumbnail in the blob store."""
    mask, n_samples = await _run_bulk(lambda: bulk.find_stored(platform, caller, dataset_id, kind))
    return json_response({"bitMaskData": mask, "totSize": n_samples})
