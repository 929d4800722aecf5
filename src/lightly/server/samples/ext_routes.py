"""HTTP in and out of our own operations on many samples; see `openapi/ext-v1.json`."""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated, TypeVar

import anyio
from anyio.lowlevel import RunVar
from fastapi import APIRouter, Query
from starlette.responses import Response

from lightly.server.auth.users import User
from lightly.server.http.fairness import FairLimiter
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

_bulk_limiters: RunVar[tuple[FairLimiter, anyio.CapacityLimiter] | tuple[None, None]] = RunVar(
    "bulk_limiters"
)

AfterIndex = Annotated[int, Query(ge=-1, le=2**53)]
NameLimit = Annotated[int, Query(ge=1, le=MAX_NAMES)]

ResultT = TypeVar("ResultT")


async def run_bulk(caller: User, work: Callable[[], ResultT]) -> ResultT:
    """Run `work` in one of the few threads that bulk requests share; each user has its turn."""
    turns, threads = _bulk_limiters.get((None, None))
    if turns is None or threads is None:
        turns, threads = FairLimiter(BULK_THREADS), anyio.CapacityLimiter(BULK_THREADS)
        _bulk_limiters.set((turns, threads))
    async with turns.take(caller.id):
        return await anyio.to_thread.run_sync(work, limiter=threads)


@router.post("/bulk", status_code=201)
async def create_samples(
    dataset_id: DatasetId, body: RawBody, platform: Platform, caller: Caller
) -> Response:
    """Register many samples, all or none. The same name again gets the same id."""
    ids = await run_bulk(caller, lambda: bulk.create_samples(platform, caller, dataset_id, body))
    return json_response({"ids": ids}, 201)


@router.post("/writeUrls")
async def make_write_urls(
    dataset_id: DatasetId, body: RawBody, platform: Platform, caller: Caller
) -> Response:
    """Return where the images of many samples go."""
    made = await run_bulk(caller, lambda: bulk.make_write_urls(platform, caller, dataset_id, body))
    return json_response({"urls": made})


@router.put("/customMetadata", status_code=204)
async def update_custom_metadata(
    dataset_id: DatasetId, body: RawBody, platform: Platform, caller: Caller
) -> Response:
    """Replace the custom metadata of many samples, of all or of none."""
    await run_bulk(caller, lambda: bulk.update_custom_metadata(platform, caller, dataset_id, body))
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
    mask, n_samples = await run_bulk(
        caller, lambda: bulk.find_stored(platform, caller, dataset_id, kind)
    )
    return json_response({"bitMaskData": mask, "totSize": n_samples})
