"""HTTP in and out of embeddings, their projections, and selections within a dataset."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated, Any, Literal

import orjson
from fastapi import APIRouter, Query
from starlette.responses import Response, StreamingResponse

from lightly.openapi_generated.swagger_client.models.embedding2d_create_request import (
    Embedding2dCreateRequest,
)
from lightly.openapi_generated.swagger_client.models.sampling_create_request import (
    SamplingCreateRequest,
)
from lightly.openapi_generated.swagger_client.models.set_embeddings_is_processed_flag_by_id_body_request import (  # noqa: E501  a name of the contract
    SetEmbeddingsIsProcessedFlagByIdBodyRequest,
)
from lightly.openapi_generated.swagger_client.models.trigger2d_embedding_job_request import (
    Trigger2dEmbeddingJobRequest,
)
from lightly.server.embeddings import sampling, service
from lightly.server.embeddings.coordinates import iterate_json, unpack_coordinates
from lightly.server.embeddings.models import Embedding, Projection
from lightly.server.http.clients import Client
from lightly.server.http.parameters import DatasetId, Embedding2dId, EmbeddingId, SampleId
from lightly.server.http.requests import (
    ContractRoute,
    JsonBody,
    RawBody,
    decode_json,
    parse_body,
)
from lightly.server.http.responses import created, json_response
from lightly.server.platform import Caller, Platform, PlatformState

router = APIRouter(route_class=ContractRoute)

_EMBEDDINGS = "/v1/datasets/{datasetId}/embeddings"
_EMBEDDING = f"{_EMBEDDINGS}/{{embeddingId}}"

Name = Annotated[str | None, Query()]
Mode = Annotated[Literal["full", "summaries"], Query()]


def write_embedding(embedding: Embedding, *, is_2d: bool) -> dict[str, Any]:
    """Return the contract's `DatasetEmbeddingData`."""
    return {
        "id": embedding.id,
        "name": embedding.name,
        "isProcessed": embedding.is_ready,
        "createdAt": embedding.created_at_ms,
        "is2d": is_2d,
    }


def write_summary(dataset_id: str, projection: Projection) -> dict[str, Any]:
    """Return the contract's `Embedding2dData` without coordinates."""
    return {
        "id": projection.id,
        "datasetId": dataset_id,
        "embeddingId": projection.embedding_id,
        "name": projection.name,
        "createdAt": projection.created_at_ms,
        "dimensionalityReductionMethod": projection.method,
    }


@router.get(_EMBEDDINGS)
def get_embeddings(
    dataset_id: DatasetId, platform: Platform, caller: Caller, client: Client
) -> Response:
    """List the embeddings of a dataset, in the order that the client expects."""
    newest_first = not client.takes_last_embedding
    found = service.list_embeddings(platform, caller, dataset_id, newest_first=newest_first)
    return json_response([write_embedding(item, is_2d=is_2d) for item, is_2d in found])


@router.get(f"{_EMBEDDINGS}/writeCSVUrl")
def get_write_url(
    dataset_id: DatasetId, platform: Platform, caller: Caller, name: Name = None
) -> Response:
    """Make an embedding and return where its CSV goes."""
    url, embedding_id = service.begin_upload(platform, caller, dataset_id, name)
    return json_response({"signedWriteUrl": url, "embeddingId": embedding_id})


@router.get(f"{_EMBEDDING}/readCSVUrl")
def get_read_url(
    dataset_id: DatasetId, embedding_id: EmbeddingId, platform: Platform, caller: Caller
) -> Response:
    """Return where the CSV can be read."""
    return json_response(service.sign_csv_url(platform, caller, dataset_id, embedding_id))


@router.put(f"{_EMBEDDING}/isProcessed", status_code=204)
def set_processed(
    dataset_id: DatasetId,
    embedding_id: EmbeddingId,
    body: JsonBody[SetEmbeddingsIsProcessedFlagByIdBodyRequest],
    platform: Platform,
    caller: Caller,
) -> Response:
    """Note that a client has uploaded the whole CSV."""
    service.mark_processed(platform, caller, dataset_id, embedding_id, body.row_count)
    return Response(status_code=204)


@router.delete(_EMBEDDING, status_code=204)
def delete_embedding(
    dataset_id: DatasetId, embedding_id: EmbeddingId, platform: Platform, caller: Caller
) -> Response:
    """Delete an embedding."""
    service.delete_embedding(platform, caller, dataset_id, embedding_id)
    return Response(status_code=204)


@router.post(f"{_EMBEDDING}/trigger2dEmbeddingsJob", status_code=204)
def trigger_projection(
    dataset_id: DatasetId,
    embedding_id: EmbeddingId,
    body: JsonBody[Trigger2dEmbeddingJobRequest],
    platform: Platform,
    caller: Caller,
) -> Response:
    """Ask for a 2-D embedding."""
    method = body.dimensionality_reduction_method.value
    service.trigger_projection(platform, caller, dataset_id, embedding_id, method)
    return Response(status_code=204)


@router.get(f"{_EMBEDDING}/2d")
def get_projections(
    dataset_id: DatasetId,
    embedding_id: EmbeddingId,
    platform: Platform,
    caller: Caller,
    mode: Mode = "full",
) -> Response:
    """List the 2-D embeddings of an embedding."""
    found = service.list_projections(platform, caller, dataset_id, embedding_id)
    if mode == "summaries":
        return json_response([write_summary(dataset_id, projection) for projection in found])
    return StreamingResponse(
        _write_projections(platform, dataset_id, found), media_type="application/json"
    )


@router.post(f"{_EMBEDDING}/2d", status_code=201)
def create_projection(
    dataset_id: DatasetId,
    embedding_id: EmbeddingId,
    body: RawBody,
    platform: Platform,
    caller: Caller,
) -> Response:
    """Store a 2-D embedding that a client has made."""
    # Millions of numbers are parsed here, in a thread of its own, not between other requests.
    wanted = parse_body(Embedding2dCreateRequest, decode_json(body))
    return created(service.create_projection(platform, caller, dataset_id, embedding_id, wanted))


@router.get(f"{_EMBEDDING}/2d/{{embedding2dId}}")
def get_projection(
    dataset_id: DatasetId,
    embedding_id: EmbeddingId,
    projection_id: Embedding2dId,
    platform: Platform,
    caller: Caller,
    mode: Mode = "full",
) -> Response:
    """Return one 2-D embedding; its coordinates are in the order of the samples."""
    is_full = mode == "full"
    projection = service.get_projection(
        platform, caller, dataset_id, embedding_id, projection_id, with_coordinates=is_full
    )
    if projection.coordinates is None:
        return json_response(write_summary(dataset_id, projection))
    pieces = _write_projection(dataset_id, projection, projection.coordinates)
    return StreamingResponse(pieces, media_type="application/json")


def _write_projections(
    platform: PlatformState, dataset_id: str, found: list[Projection]
) -> Iterator[bytes]:
    """Yield a JSON list; the coordinates of one projection are in memory at a time."""
    separator = b"["
    for projection in found:
        packed = service.read_coordinates(platform, projection)
        if packed is not None:
            yield separator
            yield from _write_projection(dataset_id, projection, packed)
            separator = b","
    yield b"]" if separator == b"," else b"[]"


def _write_projection(dataset_id: str, projection: Projection, packed: bytes) -> Iterator[bytes]:
    """Yield the contract's `Embedding2dData`."""
    columns = unpack_coordinates(packed)
    yield orjson.dumps(write_summary(dataset_id, projection))[:-1]
    for number, column in enumerate(columns, 1):
        yield f',"coordinatesDimension{number}":'.encode()
        yield from iterate_json(column)
    yield b"}"


@router.post(f"{_EMBEDDING}/sampling")
def trigger_sampling(
    dataset_id: DatasetId,
    embedding_id: EmbeddingId,
    body: JsonBody[SamplingCreateRequest],
    platform: Platform,
    caller: Caller,
) -> Response:
    """Begin a selection."""
    job_id = sampling.request_sampling(platform, caller, dataset_id, embedding_id, body)
    return json_response({"jobId": job_id})


@router.get("/users/datasets/{datasetId}/samples/{sampleId}/embeddings")
def get_embeddings_of_sample(
    dataset_id: DatasetId,
    sample_id: SampleId,
    platform: Platform,
    caller: Caller,
    mode: Annotated[str | None, Query()] = None,  # noqa: ARG001  the contract has it, without values
) -> Response:
    """List the embeddings that a sample is part of."""
    found = service.list_for_sample(platform, caller, dataset_id, sample_id)
    return json_response([{"id": e.id, "dataset": dataset_id, "name": e.name} for e in found])
