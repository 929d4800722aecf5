"""HTTP in and out of samples, as the contract has it."""

from __future__ import annotations

import functools
from collections.abc import Iterator
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Query
from starlette.responses import RedirectResponse, Response

from lightly.openapi_generated.swagger_client.models.sample_partial_mode import SamplePartialMode
from lightly.openapi_generated.swagger_client.models.sample_sort_by import SampleSortBy
from lightly.server.datasets.models import Dataset
from lightly.server.http.parameters import DatasetId, Page, PageParameter, SampleId
from lightly.server.http.requests import ContractRoute, RawBody
from lightly.server.http.responses import created, json_response
from lightly.server.platform import Caller, Platform, PlatformState
from lightly.server.samples import listing, repository, service, urls
from lightly.server.samples.listing import stream_json_pieces, stream_pieces, write_sample
from lightly.server.samples.models import Sample
from lightly.server.samples.repository import Identity
from lightly.server.samples.urls import ReadType

router = APIRouter(prefix="/v1/datasets/{datasetId}", route_class=ContractRoute)

FileName = Annotated[str | None, Query(alias="fileName")]
SortBy = Annotated[SampleSortBy, Query(alias="sortBy")]
MappingField = Annotated[Literal["_id", "fileName"], Query()]
ImageType = Annotated[ReadType, Query(alias="type")]
PublicToken = Annotated[str, Query(alias="publicToken")]
EnableDatasetUpdate = Annotated[bool, Query(alias="enableDatasetUpdate")]


@router.get("/samples")
def get_samples(
    dataset_id: DatasetId,
    platform: Platform,
    caller: Caller,
    page: PageParameter,
    file_name: FileName = None,
    sort_by: SortBy = SampleSortBy.INDEX,
) -> Response:
    """List samples in the order of their index, or of their id; or the one of a file name."""
    dataset = listing.open_dataset(platform, caller, dataset_id)
    if file_name is None and sort_by is SampleSortBy.ID:
        pieces = listing.iterate_by_id(platform, dataset, page)
    else:
        pieces = _iterate_samples(platform, dataset, page, file_name)
    return stream_pieces(_write_samples(dataset, pieces))


@router.post("/samples", status_code=201)
def create_sample(
    dataset_id: DatasetId, body: RawBody, platform: Platform, caller: Caller
) -> Response:
    """Register a sample. The same name again gets the same id."""
    return created(service.create_sample(platform, caller, dataset_id, body))


@router.post("/samples/withWriteUrls", status_code=201)
def create_sample_with_write_urls(
    dataset_id: DatasetId, body: RawBody, platform: Platform, caller: Caller
) -> Response:
    """Register a sample and return where its image and thumbnail go."""
    sample_id = service.create_sample(platform, caller, dataset_id, body)
    write_urls = {
        kind: urls.sign_write_url(platform, dataset_id, sample_id, kind)
        for kind in ("full", "thumb")
    }
    return created(sample_id, sampleWriteUrls=write_urls)


@router.get("/samples/partial")
def get_partial_samples(
    dataset_id: DatasetId,
    platform: Platform,
    caller: Caller,
    page: PageParameter,
    mode: SamplePartialMode = SamplePartialMode.FULL,
    file_name: FileName = None,
) -> Response:
    """List samples in the order of their index, with as much of each as `mode` says."""
    dataset = listing.open_dataset(platform, caller, dataset_id)
    if mode is SamplePartialMode.FULL:
        samples = _iterate_samples(platform, dataset, page, file_name)
        return stream_pieces(_write_samples(dataset, samples))
    identities = _iterate_identities(platform, dataset, page, file_name)
    if mode is SamplePartialMode.IDS:
        return stream_pieces([{"id": id_} for _, id_, _ in piece] for piece in identities)
    return stream_pieces(
        [{"id": id_, "fileName": name} for _, id_, name in piece] for piece in identities
    )


@router.get("/samples/{sampleId}")
def get_sample(
    dataset_id: DatasetId, sample_id: SampleId, platform: Platform, caller: Caller
) -> Response:
    """Return one sample."""
    dataset, sample = service.get_sample(platform, caller, dataset_id, sample_id)
    return json_response(write_sample(dataset, sample))


@router.put("/samples/{sampleId}", status_code=204)
def update_sample(
    dataset_id: DatasetId,
    sample_id: SampleId,
    body: RawBody,
    platform: Platform,
    caller: Caller,
    enable_dataset_update: EnableDatasetUpdate = True,
) -> Response:
    """Change the fields that are given and leave the others."""
    service.update_sample(
        platform, caller, dataset_id, sample_id, body, touches_dataset=enable_dataset_update
    )
    return Response(status_code=204)


@router.get("/samples/{sampleId}/writeurl")
def get_write_url(
    dataset_id: DatasetId,
    sample_id: SampleId,
    platform: Platform,
    caller: Caller,
    is_thumbnail: Annotated[bool, Query(alias="isThumbnail")],
) -> Response:
    """Return the URL that takes the image or the thumbnail of a sample."""
    kind: Literal["full", "thumb"] = "thumb" if is_thumbnail else "full"
    made = urls.make_write_urls(platform, caller, dataset_id, sample_id, [kind])
    return json_response(made[kind])


@router.get("/samples/{sampleId}/writeurls")
def get_write_urls(
    dataset_id: DatasetId, sample_id: SampleId, platform: Platform, caller: Caller
) -> Response:
    """Return the URLs that take the image and the thumbnail of a sample."""
    return json_response(urls.make_write_urls(platform, caller, dataset_id, sample_id))


@router.get("/samples/{sampleId}/readurl")
def get_read_url(
    dataset_id: DatasetId,
    sample_id: SampleId,
    platform: Platform,
    caller: Caller,
    type_: ImageType = "full",
) -> Response:
    """Return a URL to the image or the thumbnail of a sample."""
    return json_response(urls.make_read_url(platform, caller, dataset_id, sample_id, type_))


@router.get("/samples/{sampleId}/readurlRedirect", status_code=302)
def redirect_to_image(
    dataset_id: DatasetId,
    sample_id: SampleId,
    platform: Platform,
    type_: ImageType,
    public_token: PublicToken = "",
) -> Response:
    """Lead to the image of a sample, for whoever holds a public token of its dataset."""
    url = urls.resolve_redirect(platform, public_token, dataset_id, sample_id, type_)
    return RedirectResponse(url, 302)


@router.get("/mappings")
def get_mappings(
    dataset_id: DatasetId,
    platform: Platform,
    caller: Caller,
    page: PageParameter,
    field: MappingField,
) -> Response:
    """List ids or file names. Position in the list is the bit in every tag."""
    dataset = listing.open_dataset(platform, caller, dataset_id)
    column: Literal["id", "file_name"] = "id" if field == "_id" else "file_name"
    write = functools.partial(repository.write_mapping, column=column)
    return stream_json_pieces(listing.iterate_range(platform, dataset, page, write))


def _iterate_identities(
    platform: PlatformState, dataset: Dataset, page: Page, file_name: str | None
) -> Iterator[list[Identity]]:
    if file_name is not None:
        found = listing.find_by_file_name(platform, dataset, file_name, page)
        return ([(one.idx, one.id, one.file_name) for one in piece] for piece in found)
    return listing.iterate_range(platform, dataset, page, repository.read_identities)


def _iterate_samples(
    platform: PlatformState, dataset: Dataset, page: Page, file_name: str | None
) -> Iterator[list[Sample]]:
    if file_name is not None:
        return listing.find_by_file_name(platform, dataset, file_name, page)
    per_piece = listing.SAMPLES_PER_PIECE
    return listing.iterate_range(platform, dataset, page, repository.read_samples, per_piece)


def _write_samples(
    dataset: Dataset, pieces: Iterator[list[Sample]]
) -> Iterator[list[dict[str, Any]]]:
    return ([write_sample(dataset, sample) for sample in piece] for piece in pieces)
