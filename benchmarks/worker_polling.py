"""What 50 workers cost that ask for a run all the time, and how soon a run is picked up.

    python -m benchmarks.worker_polling [--seconds 20] [--queued 1000]

A real server process, a queue of runs whose labels no worker has, and 50 workers that each ask at
the interval which the server tells its workers. Printed is the processor time that the server takes
for them beyond that of an idle one, as a share of one core (bar: 5 %), once as our workers ask and
once as the published contract does; and how long a new run waits until a worker has it (bar: 3 s).
"""

from __future__ import annotations

import argparse
import functools
import statistics
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import psutil

from benchmarks._sample_rows import run_server
from tests.support.http_clients import RemoteClient
from tests.support.run_queue import RunQueue, WorkerProcess

N_WORKERS = 50
MAX_SHARE = 0.05
MAX_PICK_UP_S = 3.0
N_PICK_UPS = 5


Poll = Callable[[WorkerProcess], object]


def poll_as_ours(worker: WorkerProcess) -> object:
    """Ask for a run under a lease."""
    return worker.claim()


def poll_as_the_contract(worker: WorkerProcess) -> object:
    """Ask for the list of runs."""
    return worker.client.get(f"/v1/docker/worker/{worker.worker_id}/schedule").json()


@contextmanager
def poll_all(
    workers: list[WorkerProcess], interval_s: float, poll: Poll, found: Callable[[object], None]
) -> Iterator[None]:
    """Let every worker ask at its own moments of each interval while the block runs."""
    stopped = threading.Event()

    def run(worker: WorkerProcess, delay_s: float) -> None:
        stopped.wait(delay_s)
        while not stopped.is_set():
            answer = poll(worker)
            if answer:
                found(answer)
            stopped.wait(interval_s)

    threads = [
        threading.Thread(target=run, args=(worker, interval_s * number / len(workers)))
        for number, worker in enumerate(workers)
    ]
    for thread in threads:
        thread.start()
    yield
    stopped.set()
    for thread in threads:
        thread.join()


def measure_cpu(pid: int, seconds: float) -> float:
    """Return the share of a core that a process and its children take."""

    def read() -> float:
        processes = [psutil.Process(pid), *psutil.Process(pid).children(recursive=True)]
        return sum(sum(process.cpu_times()[:2]) for process in processes)

    before, started = read(), time.perf_counter()
    time.sleep(seconds)
    return (read() - before) / (time.perf_counter() - started)


def measure_pick_ups(queue: RunQueue, picked: list[float]) -> list[float]:
    """Return how long new runs wait until some worker has them."""
    waits = []
    for _ in range(N_PICK_UPS):
        n_before = len(picked)
        queue.schedule(queue.add_dataset())
        scheduled_s = time.perf_counter()
        while len(picked) == n_before:
            time.sleep(0.01)
        waits.append(picked[n_before] - scheduled_s)
    return waits


def main() -> int:
    """Print all figures; return 1 if one misses its bar."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--seconds", type=float, default=20)
    parser.add_argument("--queued", type=int, default=1000)
    arguments = parser.parse_args()
    is_good = True
    with run_server() as (server, _session):
        queue = RunQueue(RemoteClient(server))
        workers = [
            WorkerProcess(RemoteClient(server), worker.worker_id, worker.session_id)
            for worker in (queue.start_worker() for _ in range(N_WORKERS))
        ]
        session = queue.client.post(f"/ext/v1/workers/{queue.add_worker()}/sessions", json={})
        interval_s = session.json()["pollIntervalSeconds"]
        body = {"configId": queue.add_config(), "priority": "MID", "runsOn": ["none has this"]}
        url = f"/v1/datasets/{queue.add_dataset()}/docker/worker/schedule"
        for _ in range(arguments.queued):
            queue.post(url, body)
        idle = measure_cpu(server.pid, arguments.seconds / 2)
        print(f"idle server: {idle:.1%} of a core; {arguments.queued} runs queued for others")
        for name, poll in (("ours", poll_as_ours), ("contract", poll_as_the_contract)):
            with poll_all(workers, interval_s, poll, lambda _answer: None):
                time.sleep(interval_s)
                share = measure_cpu(server.pid, arguments.seconds) - idle
            is_good &= share <= MAX_SHARE
            print(
                f"{N_WORKERS} workers asking every {interval_s} s ({name}): {share:.1%} of a core "
                f"(bar {MAX_SHARE:.0%})"
            )
        picked: list[float] = []
        note = lambda _claim: picked.append(time.perf_counter())  # noqa: E731  a name for one line
        with poll_all(workers, interval_s, poll_as_ours, note):
            waits = measure_pick_ups(queue, picked)
        is_good &= max(waits) <= MAX_PICK_UP_S
        print(
            f"pick-up with {N_WORKERS} workers: median {statistics.median(waits):.2f} s, "
            f"worst {max(waits):.2f} s (bar {MAX_PICK_UP_S:.0f} s)"
        )
        alone = workers[-1:]
        picked.clear()
        finish = functools.partial(_finish, alone[0], picked)
        with poll_all(alone, interval_s, poll_as_ours, finish):
            waits = measure_pick_ups(queue, picked)
        is_good &= max(waits) <= MAX_PICK_UP_S
        print(f"pick-up with one worker: worst {max(waits):.2f} s (bar {MAX_PICK_UP_S:.0f} s)")
    return 0 if is_good else 1


def _finish(worker: WorkerProcess, picked: list[float], claim: object) -> None:
    picked.append(time.perf_counter())
    assert isinstance(claim, dict)
    worker.finish(claim)


if __name__ == "__main__":
    sys.exit(main())
