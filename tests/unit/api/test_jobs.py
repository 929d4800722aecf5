"""Waiting for a job of the server."""

import json

import pytest
from requests.adapters import BaseAdapter

from lightly.api.errors import JobFailed
from lightly.api.jobs import MAX_POLL_S, MIN_POLL_S, wait_for_job
from lightly.api.transport import Transport
from tests.support.sdk import ScriptedAdapter, make_json_response, make_response, make_settings

JOB = "0123456789abcdef01234567"


def make_job(status: str, wait_s: int = 2, **more: object):
    job = {"id": JOB, "status": status, "waitTimeTillNextPoll": wait_s, "createdAt": 1, **more}
    return make_json_response(json.dumps(job))


def wait(adapter: BaseAdapter, waits: list[float]):
    transport = Transport(
        "http://server", "TOKEN", settings=make_settings(waits.append), make_adapter=lambda: adapter
    )
    return wait_for_job(transport, JOB, title="Selection mine")


@pytest.mark.parametrize("unfinished", ["UNKNOWN", "WAITING", "RUNNING"])
def test_a_job_is_asked_about_until_it_has_finished(unfinished):
    waits: list[float] = []
    result = {"type": "SAMPLING", "data": "tag"}
    adapter = ScriptedAdapter(
        [make_job(unfinished, 3), make_job(unfinished, 5), make_job("FINISHED", result=result)]
    )

    job = wait(adapter, waits)

    assert job.result is not None
    assert (job.result.data, waits) == ("tag", [3, 5])


@pytest.mark.parametrize(("asked_s", "expected_s"), [(0, MIN_POLL_S), (10_000, MAX_POLL_S)])
def test_waits_are_neither_busy_nor_endless(asked_s, expected_s):
    waits: list[float] = []

    wait(ScriptedAdapter([make_job("RUNNING", asked_s), make_job("FINISHED")]), waits)

    assert waits == [expected_s]


def test_a_failed_job_gives_its_reason():
    adapter = ScriptedAdapter([make_job("FAILED", error="No scores.")])

    with pytest.raises(JobFailed, match=r"Selection mine failed: No scores\."):
        wait(adapter, [])


def test_a_server_that_restarts_does_not_end_the_wait():
    adapter = ScriptedAdapter(
        [make_job("RUNNING"), *[make_response(503)] * 9, make_job("FINISHED")]
    )

    assert wait(adapter, []).status == "FINISHED"
