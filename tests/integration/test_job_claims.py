"""Only one attempt can end a job, and the same request makes one job, on every database."""

from __future__ import annotations

import concurrent.futures

import pytest

from lightly.server.jobs import repository
from lightly.server.jobs.models import JobKind, NewJob
from lightly.server.jobs.outbox import add_job, find_running_job
from tests.conftest import DATABASES
from tests.support.embedding_tasks import open_bench

FIRST, SECOND = "a" * 24, "b" * 24


@pytest.fixture(params=DATABASES)
def bench(request, tmp_path, make_server_url):
    with open_bench(tmp_path / "data", make_server_url(request.param), ["a.jpg"]) as bench:
        yield bench


def write(bench, action, *arguments, **more):
    with bench.platform.database.write() as connection:
        return action(connection, *arguments, **more)


def make_job(bench, dedupe_key=None):
    return NewJob(JobKind.SAMPLING, bench.user_id, bench.dataset_id, {}, dedupe_key=dedupe_key)


def test_the_same_request_at_once_makes_one_job(bench):
    def add(_number):
        return write(bench, add_job, make_job(bench, "the same"), 0)

    with concurrent.futures.ThreadPoolExecutor(8) as pool:
        ids = set(pool.map(add, range(24)))

    assert len(ids) == 1


def test_a_failed_job_gives_its_key_back(bench):
    first = write(bench, add_job, make_job(bench, "key"), 0)
    write(bench, repository.fail_job, first, "broken", 1)

    second = write(bench, add_job, make_job(bench, "key"), 2)

    assert first != second
    assert write(bench, find_running_job, "key").id == second


def test_a_finished_job_keeps_its_key(bench):
    first = write(bench, add_job, make_job(bench, "key"), 0)
    write(bench, repository.claim_job, first, FIRST, 1)
    write(bench, repository.finish_job, first, FIRST, {"type": "SAMPLING"}, 2)

    assert write(bench, add_job, make_job(bench, "key"), 3) == first
    assert write(bench, find_running_job, "key") is None


def test_a_later_claim_takes_the_job_from_an_earlier_one(bench):
    job_id = write(bench, add_job, make_job(bench), 0)
    write(bench, repository.claim_job, job_id, FIRST, 1)
    write(bench, repository.claim_job, job_id, SECOND, 2)

    write(bench, repository.finish_job, job_id, FIRST, {"type": "SAMPLING"}, 3)
    is_held = write(bench, repository.touch_claim, job_id, FIRST, 3)
    is_failed = write(bench, repository.fail_job, job_id, "late", 3, claim_token=FIRST)

    assert (is_held, is_failed) == (False, False)
    job = bench.find_job(job_id)
    assert (job.status, job.attempts) == ("RUNNING", 2)


def test_a_job_that_has_ended_cannot_be_claimed(bench):
    job_id = write(bench, add_job, make_job(bench), 0)
    write(bench, repository.fail_job, job_id, "broken", 1)

    assert write(bench, repository.claim_job, job_id, FIRST, 2) is None
    assert write(bench, repository.fail_job, job_id, "again", 3) is False
    assert bench.find_job(job_id).error == "broken"


def test_a_job_that_is_handed_back_waits_as_if_never_begun(bench):
    job_id = write(bench, add_job, make_job(bench), 0)
    write(bench, repository.claim_job, job_id, FIRST, 1)

    write(bench, repository.release_job, job_id, FIRST, 2)

    job = bench.find_job(job_id)
    assert (job.status, job.attempts) == ("WAITING", 0)


def test_the_lease_of_a_process_is_measured_by_the_databases_own_clock(bench):
    assert write(bench, repository.extend_executor, FIRST, 60_000) is False
    assert write(bench, repository.extend_executor, FIRST, 60_000) is True
    write(bench, repository.extend_executor, SECOND, -1)

    assert write(bench, repository.list_living_executors) == {FIRST}
