"""HTTP in and out of tags beyond the contract; see `openapi/ext-v1.json`."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter
from pydantic import Field, StrictInt
from starlette.responses import Response

from lightly.openapi_generated.swagger_client.models.tag_update_request import TagUpdateRequest
from lightly.server.http.parameters import DatasetId, TagId
from lightly.server.http.requests import ContractRoute, RawBody
from lightly.server.platform import Caller, Platform
from lightly.server.tags import editing
from lightly.server.tags.bodies import read_body_with_mask

router = APIRouter(prefix="/ext/v1/datasets/{datasetId}/tags", route_class=ContractRoute)


class TagChangeRequest(TagUpdateRequest):
    """What the contract's update takes, and the version of the tag that it is meant for."""

    based_on: Annotated[StrictInt, Field(ge=0)] = Field(alias="basedOn")


@router.put("/{tagId}", status_code=204)
def change_tag(
    dataset_id: DatasetId, tag_id: TagId, body: RawBody, platform: Platform, caller: Caller
) -> Response:
    """Rename a tag or replace its samples, unless somebody else has changed it meanwhile."""
    request = read_body_with_mask(TagChangeRequest, body)
    editing.update_tag(platform, caller, dataset_id, tag_id, request, based_on_ms=request.based_on)
    return Response(status_code=204)
