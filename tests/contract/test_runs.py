"""Runs, their logs and artifacts as workers and users of the published contract know them."""

from __future__ import annotations

import pytest

from lightly.openapi_generated.swagger_client.models.docker_run_state import DockerRunState
from lightly.server.runs import logs
from tests.support.contract import ContractClient
from tests.support.run_queue import RunQueue

ENDS = ("COMPLETED", "FAILED", "CRASHED", "ABORTED")
ENTRY = {"ts": 5, "level": "INFO", "group": "worker", "msg": "hello"}


@pytest.fixture
def queue(server):
    return RunQueue(ContractClient(server.client))


@pytest.fixture
def dataset_id(queue):
    return queue.add_dataset()


@pytest.fixture
def run_id(queue, dataset_id):
    return queue.begin_by_contract(dataset_id, queue.add_worker(), queue.schedule(dataset_id))


def put_state(queue, run_id, state, **more):
    return queue.client.put(f"/v1/docker/runs/{run_id}", json={"state": state, **more})


def add_log(queue, run_id, *entries):
    return queue.client.put(f"/v1/docker/runs/{run_id}/logs", json=list(entries))


def read_log(queue, run_id, **query):
    return queue.client.get(f"/v1/docker/runs/{run_id}/logs", params=query).json()


def announce(queue, run_id, name="log.txt", type_="LOG"):
    body = {"fileName": name, "type": type_}
    return queue.client.post(f"/v1/docker/runs/{run_id}/artifacts", json=body)


def upload(queue, run_id, made, content=b"bytes"):
    assert queue.client.put(made["signedWriteUrl"], content=content).status_code == 200
    url = f"/v1/docker/runs/{run_id}/artifacts/{made['artifactId']}/confirmUpload"
    return queue.client.put(url)


def test_a_run_is_unknown_until_a_worker_has_begun_it(queue, dataset_id):
    worker_id, scheduled_id = queue.add_worker(), queue.schedule(dataset_id)
    url = f"/v1/docker/runs/schedule/{scheduled_id}"
    before = [queue.client.get(url).status_code]
    queue.put_schedule(dataset_id, worker_id, scheduled_id, "LOCKED")
    before.append(queue.client.get(url).status_code)
    body = {"dockerVersion": "2.6.0", "scheduledId": scheduled_id, "message": "off we go"}
    run_id = queue.post("/v1/docker/runs", body)

    run = queue.client.get(url).json()

    assert before == [404, 404]
    assert (run["id"], run["state"], run["datasetId"]) == (run_id, "STARTED", dataset_id)
    assert run["message"] == "off we go"


def test_creating_the_run_of_a_schedule_again_gives_the_same(queue, dataset_id):
    worker_id, scheduled_id = queue.add_worker(), queue.schedule(dataset_id)
    run_id = queue.begin_by_contract(dataset_id, worker_id, scheduled_id)

    assert queue.post("/v1/docker/runs", {"dockerVersion": "2", "scheduledId": scheduled_id}) == (
        run_id
    )


def test_a_run_needs_its_schedule_locked_before(queue, dataset_id):
    body = {"dockerVersion": "2", "scheduledId": queue.schedule(dataset_id)}

    response = queue.client.post("/v1/docker/runs", json=body)

    assert response.status_code == 409
    assert "Lock it" in response.json()["error"]


def test_a_run_can_go_through_all_states_in_their_order(queue, dataset_id, run_id):
    for state in DockerRunState:
        if state.value not in ENDS:
            assert put_state(queue, run_id, state.value).status_code == 204
            assert queue.get_run(run_id)["state"] == state.value
    assert put_state(queue, run_id, "COMPLETED", message="done").status_code == 204

    run = queue.get_run(run_id)
    assert (run["state"], run["message"]) == ("COMPLETED", "done")
    assert queue.find_schedule(dataset_id, run["scheduledId"])["state"] == "DONE"


def test_a_run_does_not_go_back(queue, run_id):
    put_state(queue, run_id, "SAMPLING")

    response = put_state(queue, run_id, "EMBEDDING")

    assert response.status_code == 409
    assert "SAMPLING" in response.json()["error"]
    assert queue.get_run(run_id)["state"] == "SAMPLING"


@pytest.mark.parametrize("end", ENDS)
def test_nothing_happens_to_a_run_that_is_over(queue, run_id, end):
    made = announce(queue, run_id).json()
    put_state(queue, run_id, end, message="why")
    before = queue.get_run(run_id), read_log(queue, run_id)

    assert put_state(queue, run_id, end, message="again").status_code == 204
    other = next(state for state in ENDS if state != end)
    assert put_state(queue, run_id, other).status_code == 409
    assert put_state(queue, run_id, "SAMPLING").status_code == 409
    assert add_log(queue, run_id, ENTRY).status_code == 409
    assert announce(queue, run_id, "late.txt").status_code == 409
    assert upload(queue, run_id, made).status_code == 409

    assert (queue.get_run(run_id), read_log(queue, run_id)) == before


def test_an_unknown_state_is_refused(queue, run_id):
    response = put_state(queue, run_id, "DANCING")

    assert (response.status_code, response.json()["code"]) == (400, "MALFORMED_REQUEST")


def test_lists_are_paged_and_counted(queue, dataset_id):
    bodies = [{"dockerVersion": "2", "datasetId": dataset_id} for _ in range(5)]
    run_ids = [queue.post("/v1/docker/runs", body) for body in bodies]
    queue.post("/v1/docker/runs", {"dockerVersion": "2"})

    def list_ids(url, **query):
        return [run["id"] for run in queue.client.get(url, params=query).json()]

    of_dataset = f"/v1/docker/runs/query/datasetId/{dataset_id}"
    assert list_ids(of_dataset) == run_ids
    assert list_ids(of_dataset, pageSize=2, pageOffset=3) == run_ids[3:]
    assert list_ids("/v1/docker/runs", pageSize=4, pageOffset=1)[0] == run_ids[1]
    assert queue.client.get("/v1/docker/runs/count").json() == "6"


def test_archived_runs_are_shown_on_request_only(queue, run_id):
    body = {"isArchived": True}
    assert queue.client.put(f"/ext/v1/runs/{run_id}/archived", json=body).status_code == 204

    assert queue.client.get("/v1/docker/runs").json() == []
    (run,) = queue.client.get("/v1/docker/runs", params={"showArchived": "True"}).json()
    assert run["archived"] is True
    assert queue.client.get("/v1/docker/runs/count?showArchived=True").json() == "1"


def test_tags_of_a_run_come_newest_first(queue, server, dataset_id, run_id):
    samples = {"samples": [{"fileName": "a.jpg"}]}
    server.client.post(f"/ext/v1/datasets/{dataset_id}/samples/bulk", json=samples)
    tags = f"/v1/datasets/{dataset_id}/tags"
    initial_id = queue.post(f"{tags}/initial", {"imgType": "meta", "runId": run_id})
    body = {"prevTagId": initial_id, "bitMaskData": "0x1", "totSize": 1}
    other_id = queue.post(tags, body | {"name": "other"})
    newer_id = queue.post(tags, body | {"name": "newer", "runId": run_id})

    found = queue.client.get(f"/v1/docker/runs/{run_id}/tags").json()

    assert [tag["id"] for tag in found] == [newer_id, initial_id]
    assert other_id not in {tag["id"] for tag in found}


def test_a_tag_of_a_run_that_does_not_exist_is_refused(queue, dataset_id):
    body = {"imgType": "meta", "runId": "a" * 24}

    response = queue.client.post(f"/v1/datasets/{dataset_id}/tags/initial", json=body)

    assert (response.status_code, response.json()["code"]) == (404, "DOCKER_RUN_UNKNOWN")
    assert queue.client.get(f"/v1/datasets/{dataset_id}/tags").json() == []


def test_the_log_is_read_from_a_position_on(queue, run_id):
    start = read_log(queue, run_id)["cursor"]
    add_log(queue, run_id, ENTRY, ENTRY | {"msg": "two", "load": {"cpu": 1, "mem": 2.5}})
    first = read_log(queue, run_id, cursor=start)
    add_log(queue, run_id, ENTRY | {"msg": "three", "state": "EMBEDDING"})

    second = read_log(queue, run_id, cursor=first["cursor"])
    nothing = read_log(queue, run_id, cursor=second["cursor"])

    assert [entry["msg"] for entry in first["logs"]] == ["hello", "two"]
    assert first["logs"][1]["load"] == {"cpu": 1, "mem": 2.5}
    assert first["logs"][0]["state"] == "STARTED"
    assert [(entry["msg"], entry["state"]) for entry in second["logs"]] == [("three", "EMBEDDING")]
    assert nothing == {"cursor": second["cursor"], "logs": []}
    assert read_log(queue, run_id, cursor=10**18)["cursor"] == second["cursor"]


def test_states_and_messages_are_in_the_log_too(queue, run_id):
    put_state(queue, run_id, "EMBEDDING", message="half done", ts=77)

    (entry,) = read_log(queue, run_id)["logs"]
    assert (entry["ts"], entry["state"], entry["msg"]) == (77, "EMBEDDING", "half done")


def test_clients_before_1_5_get_the_log_in_their_words(server, queue, run_id):
    add_log(queue, run_id, ENTRY | {"level": "WARNING", "origin": "x"}, ENTRY | {"level": "NOTSET"})
    headers = {"User-Agent": "Lightly/1.4.26 (Linux/6; x; ;) python/3.10"}

    answer = server.client.get(f"/v1/docker/runs/{run_id}/logs", headers=headers).json()

    assert [entry["level"] for entry in answer["logs"]] == ["WARN", "VERBOSE"]
    assert {frozenset(entry) for entry in answer["logs"]} == {
        frozenset({"ts", "level", "msg", "state"})
    }


def test_long_entries_are_cut_and_secrets_masked(queue, run_id):
    add_log(queue, run_id, ENTRY | {"msg": "token=abc123 " + "x" * 9_000 + "\x00"})

    (entry,) = read_log(queue, run_id)["logs"]
    assert "abc123" not in entry["msg"]
    assert len(entry["msg"]) == 8_000


def test_a_log_keeps_its_newest_entries(queue, run_id, monkeypatch):
    monkeypatch.setattr(logs, "MAX_LOG_BYTES", 4_000)
    for number in range(100):
        add_log(queue, run_id, ENTRY | {"msg": str(number)})

    answer = read_log(queue, run_id)

    assert answer["cursor"] == 100
    assert "older entries are gone" in answer["logs"][0]["msg"]
    kept = [int(entry["msg"]) for entry in answer["logs"][1:]]
    assert kept == list(range(kept[0], 100))
    assert 20 <= len(kept) <= 60


def test_more_entries_than_allowed_are_refused(queue, run_id, monkeypatch):
    monkeypatch.setattr(logs, "MAX_ENTRIES", 2)

    assert add_log(queue, run_id, *[ENTRY] * 2).status_code == 204
    assert add_log(queue, run_id, *[ENTRY] * 3).status_code == 413
    assert len(read_log(queue, run_id)["logs"]) == 2


def test_an_artifact_shows_once_its_upload_is_confirmed(queue, run_id):
    made = announce(queue, run_id, "folder/report.pdf", "REPORT_PDF").json()
    read_url = f"/v1/docker/runs/{run_id}/artifacts/{made['artifactId']}/readurl"
    before = queue.get_run(run_id), queue.client.get(read_url)

    assert upload(queue, run_id, made, b"%PDF").status_code == 204

    assert "artifacts" not in before[0]
    assert (before[1].status_code, before[1].json()["code"]) == (
        404,
        "DOCKER_RUN_ARTIFACT_UNAVAILABLE",
    )
    (artifact,) = queue.get_run(run_id)["artifacts"]
    assert (artifact["id"], artifact["type"]) == (made["artifactId"], "REPORT_PDF")
    assert (artifact["fileName"], artifact["storageLocation"]) == ("folder/report.pdf", "LIGHTLY")
    assert queue.client.get(queue.client.get(read_url).json()).content == b"%PDF"


def test_an_artifact_without_bytes_cannot_be_confirmed(queue, run_id):
    made = announce(queue, run_id).json()
    url = f"/v1/docker/runs/{run_id}/artifacts/{made['artifactId']}/confirmUpload"

    assert queue.client.put(url).status_code == 409
    assert upload(queue, run_id, made).status_code == 204
    assert queue.client.put(url).status_code == 204


@pytest.mark.parametrize("content", [b"byt", b"bytes!", b"other"])
def test_an_artifact_must_have_the_bytes_that_were_announced(queue, run_id, content):
    digest = "277089d91c0bdf4f2e6862ba7e4a07605119431f5d13f726dd352b06f1b206a9"
    body = {"fileName": "a", "type": "LOG", "sizeBytes": 5, "sha256": digest}
    made = queue.client.post(f"/ext/v1/runs/{run_id}/artifacts", json=body).json()

    assert upload(queue, run_id, made, content).status_code == 409
    assert "artifacts" not in queue.get_run(run_id)
    assert upload(queue, run_id, made, b"bytes").status_code == 204


def test_a_write_url_does_not_change_what_was_confirmed(queue, run_id):
    made = announce(queue, run_id).json()
    upload(queue, run_id, made, b"right")

    queue.client.put(made["signedWriteUrl"], content=b"wrong")

    url = f"/v1/docker/runs/{run_id}/artifacts/{made['artifactId']}/readurl"
    assert queue.client.get(queue.client.get(url).json()).content == b"right"


def test_announcing_again_gives_the_same_until_it_is_confirmed(queue, run_id):
    first, second = announce(queue, run_id).json(), announce(queue, run_id).json()
    upload(queue, run_id, first)

    late = announce(queue, run_id)

    assert first["artifactId"] == second["artifactId"]
    assert (late.status_code, late.json()["code"]) == (409, "DOCKER_RUN_ARTIFACT_EXISTS")


@pytest.mark.parametrize("name", ["../x", "/etc/passwd", "a/../../b", "", "C:\\x", "a\x00b"])
def test_artifact_names_lead_nowhere(queue, run_id, name):
    assert announce(queue, run_id, name).status_code == 400


def test_the_report_is_the_one_uploaded_else_the_pdf(queue, run_id):
    read_url = f"/v1/docker/runs/{run_id}/readReportUrl"
    nothing = queue.client.get(read_url)
    upload(queue, run_id, announce(queue, run_id, "r.pdf", "REPORT_PDF").json(), b"artifact")
    pdf = queue.client.get(queue.client.get(read_url).json()).content
    write_url = queue.client.get(f"/v1/docker/runs/{run_id}/writeReportUrl").json()
    queue.client.put(write_url, content=b"report")

    assert (nothing.status_code, nothing.json()["code"]) == (404, "DOCKER_RUN_REPORT_UNAVAILABLE")
    assert pdf == b"artifact"
    assert queue.client.get(queue.client.get(read_url).json()).content == b"report"


def test_deleting_the_dataset_ends_its_run_with_the_reason(queue, dataset_id, run_id):
    assert queue.client.delete(f"/v1/datasets/{dataset_id}").status_code == 204

    run = queue.get_run(run_id)
    assert (run["state"], run["message"]) == ("ABORTED", "The dataset was deleted.")
    assert put_state(queue, run_id, "SAMPLING").status_code == 409


def test_deleting_the_worker_ends_its_run_with_the_reason(queue, dataset_id):
    worker_id, scheduled_id = queue.add_worker(), queue.schedule(dataset_id)
    run_id = queue.begin_by_contract(dataset_id, worker_id, scheduled_id)

    assert queue.client.delete(f"/v1/docker/worker/{worker_id}").status_code == 204

    run = queue.get_run(run_id)
    assert run["state"] == "ABORTED"
    assert "was deleted" in run["message"]
    assert queue.find_schedule(dataset_id, scheduled_id)["state"] == "DONE"


def test_an_artifact_can_lie_in_the_datasource(queue, dataset_id, run_id):
    body = {"fileName": "report.pdf", "type": "REPORT_PDF", "storageLocation": "DATASOURCE"}
    url = f"/v1/docker/runs/{run_id}/artifacts"
    nowhere = queue.client.post(url, json=body)
    datasource = {"type": "LIGHTLY", "fullPath": "", "purpose": "INPUT_OUTPUT"}
    put = queue.client.put(f"/v1/datasets/{dataset_id}/datasource", json=datasource)
    assert put.status_code == 204, put.text
    made = queue.client.post(url, json=body).json()
    confirm = f"{url}/{made['artifactId']}/confirmUpload"

    early = queue.client.put(confirm)
    assert upload(queue, run_id, made, b"%PDF").status_code == 204

    assert (nowhere.status_code, early.status_code) == (404, 409)
    assert queue.get_run(run_id)["artifacts"][0]["storageLocation"] == "DATASOURCE"
    read_url = queue.client.get(f"{url}/{made['artifactId']}/readurl").json()
    assert queue.client.get(read_url).content == b"%PDF"
