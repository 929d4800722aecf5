"""HTTP in and out of what older workers ask and tell at every run."""

from __future__ import annotations

from fastapi import APIRouter
from starlette.responses import Response

from lightly.openapi_generated.swagger_client.models.docker_authorization_request import (
    DockerAuthorizationRequest,
)
from lightly.openapi_generated.swagger_client.models.docker_user_stats import DockerUserStats
from lightly.openapi_generated.swagger_client.models.docker_worker_authorization_request import (
    DockerWorkerAuthorizationRequest,
)
from lightly.server.http.requests import ContractRoute, JsonBody
from lightly.server.http.responses import json_response
from lightly.server.platform import Caller, Platform
from lightly.server.workers import licence

router = APIRouter(prefix="/v1/docker", route_class=ContractRoute)


@router.post("", status_code=204)
async def post_usage(body: JsonBody[DockerUserStats], caller: Caller) -> Response:  # noqa: ARG001  needs a token and the contract's form
    """Take figures about a run, and keep nothing: nobody's use is watched here."""
    return Response(status_code=204)


@router.get("/licenseInformation")
async def get_license(caller: Caller) -> Response:  # noqa: ARG001  needs a token
    """Tell that work is not limited."""
    return json_response(licence.describe_license())


@router.post("/authorization")
async def post_authorization(
    body: JsonBody[DockerAuthorizationRequest],
    platform: Platform,
    caller: Caller,  # noqa: ARG001  needs a token
) -> Response:
    """Allow a task."""
    description = body.task_description.to_dict(by_alias=True)
    return json_response(licence.authorize_task(platform, body.timestamp, description))


@router.post("/workerAuthorization")
async def post_worker_authorization(
    body: JsonBody[DockerWorkerAuthorizationRequest],
    platform: Platform,
    caller: Caller,  # noqa: ARG001  needs a token
) -> Response:
    """Allow a worker to begin a task."""
    return json_response(licence.authorize_worker(platform, body.hashed_task_description))
