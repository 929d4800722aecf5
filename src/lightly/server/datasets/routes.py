"""HTTP in and out of datasets."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Depends, Path, Query
from starlette.responses import Response

from lightly.openapi_generated.swagger_client.models.dataset_create_request import (
    DatasetCreateRequest,
)
from lightly.openapi_generated.swagger_client.models.dataset_update_request import (
    DatasetUpdateRequest,
)
from lightly.openapi_generated.swagger_client.models.job_status_meta import JobStatusMeta
from lightly.server.datasets import service
from lightly.server.datasets.models import Dataset, Scope
from lightly.server.http.parameters import DatasetId, PageParameter
from lightly.server.http.requests import ContractRoute, JsonBody
from lightly.server.http.responses import created, json_response
from lightly.server.platform import Caller, Platform

router = APIRouter(prefix="/v1/datasets", route_class=ContractRoute)

Flag = Annotated[bool | None, Query()]
#: 1.1.0 creates datasets with a slash at the end, and a redirect would drop the body.
_ROOTS = ("", "/")

DatasetName = Annotated[str, Path(alias="datasetName", min_length=1)]


async def _read_scope(
    shared: Flag = None,
    get_assets_of_team: Annotated[bool | None, Query(alias="getAssetsOfTeam")] = None,
    get_assets_of_team_inclusive_self: Annotated[
        bool | None, Query(alias="getAssetsOfTeamInclusiveSelf")
    ] = None,
    exclude_playground: Annotated[  # noqa: ARG001  there are no demo datasets to leave out
        bool | None, Query(alias="excludePlayground")
    ] = None,
) -> Scope:
    scope = Scope(0)
    if shared:
        scope |= Scope.SHARED
    if get_assets_of_team or get_assets_of_team_inclusive_self:
        scope |= Scope.TEAM
    if get_assets_of_team_inclusive_self or not scope:
        scope |= Scope.OWN
    return scope


#: Which datasets are listed: one's own unless those shared with one or a team's are asked for.
ScopeParameter = Annotated[Scope, Depends(_read_scope)]


def write_dataset(dataset: Dataset) -> dict[str, Any]:
    """Return the contract's `DatasetData`."""
    optional = {
        "imgType": dataset.img_type,
        "metaDataConfigurationId": dataset.metadata_configuration_id,
        "parentDatasetId": dataset.parent_dataset_id,
        "datasources": list(dataset.datasource_ids) or None,
        "datasourceProcessedUntilTimestamp": dataset.processed_until_s,
    }
    return {
        "id": dataset.id,
        "name": dataset.name,
        "userId": dataset.user_id,
        "accessType": "WRITE",
        "type": dataset.type,
        "nSamples": dataset.n_samples,
        "sizeInBytes": dataset.size_bytes,
        "createdAt": dataset.created_at_ms,
        "lastModifiedAt": dataset.last_modified_at_ms,
    } | {name: value for name, value in optional.items() if value is not None}


@router.get("")
def get_datasets(
    platform: Platform, caller: Caller, scope: ScopeParameter, page: PageParameter
) -> Response:
    """List datasets: one's own unless those shared with one or a team's are asked for."""
    found = service.list_datasets(platform, caller, scope, page)
    return json_response([write_dataset(dataset) for dataset in found])


@router.get("/query/name/{datasetName:path}")
def get_datasets_by_name(
    name: DatasetName,
    platform: Platform,
    caller: Caller,
    scope: ScopeParameter,
    page: PageParameter,
    exact: Flag = None,
) -> Response:
    """List datasets whose name starts with, or with `exact` equals, a text."""
    found = service.find_datasets_by_name(
        platform, caller, scope, name, is_exact=bool(exact), page=page
    )
    return json_response([write_dataset(dataset) for dataset in found])


@router.get("/{datasetId}")
def get_dataset(dataset_id: DatasetId, platform: Platform, caller: Caller) -> Response:
    """Return one dataset."""
    return json_response(write_dataset(service.get_dataset(platform, caller, dataset_id)))


@router.get("/{datasetId}/children")
def get_children(dataset_id: DatasetId, platform: Platform, caller: Caller) -> Response:
    """List the crops datasets of a dataset."""
    found = service.list_children(platform, caller, dataset_id)
    return json_response([write_dataset(dataset) for dataset in found])


def create_dataset(
    body: JsonBody[DatasetCreateRequest], platform: Platform, caller: Caller
) -> Response:
    """Add an empty dataset."""
    return created(service.create_dataset(platform, caller, body))


for _root in _ROOTS:
    router.add_api_route(
        _root, create_dataset, methods=["POST"], status_code=201, include_in_schema=not _root
    )


@router.put("/{datasetId}", status_code=204)
def update_dataset(
    dataset_id: DatasetId, body: JsonBody[DatasetUpdateRequest], platform: Platform, caller: Caller
) -> Response:
    """Rename a dataset."""
    service.rename_dataset(platform, caller, dataset_id, body.name)
    return Response(status_code=204)


@router.delete("/{datasetId}", status_code=204)
def delete_dataset(
    dataset_id: DatasetId,
    platform: Platform,
    caller: Caller,
    force: Flag = None,  # noqa: ARG001  deleting never needs force here; clients may send it
) -> Response:
    """Delete a dataset."""
    service.delete_dataset(platform, caller, dataset_id)
    return Response(status_code=204)


@router.put("/{datasetId}/registerDatasetUpload", status_code=204)
def register_upload(
    dataset_id: DatasetId, body: JsonBody[JobStatusMeta], platform: Platform, caller: Caller
) -> Response:
    """Note that a client is about to upload samples."""
    service.register_upload(platform, caller, dataset_id, body)
    return Response(status_code=204)
