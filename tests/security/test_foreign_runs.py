"""Workers reach the runs of their owner and nobody else's (T41, T44)."""

from __future__ import annotations

import pytest

from tests.support.run_queue import RunQueue


@pytest.fixture
def alice(server):
    return RunQueue(server.add_user("alice@example.com"))


@pytest.fixture
def bob(server):
    return RunQueue(server.add_user("bob@example.com"))


def test_the_name_of_somebody_elses_worker_is_another_worker(alice, bob):
    assert alice.add_worker(name="worker one") != bob.add_worker(name="worker one")


def test_workers_get_no_runs_of_others(alice, bob):
    dataset_id = alice.add_dataset()
    scheduled_id = alice.schedule(dataset_id)
    worker = bob.start_worker()

    assert worker.claim() is None
    assert bob.client.get("/v1/docker/worker/schedule").json() == []
    assert bob.client.get(f"/v1/docker/worker/{worker.worker_id}/schedule").json() == []
    assert bob.put_schedule(dataset_id, worker.worker_id, scheduled_id, "LOCKED").status_code == 404
    assert alice.start_worker().claim() is not None


def test_runs_of_others_are_as_if_they_were_not_there(alice, bob):
    alice.schedule(alice.add_dataset())
    claim = alice.start_worker().claim()
    lease = {"Lightly-Lease": claim["lease"]}
    run = f"/v1/docker/runs/{claim['runId']}"
    ext = f"/ext/v1/runs/{claim['runId']}"

    answers = [
        bob.client.get(run),
        bob.client.get(f"{run}/logs"),
        bob.client.get(f"{run}/tags"),
        bob.client.get(f"/v1/docker/runs/schedule/{claim['scheduledId']}"),
        bob.client.get(ext),
        bob.client.put(f"{ext}/stop"),
        # Not even with the stolen token of its lease.
        bob.client.put(f"{ext}/heartbeat", json={}, headers=lease),
        bob.client.put(f"{ext}/finish", json={"state": "FAILED"}, headers=lease),
        bob.client.put(run, json={"state": "FAILED"}, headers=lease),
    ]

    assert {answer.status_code for answer in answers} == {404}
    assert bob.client.get("/v1/docker/runs").json() == []
    assert alice.get_run(claim["runId"])["state"] == "STARTED"


def test_a_tag_cannot_claim_to_be_of_somebody_elses_run(alice, bob):
    alice.schedule(alice.add_dataset())
    run_id = alice.start_worker().claim()["runId"]
    body = {"imgType": "meta", "runId": run_id}

    response = bob.client.post(f"/v1/datasets/{bob.add_dataset()}/tags/initial", json=body)

    assert (response.status_code, response.json()["code"]) == (404, "DOCKER_RUN_UNKNOWN")


def test_whoever_loses_a_dataset_loses_its_runs(alice, bob):
    dataset_id = alice.add_dataset()
    sharing = f"/v1/datasets/{dataset_id}/collaboration/access"
    body = {"accessType": "WRITE", "users": ["bob@example.com"], "teams": []}
    alice.client.post(sharing, json=body)
    bob.schedule(dataset_id)
    waiting = bob.schedule(dataset_id)
    worker = bob.start_worker()
    claim = worker.claim()

    alice.client.post(sharing, json=body | {"users": []})

    assert bob.client.get(f"/v1/docker/runs/{claim['runId']}").status_code == 404
    assert worker.beat(claim).status_code == 404
    assert bob.client.get("/v1/docker/runs").json() == []
    assert bob.start_worker().claim() is None
    assert waiting in {entry["id"] for entry in alice.list_schedules(dataset_id)}


def test_secrets_do_not_reach_the_message_or_log_of_a_run(alice):
    alice.schedule(alice.add_dataset())
    worker = alice.start_worker()
    claim = worker.claim()
    canary = "canary0123456789"

    worker.beat(claim, message=f"GET https://x/?token={canary} failed")
    worker.finish(claim, "FAILED", message=f"Authorization: Bearer {canary}")

    log = alice.client.get(f"/v1/docker/runs/{claim['runId']}/logs").text
    assert canary not in log + str(alice.get_run(claim["runId"]))
