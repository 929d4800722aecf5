"""Scheduled runs: who may take what, in which order, and what may become of them."""

from __future__ import annotations

import pytest

from tests.support.contract import ContractClient
from tests.support.run_queue import RunQueue


@pytest.fixture
def queue(server):
    return RunQueue(ContractClient(server.client))


def list_for_worker(queue, worker_id, **query):
    response = queue.client.get(f"/v1/docker/worker/{worker_id}/schedule", params=query)
    return [entry["id"] for entry in response.json()]


def list_for_labels(queue, **query):
    response = queue.client.get("/v1/docker/worker/schedule", params=query)
    return [entry["id"] for entry in response.json()]


def test_a_new_entry_is_open_and_says_what_was_asked_for(queue):
    dataset_id = queue.add_dataset()

    scheduled_id = queue.schedule(dataset_id, "HIGH", ["gpu", "berlin", "gpu"])

    (entry,) = queue.list_schedules(dataset_id)
    assert entry["id"] == scheduled_id
    assert entry["datasetId"] == dataset_id
    assert (entry["state"], entry["priority"]) == ("OPEN", "HIGH")
    assert entry["runsOn"] == ["berlin", "gpu"]
    assert "creator" not in entry


def test_without_labels_runs_on_is_empty(queue):
    dataset_id = queue.add_dataset()
    queue.schedule(dataset_id)

    assert queue.list_schedules(dataset_id)[0]["runsOn"] == []


def test_an_unknown_configuration_is_refused(queue):
    dataset_id = queue.add_dataset()
    body = {"configId": "a" * 24, "priority": "MID"}

    response = queue.client.post(f"/v1/datasets/{dataset_id}/docker/worker/schedule", json=body)

    assert (response.status_code, response.json()["code"]) == (404, "DOCKER_WORKER_CONFIG_UNKNOWN")


def test_lists_of_a_dataset_leave_out_what_is_closed_unless_asked(queue):
    dataset_id, worker_id = queue.add_dataset(), queue.add_worker()
    done, canceled, locked, waiting = (queue.schedule(dataset_id) for _ in range(4))
    queue.put_schedule(dataset_id, worker_id, done, "LOCKED")
    queue.put_schedule(dataset_id, worker_id, done, "DONE")
    queue.put_schedule(dataset_id, worker_id, canceled, "CANCELED")
    queue.put_schedule(dataset_id, worker_id, locked, "LOCKED")

    def list_ids(**query):
        return [entry["id"] for entry in queue.list_schedules(dataset_id, **query)]

    assert list_ids() == [locked, waiting]
    assert list_ids(state="DONE") == [done]
    assert list_ids(states=["CANCELED", "OPEN"]) == [canceled, waiting]


def test_higher_priority_goes_first_then_age(queue):
    wanted = ["LOW", "MID", "HIGH", "CRITICAL", "MID"]
    low, mid, high, critical, later = (queue.schedule(queue.add_dataset(), p) for p in wanted)

    found = list_for_worker(queue, queue.add_worker())

    assert found == [critical, high, mid, later, low]


@pytest.mark.parametrize(
    ("labels", "fits"),
    [
        ([], False),
        (["gpu"], False),
        (["berlin", "gpu"], True),
        (["gpu", "fast", "berlin"], True),
    ],
)
def test_a_worker_needs_all_labels_of_a_run(queue, labels, fits):
    anywhere = queue.schedule(queue.add_dataset())
    special = queue.schedule(queue.add_dataset(), runs_on=["gpu", "berlin"])
    expected = [anywhere, special] if fits else [anywhere]

    assert list_for_worker(queue, queue.add_worker(labels)) == expected
    assert list_for_labels(queue, labels=labels) == expected


def test_a_run_hides_while_another_one_of_its_dataset_is_locked(queue):
    dataset_id, worker_id = queue.add_dataset(), queue.add_worker()
    first, second = queue.schedule(dataset_id), queue.schedule(dataset_id)
    queue.put_schedule(dataset_id, worker_id, first, "LOCKED")

    assert list_for_worker(queue, worker_id) == []
    assert list_for_labels(queue) == []
    assert list_for_labels(queue, includeUnlockableRuns=True) == [second]


def test_versions_of_configurations_filter_polls(queue):
    old = queue.schedule(queue.add_dataset(), version="V3")
    new = queue.schedule(queue.add_dataset(), version="V4")

    assert list_for_labels(queue, version="V3") == [old]
    assert list_for_labels(queue, version="*") == [old, new]
    assert list_for_labels(queue) == [old, new]


def test_a_worker_sees_what_it_has_locked(queue):
    dataset_id, worker_id = queue.add_dataset(), queue.add_worker()
    scheduled_id = queue.schedule(dataset_id)
    queue.put_schedule(dataset_id, worker_id, scheduled_id, "LOCKED")

    assert list_for_worker(queue, worker_id, state="LOCKED") == [scheduled_id]
    assert list_for_worker(queue, queue.add_worker(), state="LOCKED") == []


def test_a_dataset_can_have_one_locked_run_only(queue):
    dataset_id, worker_id = queue.add_dataset(), queue.add_worker()
    first, second = queue.schedule(dataset_id), queue.schedule(dataset_id)
    queue.put_schedule(dataset_id, worker_id, first, "LOCKED")

    response = queue.put_schedule(dataset_id, worker_id, second, "LOCKED")

    assert (response.status_code, response.json()["code"]) == (
        409,
        "DOCKER_WORKER_SCHEDULE_UPDATE_FAILED",
    )
    assert queue.find_schedule(dataset_id, second)["state"] == "OPEN"


def test_a_worker_without_the_labels_cannot_lock(queue):
    dataset_id = queue.add_dataset()
    scheduled_id = queue.schedule(dataset_id, runs_on=["gpu"])

    response = queue.put_schedule(dataset_id, queue.add_worker(), scheduled_id, "LOCKED")

    assert response.status_code == 409
    assert "runsOn" in response.json()["error"]


@pytest.mark.parametrize(
    ("path", "refused"),
    [
        ([], ["DONE"]),
        (["LOCKED"], ["LOCKED", "CANCELED"]),
        (["LOCKED", "OPEN", "LOCKED"], ["LOCKED"]),
        (["LOCKED", "DONE", "DONE"], ["OPEN", "LOCKED", "CANCELED"]),
        (["CANCELED"], ["OPEN", "LOCKED", "DONE", "CANCELED"]),
    ],
)
def test_states_change_as_documented_and_not_otherwise(queue, path, refused):
    dataset_id, worker_id = queue.add_dataset(), queue.add_worker()
    scheduled_id = queue.schedule(dataset_id)

    def put(state):
        return queue.put_schedule(dataset_id, worker_id, scheduled_id, state).status_code

    assert [put(state) for state in path] == [204] * len(path)
    state = queue.find_schedule(dataset_id, scheduled_id)["state"]
    assert [put(target) for target in refused] == [409] * len(refused)
    assert queue.find_schedule(dataset_id, scheduled_id)["state"] == state


def test_only_the_worker_that_locked_it_hands_a_run_back(queue):
    dataset_id, worker_id = queue.add_dataset(), queue.add_worker()
    scheduled_id = queue.schedule(dataset_id)
    queue.put_schedule(dataset_id, worker_id, scheduled_id, "LOCKED")

    response = queue.put_schedule(dataset_id, queue.add_worker(), scheduled_id, "OPEN")

    assert response.status_code == 409
    assert queue.find_schedule(dataset_id, scheduled_id)["state"] == "LOCKED"


def test_priority_and_labels_change_while_a_run_is_open(queue):
    dataset_id, worker_id = queue.add_dataset(), queue.add_worker(["gpu"])
    scheduled_id = queue.schedule(dataset_id)
    change = {"priority": "CRITICAL", "runsOn": ["gpu"]}

    assert queue.put_schedule(dataset_id, worker_id, scheduled_id, "OPEN", **change).is_success
    entry = queue.find_schedule(dataset_id, scheduled_id)
    queue.put_schedule(dataset_id, worker_id, scheduled_id, "LOCKED")
    late = queue.put_schedule(dataset_id, worker_id, scheduled_id, "DONE", priority="LOW")

    assert (entry["priority"], entry["runsOn"]) == ("CRITICAL", ["gpu"])
    assert late.status_code == 409


def test_only_what_is_open_can_be_cancelled(queue):
    dataset_id, worker_id = queue.add_dataset(), queue.add_worker()
    waiting, locked = queue.schedule(dataset_id), queue.schedule(dataset_id)
    queue.put_schedule(dataset_id, worker_id, locked, "LOCKED")
    url = f"/v1/datasets/{dataset_id}/docker/worker/schedule"

    cancelled = queue.client.put(f"{url}/{waiting}")
    refused = queue.client.put(f"{url}/{locked}", json={})

    assert (cancelled.status_code, refused.status_code) == (204, 409)
    assert refused.json()["code"] == "DOCKER_WORKER_SCHEDULE_UPDATE_FAILED"
    assert [entry["id"] for entry in queue.list_schedules(dataset_id)] == [locked]


def test_too_many_labels_are_refused(queue):
    dataset_id = queue.add_dataset()
    body = {"configId": queue.add_config(), "priority": "MID"}
    url = f"/v1/datasets/{dataset_id}/docker/worker/schedule"

    fits = queue.client.post(url, json=body | {"runsOn": ["x" * 1996]})
    too_long = queue.client.post(url, json=body | {"runsOn": ["x" * 1997]})

    assert (fits.status_code, too_long.status_code) == (201, 400)


def test_deleting_the_dataset_takes_its_runs_out_of_the_queue(queue):
    dataset_id = queue.add_dataset()
    queue.schedule(dataset_id)
    worker_id = queue.add_worker()

    assert queue.client.delete(f"/v1/datasets/{dataset_id}").status_code == 204

    assert list_for_worker(queue, worker_id) == []
