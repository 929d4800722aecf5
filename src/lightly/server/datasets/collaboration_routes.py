"""HTTP in and out of sharing datasets."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Path
from starlette.responses import Response

from lightly.openapi_generated.swagger_client.models.shared_access_config_create_request import (
    SharedAccessConfigCreateRequest,
)
from lightly.server.datasets import collaboration
from lightly.server.datasets.models import Dataset
from lightly.server.datasets.shares import Share
from lightly.server.http.clients import Client
from lightly.server.http.parameters import ID_PATTERN, DatasetId
from lightly.server.http.requests import ContractRoute, RawBody, decode_json, parse_body
from lightly.server.http.responses import created, json_response
from lightly.server.platform import Caller, Platform

router = APIRouter(
    prefix="/v1/datasets/{datasetId}/collaboration/access", route_class=ContractRoute
)

AccessConfigId = Annotated[str, Path(alias="accessConfigId", pattern=ID_PATTERN)]


def write_access_config(
    dataset: Dataset, share: Share, *, with_organizations: bool
) -> dict[str, Any]:
    """Return the contract's `SharedAccessConfigData`.

    Args:
        dataset: The dataset.
        share: One of its configurations.
        with_organizations: Name the teams once more as clients up to 1.3 want it; newer ones
            refuse that.
    """
    written: dict[str, Any] = {
        "id": share.id,
        "owner": dataset.user_id,
        "accessType": share.access_type,
        "users": share.emails,
        "teams": share.team_ids,
        "createdAt": share.created_at_ms,
        "lastModifiedAt": share.last_modified_at_ms,
    }
    if with_organizations:
        written["organizations"] = share.team_ids
    return written


def read_access_config(body: bytes) -> SharedAccessConfigCreateRequest:
    """Return a request; clients up to 1.3 say `organizations` for teams."""
    content = decode_json(body)
    if isinstance(content, dict) and "organizations" in content:
        organizations = content.pop("organizations")
        if organizations is not None:
            content.setdefault("teams", organizations)
    return parse_body(SharedAccessConfigCreateRequest, content)


@router.get("")
def get_access_configs(
    dataset_id: DatasetId, platform: Platform, caller: Caller, client: Client
) -> Response:
    """List with whom a dataset is shared."""
    dataset, found = collaboration.list_access(platform, caller, dataset_id)
    with_organizations = client.expects_organizations
    return json_response(
        [
            write_access_config(dataset, share, with_organizations=with_organizations)
            for share in found
        ]
    )


@router.post("", status_code=201)
def put_access_config(
    dataset_id: DatasetId, body: RawBody, platform: Platform, caller: Caller
) -> Response:
    """Share a dataset with these users and teams, and with nobody else any more."""
    request = read_access_config(body)
    config_id = collaboration.replace_access(
        platform,
        caller,
        dataset_id,
        access_type=request.access_type.value,
        emails=request.users or [],
        team_ids=request.teams or [],
    )
    return created(config_id)


@router.delete("/{accessConfigId}", status_code=204)
def delete_access_config(
    dataset_id: DatasetId, access_config_id: AccessConfigId, platform: Platform, caller: Caller
) -> Response:
    """Remove an access configuration."""
    collaboration.delete_access(platform, caller, dataset_id, access_config_id)
    return Response(status_code=204)
