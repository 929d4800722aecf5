"""Runs of a filled dataset: one under a lease, one that waits, one of a client of the contract."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from starlette.testclient import TestClient

from lightly.server.db.run_tables import run_leases
from lightly.server.platform import PlatformState

#: No test takes this long: what is under a lease stays so.
_LEASE_MS = 24 * 3600 * 1000


def add_runs(
    platform: PlatformState,
    client: TestClient,
    dataset_id: str,
    worker_id: str,
    config_id: str,
    name: str,
) -> dict[str, str]:
    """Fill the queue of a dataset and let its worker begin the first; return all ids by name.

    Args:
        platform: The server.
        client: Calls as the owner.
        dataset_id: The dataset.
        worker_id: A worker that has `name` as label.
        config_id: A configuration of the owner.
        name: In everything that is said about the runs.
    """
    schedule = {"configId": config_id, "priority": "MID", "runsOn": [name]}
    schedules = f"/v1/datasets/{dataset_id}/docker/worker/schedule"
    run_scheduled_id = _post(client, schedules, schedule)["id"]
    session_id = _post(client, f"/ext/v1/workers/{worker_id}/sessions", {})["sessionId"]
    claim = {"workerId": worker_id, "sessionId": session_id, "dockerVersion": name}
    claimed = client.post("/ext/v1/runs/claim", json=claim).json()
    client_of_worker = {"Lightly-Lease": claimed["lease"]}
    body = {"dockerVersion": name, "datasetId": dataset_id, "message": name}
    other_run_id = _post(client, "/v1/docker/runs", body)["id"]
    with platform.database.write() as connection:
        later = run_leases.c.expires_at_ms + _LEASE_MS
        connection.execute(sa.update(run_leases).values(expires_at_ms=later))
    return {
        "scheduled_id": _post(client, schedules, schedule)["id"],
        "run_scheduled_id": run_scheduled_id,
        "run_id": claimed["runId"],
        "session_id": session_id,
        "lease": claimed["lease"],
        "artifact_id": _add_artifact(client, claimed["runId"], name, client_of_worker),
        "other_run_id": other_run_id,
        "other_artifact_id": _add_artifact(client, other_run_id, name, {}),
    }


def _add_artifact(client: TestClient, run_id: str, name: str, headers: dict[str, str]) -> str:
    url = f"/v1/docker/runs/{run_id}/artifacts"
    body = {"fileName": f"{name}.pdf", "type": "REPORT_PDF"}
    made = _post(client, url, body, headers)
    assert client.put(made["signedWriteUrl"], content=name.encode()).status_code == 200
    confirmed = client.put(f"{url}/{made['artifactId']}/confirmUpload", headers=headers)
    assert confirmed.status_code == 204, confirmed.text
    artifact_id: str = made["artifactId"]
    return artifact_id


def _post(
    client: TestClient, url: str, body: dict[str, Any], headers: dict[str, str] | None = None
) -> dict[str, str]:
    response = client.post(url, json=body, headers=headers)
    assert response.status_code == 201, response.text
    content: dict[str, str] = response.json()
    return content
