"""L6: many idle and many active clients for half an hour: nothing grows."""

from __future__ import annotations

import itertools
import os
import random
import threading
import time
from contextlib import ExitStack
from pathlib import Path
from typing import Self

import psutil
import pytest
import requests

from tests.support.platforms import ServerProcess, run_process

IDLE_CLIENTS, ACTIVE_CLIENTS = 200, 50
#: Seconds. Half an hour as the target says; shorter while looking for a fault.
DURATION_S = float(os.environ.get("SOAK_DURATION_S", "1800"))
WARM_UP_SHARE = 0.25
#: A process that has served for a while keeps what its allocators did not give back.
MAX_GROWTH_MB = 30
MAX_GROWTH_HANDLES = 10


class Load:
    """Clients that use a server as people and scripts do, each in a thread of its own."""

    def __init__(self, server: ServerProcess) -> None:
        self._server = server
        self._is_over = threading.Event()
        self.errors: list[str] = []
        self.n_requests = itertools.count()
        self._threads = [
            threading.Thread(target=self._work, args=(number,)) for number in range(ACTIVE_CLIENTS)
        ]

    def __enter__(self) -> Self:
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_exception: object) -> None:
        self._is_over.set()
        for thread in self._threads:
            thread.join()

    def _work(self, number: int) -> None:
        chance = random.Random(number)
        with requests.Session() as session:
            session.headers["Authorization"] = f"Bearer {self._server.token}"
            for turn in itertools.count():
                if self._is_over.is_set():
                    return
                try:
                    self._use(session, f"soak {number} {turn}", chance)
                except (requests.RequestException, AssertionError, KeyError) as error:
                    self.errors.append(repr(error)[:300])
                self._is_over.wait(chance.uniform(0.5, 1.5))

    def _use(self, session: requests.Session, name: str, chance: random.Random) -> None:
        """Make a dataset with samples and a tag, look at it, remove it."""

        def call(method: str, path: str, status: int, **options: object) -> requests.Response:
            answer = session.request(method, self._server.url + path, timeout=60, **options)  # type: ignore[arg-type]  # passed on
            assert answer.status_code == status, answer.text
            next(self.n_requests)
            return answer

        base = f"/v1/datasets/{call('POST', '/v1/datasets', 201, json={'name': name}).json()['id']}"
        rows = [{"fileName": f"{index}.jpg"} for index in range(chance.randint(1, 200))]
        call("POST", f"/ext{base}/samples/bulk", 201, json={"samples": rows})
        call("POST", f"{base}/tags/initial", 201, json={"imgType": "meta"})
        for path in ("", "/samples", "/tags", "/mappings?field=fileName"):
            call("GET", base + path, 200)
        call("GET", f"{base}/samples/{'0' * 24}", 404)
        call("DELETE", base, 204)


def measure(process: psutil.Process) -> tuple[float, int, int]:
    """Return resident megabytes, open files and sockets, threads."""
    return process.memory_info().rss / 1e6, process.num_fds(), process.num_threads()


@pytest.mark.long
@pytest.mark.timeout(DURATION_S + 600)
def test_nothing_grows_under_many_clients(tmp_path: Path) -> None:
    with ExitStack() as stack:
        server = stack.enter_context(run_process(tmp_path / "data"))
        process = psutil.Process(server.pid)
        for _ in range(IDLE_CLIENTS):
            idle = stack.enter_context(requests.Session())
            assert idle.get(f"{server.url}/healthz", timeout=60).ok
        with Load(server) as load:
            time.sleep(DURATION_S * WARM_UP_SHARE)
            before = measure(process)
            time.sleep(DURATION_S * (1 - WARM_UP_SHARE))
            after = measure(process)
        print(f"{next(load.n_requests)} requests; before {before}, after {after}")  # noqa: T201  the measurement
    assert load.errors == []
    assert after[0] - before[0] <= MAX_GROWTH_MB
    assert after[1] - before[1] <= MAX_GROWTH_HANDLES
    assert after[2] - before[2] <= MAX_GROWTH_HANDLES
