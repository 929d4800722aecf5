"""L5: 50 workers on 1,000 queued runs: each is executed once, the urgent ones first."""

from __future__ import annotations

import itertools
import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from tests.support.http_clients import RemoteClient
from tests.support.platforms import run_process
from tests.support.run_queue import RunQueue, WorkerProcess

PRIORITIES = ("HIGH", "MID", "LOW")


class Workers:
    """Processes of workers that empty a queue together and note who took what, in which order."""

    def __init__(self, processes: list[WorkerProcess]) -> None:
        self._processes = processes
        self._lock = threading.Lock()
        self.claimed: list[str] = []

    def empty_queue(self) -> None:
        with ThreadPoolExecutor(len(self._processes)) as pool:
            list(pool.map(self._work, self._processes))

    def _work(self, process: WorkerProcess) -> None:
        while (claim := process.claim()) is not None:
            with self._lock:
                self.claimed.append(claim["scheduledId"])
            assert process.beat(claim, state="SAMPLING").status_code == 200
            assert process.finish(claim).status_code == 204


@pytest.mark.parametrize(
    ("n_workers", "n_runs"),
    [
        pytest.param(8, 60, id="small"),
        pytest.param(50, 1_000, id="L5", marks=[pytest.mark.long, pytest.mark.timeout(1800)]),
    ],
)
def test_each_run_is_executed_once_and_the_urgent_ones_first(tmp_path, n_workers, n_runs):
    with run_process(tmp_path / "data") as server:
        queue = RunQueue(RemoteClient(server))
        priorities = list(itertools.islice(itertools.cycle(reversed(PRIORITIES)), n_runs))
        scheduled = {
            queue.schedule(queue.add_dataset(), priority): priority for priority in priorities
        }
        started = [queue.start_worker() for _ in range(n_workers)]
        workers = Workers(
            [
                WorkerProcess(RemoteClient(server), process.worker_id, process.session_id)
                for process in started
            ]
        )

        workers.empty_queue()

    assert sorted(workers.claimed) == sorted(scheduled)
    # What is taken at the same moment is noted in any order.
    ranks = [PRIORITIES.index(scheduled[scheduled_id]) for scheduled_id in workers.claimed]
    for position, rank in enumerate(ranks):
        assert rank <= min(ranks[position + n_workers :], default=rank)
