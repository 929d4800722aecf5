"""HTTP in and out of worker configurations, one path per version.

Bodies are read here with keys in either spelling, which `JsonBody` would refuse.
"""

from __future__ import annotations

from typing import Any

import orjson
from fastapi import APIRouter
from starlette.responses import Response

from lightly.openapi_generated.swagger_client.models.docker_worker_config_create_request import (
    DockerWorkerConfigCreateRequest,
)
from lightly.openapi_generated.swagger_client.models.docker_worker_config_omni_vx_create_request import (  # noqa: E501  a name of the contract
    DockerWorkerConfigOmniVXCreateRequest,
)
from lightly.openapi_generated.swagger_client.models.docker_worker_config_v2_create_request import (
    DockerWorkerConfigV2CreateRequest,
)
from lightly.openapi_generated.swagger_client.models.docker_worker_config_v3_create_request import (
    DockerWorkerConfigV3CreateRequest,
)
from lightly.server.http.parameters import ConfigId
from lightly.server.http.requests import ContractRoute, RawBody, decode_json
from lightly.server.http.responses import created, json_response, stream_json_list
from lightly.server.platform import Caller, Platform
from lightly.server.workers import configs
from lightly.server.workers.models import ConfigVersion, WorkerConfig

router = APIRouter(prefix="/v1/docker/worker/config", route_class=ContractRoute)


def write_config(config: WorkerConfig) -> dict[str, Any]:
    """Return the contract's `DockerWorkerConfigVXData`."""
    return {
        "id": config.id,
        "version": config.version,
        "createdAt": config.created_at_ms,
        "config": orjson.Fragment(config.config_json),
    }


@router.get("")
def get_configs(platform: Platform, caller: Caller) -> Response:
    """List one's own free-form configurations, oldest first."""
    found = configs.iterate_configs(platform, caller, ConfigVersion.V0)
    return stream_json_list(write_config(config) for config in found)


@router.post("", status_code=201)
def create_config(body: RawBody, platform: Platform, caller: Caller) -> Response:
    """Add a free-form configuration."""
    request = configs.parse_request(DockerWorkerConfigCreateRequest, decode_json(body))
    return created(
        configs.create_config(platform, caller, ConfigVersion.V0, request.config, request.creator)
    )


@router.post("/v2", status_code=201)
def create_config_v2(body: RawBody, platform: Platform, caller: Caller) -> Response:
    """Add a configuration of version 2."""
    request = configs.parse_request(DockerWorkerConfigV2CreateRequest, decode_json(body))
    return created(
        configs.create_config(platform, caller, ConfigVersion.V2, request.config, request.creator)
    )


@router.post("/v3", status_code=201)
def create_config_v3(body: RawBody, platform: Platform, caller: Caller) -> Response:
    """Add a configuration of version 3."""
    request = configs.parse_request(DockerWorkerConfigV3CreateRequest, decode_json(body))
    return created(
        configs.create_config(platform, caller, ConfigVersion.V3, request.config, request.creator)
    )


@router.post("/vX", status_code=201)
def create_config_vx(body: RawBody, platform: Platform, caller: Caller) -> Response:
    """Add a configuration of the version that the body names."""
    request = configs.parse_request(DockerWorkerConfigOmniVXCreateRequest, decode_json(body)).root
    version = ConfigVersion(request.version)
    return created(
        configs.create_config(platform, caller, version, request.config, request.creator)
    )


@router.get("/v2/{configId}")
def get_config_v2(config_id: ConfigId, platform: Platform, caller: Caller) -> Response:
    """Return a configuration of version 2."""
    config = configs.get_config(platform, caller, config_id, ConfigVersion.V2)
    return json_response(write_config(config))


@router.get("/v3/{configId}")
def get_config_v3(config_id: ConfigId, platform: Platform, caller: Caller) -> Response:
    """Return a configuration of version 3."""
    config = configs.get_config(platform, caller, config_id, ConfigVersion.V3)
    return json_response(write_config(config))


@router.get("/vX/{configId}")
def get_config_vx(config_id: ConfigId, platform: Platform, caller: Caller) -> Response:
    """Return a configuration, whatever its version."""
    return json_response(write_config(configs.get_config(platform, caller, config_id)))


@router.get("/{configId}")
def get_config(config_id: ConfigId, platform: Platform, caller: Caller) -> Response:
    """Return a free-form configuration."""
    config = configs.get_config(platform, caller, config_id, ConfigVersion.V0)
    return json_response(write_config(config))


@router.put("/{configId}", status_code=204)
def update_config(
    config_id: ConfigId, body: RawBody, platform: Platform, caller: Caller
) -> Response:
    """Replace a free-form configuration."""
    request = configs.parse_request(DockerWorkerConfigCreateRequest, decode_json(body))
    configs.update_config(platform, caller, config_id, request.config)
    return Response(status_code=204)
