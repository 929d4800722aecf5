"""A task tells its progress and finds out that it is not wanted any more, on every database."""

from __future__ import annotations

import orjson
import pytest

from lightly.server.errors import Unavailable
from lightly.server.jobs import repository
from lightly.server.jobs.models import JobKind
from lightly.server.jobs.task import ClaimLost
from lightly.server.selections import sample_values, watch
from lightly.server.selections.sample_values import read_classes, read_numbers
from lightly.server.selections.watch import JobWatch
from tests.conftest import DATABASES
from tests.support.embedding_tasks import open_bench


@pytest.fixture(params=DATABASES)
def bench(request, tmp_path, make_server_url):
    with open_bench(tmp_path / "data", make_server_url(request.param), ["a.jpg"]) as bench:
        yield bench


@pytest.fixture
def task(bench):
    return bench.claim(JobKind.SAMPLING)


def read_progress(task):
    with task.database.read() as connection:
        text = repository.read_progress(connection, task.job_id)
    return None if text is None else orjson.loads(text)


def test_progress_can_be_read_at_once_and_then_every_now_and_then(task, monkeypatch):
    before = read_progress(task)
    note = JobWatch(task).begin("SELECTING")
    at_once = read_progress(task)

    note(7, 9)
    soon_after = read_progress(task)
    monkeypatch.setattr(watch, "INTERVAL_S", 0.0)
    note(8, 9)

    assert before is None
    assert at_once == soon_after == {"stage": "SELECTING", "processed": 0, "total": 0}
    assert read_progress(task) == {"stage": "SELECTING", "processed": 8, "total": 9}


def test_a_cancelled_task_is_stopped(task, monkeypatch):
    monkeypatch.setattr(watch, "INTERVAL_S", 0.0)
    note = JobWatch(task).begin("SELECTING")
    with task.database.write() as connection:
        repository.fail_job(connection, task.job_id, "The job was cancelled.", 1)

    with pytest.raises(ClaimLost):
        note(1, 9)


@pytest.mark.parametrize("read", [read_numbers, read_classes])
def test_reading_values_of_samples_tells_its_progress_and_can_be_cancelled(task, read, monkeypatch):
    monkeypatch.setattr(sample_values, "_SAMPLES_AT_ONCE", 1)
    monkeypatch.setattr(watch, "INTERVAL_S", 0.0)
    noted = []

    def note(done, total):
        noted.append((done, total))

    read(task.database, 1, 3, "weight", note)
    note_progress = JobWatch(task).begin("READING")
    with task.database.write() as connection:
        repository.fail_job(connection, task.job_id, "The job was cancelled.", 1)

    assert noted == [(0, 3), (1, 3), (2, 3)]
    with pytest.raises(ClaimLost):
        read(task.database, 1, 3, "weight", note_progress)


def test_a_task_that_was_taken_over_writes_no_progress(task, monkeypatch):
    monkeypatch.setattr(watch, "INTERVAL_S", 0.0)
    note = JobWatch(task).begin("SELECTING")
    with task.database.write() as connection:
        repository.claim_job(connection, task.job_id, "f" * 24, 1)

    with pytest.raises(ClaimLost):
        note(1, 9)

    assert read_progress(task)["processed"] == 0


def test_a_database_that_is_away_does_not_end_the_work(task, monkeypatch):
    monkeypatch.setattr(watch, "INTERVAL_S", 0.0)
    note = JobWatch(task).begin("SELECTING")

    def fail(*_arguments):
        raise Unavailable

    with monkeypatch.context() as patch:
        patch.setattr(repository, "note_progress", fail)
        note(1, 9)
    note(2, 9)

    assert read_progress(task)["processed"] == 2
