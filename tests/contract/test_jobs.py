"""Background jobs as clients follow them."""

from __future__ import annotations

import numpy as np
import pytest

from tests.conftest import DATABASES
from tests.support.contract import ContractClient
from tests.support.embedded_datasets import (
    make_embedded_dataset,
    run_shared_server,
    write_csv,
)
from tests.support.extension import check_schema

VECTORS = np.arange(24, dtype=np.float32).reshape(6, 4)


@pytest.fixture(scope="module", params=DATABASES)
def server(request, tmp_path_factory):
    with run_shared_server(request, tmp_path_factory.mktemp("server")) as running:
        yield running


@pytest.fixture
def dataset(server):
    return make_embedded_dataset(server)


def test_a_finished_selection_names_its_tag(dataset):
    _, embedding_id = dataset.begin_upload()
    asked = dataset.request_sampling(embedding_id, "RANDOM", nSamples=2)

    job = dataset.wait_for_job(asked.json()["jobId"])

    assert set(asked.json()) == {"jobId"}
    assert (job["status"], job["result"]["type"]) == ("FINISHED", "SAMPLING")
    assert (job["datasetId"], job["waitTimeTillNextPoll"]) == (dataset.id, 1)
    assert job["createdAt"] <= job["finishedAt"] == job["lastModifiedAt"]
    assert dataset.client.get(f"{dataset.path}/tags/{job['result']['data']}").status_code == 200


def test_a_job_waits_until_what_it_needs_is_there(dataset):
    url, embedding_id = dataset.begin_upload()
    dataset.put(url, write_csv(dataset.names, VECTORS))

    response = dataset.request_sampling(embedding_id, "CORESET", nSamples=2)

    first_seen = dataset.client.get(f"/v1/jobs/{response.json()['jobId']}").json()
    assert first_seen["status"] in {"WAITING", "RUNNING", "FINISHED"}
    assert dataset.wait_for_job(first_seen["id"])["status"] == "FINISHED"


def test_a_failed_job_says_why(dataset):
    dataset.upload_csv(write_csv(dataset.names[1:], VECTORS[1:]))

    [job] = dataset.wait_for_jobs("EMBEDDING")

    assert job["status"] == "FAILED"
    assert job["error"] == (
        "The CSV has no row for 1 of the 6 samples of the dataset: 'folder/bird 00000.jpg'"
    )
    assert "result" not in job


def test_jobs_are_listed_newest_first(dataset):
    _, embedding_id = dataset.begin_upload()
    asked = [
        dataset.request_sampling(embedding_id, "RANDOM", f"tag {number}").json()["jobId"]
        for number in range(3)
    ]

    listed = dataset.list_jobs("SAMPLING")

    assert [job["id"] for job in listed] == asked[::-1]
    assert [job["jobId"] for job in listed] == asked[::-1]


@pytest.mark.parametrize("job_id", ["65f0c0ffee65f0c0ffee1234", "nope", "%00", "a" * 500])
def test_an_unknown_job_is_not_found(dataset, job_id):
    for path in ("/v1/jobs/{}", "/ext/v1/jobs/{}/report"):
        response = dataset.client.get(path.format(job_id))

        assert (response.status_code, response.json()["code"]) == (404, "JOB_UNKNOWN")


def test_another_user_sees_no_job_of_mine(server, dataset):
    _, embedding_id = dataset.begin_upload()
    job_id = dataset.request_sampling(embedding_id, "RANDOM").json()["jobId"]
    other = ContractClient(server.add_user(f"{dataset.id}@example.com"))

    assert other.get("/v1/jobs").json() == []
    for path in (f"/v1/jobs/{job_id}", f"/ext/v1/jobs/{job_id}/report"):
        response = other.get(path)
        assert (response.status_code, response.json()["code"]) == (404, "JOB_UNKNOWN")


def test_a_finished_selection_has_a_report(dataset):
    embedding_id = dataset.upload(VECTORS)
    job_id = dataset.request_sampling(embedding_id, nSamples=3, minDistance=0.5).json()["jobId"]
    dataset.wait_for_job(job_id)

    report = dataset.client.get(f"/ext/v1/jobs/{job_id}/report").json()

    check_schema(report, "SelectionReport")
    assert (report["stopReason"], report["nPicked"], report["jobId"]) == ("count", 3, job_id)
    assert report["request"]["min_distance"] == 0.5
    assert report["strategies"][0]["coverage"]["radius"] == pytest.approx(8.0)


def test_only_selections_have_a_report(dataset):
    dataset.upload(VECTORS)
    job_id = dataset.list_jobs("EMBEDDING")[0]["id"]

    response = dataset.client.get(f"/ext/v1/jobs/{job_id}/report")

    assert (response.status_code, response.json()["code"]) == (404, "NOT_FOUND")


def test_a_job_of_a_deleted_dataset_fails_with_that_reason(dataset):
    url, embedding_id = dataset.begin_upload()
    dataset.put(url, write_csv(dataset.names, VECTORS))
    job_id = dataset.request_sampling(embedding_id, "CORESET").json()["jobId"]

    assert dataset.client.delete(dataset.path).status_code == 204

    job = dataset.wait_for_job(job_id)
    assert job["status"] == "FINISHED" or "was deleted" in job["error"]
