"""HTTP in and out of scheduled runs."""

from __future__ import annotations

from functools import partial
from typing import Annotated, Any

from fastapi import APIRouter, Query
from starlette.responses import Response

from lightly.openapi_generated.swagger_client.models.docker_run_scheduled_create_request import (
    DockerRunScheduledCreateRequest,
)
from lightly.openapi_generated.swagger_client.models.docker_run_scheduled_update_request import (
    DockerRunScheduledUpdateRequest,
)
from lightly.server.http.parameters import (
    AssetScopeParameter,
    DatasetId,
    ScheduledId,
    WorkerId,
)
from lightly.server.http.requests import ContractRoute, JsonBody
from lightly.server.http.responses import created, json_response
from lightly.server.platform import Caller, Platform
from lightly.server.runs import schedules
from lightly.server.runs.labels import read_labels
from lightly.server.runs.models import PRIORITIES, Schedule, ScheduleState
from lightly.server.runs.polling import ask_for_runs
from lightly.server.runs.quiet_polls import Poll

router = APIRouter(route_class=ContractRoute)

_OF_DATASET = "/v1/datasets/{datasetId}/docker/worker/schedule"
_Flag = Annotated[bool | None, Query()]
_State = Annotated[ScheduleState | None, Query()]
_States = Annotated[list[ScheduleState] | None, Query()]
_Labels = Annotated[list[str] | None, Query()]


def write_schedule(schedule: Schedule) -> dict[str, Any]:
    """Return the contract's `DockerRunScheduledData`."""
    return {
        "id": schedule.id,
        "datasetId": schedule.dataset_id,
        "userId": schedule.user_id,
        "configId": schedule.config_id,
        "priority": PRIORITIES[schedule.priority].value,
        "runsOn": read_labels(schedule.runs_on_json),
        "state": schedule.state,
        "createdAt": schedule.created_at_ms,
        "lastModifiedAt": schedule.last_modified_at_ms,
    }


def _list(found: list[Schedule]) -> Response:
    return json_response([write_schedule(schedule) for schedule in found])


@router.get(_OF_DATASET)
def get_schedules(
    dataset_id: DatasetId,
    platform: Platform,
    caller: Caller,
    state: _State = None,
    states: _States = None,
) -> Response:
    """List the scheduled runs of a dataset, oldest first: those that are not closed by default."""
    wanted = {*(states or ()), *((state,) if state else ())} or schedules.UNFINISHED
    return _list(schedules.list_schedules(platform, caller, dataset_id, wanted))


@router.post(_OF_DATASET, status_code=201)
def create_schedule(
    dataset_id: DatasetId,
    body: JsonBody[DockerRunScheduledCreateRequest],
    platform: Platform,
    caller: Caller,
    disable_config_validation: Annotated[
        bool | None, Query(alias="disableConfigValidation")
    ] = None,
) -> Response:
    """Put a configuration into the queue."""
    return created(
        schedules.create_schedule(
            platform, caller, dataset_id, body, validates=not disable_config_validation
        )
    )


@router.put(f"{_OF_DATASET}/{{scheduledId}}", status_code=204)
def cancel_schedule(
    dataset_id: DatasetId, scheduled_id: ScheduledId, platform: Platform, caller: Caller
) -> Response:
    """Take a scheduled run out of the queue. Whatever body comes along says nothing."""
    schedules.cancel_schedule(platform, caller, dataset_id, scheduled_id)
    return Response(status_code=204)


@router.put(
    "/v1/datasets/{datasetId}/docker/worker/{workerId}/schedule/{scheduledId}", status_code=204
)
def update_schedule(
    dataset_id: DatasetId,
    worker_id: WorkerId,
    scheduled_id: ScheduledId,
    body: JsonBody[DockerRunScheduledUpdateRequest],
    platform: Platform,
    caller: Caller,
) -> Response:
    """Do what a worker asks for: lock, hand back, finish, cancel; change priority and labels."""
    schedules.update_schedule(platform, caller, dataset_id, worker_id, scheduled_id, body)
    return Response(status_code=204)


@router.get("/v1/docker/worker/schedule")
def get_schedules_for_labels(
    platform: Platform,
    caller: Caller,
    scope: AssetScopeParameter,
    state: _State = None,
    labels: _Labels = None,
    version: Annotated[str, Query()] = schedules.ALL_VERSIONS,
    include_unlockable: Annotated[bool | None, Query(alias="includeUnlockableRuns")] = None,
) -> Response:
    """List what a worker with some labels may take, most urgent first."""
    return _list(
        schedules.list_for_labels(
            platform,
            caller,
            scope,
            state=state or ScheduleState.OPEN,
            labels=labels or (),
            version=version,
            includes_unlockable=bool(include_unlockable),
        )
    )


@router.get("/v1/docker/worker/{workerId}/schedule")
async def get_schedules_for_worker(
    worker_id: WorkerId,
    platform: Platform,
    caller: Caller,
    scope: AssetScopeParameter,
    state: _State = None,
) -> Response:
    """List what a worker may take, most urgent first, or what it has taken."""
    wanted = state or ScheduleState.OPEN
    look_up = partial(schedules.list_for_worker, platform, caller, worker_id, scope, wanted)
    found = await ask_for_runs(platform, Poll(caller, worker_id, (scope, wanted)), look_up)
    return _list(found or [])
