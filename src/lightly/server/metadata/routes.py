"""HTTP in and out of metadata configurations."""

from __future__ import annotations

from typing import Any

import orjson
from fastapi import APIRouter
from starlette.responses import Response

from lightly.openapi_generated.swagger_client.models.configuration_set_request import (
    ConfigurationSetRequest,
)
from lightly.server.http.parameters import ConfigurationId, DatasetId
from lightly.server.http.requests import ContractRoute, JsonBody
from lightly.server.http.responses import created, json_response
from lightly.server.metadata import service
from lightly.server.metadata.models import MetadataConfiguration
from lightly.server.platform import Caller, Platform

router = APIRouter(
    prefix="/v1/datasets/{datasetId}/configuration/metadata", route_class=ContractRoute
)


def write_configuration(configuration: MetadataConfiguration) -> dict[str, Any]:
    """Return the contract's `ConfigurationData`."""
    return {
        "id": configuration.id,
        "name": configuration.name,
        "configs": orjson.Fragment(configuration.entries_json),
        "createdAt": configuration.created_at_ms,
        "lastModifiedAt": configuration.last_modified_at_ms,
    }


@router.get("")
def get_configurations(dataset_id: DatasetId, platform: Platform, caller: Caller) -> Response:
    """List the configurations of a dataset, oldest first."""
    found = service.list_configurations(platform, caller, dataset_id)
    return json_response([write_configuration(configuration) for configuration in found])


@router.post("", status_code=201)
def create_configuration(
    dataset_id: DatasetId,
    body: JsonBody[ConfigurationSetRequest],
    platform: Platform,
    caller: Caller,
) -> Response:
    """Add a configuration."""
    return created(service.create_configuration(platform, caller, dataset_id, body))


@router.get("/{configurationId}")
def get_configuration(
    dataset_id: DatasetId, configuration_id: ConfigurationId, platform: Platform, caller: Caller
) -> Response:
    """Return one configuration."""
    found = service.get_configuration(platform, caller, dataset_id, configuration_id)
    return json_response(write_configuration(found))


@router.put("/{configurationId}", status_code=204)
def update_configuration(
    dataset_id: DatasetId,
    configuration_id: ConfigurationId,
    body: JsonBody[ConfigurationSetRequest],
    platform: Platform,
    caller: Caller,
) -> Response:
    """Replace name and entries of a configuration."""
    service.update_configuration(platform, caller, dataset_id, configuration_id, body)
    return Response(status_code=204)
