"""HTTP in and out of datasources, as the contract has it."""

from __future__ import annotations

from dataclasses import replace
from typing import Annotated

from fastapi import APIRouter, Depends, Query
from starlette.concurrency import run_in_threadpool
from starlette.responses import RedirectResponse, Response

from lightly.openapi_generated.swagger_client.models.datasource_processed_until_timestamp_request import (  # noqa: E501  a generated name
    DatasourceProcessedUntilTimestampRequest,
)
from lightly.server.datasources import listings, read_urls, service
from lightly.server.datasources.configurations import write_configuration
from lightly.server.datasources.listings import METADATA, SAMPLES, ListingQuery, Subject
from lightly.server.datasources.models import Purpose
from lightly.server.datasources.relevant_files import RelevantFile
from lightly.server.datasources.verification import verify_datasources
from lightly.server.http.parameters import ID_PATTERN, DatasetId
from lightly.server.http.requests import ContractRoute, JsonBody, RawBody, decode_json
from lightly.server.http.responses import json_response
from lightly.server.platform import Caller, Platform

router = APIRouter(prefix="/v1/datasets/{datasetId}/datasource", route_class=ContractRoute)

#: Later than anything is written, and a number that every JSON reader takes.
_MAX_SECONDS = 2**53

RelevantName = Annotated[str | None, Query(alias="relevantFilenamesFileName", min_length=4)]
RelevantRunId = Annotated[str | None, Query(alias="relevantFilenamesRunId", pattern=ID_PATTERN)]
RelevantArtifactId = Annotated[
    str | None, Query(alias="relevantFilenamesArtifactId", pattern=ID_PATTERN)
]
Shards = Annotated[int, Query(alias="dncShards", ge=1)]
FileName = Annotated[str, Query(alias="fileName", min_length=4)]
MetadataFileName = Annotated[str, Query(alias="fileName", min_length=5)]
AnyFileName = Annotated[str, Query(alias="fileName", min_length=1)]


async def _read_task_name(
    task_name: Annotated[str, Query(alias="taskName", pattern=r"^[a-zA-Z0-9_+=,.@:\/-]*$")],
) -> Subject:
    return listings.make_predictions_subject(task_name)


async def _read_name(name: RelevantName = None) -> RelevantFile | None:
    return None if name is None else RelevantFile(name)


async def _read_relevant(
    name: RelevantName = None,
    run_id: RelevantRunId = None,
    artifact_id: RelevantArtifactId = None,
) -> RelevantFile | None:
    if name is None and run_id is None and artifact_id is None:
        return None
    return RelevantFile(name, run_id, artifact_id)


async def _read_span(
    from_s: Annotated[int, Query(alias="from", ge=0)] = 0,
    to_s: Annotated[int | None, Query(alias="to", ge=0)] = None,
) -> ListingQuery:
    return ListingQuery(
        SAMPLES,
        from_s=min(from_s, _MAX_SECONDS),
        to_s=None if to_s is None else min(to_s, _MAX_SECONDS),
    )


SpanParameter = Annotated[ListingQuery, Depends(_read_span)]


async def _read_window(
    span: SpanParameter,
    cursor: Annotated[str | None, Query()] = None,
    is_redirected: Annotated[bool | None, Query(alias="useRedirectedReadUrl")] = None,
) -> ListingQuery:
    return replace(span, cursor=cursor or None, is_redirected=bool(is_redirected))


WindowParameter = Annotated[ListingQuery, Depends(_read_window)]
TaskSubject = Annotated[Subject, Depends(_read_task_name)]
OnlyName = Annotated[RelevantFile | None, Depends(_read_name)]
Relevant = Annotated[RelevantFile | None, Depends(_read_relevant)]


@router.get("")
def get_datasource(
    dataset_id: DatasetId,
    platform: Platform,
    caller: Caller,
    purpose: Annotated[Purpose, Query()] = Purpose.INPUT_OUTPUT,
) -> Response:
    """Return the datasource for a purpose, secrets masked. 1.2 clients read 404 as none."""
    return json_response(
        write_configuration(service.get_datasource(platform, caller, dataset_id, purpose))
    )


@router.put("", status_code=204)
async def put_datasource(
    dataset_id: DatasetId, body: RawBody, platform: Platform, caller: Caller
) -> Response:
    """Configure a datasource."""
    await run_in_threadpool(
        lambda: service.put_datasource(platform, caller, dataset_id, decode_json(body))
    )
    return Response(status_code=204)


@router.get("/all")
def get_datasources(dataset_id: DatasetId, platform: Platform, caller: Caller) -> Response:
    """List the datasources of a dataset, secrets masked."""
    found = service.list_datasources(platform, caller, dataset_id)
    return json_response([write_configuration(datasource) for datasource in found])


@router.get("/verify")
def verify(dataset_id: DatasetId, platform: Platform, caller: Caller) -> Response:
    """Try out what the server can do with the datasources."""
    return json_response(verify_datasources(platform, caller, dataset_id))


@router.get("/processedUntilTimestamp")
def get_processed_until(dataset_id: DatasetId, platform: Platform, caller: Caller) -> Response:
    """Return up to which second the files were processed."""
    processed_until_s = service.get_processed_until(platform, caller, dataset_id)
    return json_response({"processedUntilTimestamp": processed_until_s})


@router.put("/processedUntilTimestamp", status_code=204)
def put_processed_until(
    dataset_id: DatasetId,
    body: JsonBody[DatasourceProcessedUntilTimestampRequest],
    platform: Platform,
    caller: Caller,
) -> Response:
    """Note up to which second the files were processed."""
    service.put_processed_until(platform, caller, dataset_id, body.processed_until_timestamp)
    return Response(status_code=204)


@router.get("/list")
def list_raw_files(
    dataset_id: DatasetId,
    platform: Platform,
    caller: Caller,
    relevant: OnlyName,
    window: WindowParameter,
) -> Response:
    """List images or videos, page by page."""
    query = replace(window, subject=SAMPLES, relevant=relevant)
    return json_response(listings.list_page(platform, caller, dataset_id, query))


@router.get("/list/dnc")
def split_raw_files(
    dataset_id: DatasetId,
    platform: Platform,
    caller: Caller,
    relevant: OnlyName,
    shards: Shards,
    span: SpanParameter,
) -> Response:
    """Return cursors for parts of the listing that can be walked side by side."""
    query = replace(span, subject=SAMPLES, relevant=relevant)
    cursors = listings.split_listing(platform, caller, dataset_id, query, shards)
    return json_response({"cursors": cursors})


@router.get("/metadata/list")
def list_metadata(
    dataset_id: DatasetId,
    platform: Platform,
    caller: Caller,
    relevant: Relevant,
    window: WindowParameter,
) -> Response:
    """List files with metadata, page by page."""
    query = replace(window, subject=METADATA, relevant=relevant)
    return json_response(listings.list_page(platform, caller, dataset_id, query))


@router.get("/metadata/list/dnc")
def split_metadata(
    dataset_id: DatasetId,
    platform: Platform,
    caller: Caller,
    relevant: Relevant,
    shards: Shards,
    span: SpanParameter,
) -> Response:
    """Return cursors for parts of the listing that can be walked side by side."""
    query = replace(span, subject=METADATA, relevant=relevant)
    cursors = listings.split_listing(platform, caller, dataset_id, query, shards)
    return json_response({"cursors": cursors})


@router.get("/predictions/list")
def list_predictions(
    dataset_id: DatasetId,
    platform: Platform,
    caller: Caller,
    subject: TaskSubject,
    relevant: Relevant,
    window: WindowParameter,
) -> Response:
    """List files with predictions of a task, page by page."""
    query = replace(window, subject=subject, relevant=relevant)
    return json_response(listings.list_page(platform, caller, dataset_id, query))


@router.get("/predictions/list/dnc")
def split_predictions(
    dataset_id: DatasetId,
    platform: Platform,
    caller: Caller,
    subject: TaskSubject,
    relevant: Relevant,
    shards: Shards,
    span: SpanParameter,
) -> Response:
    """Return cursors for parts of the listing that can be walked side by side."""
    query = replace(span, subject=subject, relevant=relevant)
    cursors = listings.split_listing(platform, caller, dataset_id, query, shards)
    return json_response({"cursors": cursors})


@router.get("/predictions/file")
def get_prediction_url(
    dataset_id: DatasetId, file_name: FileName, platform: Platform, caller: Caller
) -> Response:
    """Return a URL to a file below the folder of predictions, whether it exists or not."""
    return json_response(
        read_urls.make_lightly_url(platform, caller, dataset_id, "predictions", file_name)
    )


@router.get("/predictions/writeUrl")
def get_prediction_write_url(
    dataset_id: DatasetId, file_name: FileName, platform: Platform, caller: Caller
) -> Response:
    """Return a URL that takes a file below the folder of predictions."""
    return json_response(
        read_urls.make_prediction_write_url(platform, caller, dataset_id, file_name)
    )


@router.get("/metadata/file")
def get_metadata_url(
    dataset_id: DatasetId, file_name: MetadataFileName, platform: Platform, caller: Caller
) -> Response:
    """Return a URL to a file below the folder of metadata, whether it exists or not."""
    return json_response(
        read_urls.make_lightly_url(platform, caller, dataset_id, "metadata", file_name)
    )


@router.get("/embeddings/file")
def get_embedding_url(
    dataset_id: DatasetId, file_name: FileName, platform: Platform, caller: Caller
) -> Response:
    """Return a URL to a file below the folder of embeddings, whether it exists or not."""
    return json_response(
        read_urls.make_lightly_url(platform, caller, dataset_id, "embeddings", file_name)
    )


@router.get("/fileHEAD")
def get_head_url(
    dataset_id: DatasetId, file_name: AnyFileName, platform: Platform, caller: Caller
) -> Response:
    """Return a URL that tells of a file without sending it."""
    return json_response(read_urls.make_head_url(platform, caller, dataset_id, file_name))


@router.get("/readurlRedirect", status_code=302)
def redirect_to_file(
    dataset_id: DatasetId,
    platform: Platform,
    path: Annotated[str, Query()],
    public_token: Annotated[str, Query(alias="publicToken")] = "",
) -> Response:
    """Lead to a file, for whoever holds a public token of it."""
    url = read_urls.resolve_redirect(platform, public_token, dataset_id, path)
    return RedirectResponse(url, 302)
