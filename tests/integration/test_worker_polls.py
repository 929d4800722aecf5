"""Polls of workers that find nothing cost nothing, and are never wrong for it (L5, T04, T41)."""

from __future__ import annotations

import time
from contextlib import contextmanager

import pytest
import sqlalchemy as sa
from sqlalchemy import event

from lightly.server.auth.service import disable_user
from lightly.server.auth.token_cache import CACHE_TTL_S
from lightly.server.db.changes import SNAPSHOT_TTL_S
from lightly.server.db.run_tables import workers
from lightly.server.workers.models import SILENT_AFTER_MS
from lightly.server.workers.signs_of_life import SignsOfLife
from tests.conftest import DATABASES
from tests.support.platforms import run_in_process
from tests.support.run_queue import RunQueue


@pytest.fixture(params=DATABASES)
def database_url(request, make_database_url, tmp_path):
    return make_database_url(request.param) or f"sqlite:///{tmp_path / 'shared.sqlite'}"


@pytest.fixture
def server(tmp_path, database_url):
    with run_in_process(tmp_path / "data", database_url) as running:
        yield running


@pytest.fixture
def other_server(server, tmp_path, database_url):
    """Another process's view of the same database, with the same keys."""
    with run_in_process(tmp_path / "data", database_url) as running:
        yield running


@pytest.fixture
def queue(server):
    return RunQueue(server.client)


@pytest.fixture
def worker(queue):
    return queue.start_worker()


def list_runs(worker):
    """Ask as workers of the contract do."""
    response = worker.client.get(f"/v1/docker/worker/{worker.worker_id}/schedule")
    assert response.status_code == 200, response.text
    return response.json()


def claim(worker):
    return worker.claim()


POLLS = pytest.mark.parametrize("poll", [claim, list_runs])


@contextmanager
def record_statements(server):
    recorded = []
    engine = server.platform.database.engine

    def record(_connection, _cursor, statement, *_rest):
        recorded.append(statement)

    event.listen(engine, "before_cursor_execute", record)
    yield recorded
    event.remove(engine, "before_cursor_execute", record)


@POLLS
def test_asking_again_asks_the_database_for_a_stamp_at_most(server, worker, poll):
    assert not poll(worker)

    with record_statements(server) as statements:
        assert not poll(worker)

    assert [text for text in statements if "pg_current_snapshot" not in text] == []


@POLLS
def test_a_new_run_is_found_at_once(queue, worker, poll):
    assert not poll(worker)

    queue.schedule(queue.add_dataset())

    assert poll(worker)


@POLLS
def test_a_run_that_another_server_schedules_is_found_in_a_moment(
    queue, other_server, worker, poll
):
    assert not poll(worker)

    elsewhere = RunQueue(other_server.client)
    elsewhere.schedule(elsewhere.add_dataset())
    time.sleep(SNAPSHOT_TTL_S)

    assert poll(worker)


@POLLS
def test_a_dataset_that_is_free_again_is_noticed(queue, worker, poll):
    dataset_id = queue.add_dataset()
    busy = queue.start_worker()
    for _ in range(2):
        queue.schedule(dataset_id)
    taken = busy.claim()
    assert not poll(worker)

    busy.finish(taken)

    assert poll(worker)


@POLLS
def test_a_deleted_worker_learns_it_at_once(queue, worker, poll):
    assert not poll(worker)

    queue.client.delete(f"/v1/docker/worker/{worker.worker_id}")

    with pytest.raises(AssertionError, match="DOCKER_WORKER_UNKNOWN"):
        poll(worker)


def test_a_process_whose_name_was_taken_over_learns_it_at_once(queue, worker):
    assert worker.claim() is None

    queue.client.post(f"/ext/v1/workers/{worker.worker_id}/sessions", json={"takesOver": True})

    with pytest.raises(AssertionError, match="CONFLICT"):
        worker.claim()


def test_a_user_who_was_disabled_learns_it_in_a_moment(server):
    client = server.add_user("ann@example.com")
    worker = RunQueue(client).start_worker()
    assert worker.claim() is None

    disable_user(server.platform.database, server.platform.clock, "ann@example.com")
    time.sleep(CACHE_TTL_S + 0.1)

    with pytest.raises(AssertionError, match="UNAUTHORIZED"):
        worker.claim()


@POLLS
def test_somebody_elses_worker_stays_unknown_however_often_its_owner_asked(server, worker, poll):
    assert not poll(worker)

    stranger = server.add_user("eve@example.com")
    theirs = type(worker)(stranger, worker.worker_id, worker.session_id)

    with pytest.raises(AssertionError, match="DOCKER_WORKER_UNKNOWN"):
        poll(theirs)


@POLLS
def test_quiet_polls_are_signs_of_life(server, queue, worker, poll):
    heard_of_ms = set_heard_of(server, worker, SILENT_AFTER_MS // 4)
    for _ in range(2):
        assert not poll(worker)

    server.platform.signs_of_life.write(server.platform.database)

    assert read_heard_of(queue, worker) > heard_of_ms


@POLLS
def test_the_first_poll_after_a_silence_shows_at_once(server, queue, worker, poll):
    heard_of_ms = set_heard_of(server, worker, SILENT_AFTER_MS)

    poll(worker)

    assert read_heard_of(queue, worker) > heard_of_ms


def test_a_sign_of_life_never_makes_a_worker_older(server, queue, worker):
    signs, database = SignsOfLife(), server.platform.database
    heard_of_ms = read_heard_of(queue, worker)

    signs.note(worker.worker_id, heard_of_ms - 1_000)
    signs.write(database)

    assert read_heard_of(queue, worker) == heard_of_ms


def test_signs_of_life_are_written_together_and_seldom(server, worker):
    now_s = 0.0
    signs, database = SignsOfLife(lambda: now_s), server.platform.database
    with record_statements(server) as statements:
        for now_s in (1.0, 29.0, 31.0, 59.0):  # noqa: B007  read by the clock
            signs.note(worker.worker_id, 2**50)
            signs.write_when_due(database)

    assert len([text for text in statements if text.startswith("UPDATE workers")]) == 1


def set_heard_of(server, worker, ago_ms):
    heard_of_ms = server.platform.clock.now_ms() - ago_ms
    with server.platform.database.write() as connection:
        query = sa.update(workers).where(workers.c.id == worker.worker_id)
        connection.execute(query.values(last_modified_at_ms=heard_of_ms))
    return heard_of_ms


def read_heard_of(queue, worker):
    return queue.client.get(f"/v1/docker/worker/{worker.worker_id}").json()["lastModifiedAt"]
