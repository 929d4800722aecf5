"""The registry of compute workers as the contract wants it."""

from __future__ import annotations

import concurrent.futures
import dataclasses

import pytest

from lightly.server.workers.models import SILENT_AFTER_MS
from lightly.server.workers.service import MAX_LABELS, MAX_TEXT_CHARACTERS
from tests.support.contract import ContractClient

WORKERS = "/v1/docker/worker"
AGENT_1_4 = "Lightly/1.4.26 (Linux/6.1; x86_64; ;) python/3.11.4"
AGENT_1_5 = "Lightly/1.5.26 (Linux/6.1; x86_64; ;) python/3.11.4"


class LaterClock:
    """The clock of the server, set forward."""

    def __init__(self, clock, milliseconds):
        self._clock = clock
        self._milliseconds = milliseconds

    def now_ms(self):
        return self._clock.now_ms() + self._milliseconds


@pytest.fixture
def client(server):
    return ContractClient(server.client)


@pytest.fixture
def sqlite_client(sqlite_server):
    """For what no database can change."""
    return ContractClient(sqlite_server.client)


def register(client, name="my worker", **more):
    response = client.post(WORKERS, json={"name": name, "workerType": "FULL", **more})
    assert response.status_code == 201, response.text
    return response.json()["id"]


def report(client, worker_id, **body):
    response = client.put(f"{WORKERS}/{worker_id}", json=body)
    assert response.status_code == 204, response.text


def let_time_pass(server, milliseconds):
    later = dataclasses.replace(
        server.platform, clock=LaterClock(server.platform.clock, milliseconds)
    )
    server.client.app.state.platform = later


def test_a_user_has_no_workers_at_first(client):
    assert client.get(WORKERS).json() == []


def test_a_worker_reads_back_as_it_was_registered(client):
    worker_id = register(client, labels=["gpu", "berlin"], creator="USER_PIP", dockerVersion="2.6")

    worker = client.get(f"{WORKERS}/{worker_id}").json()

    assert worker.pop("createdAt") == worker.pop("lastModifiedAt")
    assert worker.pop("userId")
    assert worker == {
        "id": worker_id,
        "name": "my worker",
        "workerType": "FULL",
        "state": "OFFLINE",
        "labels": ["gpu", "berlin"],
        "dockerVersion": "2.6",
        "isDefault": False,
    }


def test_clients_up_to_1_2_register_by_name_alone(client):
    worker_id = register(client)

    (worker,) = client.get(WORKERS).json()

    assert (worker["id"], worker["labels"]) == (worker_id, [])
    assert "dockerVersion" not in worker


def test_a_name_again_is_the_same_worker_with_its_first_labels(client):
    first = register(client, labels=["gpu"])

    again = register(client, labels=["cpu"], dockerVersion="3")

    assert again == first
    (worker,) = client.get(WORKERS).json()
    assert worker["labels"] == ["gpu"]
    assert "dockerVersion" not in worker


def test_names_belong_to_their_owner(server, client):
    other = ContractClient(server.add_user("other@example.com"))

    assert register(other) != register(client)
    assert [worker["name"] for worker in other.get(WORKERS).json()] == ["my worker"]


def test_a_name_that_is_registered_many_times_at_once_is_one_worker(client):
    with concurrent.futures.ThreadPoolExecutor(8) as threads:
        ids = list(threads.map(lambda _: register(client), range(16)))

    assert len(set(ids)) == 1
    assert [worker["id"] for worker in client.get(WORKERS).json()] == ids[:1]


def test_workers_are_listed_oldest_first(client):
    ids = [register(client, f"worker {number}") for number in (3, 1, 2)]

    assert [worker["id"] for worker in client.get(WORKERS).json()] == ids


@pytest.mark.parametrize("state", ["OFFLINE", "IDLE", "BUSY", "CRASHED"])
def test_a_worker_says_how_it_is(client, state):
    worker_id = register(client)

    report(client, worker_id, state=state, dockerVersion="2.11")

    worker = client.get(f"{WORKERS}/{worker_id}").json()
    assert (worker["state"], worker["dockerVersion"]) == (state, "2.11")
    assert worker["lastModifiedAt"] >= worker["createdAt"]


def test_a_report_without_a_version_keeps_the_last_one(client):
    worker_id = register(client, dockerVersion="2.6")

    report(client, worker_id, state="IDLE")

    assert client.get(f"{WORKERS}/{worker_id}").json()["dockerVersion"] == "2.6"


@pytest.mark.parametrize(("said", "shown"), [("IDLE", "OFFLINE"), ("BUSY", "CRASHED")])
def test_a_worker_that_falls_silent_is_shown_as_gone(server, client, said, shown):
    worker_id = register(client)
    report(client, worker_id, state=said)

    let_time_pass(server, SILENT_AFTER_MS + 60_000)

    assert client.get(f"{WORKERS}/{worker_id}").json()["state"] == shown
    assert [worker["state"] for worker in client.get(WORKERS).json()] == [shown]
    report(client, worker_id, state=said)
    assert client.get(f"{WORKERS}/{worker_id}").json()["state"] == said


def test_a_deleted_worker_is_gone_and_its_name_is_free(client):
    worker_id = register(client)

    assert client.delete(f"{WORKERS}/{worker_id}").status_code == 204

    for call in (client.get, client.delete):
        refusal = call(f"{WORKERS}/{worker_id}")
        assert (refusal.status_code, refusal.json()["code"]) == (404, "DOCKER_WORKER_UNKNOWN")
    assert client.get(WORKERS).json() == []
    assert register(client) != worker_id


def test_the_default_worker_is_registered_at_its_first_use(client):
    default = client.get(f"{WORKERS}/default").json()

    assert (default["name"], default["state"], default["isDefault"]) == ("default", "OFFLINE", True)
    assert default["labels"] == []
    assert client.get(WORKERS).json() == [default]


def test_the_default_worker_stays_the_same_until_it_is_used(client):
    first = client.get(f"{WORKERS}/default").json()["id"]

    assert client.get(f"{WORKERS}/default").json()["id"] == first
    report(client, first, state="IDLE")
    second = client.get(f"{WORKERS}/default").json()
    assert second["id"] != first
    assert second["name"] == "default 2"


@pytest.mark.parametrize("said", ["OFFLINE", "CRASHED"])
def test_a_default_worker_that_ended_is_given_out_again(client, said):
    first = client.get(f"{WORKERS}/default").json()["id"]
    report(client, first, state="BUSY")
    report(client, first, state=said)

    assert client.get(f"{WORKERS}/default").json()["id"] == first


def test_a_default_worker_that_fell_silent_is_given_out_again(server, client):
    first = client.get(f"{WORKERS}/default").json()["id"]
    report(client, first, state="BUSY")

    let_time_pass(server, SILENT_AFTER_MS + 60_000)

    assert client.get(f"{WORKERS}/default").json()["id"] == first


def test_a_worker_that_somebody_called_default_is_not_the_default_one(client):
    own = register(client, "default", labels=["gpu"])

    default = client.get(f"{WORKERS}/default").json()

    assert default["id"] != own
    assert default["name"] == "default 2"


def test_every_owner_has_a_default_worker_of_their_own(server, client):
    other = ContractClient(server.add_user("other@example.com"))

    ids = {one.get(f"{WORKERS}/default").json()["id"] for one in (client, other)}

    assert len(ids) == 2
    assert len(other.get(WORKERS).json()) == 1


def test_default_workers_asked_for_at_once_are_one(client):
    with concurrent.futures.ThreadPoolExecutor(8) as threads:
        answers = list(threads.map(lambda _: client.get(f"{WORKERS}/default").json(), range(16)))

    assert len({answer["id"] for answer in answers}) == 1


@pytest.mark.parametrize(
    ("agent", "is_told"),
    [
        ("Swagger-Codegen/1.0.0/python", False),
        (AGENT_1_4, False),
        (AGENT_1_5, True),
        ("Mozilla/5.0", True),
    ],
)
def test_only_clients_that_know_it_are_told_which_worker_is_the_default(
    sqlite_client, agent, is_told
):
    """1.4.26 fails when it meets the field."""
    headers = {"User-Agent": agent}

    default = sqlite_client.get(f"{WORKERS}/default", headers=headers).json()
    answers = [
        default,
        sqlite_client.get(f"{WORKERS}/{default['id']}", headers=headers).json(),
        *sqlite_client.get(WORKERS, headers=headers).json(),
    ]

    assert {"isDefault" in answer for answer in answers} == {is_told}


@pytest.mark.parametrize(
    "body",
    [
        {"name": "ab", "workerType": "FULL"},
        {"name": "-worker", "workerType": "FULL"},
        {"name": "worker\n", "workerType": "FULL"},
        {"name": "w" * (MAX_TEXT_CHARACTERS + 1), "workerType": "FULL"},
        {"name": "worker"},
        {"name": "worker", "workerType": "HALF"},
        {"name": "worker", "workerType": "FULL", "labels": "gpu"},
        {"name": "worker", "workerType": "FULL", "labels": ["a\x00b"]},
        {"name": "worker", "workerType": "FULL", "labels": ["a" * (MAX_TEXT_CHARACTERS + 1)]},
        {"name": "worker", "workerType": "FULL", "labels": ["a"] * (MAX_LABELS + 1)},
        {"name": "worker", "workerType": "FULL", "dockerVersion": "2\x00"},
        {"name": "worker", "workerType": "FULL", "isDefault": True},
        {"name": "worker", "workerType": "FULL", "state": "IDLE"},
    ],
)
def test_a_registration_that_breaks_a_rule_is_refused(sqlite_client, body):
    response = sqlite_client.post(WORKERS, json=body)

    assert (response.status_code, response.json()["code"]) == (400, "MALFORMED_REQUEST")
    assert sqlite_client.get(WORKERS).json() == []


@pytest.mark.parametrize("body", [{}, {"state": "idle"}, {"state": "IDLE", "labels": ["gpu"]}])
def test_a_report_that_breaks_a_rule_is_refused(sqlite_client, body):
    worker_id = register(sqlite_client)

    response = sqlite_client.put(f"{WORKERS}/{worker_id}", json=body)

    assert (response.status_code, response.json()["code"]) == (400, "MALFORMED_REQUEST")


def test_work_is_not_limited(sqlite_client):
    license_ = sqlite_client.get("/v1/docker/licenseInformation").json()

    assert license_["licenseIsValid"] is True
    assert license_["licenseExpirationDate"] > 4_000_000_000_000
    assert license_["licenseType"]


def test_a_task_is_allowed_with_a_signed_answer_for_itself(sqlite_client):
    task = {
        "embeddingsFilename": "embeddings.csv",
        "embeddingsHash": "abc",
        "method": "CORESET",
        "existingSelectionColumnName": "selected",
        "activeLearningScoresColumnName": "score",
        "maskedOutColumnName": "masked",
        "samplingConfig": {"stoppingCondition": {"nSamples": 4, "minDistance": -1}},
        "nData": 10,
    }
    url = "/v1/docker/authorization"

    answers = [
        sqlite_client.post(url, json={"timestamp": timestamp, "taskDescription": task})
        for timestamp in (1, 2)
    ]

    assert [answer.status_code for answer in answers] == [200, 200]
    assert '"authorized":true' in answers[0].json()["bodyString"]
    assert '"timestamp":1' in answers[0].json()["bodyString"]
    assert answers[0].json()["bodyHmac"] != answers[1].json()["bodyHmac"]


def test_a_worker_is_allowed_to_begin_a_task(sqlite_client):
    url = "/v1/docker/workerAuthorization"

    answers = [
        sqlite_client.post(url, json={"hashedTaskDescription": text})
        for text in ("abc", "abc", "abd")
    ]

    assert [answer.status_code for answer in answers] == [200, 200, 200]
    texts = [answer.json() for answer in answers]
    assert texts[0] == texts[1] != texts[2]


def test_figures_about_a_run_are_taken(sqlite_client):
    body = {
        "runId": "any",
        "action": "finished",
        "data": {"seconds": 3},
        "timestamp": 1_700_000_000_000,
        "pipVersion": "1.5.26",
        "dockerVersion": "2.6.0",
    }

    assert sqlite_client.post("/v1/docker", json=body).status_code == 204
