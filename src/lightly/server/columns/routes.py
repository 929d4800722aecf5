"""HTTP in and out of columns; see `openapi/ext-v1.json`."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Path, Query, Request
from pydantic import Field, StrictInt
from starlette.responses import Response

from lightly.openapi_generated.wire.model import WireModel
from lightly.server.columns import service
from lightly.server.columns.requests import ColumnQueryRequest, SimilarityRequest
from lightly.server.columns.store import ColumnsNotReady
from lightly.server.columns.wire import MEDIA_TYPE
from lightly.server.http.parameters import DatasetId, Embedding2dId, EmbeddingId, ScoreId, TagId
from lightly.server.http.requests import ContractRoute, JsonBody
from lightly.server.http.responses import json_response
from lightly.server.platform import Caller, Platform

router = APIRouter(prefix="/ext/v1/datasets/{datasetId}", route_class=ContractRoute)

#: Most samples of one request: some ten screens of a grid.
MAX_RECORDS = 1_000

_PRIVATE = {"Vary": "Authorization, Cookie", "X-Content-Type-Options": "nosniff"}
MetadataKey = Annotated[str, Path(alias="metadataKey", max_length=200)]
SortKey = Annotated[str | None, Query(alias="sortKey", max_length=200)]
Direction = Annotated[Literal["asc", "desc"], Query()]
Revision = Annotated[int | None, Query(ge=0, le=2**53)]


class SampleRecordsRequest(WireModel):
    """Samples of which a list shows something."""

    indices: Annotated[
        list[Annotated[StrictInt, Field(ge=0, le=2**53)]], Field(max_length=MAX_RECORDS)
    ]


def _answer(request: Request, content: bytes, *, is_lasting: bool) -> Response:
    """Return bytes that browsers keep; what may change is asked for again each time."""
    etag = f'"{hashlib.blake2b(content, digest_size=16).hexdigest()}"'
    cache = "private, max-age=31536000, immutable" if is_lasting else "private, no-cache"
    headers = _PRIVATE | {"ETag": etag, "Cache-Control": cache}
    if etag in request.headers.get("if-none-match", ""):
        return Response(status_code=304, headers=headers)
    return Response(content, media_type=MEDIA_TYPE, headers=headers)


def _answer_revision(
    request: Request,
    etag: str,
    make: Callable[[], bytes],
    *,
    is_lasting: bool,
) -> Response:
    """Likewise, of what follows from a revision: it is not even made for those who have it."""
    cache = "private, max-age=31536000, immutable" if is_lasting else "private, no-cache"
    headers = _PRIVATE | {"ETag": f'"{etag}"', "Cache-Control": cache}
    if f'"{etag}"' in request.headers.get("if-none-match", ""):
        return Response(status_code=304, headers=headers)
    return Response(make(), media_type=MEDIA_TYPE, headers=headers)


@router.get("/columns")
def get_columns(dataset_id: DatasetId, platform: Platform, caller: Caller) -> Response:
    """List the columns of the metadata, or tell how far they are."""
    try:
        dataset, columns = service.open_columns(platform, caller, dataset_id)
    except ColumnsNotReady as error:
        dataset, revision = service.find_state(platform, caller, dataset_id)
        body: dict[str, Any] = {"state": "COLLECTING", "done": error.done, "total": error.total}
        return json_response(body | {"revision": revision, "nSamples": dataset.n_samples})
    infos = [service.write_info(info) for info in columns.infos.values()]
    head = {"state": "READY", "revision": columns.revision, "nSamples": columns.n_samples}
    return json_response(head | {"columns": infos})


@router.get("/columns/metadata/{metadataKey:path}")
def get_metadata_column(
    request: Request,
    dataset_id: DatasetId,
    key: MetadataKey,
    platform: Platform,
    caller: Caller,
    revision: Revision = None,
) -> Response:
    """Return a column of the metadata."""
    _, columns = service.open_columns(platform, caller, dataset_id)
    return _answer_revision(
        request,
        f"{columns.revision}-{hashlib.blake2b(key.encode(), digest_size=8).hexdigest()}",
        lambda: service.write_metadata_column(columns, key),
        is_lasting=revision == columns.revision,
    )


@router.get("/columns/order")
def get_order(
    request: Request,
    dataset_id: DatasetId,
    platform: Platform,
    caller: Caller,
    key: SortKey = None,
    direction: Direction = "asc",
    revision: Revision = None,
) -> Response:
    """Return the indices of all samples, sorted by file name or by a column."""
    _, columns = service.open_columns(platform, caller, dataset_id)
    name = hashlib.blake2b((key or "").encode(), digest_size=8).hexdigest()
    return _answer_revision(
        request,
        f"{columns.revision}-order-{key is None}-{direction}-{name}",
        lambda: service.write_order(columns, key, descending=direction == "desc"),
        is_lasting=revision == columns.revision,
    )


@router.get("/columns/tags/{tagId}")
def get_tag_column(
    request: Request, dataset_id: DatasetId, tag_id: TagId, platform: Platform, caller: Caller
) -> Response:
    """Return which samples a tag has."""
    content = service.write_tag(platform, caller, dataset_id, tag_id)
    return _answer(request, content, is_lasting=False)


@router.get("/columns/tags/{tagId}/scores/{scoreId}")
def get_score_column(
    request: Request,
    dataset_id: DatasetId,
    tag_id: TagId,
    score_id: ScoreId,
    platform: Platform,
    caller: Caller,
) -> Response:
    """Return the scores of a tag's samples."""
    content = service.write_tag_scores(platform, caller, dataset_id, tag_id, score_id)
    return _answer(request, content, is_lasting=False)


@router.get("/columns/embeddings/{embeddingId}/2d/{embedding2dId}")
def get_projection_column(
    request: Request,
    dataset_id: DatasetId,
    embedding_id: EmbeddingId,
    embedding2d_id: Embedding2dId,
    platform: Platform,
    caller: Caller,
) -> Response:
    """Return the coordinates of all samples on a map."""
    content = service.write_projection(platform, caller, dataset_id, embedding_id, embedding2d_id)
    return _answer(request, content, is_lasting=False)


@router.post("/columns/embeddings/{embeddingId}/similar")
def find_similar(
    dataset_id: DatasetId,
    embedding_id: EmbeddingId,
    body: JsonBody[SimilarityRequest],
    platform: Platform,
    caller: Caller,
) -> Response:
    """Return the samples in the order of their likeness to some of them."""
    content = service.write_similar(platform, caller, dataset_id, embedding_id, body)
    return Response(content, media_type=MEDIA_TYPE, headers=_PRIVATE)


@router.post("/columns/query")
def query_columns(
    dataset_id: DatasetId, body: JsonBody[ColumnQueryRequest], platform: Platform, caller: Caller
) -> Response:
    """Return which samples meet some filters, and how their values are distributed."""
    content = service.query(platform, caller, dataset_id, body)
    return Response(content, media_type=MEDIA_TYPE, headers=_PRIVATE)


@router.get("/tags")
def get_tag_summaries(dataset_id: DatasetId, platform: Platform, caller: Caller) -> Response:
    """List the tags with how many samples they have."""
    return json_response(service.list_tags(platform, caller, dataset_id))


@router.post("/samples/records")
def get_records(
    dataset_id: DatasetId,
    body: JsonBody[SampleRecordsRequest],
    platform: Platform,
    caller: Caller,
) -> Response:
    """Return what a grid shows of some samples: index, id, file name and type."""
    found = service.list_records(platform, caller, dataset_id, body.indices)
    return json_response([tuple(each) for each in found])
