"""Selections that are cancelled or killed in the middle leave all or nothing behind."""

from __future__ import annotations

import time

import numpy as np
import pytest

from tests.support.embedded_datasets import make_remote_embedded_dataset
from tests.support.extension import check_schema
from tests.support.platforms import ServerProcess

N_SAMPLES = 6_000
#: Takes some seconds.
N_PICKS = 4_000
WAIT_S = 120.0
#: Each pick measures all samples: minutes of work.
SLOW = [{"type": "DIVERSITY", "strength": -1}, {"type": "RANDOM"}]


@pytest.fixture
def start_server(tmp_path):
    """Return a function that starts a server on the test's data folder."""
    started = []

    def start(crash_points=""):
        environment = {"LIGHTLY_TEST_CRASH_POINTS": crash_points}
        server = ServerProcess(tmp_path / "data", "", environment)
        started.append(server)
        server.start()
        return server

    yield start
    for server in started:
        server.kill()


def wait_for(condition):
    deadline = time.monotonic() + WAIT_S
    while not (found := condition()):
        assert time.monotonic() < deadline
        time.sleep(0.05)
    return found


def make_large_dataset(server):
    dataset = make_remote_embedded_dataset(server, N_SAMPLES)
    dataset.upload(np.random.default_rng(0).normal(size=(N_SAMPLES, 64)))
    return dataset


def begin(dataset, name="slow one", strategies=SLOW, **more):
    body = {"newTagName": name, "strategies": strategies, **more}
    response = dataset.client.post(f"/ext/v1/datasets/{dataset.id}/selection", json=body)
    assert response.status_code == 200, response.text
    return response.json()["jobId"]


def wait_for_progress(dataset, job_id, *, beyond=0):
    """Wait until a selection has made more picks than so many; return how far it is."""

    def read():
        details = dataset.client.get(f"/ext/v1/jobs/{job_id}").json()
        check_schema(details, "JobDetails")
        progress = details["progress"]
        return progress if progress and progress["processed"] > beyond else None

    return wait_for(read)


def list_tag_names(dataset):
    return sorted(tag["name"] for tag in dataset.client.get(f"{dataset.path}/tags").json())


def test_a_running_selection_tells_its_progress_and_stops_soon_after_it_is_cancelled(start_server):
    server = start_server()
    dataset = make_large_dataset(server)
    job_id = begin(dataset)
    early = wait_for_progress(dataset, job_id)
    progress = wait_for_progress(dataset, job_id, beyond=early["processed"])

    cancelled = dataset.client.put(f"/ext/v1/jobs/{job_id}/cancel")
    began = time.monotonic()
    job = dataset.client.get(f"/v1/jobs/{job_id}").json()
    wait_for(lambda: "was cancelled or was taken over" in server.read_log())
    stopped_s = time.monotonic() - began

    assert progress["stage"] == "SELECTING"
    assert early["processed"] < progress["processed"] < progress["total"] == N_SAMPLES
    assert cancelled.status_code == 204
    assert (job["status"], job["error"]) == ("FAILED", "The job was cancelled.")
    # Twice a second it looks; the machine may be busy.
    assert stopped_s < 5
    assert list_tag_names(dataset) == ["initial-tag"]
    assert dataset.client.put(f"/ext/v1/jobs/{job_id}/cancel").status_code == 204
    # The name is free for another one.
    again = begin(dataset, strategies=[{"type": "DIVERSITY"}], nSamples=3)
    assert dataset.wait_for_job(again)["status"] == "FINISHED"


def test_a_server_that_is_killed_in_the_middle_of_a_selection_begins_it_again(start_server):
    server = start_server()
    dataset = make_large_dataset(server)
    job_id = begin(dataset, nSamples=N_PICKS)
    wait_for_progress(dataset, job_id)

    server.kill()
    server.start()

    job = dataset.wait_for_job(job_id)
    assert job["status"] == "FINISHED"
    assert list_tag_names(dataset) == ["initial-tag", "slow one"]
    report = dataset.client.get(f"/ext/v1/jobs/{job_id}/report").json()
    assert (report["nPicked"], report["tagId"]) == (N_PICKS, job["result"]["data"])


def test_a_report_that_was_being_written_is_written_once(start_server, tmp_path):
    marker = tmp_path / "marker"
    server = start_server(f"sampling.report_written=kill:{marker}")
    dataset = make_remote_embedded_dataset(server)
    dataset.upload(np.arange(24).reshape(6, 4))

    job_id = begin(dataset, strategies=[{"type": "DIVERSITY"}], nSamples=2)
    job = dataset.wait_for_job(job_id)

    assert marker.exists()
    assert job["status"] == "FINISHED"
    assert list_tag_names(dataset) == ["initial-tag", "slow one"]
    path = f"/ext/v1/datasets/{dataset.id}/tags/{job['result']['data']}/selectionReport"
    content = dataset.client.get(f"{path}/columns/picks").content
    assert np.frombuffer(content, dtype="<i8").tolist() == [0, 5]
    assert dataset.client.get(f"/ext/v1/jobs/{job_id}").json()["attempts"] == 2
