"""Leases of our own workers: one run, one holder; who lost it changes nothing (T40, T41, T42)."""

from __future__ import annotations

import pytest

from lightly.server.runs.sweep import sweep_leases
from tests.support.run_queue import RunQueue, age_leases

LEASE_S = 45


@pytest.fixture
def queue(server):
    return RunQueue(server.client)


@pytest.fixture
def dataset_id(queue):
    return queue.add_dataset()


@pytest.fixture
def worker(queue):
    return queue.start_worker()


@pytest.fixture
def scheduled_id(queue, dataset_id):
    return queue.schedule(dataset_id)


def expire(server):
    age_leases(server.platform, LEASE_S + 1)
    return sweep_leases(server.platform.database, server.platform.settings)


def test_a_claim_locks_the_schedule_and_begins_the_run(
    server, queue, worker, dataset_id, scheduled_id
):
    claim = worker.claim()

    assert (claim["scheduledId"], claim["datasetId"]) == (scheduled_id, dataset_id)
    assert (claim["attempt"], claim["leaseSeconds"]) == (1, LEASE_S)
    assert claim["serverUrl"] == server.platform.settings.base_url
    run = queue.client.get(f"/v1/docker/runs/schedule/{scheduled_id}").json()
    assert (run["id"], run["state"]) == (claim["runId"], "STARTED")
    assert queue.find_schedule(dataset_id, scheduled_id)["state"] == "LOCKED"


def test_without_work_there_is_nothing_to_claim(worker):
    assert worker.claim() is None


def test_a_lost_answer_is_given_again(worker, scheduled_id):
    assert worker.claim() == worker.claim()


def test_labels_and_versions_decide_who_gets_a_run(queue):
    queue.schedule(queue.add_dataset(), runs_on=["gpu"], version="V3")
    plain, special = queue.start_worker(), queue.start_worker(["gpu"])

    assert plain.claim() is None
    assert special.claim(versions=["V4"]) is None
    assert special.claim(versions=["V3", "V4"]) is not None


def test_one_dataset_has_one_run_at_a_time(queue, dataset_id, worker, scheduled_id):
    queue.schedule(dataset_id)
    claim = worker.claim()
    other = queue.start_worker()

    assert other.claim() is None
    worker.finish(claim)
    assert other.claim()["scheduledId"] != scheduled_id


def test_a_sign_of_life_carries_state_message_and_progress(queue, worker, scheduled_id):
    claim = worker.claim()
    progress = {"processed": 3, "total": 10}

    answer = worker.beat(claim, state="EMBEDDING", message="on it", progress=progress)

    assert answer.json() == {"leaseSeconds": LEASE_S, "isStopRequested": False}
    run = queue.get_run(claim["runId"])
    assert (run["state"], run["message"]) == ("EMBEDDING", "on it")
    details = queue.client.get(f"/ext/v1/runs/{claim['runId']}").json()
    assert details["progress"] == progress
    assert details["workerId"] == worker.worker_id


def test_signs_of_life_keep_the_lease(server, worker, scheduled_id):
    claim = worker.claim()
    for _ in range(3):
        age_leases(server.platform, LEASE_S - 5)
        assert worker.beat(claim).status_code == 200
        assert sweep_leases(server.platform.database, server.platform.settings) == 0


@pytest.mark.parametrize("state", ["COMPLETED", "FAILED", "CRASHED", "ABORTED"])
def test_finishing_ends_run_and_schedule_and_can_be_repeated(
    queue, worker, dataset_id, scheduled_id, state
):
    claim = worker.claim()

    answers = [worker.finish(claim, state, message="so it is") for _ in range(2)]

    assert [answer.status_code for answer in answers] == [204, 204]
    run = queue.get_run(claim["runId"])
    assert (run["state"], run["message"]) == (state, "so it is")
    assert queue.find_schedule(dataset_id, scheduled_id)["state"] == "DONE"
    assert worker.finish(claim, "FAILED" if state != "FAILED" else "ABORTED").status_code == 409


def test_a_run_that_was_handed_back_goes_to_the_next_worker(queue, worker, scheduled_id):
    first = worker.claim()
    worker.beat(first, state="SAMPLING")

    assert worker.release(first).status_code == 204

    second = queue.start_worker().claim()
    assert (second["runId"], second["attempt"]) == (first["runId"], 1)
    assert second["lease"] != first["lease"]
    assert queue.get_run(first["runId"])["state"] == "STARTED"


def test_a_vanished_workers_run_is_tried_again_and_then_given_up(
    server, queue, dataset_id, scheduled_id
):
    attempts = []
    for _ in range(3):
        worker = queue.start_worker()
        claim = worker.claim()
        attempts.append(claim["attempt"])
        worker.beat(claim, state="EMBEDDING", progress={"processed": 7})
        assert expire(server) == 1

    assert attempts == [1, 2, 3]
    run = queue.get_run(claim["runId"])
    assert run["state"] == "CRASHED"
    for fact in (worker.worker_id, "EMBEDDING", "attempt 3 of 3", '"processed":7', "45 s"):
        assert fact in run["message"]
    assert queue.find_schedule(dataset_id, scheduled_id)["state"] == "DONE"
    assert queue.start_worker().claim() is None


def test_a_waiting_attempt_says_why_it_waits(server, queue, worker, scheduled_id):
    claim = worker.claim()
    expire(server)

    run = queue.get_run(claim["runId"])
    assert run["state"] == "STARTED"
    assert "vanished" in run["message"]
    assert "Another worker will take it" in run["message"]


def test_a_second_sweep_changes_nothing(server, queue, worker, scheduled_id):
    claim = worker.claim()
    expire(server)
    before = queue.get_run(claim["runId"])

    assert sweep_leases(server.platform.database, server.platform.settings) == 0
    assert queue.get_run(claim["runId"]) == before


def test_who_lost_the_lease_changes_nothing(server, queue, worker, dataset_id, scheduled_id):
    samples = {"samples": [{"fileName": "a.jpg"}]}
    bulk = f"/ext/v1/datasets/{dataset_id}/samples/bulk"
    queue.client.post(bulk, json=samples)
    old = worker.claim()
    url = f"/v1/docker/runs/{old['runId']}"
    headers = {"Lightly-Lease": old["lease"]}
    body = {"fileName": "a.txt", "type": "LOG"}
    artifact = queue.client.post(f"{url}/artifacts", json=body, headers=headers).json()
    queue.client.put(artifact["signedWriteUrl"], content=b"x")
    expire(server)
    new = queue.start_worker().claim()
    before = queue.get_run(new["runId"]), queue.client.get(f"{url}/logs").json()
    entry = {"ts": 1, "level": "INFO", "group": "w", "msg": "late"}
    confirm = f"{url}/artifacts/{artifact['artifactId']}/confirmUpload"
    tag = {"imgType": "meta", "runId": old["runId"]}

    late = [
        worker.beat(old, state="SAMPLING"),
        worker.finish(old),
        worker.release(old),
        queue.client.put(url, json={"state": "FAILED"}, headers=headers),
        queue.client.put(f"{url}/logs", json=[entry], headers=headers),
        queue.client.post(f"{url}/artifacts", json=body, headers=headers),
        queue.client.put(confirm, headers=headers),
        queue.client.post(f"/v1/datasets/{dataset_id}/tags/initial", json=tag, headers=headers),
        queue.client.post(bulk, json={"samples": [{"fileName": "b.jpg"}]}, headers=headers),
        queue.client.get(f"{url}/writeReportUrl", headers=headers),
    ]

    assert [answer.status_code for answer in late] == [409] * len(late)
    assert (queue.get_run(new["runId"]), queue.client.get(f"{url}/logs").json()) == before
    assert queue.client.get(f"/v1/datasets/{dataset_id}/tags").json() == []
    assert queue.client.get(f"/v1/datasets/{dataset_id}").json()["nSamples"] == 1


def test_without_the_lease_nothing_is_written_in_the_name_of_a_held_run(
    queue, worker, dataset_id, scheduled_id
):
    claim = worker.claim()
    url = f"/v1/docker/runs/{claim['runId']}"
    tag = {"imgType": "meta", "runId": claim["runId"]}

    answers = [
        queue.client.put(url, json={"state": "FAILED"}),
        queue.client.put(f"{url}/logs", json=[]),
        queue.client.post(f"{url}/artifacts", json={"fileName": "a", "type": "LOG"}),
        queue.client.post(f"/v1/datasets/{dataset_id}/tags/initial", json=tag),
        queue.put_schedule(dataset_id, worker.worker_id, scheduled_id, "DONE"),
    ]

    assert [answer.status_code for answer in answers] == [409] * len(answers)
    assert worker.finish(claim).status_code == 204


def test_a_holder_writes_through_every_route(queue, worker, dataset_id, scheduled_id):
    claim = worker.claim()
    headers = {"Lightly-Lease": claim["lease"]}
    tag = {"imgType": "meta", "runId": claim["runId"]}
    tags = f"/v1/datasets/{dataset_id}/tags"

    made = queue.client.post(f"{tags}/initial", json=tag, headers=headers)

    assert made.status_code == 201
    found = queue.client.get(f"/v1/docker/runs/{claim['runId']}/tags").json()
    assert [entry["id"] for entry in found] == [made.json()["id"]]


@pytest.mark.parametrize("lease", ["", "x", "0" * 64, "0" * 63 + "G", "'; DROP TABLE runs"])
def test_a_lease_of_nothing_writes_nothing(queue, lease):
    headers = {"Lightly-Lease": lease}
    body = {"name": "should not be"}

    assert queue.client.post("/v1/datasets", json=body, headers=headers).status_code == 409
    assert queue.client.get("/v1/datasets", headers=headers).json() == []


def test_a_new_process_of_a_worker_fences_the_old_one(queue, worker, scheduled_id):
    old = worker.claim()

    successor = queue.start_worker(worker_id=worker.worker_id)

    new = successor.claim()
    assert (new["runId"], new["attempt"]) == (old["runId"], 2)
    assert worker.beat(old).status_code == 409
    body = {"workerId": worker.worker_id, "sessionId": worker.session_id, "dockerVersion": "3"}
    assert queue.client.post("/ext/v1/runs/claim", json=body).status_code == 409
    assert successor.finish(new).status_code == 204


def test_a_process_that_does_not_take_over_leaves_a_living_one_alone(queue, worker):
    url = f"/ext/v1/workers/{worker.worker_id}/sessions"

    response = queue.client.post(url, json={"takesOver": False})

    assert response.status_code == 409
    assert worker.claim() is None


def test_a_process_that_ends_hands_its_run_back(queue, worker, scheduled_id):
    claim = worker.claim()
    url = f"/ext/v1/workers/{worker.worker_id}/sessions/{worker.session_id}"

    assert queue.client.delete(url).status_code == 204

    assert queue.start_worker().claim()["attempt"] == claim["attempt"]
    assert queue.client.get(f"/v1/docker/worker/{worker.worker_id}").json()["state"] == "OFFLINE"


def test_stopping_reaches_the_worker_with_its_next_sign_of_life(queue, worker, scheduled_id):
    claim = worker.claim()
    url = f"/ext/v1/runs/{claim['runId']}/stop"

    assert [queue.client.put(url).status_code for _ in range(2)] == [204, 204]

    assert worker.beat(claim).json()["isStopRequested"] is True
    assert worker.finish(claim, "ABORTED").status_code == 204
    assert queue.get_run(claim["runId"])["state"] == "ABORTED"


def test_a_stopped_run_of_a_vanished_worker_is_ended_by_the_sweep(
    server, queue, worker, scheduled_id
):
    claim = worker.claim()
    queue.client.put(f"/ext/v1/runs/{claim['runId']}/stop")

    expire(server)

    run = queue.get_run(claim["runId"])
    assert run["state"] == "ABORTED"
    assert "stopped on request" in run["message"]


def test_a_stopped_run_that_is_handed_back_ends(queue, worker, scheduled_id):
    claim = worker.claim()
    queue.client.put(f"/ext/v1/runs/{claim['runId']}/stop")

    worker.release(claim)

    assert queue.get_run(claim["runId"])["state"] == "ABORTED"
    assert queue.start_worker().claim() is None


def test_what_nobody_would_see_stops_at_once(server, queue, worker, dataset_id, scheduled_id):
    waiting = worker.claim()
    expire(server)
    other_id = queue.add_dataset()
    contract = queue.begin_by_contract(other_id, queue.add_worker(), queue.schedule(other_id))

    for run_id in (waiting["runId"], contract):
        assert queue.client.put(f"/ext/v1/runs/{run_id}/stop").status_code == 204
        assert queue.get_run(run_id)["state"] == "ABORTED"
    assert queue.find_schedule(dataset_id, scheduled_id)["state"] == "DONE"


def test_a_run_that_is_over_cannot_be_stopped(queue, worker, scheduled_id):
    claim = worker.claim()
    worker.finish(claim)

    assert queue.client.put(f"/ext/v1/runs/{claim['runId']}/stop").status_code == 409
    assert queue.get_run(claim["runId"])["state"] == "COMPLETED"


def test_a_run_of_a_client_of_the_contract_is_never_tried_again(server, queue, dataset_id):
    worker_id, scheduled_id = queue.add_worker(), queue.schedule(dataset_id)
    run_id = queue.begin_by_contract(dataset_id, worker_id, scheduled_id)
    assert expire(server) == 0
    age_leases(server.platform, 3600)

    assert sweep_leases(server.platform.database, server.platform.settings) == 1

    assert queue.get_run(run_id)["state"] == "CRASHED"
    assert queue.client.put(f"/v1/docker/runs/{run_id}", json={"state": "SAMPLING"}).is_error


def test_what_is_said_of_a_run_is_the_sign_of_life_of_the_contract(server, queue, dataset_id):
    run_id = queue.begin_by_contract(dataset_id, queue.add_worker(), queue.schedule(dataset_id))
    age_leases(server.platform, 3590)
    queue.client.put(f"/v1/docker/runs/{run_id}", json={"state": "TRAINING"})
    age_leases(server.platform, 3590)

    assert sweep_leases(server.platform.database, server.platform.settings) == 0
    assert queue.get_run(run_id)["state"] == "TRAINING"


def test_a_schedule_locked_and_never_begun_is_free_again_then_given_up(
    server, queue, dataset_id, scheduled_id
):
    states = []
    for _ in range(3):
        queue.put_schedule(dataset_id, queue.add_worker(), scheduled_id, "LOCKED")
        age_leases(server.platform, 3601)
        sweep_leases(server.platform.database, server.platform.settings)
        states.append(queue.find_schedule(dataset_id, scheduled_id)["state"])

    assert states == ["OPEN", "OPEN", "DONE"]
    run = queue.client.get(f"/v1/docker/runs/schedule/{scheduled_id}").json()
    assert run["state"] == "CRASHED"
    assert "did not begin it" in run["message"]


def test_deleting_dataset_or_worker_ends_a_held_run(queue, worker, dataset_id, scheduled_id):
    first = worker.claim()
    queue.client.delete(f"/v1/datasets/{dataset_id}")
    queue.schedule(queue.add_dataset())
    second = worker.claim()
    queue.client.delete(f"/v1/docker/worker/{worker.worker_id}")

    for claim, reason in ((first, "dataset was deleted"), (second, "was deleted")):
        run = queue.get_run(claim["runId"])
        assert run["state"] == "ABORTED"
        assert reason in run["message"]
        assert worker.beat(claim).status_code == 409
