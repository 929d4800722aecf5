"""What the jobs table owes and what the queue holds are kept in step."""

from __future__ import annotations

import pytest

from lightly.server.jobs import repository
from lightly.server.jobs.dispatcher import Dispatcher
from lightly.server.jobs.engine import Lane, WorkflowState
from lightly.server.jobs.models import JobKind, NewJob
from lightly.server.jobs.outbox import add_job
from tests.support.embedding_tasks import open_bench

MYSELF, LIVING, DEAD = "1" * 24, "2" * 24, "3" * 24


class RecordingEngine:
    """A queue that remembers what it was asked for.

    Attributes:
        states: Where workflows are, by job.
        calls: What was asked for.
    """

    def __init__(self):
        self.states = {}
        self.calls = []

    def launch(self):
        self.calls.append("launch")

    def enqueue(self, job_id, lane):
        self.calls.append(("enqueue", job_id, lane))
        self.states[job_id] = WorkflowState("ENQUEUED", None)

    def requeue(self, job_id, lane):
        self.calls.append(("requeue", job_id, lane))
        self.states[job_id] = WorkflowState("ENQUEUED", None)

    def forget(self, job_ids):
        self.calls.append(("forget", *job_ids))

    def read_states(self, job_ids):
        return {job_id: self.states[job_id] for job_id in job_ids if job_id in self.states}

    def forget_old(self):
        pass


class NoProcesses:
    def prepare(self):
        pass


@pytest.fixture
def bench(tmp_path):
    with open_bench(tmp_path / "data", "", ["a.jpg"]) as bench:
        yield bench


@pytest.fixture
def engine():
    return RecordingEngine()


@pytest.fixture
def dispatcher(bench, engine):
    platform = bench.platform
    return Dispatcher(
        platform.settings, platform.database, platform.clock, engine, None, NoProcesses(), MYSELF
    )


def add(bench, kind=JobKind.SAMPLING, job_input=None, after=None):
    new = NewJob(kind, bench.user_id, bench.dataset_id, job_input or {}, after_job_id=after)
    with bench.platform.database.write() as connection:
        return add_job(connection, new, 0)


def show_life(bench, executor_id, lease_ms):
    with bench.platform.database.write() as connection:
        repository.extend_executor(connection, executor_id, lease_ms)


def fail(bench, job_id, reason):
    with bench.platform.database.write() as connection:
        repository.fail_job(connection, job_id, reason, 0)


def test_nothing_is_launched_before_there_is_a_job(dispatcher, engine):
    dispatcher._pass()

    assert engine.calls == []


def test_a_job_that_was_never_enqueued_is(bench, dispatcher, engine):
    job_id = add(bench)

    dispatcher._pass()

    assert engine.calls == ["launch", ("enqueue", job_id, Lane.PROMPT)]


def test_a_second_pass_changes_nothing(bench, dispatcher, engine):
    add(bench)
    dispatcher._pass()
    engine.calls.clear()

    dispatcher._pass()

    assert engine.calls == []


@pytest.mark.parametrize(
    ("method", "lane"),
    [("PCA", Lane.PROMPT), ("UMAP", Lane.PATIENT), ("TSNE", Lane.PATIENT)],
)
def test_nobody_waits_behind_a_slow_projection(bench, dispatcher, engine, method, lane):
    job_id = add(bench, JobKind.EMBEDDINGS2D, {"method": method})

    dispatcher._pass()

    assert engine.calls[-1] == ("enqueue", job_id, lane)


@pytest.mark.parametrize(
    ("executor_id", "calls"),
    [
        # this process runs it
        (MYSELF, []),
        # another one that shows signs of life runs it
        (LIVING, []),
        # the one that ran it has been silent for longer than its lease
        (DEAD, ["requeue"]),
        # the one that ran it is not known at all
        ("4" * 24, ["requeue"]),
    ],
)
def test_only_the_jobs_of_the_dead_are_taken_over(bench, dispatcher, engine, executor_id, calls):
    show_life(bench, LIVING, 60_000)
    show_life(bench, DEAD, -1)
    job_id = add(bench)
    engine.states[job_id] = WorkflowState("PENDING", executor_id)

    dispatcher._pass()

    assert [call[0] for call in engine.calls if call != "launch"] == calls


@pytest.mark.parametrize("status", ["SUCCESS", "ERROR", "CANCELLED"])
def test_a_workflow_that_ended_without_its_job_is_begun_anew(bench, dispatcher, engine, status):
    job_id = add(bench)
    engine.states[job_id] = WorkflowState(status, LIVING)

    dispatcher._pass()

    assert engine.calls[1:] == [("forget", job_id), ("enqueue", job_id, Lane.PROMPT)]


def test_a_job_waits_for_the_one_it_needs(bench, dispatcher, engine):
    first = add(bench)
    add(bench, after=first)

    dispatcher._pass()

    assert engine.calls == ["launch", ("enqueue", first, Lane.PROMPT)]


def test_a_job_whose_need_failed_fails_with_its_reason(bench, dispatcher):
    first = add(bench)
    second = add(bench, after=first)
    fail(bench, first, "Row 3 is empty.")

    dispatcher._pass()

    job = bench.find_job(second)
    assert (job.status, job.error) == ("FAILED", "Row 3 is empty.")


def test_a_process_that_was_forgotten_ends_its_tasks(bench, dispatcher, monkeypatch):
    interrupted = []

    class Runner:
        def interrupt(self):
            interrupted.append(True)

    add(bench)
    dispatcher._runner = Runner()
    dispatcher._pass()
    with bench.platform.database.write() as connection:
        repository.remove_executor(connection, MYSELF)
    dispatcher._last_sign_s -= 3600

    dispatcher._pass()

    assert interrupted == [True]
