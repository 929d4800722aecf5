"""Many workers on one queue: each run goes to one of them, however they meet (L5, T40)."""

from __future__ import annotations

import collections
import concurrent.futures

import pytest
import sqlalchemy as sa

from lightly.server.db.run_tables import run_leases, runs, scheduled_runs
from lightly.server.runs.sweep import sweep_leases
from tests.conftest import DATABASES
from tests.support.platforms import run_in_process
from tests.support.run_queue import RunQueue, age_leases

N_WORKERS = 8


@pytest.fixture(params=DATABASES)
def server(request, tmp_path, make_server_url):
    with run_in_process(tmp_path / "data", make_server_url(request.param)) as running:
        yield running


@pytest.fixture
def queue(server):
    return RunQueue(server.client)


def work_until_empty(worker):
    """Take runs and end them until there is none; return their schedules."""
    done = []
    while (claim := worker.claim()) is not None:
        assert worker.beat(claim, state="SAMPLING").status_code == 200
        assert worker.finish(claim).status_code == 204
        done.append(claim["scheduledId"])
    return done


def test_each_run_is_executed_once_by_one_of_many_workers(server, queue):
    datasets = [queue.add_dataset() for _ in range(6)]
    scheduled = {queue.schedule(dataset_id) for dataset_id in datasets for _ in range(4)}
    workers = [queue.start_worker() for _ in range(N_WORKERS)]
    done = []

    with concurrent.futures.ThreadPoolExecutor(N_WORKERS) as pool:
        while len(done) < len(scheduled):
            found = list(pool.map(work_until_empty, workers))
            assert any(found)
            done += [scheduled_id for ids in found for scheduled_id in ids]

    assert sorted(done) == sorted(scheduled)
    with server.platform.database.read() as connection:
        assert connection.execute(sa.select(sa.func.count()).select_from(run_leases)).scalar() == 0
        states = connection.execute(sa.select(runs.c.state, runs.c.attempt)).all()
        assert {tuple(row) for row in states} == {("COMPLETED", 1)}
        left = connection.execute(sa.select(scheduled_runs.c.state).distinct()).scalars().all()
        assert left == ["DONE"]


def test_runs_of_one_dataset_never_overlap(queue):
    dataset_id = queue.add_dataset()
    for _ in range(4):
        queue.schedule(dataset_id)
    workers = [queue.start_worker() for _ in range(N_WORKERS)]

    with concurrent.futures.ThreadPoolExecutor(N_WORKERS) as pool:
        claims = [claim for claim in pool.map(lambda worker: worker.claim(), workers) if claim]

    assert len(claims) == 1


def test_workers_of_the_contract_lock_one_run_once(queue):
    dataset_id = queue.add_dataset()
    scheduled_id = queue.schedule(dataset_id)
    worker_ids = [queue.add_worker() for _ in range(N_WORKERS)]

    def lock(worker_id):
        return queue.put_schedule(dataset_id, worker_id, scheduled_id, "LOCKED").status_code

    with concurrent.futures.ThreadPoolExecutor(N_WORKERS) as pool:
        statuses = collections.Counter(pool.map(lock, worker_ids))

    assert statuses == {204: 1, 409: N_WORKERS - 1}


def test_many_sweeps_at_once_free_a_run_once(server, queue):
    queue.schedule(queue.add_dataset())
    claim = queue.start_worker().claim()
    age_leases(server.platform, 46)

    def sweep(_number):
        return sweep_leases(server.platform.database, server.platform.settings)

    with concurrent.futures.ThreadPoolExecutor(N_WORKERS) as pool:
        assert sum(pool.map(sweep, range(N_WORKERS))) == 1

    assert queue.start_worker().claim()["attempt"] == claim["attempt"] + 1


def test_finish_and_sweep_at_once_leave_one_ending(server, queue):
    for _ in range(5):
        worker = queue.start_worker()
        scheduled_id = queue.schedule(queue.add_dataset())
        claim = worker.claim()
        age_leases(server.platform, 45)

        with concurrent.futures.ThreadPoolExecutor(2) as pool:
            finished = pool.submit(worker.finish, claim)
            pool.submit(sweep_leases, server.platform.database, server.platform.settings).result()

        run = queue.client.get(f"/v1/docker/runs/schedule/{scheduled_id}").json()
        is_finished = finished.result().status_code == 204
        assert (run["state"] == "COMPLETED") == is_finished
        if not is_finished:
            # Where both were in each other's way neither came through, and the next sweep does.
            sweep_leases(server.platform.database, server.platform.settings)
            next_worker = queue.start_worker()
            assert next_worker.finish(next_worker.claim()).status_code == 204
