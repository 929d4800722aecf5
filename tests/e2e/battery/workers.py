"""Compute workers, their configurations, and scheduling."""

from __future__ import annotations

from typing import Any

from battery.ledger import step
from battery.world import World, raises

ENTRY = {
    "input": {"type": "EMBEDDINGS"},
    "strategy": {"type": "DIVERSITY", "stopping_condition_minimum_distance": 0.1},
}
SELECTION: dict[str, Any] = {"n_samples": 4, "strategies": [ENTRY]}
WORKER = {"enable_training": False}
LIGHTLY = {"loader": {"batch_size": 16}}


@step("register_compute_worker", "get_compute_worker_ids", "delete_compute_worker", since=(1, 2))
def workers_are_registered(world: World) -> None:
    client, name = world.client, world.name("worker")
    first = client.register_compute_worker(name)
    again = client.register_compute_worker(name=name)
    other = client.register_compute_worker(f"{name} two")
    assert first == again != other
    assert {first, other} <= set(client.get_compute_worker_ids())
    client.delete_compute_worker(other)
    assert other not in client.get_compute_worker_ids()


@step("register_compute_worker", "get_compute_workers", since=(1, 4))
def workers_have_labels(world: World) -> None:
    client = world.client
    worker_id = client.register_compute_worker(world.name("labelled"), labels=["gpu", "big"])
    [found] = [worker for worker in client.get_compute_workers() if worker.id == worker_id]
    assert (found.name, sorted(found.labels)) == (world.name("labelled"), ["big", "gpu"])
    assert found.state == "OFFLINE"


@step("create_compute_worker_config", since=(1, 2))
def a_configuration_is_created(world: World) -> None:
    config_id = world.client.create_compute_worker_config(
        worker_config=WORKER, lightly_config=LIGHTLY, selection_config=SELECTION
    )
    versions = {(1, 2): "", (1, 4): "/v3"}
    version = versions.get(world.line, "/vX")
    stored = world.http.get(f"/v1/docker/worker/config{version}/{config_id}")["config"]
    selection = stored["selection"]
    assert selection["nSamples"] == 4
    strategy = selection["strategies"][0]["strategy"]
    assert strategy["stopping_condition_minimum_distance"] == 0.1
    if world.line >= (1, 4):
        assert stored["lightly"]["loader"]["batchSize"] == 16
        message = raises(
            Exception, lambda: world.client.create_compute_worker_config({"enable_traning": True})
        )
        assert "enable" in message


@step("schedule_compute_worker_run", "get_scheduled_compute_worker_runs", since=(1, 2))
def runs_are_scheduled(world: World) -> None:
    client = world.client
    options: dict[str, Any] = {"priority": "HIGH"}
    if world.line >= (1, 4):
        options["runs_on"] = [world.version]
    scheduled_id = client.schedule_compute_worker_run(
        worker_config=WORKER, lightly_config=LIGHTLY, selection_config=SELECTION, **options
    )
    [found] = [run for run in client.get_scheduled_compute_worker_runs() if run.id == scheduled_id]
    assert (found.state, found.priority) == ("OPEN", "HIGH")
    if world.line >= (1, 4):
        assert found.runs_on == [world.version]
        waiting = client.get_scheduled_compute_worker_runs(state="OPEN")
        assert scheduled_id in [run.id for run in waiting]
        assert client.get_scheduled_compute_worker_runs(state="LOCKED") == []
    world.kept["scheduled"] = scheduled_id
