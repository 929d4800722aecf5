"""Runs as pages show them: the newest first, and those that still wait for a worker."""

from __future__ import annotations

from typing import Any

import orjson
import sqlalchemy as sa

from lightly.server.auth.users import User
from lightly.server.datasets.access import load_dataset
from lightly.server.datasets.models import Action
from lightly.server.platform import PlatformState
from lightly.server.runs import overview_repository, schedule_repository
from lightly.server.runs.labels import read_labels
from lightly.server.runs.models import PRIORITIES, Run, Schedule

#: Most waiting runs that are told: the most urgent ones. The rest wait behind them.
MAX_WAITING = 200


def list_overview(
    platform: PlatformState, caller: User, dataset_id: str | None, before_id: str, limit: int
) -> dict[str, Any]:
    """Return the extension document's `RunList`.

    Args:
        platform: The server.
        caller: Who asks.
        dataset_id: Only on this dataset; None for the caller's own runs and those of mates.
        before_id: Only runs that are older than this one; empty for the newest.
        limit: Most runs.
    """
    with platform.database.read() as connection:
        if dataset_id is not None:
            load_dataset(connection, caller, dataset_id, Action.READ)
        # One more than asked for tells whether there are older ones.
        found = overview_repository.list_newest(
            connection, caller, dataset_id, before_id, limit + 1
        )
        waiting = [] if before_id else list_waiting(connection, caller, dataset_id)
    shown = found[:limit]
    body: dict[str, Any] = {
        "runs": [write_summary(run, name) for run, name in shown],
        "waiting": waiting,
    }
    if len(found) > limit:
        body["next"] = shown[-1][0].id
    return body


def list_waiting(
    connection: sa.Connection, caller: User, dataset_id: str | None
) -> list[dict[str, Any]]:
    """Return the extension document's `WaitingRun` of what waits, most urgent first."""
    found = schedule_repository.list_waiting(connection, caller, dataset_id, MAX_WAITING)
    return [_write_waiting(schedule, name) for schedule, name in found]


def write_summary(run: Run, dataset_name: str | None) -> dict[str, Any]:
    """Return the extension document's `RunSummary`."""
    optional = {
        "datasetId": run.dataset_id,
        "datasetName": dataset_name,
        "configId": run.config_id,
        "scheduledId": run.scheduled_id,
        "workerId": run.worker_id,
        "message": run.message,
        "progress": orjson.Fragment(run.progress_json) if run.progress_json else None,
        "finishedAt": run.finished_at_ms,
    }
    return {
        "id": run.id,
        "state": run.state,
        "attempt": run.attempt,
        "dockerVersion": run.docker_version,
        "isStopRequested": run.stop_requested_at_ms is not None,
        "createdAt": run.created_at_ms,
        "lastModifiedAt": run.last_modified_at_ms,
    } | {name: value for name, value in optional.items() if value is not None}


def _write_waiting(schedule: Schedule, dataset_name: str) -> dict[str, Any]:
    return {
        "scheduledId": schedule.id,
        "datasetId": schedule.dataset_id,
        "datasetName": dataset_name,
        "configId": schedule.config_id,
        "priority": PRIORITIES[schedule.priority].value,
        "runsOn": read_labels(schedule.runs_on_json),
        "createdAt": schedule.created_at_ms,
    }
