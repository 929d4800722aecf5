"""Short ways to queues of scheduled runs and to workers that empty them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from lightly._kit.ids import make_id
from lightly.server.db.run_tables import run_leases
from lightly.server.platform import PlatformState

CONFIG = {"workerType": "FULL", "docker": {}, "lightly": {}}


@dataclass(frozen=True)
class WorkerProcess:
    """A process of a worker of ours.

    Attributes:
        client: Calls as its owner.
        worker_id: The worker.
        session_id: This process of it.
    """

    client: Any
    worker_id: str
    session_id: str

    def claim(self, **more: Any) -> dict[str, Any] | None:
        """Return the run that it gets, None when there is none."""
        body = {"workerId": self.worker_id, "sessionId": self.session_id, "dockerVersion": "3.0.0"}
        response = self.client.post("/ext/v1/runs/claim", json=body | more)
        assert response.status_code in {200, 204}, response.text
        return response.json() if response.status_code == 200 else None

    def send(
        self, method: str, claim: dict[str, Any], action: str, body: dict[str, Any] | None = None
    ) -> Any:
        """Send something about a claimed run, with its lease."""
        return self.client.request(
            method,
            f"/ext/v1/runs/{claim['runId']}/{action}",
            json=body or {},
            headers={"Lightly-Lease": claim["lease"]},
        )

    def beat(self, claim: dict[str, Any], **news: Any) -> Any:
        """Show a sign of life."""
        return self.send("PUT", claim, "heartbeat", news)

    def finish(self, claim: dict[str, Any], state: str = "COMPLETED", **more: Any) -> Any:
        """End the run."""
        return self.send("PUT", claim, "finish", {"state": state, **more})

    def release(self, claim: dict[str, Any]) -> Any:
        """Hand the run back."""
        return self.send("PUT", claim, "release")


@dataclass(frozen=True)
class RunQueue:
    """The queue of one user.

    Attributes:
        client: Calls as that user.
    """

    client: Any

    def post(self, url: str, body: dict[str, Any]) -> str:
        """Make something and return its id."""
        response = self.client.post(url, json=body)
        assert response.status_code == 201, response.text
        entity_id: str = response.json()["id"]
        return entity_id

    def add_dataset(self) -> str:
        """Return the id of a new dataset."""
        return self.post("/v1/datasets", {"name": f"set {make_id()}"})

    def add_config(self, version: str = "V4") -> str:
        """Return the id of a new configuration."""
        body = {"version": version, "config": CONFIG, "creator": "USER_PIP"}
        return self.post("/v1/docker/worker/config/vX", body)

    def schedule(
        self, dataset_id: str, priority: str = "MID", runs_on: list[str] | None = None,
        version: str = "V4",
    ) -> str:  # fmt: skip
        """Put a new configuration into the queue of a dataset."""
        body: dict[str, Any] = {"configId": self.add_config(version), "priority": priority}
        if runs_on is not None:
            body["runsOn"] = runs_on
        return self.post(f"/v1/datasets/{dataset_id}/docker/worker/schedule", body)

    def add_worker(self, labels: list[str] | None = None, name: str | None = None) -> str:
        """Return the id of a new worker."""
        body = {"name": name or f"worker {make_id()}", "workerType": "FULL", "labels": labels or []}
        return self.post("/v1/docker/worker", body)

    def start_worker(
        self, labels: list[str] | None = None, worker_id: str | None = None
    ) -> WorkerProcess:
        """Start a process of a worker, a new one unless it is given."""
        worker_id = worker_id or self.add_worker(labels)
        response = self.client.post(f"/ext/v1/workers/{worker_id}/sessions", json={})
        assert response.status_code == 201, response.text
        return WorkerProcess(self.client, worker_id, response.json()["sessionId"])

    def list_schedules(self, dataset_id: str, **query: Any) -> list[dict[str, Any]]:
        """Return the scheduled runs of a dataset."""
        url = f"/v1/datasets/{dataset_id}/docker/worker/schedule"
        response = self.client.get(url, params=query)
        assert response.status_code == 200, response.text
        found: list[dict[str, Any]] = response.json()
        return found

    def find_schedule(self, dataset_id: str, scheduled_id: str) -> dict[str, Any]:
        """Return a scheduled run in whatever state."""
        states = ["OPEN", "LOCKED", "DONE", "CANCELED"]
        found = self.list_schedules(dataset_id, states=states)
        return next(entry for entry in found if entry["id"] == scheduled_id)

    def get_run(self, run_id: str) -> dict[str, Any]:
        """Return a run."""
        response = self.client.get(f"/v1/docker/runs/{run_id}")
        assert response.status_code == 200, response.text
        run: dict[str, Any] = response.json()
        return run

    def put_schedule(
        self, dataset_id: str, worker_id: str, scheduled_id: str, state: str, **more: Any
    ) -> Any:
        """Do what workers of the contract do with a scheduled run."""
        url = f"/v1/datasets/{dataset_id}/docker/worker/{worker_id}/schedule/{scheduled_id}"
        return self.client.put(url, json={"state": state, **more})

    def begin_by_contract(self, dataset_id: str, worker_id: str, scheduled_id: str) -> str:
        """Lock a scheduled run and create its run as workers of the contract do."""
        assert self.put_schedule(dataset_id, worker_id, scheduled_id, "LOCKED").status_code == 204
        body = {"dockerVersion": "2.6.0", "datasetId": dataset_id, "scheduledId": scheduled_id}
        return self.post("/v1/docker/runs", body)


def age_leases(platform: PlatformState, seconds: float) -> None:
    """Let time pass for all leases: as if so many seconds had gone by without a sign of life."""
    with platform.database.write() as connection:
        earlier = run_leases.c.expires_at_ms - int(1000 * seconds)
        connection.execute(sa.update(run_leases).values(expires_at_ms=earlier))
