"""Workers, runs and artifacts through the SDK, against a real application."""

from typing import Any

import pytest

from lightly.api import ApiWorkflowClient, ArtifactNotExist
from lightly.api.errors import ApiException
from tests.support.contract import ContractClient
from tests.support.platforms import TOKEN, InProcessServer
from tests.support.sdk import BridgeAdapter, make_client, make_client_of

SELECTION = {
    "n_samples": 2,
    "strategies": [{"input": {"type": "RANDOM"}, "strategy": {"type": "WEIGHTS"}}],
}


@pytest.fixture
def client(sqlite_server: InProcessServer) -> ApiWorkflowClient:
    """A client with an empty dataset; every answer is held against the contract."""
    client = make_client(BridgeAdapter(ContractClient(sqlite_server.client)), TOKEN)
    client.create_dataset("watched")
    return client


class Worker:
    """Does by HTTP what a worker does."""

    def __init__(self, client: ApiWorkflowClient) -> None:
        self._transport = client._transport
        self._dataset_id = client.dataset_id
        self.id = client.register_compute_worker("worker", labels=["night"])
        self.run_id = ""

    def take(self, scheduled_id: str) -> None:
        """Lock a scheduled run and begin it."""
        below = f"/v1/datasets/{self._dataset_id}/docker/worker/{self.id}/schedule/{scheduled_id}"
        self._transport.put(below, {"state": "LOCKED"})
        (scheduled,) = [
            one
            for one in self._transport.get(
                f"/v1/datasets/{self._dataset_id}/docker/worker/schedule"
            )
            if one["id"] == scheduled_id
        ]
        body = {
            "dockerVersion": "3.0.0",
            "datasetId": self._dataset_id,
            "configId": scheduled["configId"],
            "scheduledId": scheduled_id,
        }
        self.run_id = self._transport.post("/v1/docker/runs", body)["id"]

    def report(self, state: str, message: str = "") -> None:
        """Say how the run is getting on."""
        self._transport.put(f"/v1/docker/runs/{self.run_id}", {"state": state, "message": message})

    def leave(self, kind: str, name: str, content: bytes) -> None:
        """Upload an artifact."""
        below = f"/v1/docker/runs/{self.run_id}/artifacts"
        made = self._transport.post(below, {"fileName": name, "type": kind})
        self._transport.put_blob(made["signedWriteUrl"], content)
        self._transport.put(f"{below}/{made['artifactId']}/confirmUpload")


def schedule(client: ApiWorkflowClient, **options: Any) -> str:
    return client.schedule_compute_worker_run(selection_config=SELECTION, **options)


def test_workers_are_registered_once_listed_and_removed(client):
    first = client.register_compute_worker("worker", labels=["a"])
    second = client.register_compute_worker("worker")

    assert first == second
    assert client.get_compute_worker_ids() == [first]
    assert client.get_compute_workers()[0].labels == ["a"]
    client.delete_compute_worker(first)
    assert client.get_compute_worker_ids() == []


@pytest.mark.parametrize(
    "worker_config",
    [
        None,
        {"enable_training": False, "use_datapool": True},
        {"stopping_condition": {"n_samples": 2}, "method": "random"},
    ],
)
def test_configurations_of_both_generations_are_stored(client, worker_config):
    config_id = client.create_compute_worker_config(
        worker_config, {"loader": {"batch_size": 8}}, selection_config=SELECTION
    )

    is_old = worker_config is not None and "method" in worker_config
    path = f"/v1/docker/worker/config/{'' if is_old else 'vX/'}{config_id}"
    stored = client._transport.get(path)["config"]
    assert stored["selection"]["nSamples"] == 2
    assert stored["lightly"]["loader"] == {"batch_size" if is_old else "batchSize": 8}


def test_a_run_is_watched_through_its_life(client):
    worker = Worker(client)
    scheduled_id = schedule(client, priority="HIGH", runs_on=["night"])
    waiting = client.get_scheduled_compute_worker_runs()
    assert [(one.id, one.priority.value, one.runs_on) for one in waiting] == [
        (scheduled_id, "HIGH", ["night"])
    ]
    infos = client.compute_worker_run_info_generator(scheduled_id)
    assert next(infos).state == "OPEN"

    worker.take(scheduled_id)
    assert next(infos).state == "STARTED"
    worker.report("EMBEDDING", "half of it")
    info = next(infos)
    assert (info.state, info.message) == ("EMBEDDING", "half of it")
    worker.report("COMPLETED")
    last = next(infos)

    assert last.ended_successfully()
    with pytest.raises(StopIteration):
        next(infos)
    run = client.get_compute_worker_run_from_scheduled_run(scheduled_id)
    assert run.id == worker.run_id
    assert client.get_compute_worker_run(worker.run_id).state.value == "COMPLETED"


def test_runs_are_listed_by_dataset_and_oldest_first(client):
    worker = Worker(client)
    for _ in range(2):
        worker.take(schedule(client))
        worker.report("COMPLETED")
    watched = client.dataset_id
    client.create_dataset("other")

    runs = client.get_compute_worker_runs()

    assert len(runs) == 2
    assert [run.created_at for run in runs] == sorted(run.created_at for run in runs)
    assert client.get_compute_worker_runs(dataset_id=watched) == runs
    assert client.get_compute_worker_runs(dataset_id=client.dataset_id) == []


def test_a_run_that_was_canceled_is_over(client):
    scheduled_id = schedule(client)
    below = client._below_dataset("docker", "worker", "schedule", scheduled_id)
    client._transport.put(below)

    infos = list(client.compute_worker_run_info_generator(scheduled_id))

    assert [info.state for info in infos] == ["CANCELED_OR_NOT_EXISTING"]
    assert client.get_scheduled_compute_worker_runs() == []
    assert [one.id for one in client.get_scheduled_compute_worker_runs(state="CANCELED")] == [
        scheduled_id
    ]


def test_artifacts_are_downloaded(client, tmp_path):
    worker = Worker(client)
    worker.take(schedule(client))
    worker.leave("LOG", "log.txt", b"a line\n")
    worker.leave("REPORT_V2_JSON", "report/report_v2.json", b"{}")
    run = client.get_compute_worker_run(worker.run_id)

    client.download_compute_worker_run_artifacts(run, str(tmp_path / "all"))
    client.download_compute_worker_run_log(run, str(tmp_path / "log"))
    client.download_compute_worker_run_report_v2_json(run, str(tmp_path / "report"))

    assert (tmp_path / "all/log.txt").read_bytes() == b"a line\n"
    assert (tmp_path / "all/report/report_v2.json").read_bytes() == b"{}"
    assert (tmp_path / "log").read_bytes() == b"a line\n"
    assert (tmp_path / "report").read_bytes() == b"{}"
    with pytest.raises(ArtifactNotExist, match="CHECKPOINT"):
        client.get_compute_worker_run_checkpoint_url(run)


def test_tags_of_a_run_are_found(client):
    worker = Worker(client)
    worker.take(schedule(client))
    samples = client._below_dataset("samples")
    client._transport.post(samples, {"fileName": "a.jpg"})
    client._transport.post(
        client._below_dataset("tags", "initial"), {"imgType": "meta", "runId": worker.run_id}
    )

    tags = client.get_compute_worker_run_tags(worker.run_id)

    assert [tag.name for tag in tags] == ["initial-tag"]


def test_runs_of_others_do_not_exist(client, sqlite_server):
    worker = Worker(client)
    worker.take(schedule(client))
    stranger = make_client_of(sqlite_server.add_user("stranger@example.com"))

    with pytest.raises(ApiException, match="404"):
        stranger.get_compute_worker_run(worker.run_id)
