"""HTTP in and out of the worker registry."""

from __future__ import annotations

from typing import Annotated, Any

import orjson
from fastapi import APIRouter, Query
from starlette.responses import Response

from lightly.openapi_generated.swagger_client.models.create_docker_worker_registry_entry_request import (  # noqa: E501  a name of the contract
    CreateDockerWorkerRegistryEntryRequest,
)
from lightly.openapi_generated.swagger_client.models.update_docker_worker_registry_entry_request import (  # noqa: E501  a name of the contract
    UpdateDockerWorkerRegistryEntryRequest,
)
from lightly.server.http.clients import AskingClient, Client
from lightly.server.http.parameters import AssetScopeParameter, WorkerId
from lightly.server.http.requests import ContractRoute, JsonBody
from lightly.server.http.responses import created, json_response
from lightly.server.platform import Caller, Platform
from lightly.server.workers import service
from lightly.server.workers.models import Worker

router = APIRouter(prefix="/v1/docker/worker", route_class=ContractRoute)

ForUserId = Annotated[str | None, Query(alias="forUserId")]


def write_worker(worker: Worker, client: AskingClient, now_ms: int) -> dict[str, Any]:
    """Return the contract's `DockerWorkerRegistryEntryData`."""
    entry = {
        "id": worker.id,
        "userId": worker.user_id,
        "name": worker.name,
        "workerType": worker.worker_type,
        "state": worker.state_at(now_ms),
        "createdAt": worker.created_at_ms,
        "lastModifiedAt": worker.last_modified_at_ms,
        "labels": orjson.Fragment(worker.labels_json),
    }
    if worker.docker_version is not None:
        entry["dockerVersion"] = worker.docker_version
    if client.knows_default_workers:
        entry["isDefault"] = worker.is_default
    return entry


@router.get("")
def get_workers(
    platform: Platform, caller: Caller, client: Client, scope: AssetScopeParameter
) -> Response:
    """List workers: one's own, unless those of one's teams are asked for."""
    found = service.list_workers(platform, caller, scope)
    now_ms = platform.clock.now_ms()
    return json_response([write_worker(worker, client, now_ms) for worker in found])


@router.post("", status_code=201)
def register_worker(
    body: JsonBody[CreateDockerWorkerRegistryEntryRequest],
    platform: Platform,
    caller: Caller,
    for_user_id: ForUserId = None,
) -> Response:
    """Register a worker; a name that is registered already gets its id again."""
    return created(service.register_worker(platform, caller, body, for_user_id))


# Before `/{workerId}`, which would take it for an id.
@router.get("/default")
def get_default_worker(platform: Platform, caller: Caller, client: Client) -> Response:
    """Return a default worker that nobody runs; register one if need be."""
    worker = service.find_default_worker(platform, caller)
    return json_response(write_worker(worker, client, platform.clock.now_ms()))


@router.get("/{workerId}")
def get_worker(worker_id: WorkerId, platform: Platform, caller: Caller, client: Client) -> Response:
    """Return one worker."""
    worker = service.get_worker(platform, caller, worker_id)
    return json_response(write_worker(worker, client, platform.clock.now_ms()))


@router.put("/{workerId}", status_code=204)
def update_worker(
    worker_id: WorkerId,
    body: JsonBody[UpdateDockerWorkerRegistryEntryRequest],
    platform: Platform,
    caller: Caller,
) -> Response:
    """Note what a worker says of itself."""
    service.update_worker(platform, caller, worker_id, body)
    return Response(status_code=204)


@router.delete("/{workerId}", status_code=204)
def delete_worker(worker_id: WorkerId, platform: Platform, caller: Caller) -> Response:
    """Remove a worker."""
    service.delete_worker(platform, caller, worker_id)
    return Response(status_code=204)
