"""The worker that comes with the server."""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

import psutil

from tests.support.http_clients import RemoteClient
from tests.support.pictures import draw_folder
from tests.support.platforms import ServerProcess, keep_running, name_mounts
from tests.support.run_queue import RunQueue

SELECTION = {
    "nSamples": 3,
    "strategies": [{"input": {"type": "EMBEDDINGS"}, "strategy": {"type": "DIVERSITY"}}],
}


def wait_for(find: Callable[[], Any], timeout_s: float = 120) -> Any:
    """Return what is found once it is there."""
    deadline = time.monotonic() + timeout_s
    while not (found := find()):
        assert time.monotonic() < deadline
        time.sleep(0.1)
    return found


def schedule_run(server: ServerProcess) -> tuple[RemoteClient, str, str]:
    """Schedule a run on the mounted pictures; return client, dataset and scheduled run."""
    client = RemoteClient(server)
    queue = RunQueue(client)
    dataset = queue.add_dataset()
    for purpose in ("INPUT", "LIGHTLY"):
        body = {"type": "LOCAL", "fullPath": "", "purpose": purpose, "thumbSuffix": None}
        answer = client.put(f"/v1/datasets/{dataset}/datasource", json=body)
        assert answer.status_code == 204, answer.text
    config = {"workerType": "FULL", "docker": {}, "lightly": {}, "selection": SELECTION}
    config_id = queue.post(
        "/v1/docker/worker/config/vX", {"version": "V4", "config": config, "creator": "USER_PIP"}
    )
    body = {"configId": config_id, "priority": "MID", "creator": "USER_PIP"}
    scheduled = queue.post(f"/v1/datasets/{dataset}/docker/worker/schedule", body)
    return client, dataset, scheduled


def list_workers(server: ServerProcess) -> list[psutil.Process]:
    """Return the worker processes of a server."""
    found = []
    for child in psutil.Process(server.pid).children(recursive=True):
        # One may end while this looks.
        with suppress(psutil.Error):
            if "worker" in child.cmdline():
                found.append(child)
    return found


def make_server(folder: Path) -> ServerProcess:
    """Draw pictures and return a server that reads them, with its worker; it is not started."""
    draw_folder(folder / "input", 12)
    (folder / "lightly").mkdir()
    return ServerProcess(folder / "data", environment=name_mounts(folder), has_worker=True)


def test_a_run_is_done_without_any_worker_being_started(tmp_path: Path) -> None:
    with keep_running(make_server(tmp_path)) as server:
        client = RemoteClient(server)
        assert client.get("/v1/docker/worker").json() == []
        client, dataset, scheduled = schedule_run(server)

        def find_end() -> Any:
            run = client.get(f"/v1/docker/runs/schedule/{scheduled}").json()
            return run if run.get("state") in {"COMPLETED", "FAILED", "CRASHED"} else None

        run = wait_for(find_end)
        assert run["state"] == "COMPLETED", run
        names = client.get(f"/v1/datasets/{dataset}/mappings", params={"field": "fileName"}).json()
        assert len(names) == 3
        (worker,) = client.get("/v1/docker/worker").json()
        assert worker["name"] == "default"
        wait_for(lambda: not list_workers(server))


def test_the_worker_ends_with_its_server(tmp_path: Path) -> None:
    with keep_running(make_server(tmp_path)) as server:
        schedule_run(server)
        (process,) = wait_for(lambda: list_workers(server))
        server.kill()
        process.wait(60)
