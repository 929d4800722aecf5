"""Background jobs are done once, whatever ends the server or the task in the middle of them."""

from __future__ import annotations

import os
import signal
import time
from pathlib import Path

import numpy as np
import pytest

from tests.support.embedded_datasets import make_remote_embedded_dataset, read_tag, write_csv
from tests.support.fault_postgres import MovablePostgres
from tests.support.platforms import ServerProcess

VECTORS = np.arange(24, dtype=np.float32).reshape(6, 4)
WAIT_S = 120.0
LEASE_S = 4


@pytest.fixture
def start_server(tmp_path):
    """Return a function that starts a server on the test's data folder."""
    started = []

    def start(crash_points="", database_url=""):
        environment = {
            "LIGHTLY_TEST_CRASH_POINTS": crash_points,
            "LIGHTLY_SERVER_JOB_LEASE_S": str(LEASE_S),
        }
        server = ServerProcess(tmp_path / "data", database_url, environment)
        started.append(server)
        server.start()
        return server

    yield start
    for server in started:
        server.kill()


@pytest.fixture
def marker(tmp_path):
    return tmp_path / "marker"


def wait_for(condition):
    deadline = time.monotonic() + WAIT_S
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.05)


def go_on(marker):
    """End the pause of a task."""
    marker.with_name(f"{marker.name}.go").touch()


def list_children(pid):
    tasks = Path(f"/proc/{pid}/task").glob("*/children")
    return [int(child) for task in tasks for child in task.read_text().split()]


def is_running(pid):
    try:
        # A killed process is a zombie until the test's own parent has noticed.
        return Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] != "Z"
    except FileNotFoundError:
        return False


def kill_with_tasks(server):
    """End a server as a crash would; its tasks must end by themselves."""
    tasks = list_children(server.pid)
    assert tasks
    server.kill()
    wait_for(lambda: not any(is_running(task) for task in tasks))


def list_files(tmp_path, pattern):
    return list((tmp_path / "data" / "blobs").rglob(pattern))


def list_tag_names(dataset):
    return sorted(tag["name"] for tag in dataset.client.get(f"{dataset.path}/tags").json())


def test_a_csv_that_was_being_read_is_read_after_the_restart(start_server, marker, tmp_path):
    server = start_server(f"ingest.block_written=pause:{marker}")
    dataset = make_remote_embedded_dataset(server)
    dataset.upload_csv(write_csv(dataset.names, VECTORS))
    wait_for(marker.exists)

    kill_with_tasks(server)
    assert list_files(tmp_path, "vectors-*") == []
    server.start()

    [job] = dataset.wait_for_jobs("EMBEDDING")
    assert job["status"] == "FINISHED"
    assert [item["isProcessed"] for item in dataset.list_embeddings()] == [True]
    assert len(list_files(tmp_path, "vectors-*")) == 1


@pytest.mark.parametrize("place", ["sampling.before_commit", "sampling.after_commit"])
def test_a_selection_makes_one_tag_wherever_the_server_is_killed(start_server, marker, place):
    server = start_server(f"{place}=pause:{marker}")
    dataset = make_remote_embedded_dataset(server)
    _, embedding_id = dataset.begin_upload()
    job_id = dataset.request_sampling(embedding_id, "RANDOM", nSamples=2).json()["jobId"]
    wait_for(marker.exists)

    kill_with_tasks(server)
    server.start()

    job = dataset.wait_for_job(job_id)
    assert job["status"] == "FINISHED"
    assert list_tag_names(dataset) == ["initial-tag", "picked"]
    tag = dataset.client.get(f"{dataset.path}/tags/{job['result']['data']}").json()
    assert len(read_tag(tag)) == 2


def test_a_projection_is_made_once_after_the_restart(start_server, marker):
    server = start_server(f"projection.before_commit=pause:{marker}")
    dataset = make_remote_embedded_dataset(server)
    embedding_id = dataset.upload(VECTORS)
    wait_for(marker.exists)

    kill_with_tasks(server)
    server.start()

    [job] = dataset.wait_for_jobs("EMBEDDINGS2D")
    assert job["status"] == "FINISHED"
    path = f"{dataset.embedding_path(embedding_id)}/2d"
    assert len(dataset.client.get(path).json()) == 1


def test_a_job_that_was_acknowledged_but_not_begun_is_done_after_the_restart(start_server, marker):
    server = start_server(f"dispatcher.before_enqueue=kill:{marker}")
    dataset = make_remote_embedded_dataset(server)
    _, embedding_id = dataset.begin_upload()
    job_id = dataset.request_sampling(embedding_id, "RANDOM", nSamples=2).json()["jobId"]
    wait_for(lambda: not is_running(server.pid))
    server.kill()

    server.start()

    assert dataset.wait_for_job(job_id)["status"] == "FINISHED"


def test_a_server_that_is_asked_to_stop_hands_its_jobs_back(start_server, marker, tmp_path):
    server = start_server(f"ingest.block_written=pause:{marker}")
    dataset = make_remote_embedded_dataset(server)
    dataset.upload_csv(write_csv(dataset.names, VECTORS))
    wait_for(marker.exists)
    tasks = list_children(server.pid)
    began = time.monotonic()

    server.stop()

    assert time.monotonic() - began < 15
    assert not any(is_running(task) for task in tasks)
    assert list_files(tmp_path, ".part-*") == []
    assert "Traceback" not in server.read_log()
    server.start()
    assert dataset.wait_for_jobs("EMBEDDING")[0]["status"] == "FINISHED"


def test_a_task_that_crashes_once_is_tried_again(start_server, marker):
    server = start_server(f"sampling.before_commit=kill:{marker}")
    dataset = make_remote_embedded_dataset(server)
    _, embedding_id = dataset.begin_upload()

    tag = dataset.select(embedding_id, "RANDOM", nSamples=2)

    assert marker.exists()
    assert (tag["name"], list_tag_names(dataset)) == ("picked", ["initial-tag", "picked"])


def test_a_task_that_always_crashes_fails_with_a_reason_and_frees_its_name(start_server, marker):
    server = start_server(f"sampling.before_commit=kill:{marker}*")
    dataset = make_remote_embedded_dataset(server)
    _, embedding_id = dataset.begin_upload()

    job_id = dataset.request_sampling(embedding_id, "RANDOM", nSamples=2).json()["jobId"]
    job = dataset.wait_for_job(job_id)

    assert job["status"] == "FAILED"
    assert job["error"] == (
        "The task was killed, most likely because the machine ran out of memory. "
        "This happened in each of 3 attempts."
    )
    assert list_tag_names(dataset) == ["initial-tag"]
    again = dataset.request_sampling(embedding_id, "RANDOM", nSamples=2)
    assert again.json()["jobId"] != job_id


def test_a_job_that_takes_the_server_down_each_time_fails_with_a_reason(start_server, marker):
    server = start_server(f"sampling.before_commit=pause:{marker}*")
    dataset = make_remote_embedded_dataset(server)
    _, embedding_id = dataset.begin_upload()
    job_id = dataset.request_sampling(embedding_id, "RANDOM", nSamples=2).json()["jobId"]

    for _ in range(3):
        wait_for(marker.exists)
        kill_with_tasks(server)
        marker.unlink()
        server.start()

    job = dataset.wait_for_job(job_id)
    assert (job["status"], job["error"]) == (
        "FAILED",
        "The server ended during each of 3 attempts.",
    )


def test_a_full_disk_fails_the_job_with_that_reason_and_leaves_no_half_file(
    start_server, marker, tmp_path
):
    server = start_server(f"ingest.block_written=disk_full:{marker}")
    dataset = make_remote_embedded_dataset(server)
    embedding_id = dataset.upload_csv(write_csv(dataset.names, VECTORS))

    [job] = dataset.wait_for_jobs("EMBEDDING")

    assert (job["status"], "disk is full" in job["error"]) == ("FAILED", True)
    assert list_files(tmp_path, "vectors-*") == list_files(tmp_path, ".part-*") == []
    assert dataset.list_embeddings()[0]["isProcessed"] is False
    # Once there is space the same CSV is read after all.
    tag = dataset.select(embedding_id, "CORESET", nSamples=2)
    assert read_tag(tag) == [0, 5]


@pytest.fixture
def postgres():
    server = MovablePostgres()
    yield server
    server.stop()


@pytest.mark.postgres
def test_a_database_that_goes_away_delays_a_job_and_nothing_more(start_server, marker, postgres):
    server = start_server(
        f"sampling.before_commit=pause:{marker}", postgres.make_database("outage")
    )
    dataset = make_remote_embedded_dataset(server)
    _, embedding_id = dataset.begin_upload()
    job_id = dataset.request_sampling(embedding_id, "RANDOM", nSamples=2).json()["jobId"]
    wait_for(marker.exists)

    postgres.take_away()
    go_on(marker)
    time.sleep(3)
    postgres.bring_back()

    assert dataset.wait_for_job(job_id)["status"] == "FINISHED"
    assert list_tag_names(dataset) == ["initial-tag", "picked"]
    # Every message once, however long the outage: the log must not fill the disk.
    assert server.read_log().count("the database does not answer; trying again") <= 1


@pytest.mark.postgres
def test_jobs_of_a_server_that_never_comes_back_are_done_by_another(
    start_server, marker, make_database_url
):
    url = make_database_url("postgres")
    lost = start_server(f"sampling.before_commit=pause:{marker}", url)
    dataset = make_remote_embedded_dataset(lost)
    _, embedding_id = dataset.begin_upload()
    job_id = dataset.request_sampling(embedding_id, "RANDOM", nSamples=2).json()["jobId"]
    wait_for(marker.exists)
    other = start_server("", url)
    dataset_there = make_remote_embedded_dataset(other)

    kill_with_tasks(lost)

    job = dataset_there.wait_for_job(job_id)
    assert job["status"] == "FINISHED"
    tags = dataset_there.client.get(f"{dataset.path}/tags").json()
    assert sorted(tag["name"] for tag in tags) == ["initial-tag", "picked"]


@pytest.mark.postgres
def test_the_late_result_of_a_server_that_was_taken_for_dead_is_dropped(
    start_server, marker, make_database_url
):
    url = make_database_url("postgres")
    frozen = start_server(f"sampling.before_commit=pause:{marker}", url)
    dataset = make_remote_embedded_dataset(frozen)
    _, embedding_id = dataset.begin_upload()
    job_id = dataset.request_sampling(embedding_id, "RANDOM", nSamples=2).json()["jobId"]
    wait_for(marker.exists)
    tasks = list_children(frozen.pid)
    os.kill(frozen.pid, signal.SIGSTOP)
    other = start_server("", url)
    dataset_there = make_remote_embedded_dataset(other)
    first = dataset_there.wait_for_job(job_id)

    # The task of the frozen server goes on and finds its claim lost; then the server wakes up.
    go_on(marker)
    wait_for(lambda: "was taken over by another server" in frozen.read_log())
    os.kill(frozen.pid, signal.SIGCONT)
    wait_for(lambda: "was taken for dead" in frozen.read_log())

    assert tasks
    assert dataset_there.wait_for_job(job_id) == first
    tags = dataset_there.client.get(f"{dataset.path}/tags").json()
    assert sorted(tag["name"] for tag in tags) == ["initial-tag", "picked"]
