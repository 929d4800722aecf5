"""Servers and workers that are killed: runs are freed by whichever server is left (F1, T42)."""

from __future__ import annotations

import time

import pytest
import requests

from tests.support.platforms import ServerProcess, run_process
from tests.support.run_queue import RunQueue

SHORT_LEASE = {"LIGHTLY_SERVER_RUN_LEASE_S": "2", "LIGHTLY_SERVER_RUN_ATTEMPTS": "2"}
TIMEOUT_S = 40.0


class Client:
    """Calls one server process."""

    def __init__(self, server: ServerProcess) -> None:
        self._server = server
        self._session = requests.Session()
        self._session.headers["Authorization"] = f"Bearer {server.token}"

    def request(self, method, path, **options):
        return self._session.request(method, self._server.url + path, timeout=30, **options)

    def get(self, path, **options):
        return self.request("GET", path, **options)

    def post(self, path, **options):
        return self.request("POST", path, **options)

    def put(self, path, **options):
        return self.request("PUT", path, **options)


def wait_until(condition):
    deadline = time.monotonic() + TIMEOUT_S
    while not (found := condition()):
        assert time.monotonic() < deadline
        time.sleep(0.1)
    return found


def test_a_run_outlives_a_server_that_is_killed(tmp_path):
    with run_process(tmp_path / "data", **SHORT_LEASE) as server:
        queue = RunQueue(Client(server))
        queue.schedule(queue.add_dataset())
        first = queue.start_worker().claim()

        server.kill()
        server.start()

        second = wait_until(queue.start_worker().claim)
        assert (second["runId"], second["attempt"]) == (first["runId"], 2)
        run = wait_until(
            lambda: (run := queue.get_run(first["runId"]))["state"] == "CRASHED" and run
        )
        assert "attempt 2 of 2" in run["message"]


@pytest.mark.postgres
def test_a_second_server_frees_what_the_first_one_lost(tmp_path, make_database_url):
    url = make_database_url("postgres")
    key = {"LIGHTLY_SERVER_SECRET_KEY": "ab" * 32}
    with (
        run_process(tmp_path / "one", url, **SHORT_LEASE, **key) as one,
        run_process(tmp_path / "two", url, **SHORT_LEASE, **key) as two,
    ):
        queue = RunQueue(Client(one))
        queue.schedule(queue.add_dataset())
        worker = queue.start_worker()
        first = worker.claim()
        assert worker.beat(first, state="EMBEDDING").status_code == 200

        one.kill()

        other = RunQueue(Client(two)).start_worker()
        second = wait_until(other.claim)
        assert (second["runId"], second["attempt"]) == (first["runId"], 2)
        assert other.finish(second).status_code == 204
        assert other.client.get(f"/v1/docker/runs/{first['runId']}").json()["state"] == "COMPLETED"
