"""HTTP out of enriched datasets."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Annotated, Any

from fastapi import APIRouter, Query
from starlette.responses import Response

from lightly.server.datasets import enriched
from lightly.server.datasets.enriched import EnrichedDataset
from lightly.server.datasets.routes import DatasetName, Flag, ScopeParameter, write_dataset
from lightly.server.http.parameters import Page, PageParameter
from lightly.server.http.requests import ContractRoute
from lightly.server.platform import Caller, Platform
from lightly.server.samples.listing import stream_pieces

# Has to come before the datasets' own router, to which "enriched" looks like an id.
router = APIRouter(prefix="/v1/datasets/enriched", route_class=ContractRoute)

Limit = Annotated[int | None, Query()]
DatasetIds = Annotated[list[str], Query(alias="datasetIds")]

_ID = re.compile("[a-f0-9]{24}")


@router.get("")
def get_enriched(
    platform: Platform,
    caller: Caller,
    scope: ScopeParameter,
    page: PageParameter,
    limit: Limit = None,
) -> Response:
    """List datasets with what is in them; `limit` is what page sizes were called before."""
    if limit is not None and page.size is None:
        page = Page(page.offset, min(max(limit, 0), 2**53))
    return _stream(enriched.list_enriched(platform, caller, scope, page))


@router.get("/query/ids")
def get_enriched_by_ids(platform: Platform, caller: Caller, dataset_ids: DatasetIds) -> Response:
    """List those of some datasets that are the caller's, a team's or shared with the caller."""
    wanted = [id_ for id_ in dataset_ids if _ID.fullmatch(id_)]
    return _stream(enriched.list_enriched_by_ids(platform, caller, wanted))


@router.get("/query/name/{datasetName:path}")
def get_enriched_by_name(
    name: DatasetName,
    platform: Platform,
    caller: Caller,
    scope: ScopeParameter,
    page: PageParameter,
    exact: Flag = None,
) -> Response:
    """List datasets whose name starts with, or with `exact` equals, a text."""
    found = enriched.list_enriched_by_name(
        platform, caller, scope, name, is_exact=bool(exact), page=page
    )
    return _stream(found)


def _stream(pieces: Iterator[list[EnrichedDataset]]) -> Response:
    return stream_pieces([_write(found) for found in piece] for piece in pieces)


def _write(found: EnrichedDataset) -> dict[str, Any]:
    written = write_dataset(found.dataset)
    # Not in the contract's `DatasetDataEnriched`: clients refuse a field that they do not know.
    written.pop("datasourceProcessedUntilTimestamp", None)
    return written | {
        "samples": found.sample_ids,
        "nTags": found.n_tags,
        "nEmbeddings": found.n_embeddings,
    }
