"""HTTP in and out of saved views; see `openapi/ext-v1.json`."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Path
from starlette.responses import Response

from lightly.server.auth.users import User
from lightly.server.http.parameters import ID_PATTERN, DatasetId
from lightly.server.http.requests import ContractRoute, JsonBody
from lightly.server.http.responses import created, json_response
from lightly.server.platform import Caller, Platform
from lightly.server.views import service
from lightly.server.views.models import SavedView
from lightly.server.views.requests import ViewCreateRequest, ViewUpdateRequest

router = APIRouter(prefix="/ext/v1", route_class=ContractRoute)

_VIEWS = "/datasets/{datasetId}/views"

ViewId = Annotated[str, Path(alias="viewId", pattern=ID_PATTERN)]


def write_view(view: SavedView, dataset_id: str, caller: User) -> dict[str, Any]:
    """Return the extension document's `SavedView`."""
    body = {
        "id": view.id,
        "datasetId": dataset_id,
        "query": view.query,
        "isOwn": view.user_id == caller.id,
        "createdAt": view.created_at_ms,
    }
    return body | ({"name": view.label} if view.is_named else {})


@router.get(_VIEWS)
def get_views(dataset_id: DatasetId, platform: Platform, caller: Caller) -> Response:
    """List the named views of a dataset."""
    views = service.list_views(platform, caller, dataset_id)
    return json_response([write_view(view, dataset_id, caller) for view in views])


@router.post(_VIEWS, status_code=201)
def create_view(
    dataset_id: DatasetId, body: JsonBody[ViewCreateRequest], platform: Platform, caller: Caller
) -> Response:
    """Save a view."""
    return created(service.create_view(platform, caller, dataset_id, body))


@router.put(f"{_VIEWS}/{{viewId}}", status_code=204)
def update_view(
    dataset_id: DatasetId,
    view_id: ViewId,
    body: JsonBody[ViewUpdateRequest],
    platform: Platform,
    caller: Caller,
) -> Response:
    """Change name or query of a view."""
    service.update_view(platform, caller, dataset_id, view_id, body)
    return Response(status_code=204)


@router.delete(f"{_VIEWS}/{{viewId}}", status_code=204)
def delete_view(
    dataset_id: DatasetId, view_id: ViewId, platform: Platform, caller: Caller
) -> Response:
    """Remove a view."""
    service.delete_view(platform, caller, dataset_id, view_id)
    return Response(status_code=204)


@router.get("/views/{viewId}")
def get_view(view_id: ViewId, platform: Platform, caller: Caller) -> Response:
    """Return a view by its short link."""
    dataset_id, view = service.get_view(platform, caller, view_id)
    return json_response(write_view(view, dataset_id, caller))
