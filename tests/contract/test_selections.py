"""Our own selections: every strategy, their reports and columns, cancelling."""

from __future__ import annotations

import math

import numpy as np
import pytest

from lightly._kit.ids import make_id
from tests.conftest import DATABASES
from tests.support.contract import ContractClient
from tests.support.embedded_datasets import make_embedded_dataset, read_tag, run_shared_server
from tests.support.extension import check_schema

#: On a line at 0, 1, 2, 10, 11, 30: farthest first from the first is 0, 30, 11, 2, ...
LINE = np.array([[0], [1], [2], [10], [11], [30]], dtype=np.float32)
COLOURS = ["red", "red", "red", "blue", "blue", "green"]


@pytest.fixture(scope="module", params=DATABASES)
def server(request, tmp_path_factory):
    with run_shared_server(request, tmp_path_factory.mktemp("server")) as running:
        yield running


@pytest.fixture(scope="module")
def line(server):
    """A dataset with vectors, scores and metadata that no test changes but by adding tags."""
    dataset = make_embedded_dataset(server)
    dataset.upload(LINE)
    dataset.put_scores(dataset.initial_tag_id, "sharpness", [0.5, 0.1, 0.9, 0.2, 0.8, 0.3])
    samples = dataset.client.get(f"{dataset.path}/samples").json()
    for number, (sample, colour) in enumerate(zip(samples, COLOURS, strict=True)):
        body = {
            "customMetaData": {"look": {"colour": colour}, "weight": number % 4},
            "metaData": {"luminance": float(number)},
        }
        sample_path = f"{dataset.path}/samples/{sample['id']}"
        assert dataset.client.put(sample_path, json=body).status_code == 204
    return dataset


@pytest.fixture
def empty(server):
    """A dataset without vectors."""
    return make_embedded_dataset(server)


def ask(dataset, strategies, name, **more):
    """Ask for a selection and return the answer."""
    body = {"newTagName": name, "strategies": strategies, **more}
    return dataset.client.post(f"/ext/v1/datasets/{dataset.id}/selection", json=body)


def select(dataset, strategies, name, **more):
    """Run a selection; return its tag and its report."""
    response = ask(dataset, strategies, name, **more)
    assert response.status_code == 200, response.text
    job = dataset.wait_for_job(response.json()["jobId"])
    assert job["status"] == "FINISHED", job
    tag = dataset.client.get(f"{dataset.path}/tags/{job['result']['data']}").json()
    report = dataset.client.get(make_report_path(dataset, tag["id"])).json()
    check_schema(report, "SelectionReport")
    return tag, report


def make_report_path(dataset, tag_id):
    return f"/ext/v1/datasets/{dataset.id}/tags/{tag_id}/selectionReport"


def read_column(dataset, report, name, **query):
    column = next(column for column in report["columns"] if column["name"] == name)
    path = f"{make_report_path(dataset, report['tagId'])}/columns/{name}"
    response = dataset.client.get(path, params=query)
    assert response.status_code == 200
    assert response.headers["content-type"] == "application/octet-stream"
    return np.frombuffer(response.content, dtype=column["dtype"]).tolist()


def get_error(response):
    return response.status_code, response.json()["code"]


@pytest.mark.parametrize(
    ("strategies", "picks"),
    [
        ([{"type": "DIVERSITY"}], [0, 5, 4]),
        ([{"type": "DIVERSITY", "minDistance": 15}], [0, 5]),
        ([{"type": "WEIGHTS", "scoreType": "sharpness"}], [2, 4, 0]),
        ([{"type": "WEIGHTS", "scoreType": "sharpness", "strength": -1}], [1, 3, 5]),
        ([{"type": "WEIGHTS", "scoreType": "sharpness", "maxSum": 1.75}], [2, 4]),
        ([{"type": "WEIGHTS", "metadataKey": "weight"}], [3, 2, 1]),
        ([{"type": "WEIGHTS", "metadataKey": "lightly.luminance"}], [5, 4, 3]),
        ([{"type": "BALANCE", "metadataKey": "look.colour", "distribution": "UNIFORM"}], [0, 3, 5]),
        (
            [
                {
                    "type": "BALANCE",
                    "metadataKey": "look.colour",
                    "distribution": "TARGET",
                    "target": {"blue": 0.7, "green": 0.3},
                }
            ],
            [3, 5, 4],
        ),
        (
            [
                {"type": "DIVERSITY"},
                {
                    "type": "THRESHOLD",
                    "scoreType": "sharpness",
                    "threshold": 0.3,
                    "operation": "BIGGER_EQUAL",
                },
            ],
            [0, 5, 4],
        ),
        ([{"type": "TYPICALITY", "nNeighbors": 2}], [1, 0, 2]),
        ([{"type": "REPRESENTATIVE", "nNeighbors": 2}], [5, 3, 1]),
        ([{"type": "REPRESENTATIVE", "nNeighbors": 2, "graph": "APPROXIMATE"}], [5, 3, 1]),
    ],
)
def test_strategies_pick_what_they_say(line, strategies, picks):
    name = f"picks {make_id()}"

    tag, report = select(line, strategies, name, nSamples=3)

    assert read_column(line, report, "picks") == picks
    assert read_tag(tag) == sorted(picks)
    assert (report["nPicked"], report["nWanted"], report["nCandidates"]) == (len(picks), 3, 6)
    assert report["request"]["strategies"] == strategies


def test_auto_needs_nothing_and_says_what_it_did(line):
    keep = {
        "type": "THRESHOLD",
        "metadataKey": "lightly.luminance",
        "threshold": 4,
        "operation": "SMALLER_EQUAL",
    }
    tag, report = select(line, [{"type": "AUTO"}, keep], "automatic", nSamples=2)

    assert len(read_tag(tag)) == 2
    assert 5 not in read_tag(tag)
    assert report["strategies"][0]["kind"] == "AUTO"
    assert "samples examined" in report["strategies"][0]["reason"]
    assert len(read_column(line, report, "nearest")) == 6


def test_similarity_prefers_what_is_near_the_samples_of_a_tag(line):
    tag_id = line.add_tag([4], "query")

    _, report = select(line, [{"type": "SIMILARITY", "tagId": tag_id}], "similar", nSamples=2)

    assert read_column(line, report, "picks") == [4, 3]


def test_random_picks_depend_on_the_seed_alone(line):
    picks = [
        read_column(line, select(line, [{"type": "RANDOM", "seed": seed}], name)[1], "picks")
        for seed, name in ((1, "first"), (1, "again"), (2, "other"))
    ]

    assert picks[0] == picks[1] != picks[2]
    assert sorted(picks[2]) == [0, 1, 2, 3, 4, 5]


def test_the_report_explains_picks_and_samples(line):
    tag, report = select(
        line, [{"type": "DIVERSITY"}, {"type": "RANDOM", "strength": 0}], "explained", nSamples=3
    )

    assert (report["tagId"], report["stopReason"]) == (tag["id"], "count")
    assert read_column(line, report, "gains.0") == [0.0, 900.0, 121.0]
    assert read_column(line, report, "earlier") == [-1, 0, 0]
    assert read_column(line, report, "earlierDistances") == [math.inf, 30.0, 11.0]
    assert read_column(line, report, "nearest") == [0, 0, 0, 4, 4, 5]
    assert read_column(line, report, "distances") == [0.0, 1.0, 2.0, 1.0, 0.0, 0.0]
    assert report["strategies"][0]["coverage"]["radius"] == 2.0
    coverage = report["coverage"]
    assert (coverage["counts"], coverage["radius"]) == ([1, 2, 3], [30.0, 11.0, 2.0])
    assert coverage["meanDistance"] == pytest.approx([9.0, 4.0, 4 / 6])
    assert coverage["random"]["nDraws"] == 5
    band = coverage["random"]["radius"]
    assert band["least"][2] <= band["mean"][2] <= band["most"][2] <= 30.0


def test_a_part_of_a_column_can_be_read(line):
    _, report = select(line, [{"type": "DIVERSITY"}], "in parts")

    whole = read_column(line, report, "picks")

    assert read_column(line, report, "picks", offset=2) == whole[2:]
    assert read_column(line, report, "picks", offset=1, limit=3) == whole[1:4]
    assert read_column(line, report, "picks", offset=99) == []


def test_a_tag_grows_by_new_samples(line):
    first = line.add_tag([0, 5], "begun")

    tag, report = select(line, [{"type": "DIVERSITY"}], "grown", nSamples=1, preselectedTagId=first)

    assert read_tag(tag) == [0, 4, 5]
    assert (tag["preselectedTagId"], tag["prevTagId"]) == (first, first)
    assert (report["nPicked"], report["nPreselected"], report["nCandidates"]) == (1, 2, 4)
    assert read_column(line, report, "earlier") == [0]


def test_a_proportion_is_one_of_the_new_samples(line):
    query = line.add_tag([0, 1, 2, 3, 5], "most")

    tag, report = select(
        line, [{"type": "DIVERSITY"}], "a share", proportionSamples=0.41, queryTagId=query
    )

    assert read_tag(tag) == [0, 5]
    assert tag["queryTagId"] == query
    assert report["nCandidates"] == 5


def test_without_vectors_a_selection_is_not_explained(empty):
    tag, report = select(empty, [{"type": "RANDOM"}], "by chance", nSamples=2)

    assert len(read_tag(tag)) == 2
    assert report["coverage"] is None
    assert "no embedding" in report["unexplainedBecause"]
    assert [column["name"] for column in report["columns"]] == ["picks", "gains.0"]


def test_the_same_request_again_is_the_same_job(line):
    request = (line, [{"type": "DIVERSITY"}], "once")
    first = ask(*request, nSamples=2).json()["jobId"]
    line.wait_for_job(first)

    assert ask(*request, nSamples=2).json()["jobId"] == first
    assert get_error(ask(*request, nSamples=3)) == (409, "TAG_NAME_EXISTS")


@pytest.mark.parametrize(
    ("change", "error"),
    [
        ({"strategies": []}, (400, "MALFORMED_REQUEST")),
        ({"strategies": [{"type": "OTHER"}]}, (400, "MALFORMED_REQUEST")),
        ({"strategies": [{"type": "DIVERSITY", "unknown": 1}]}, (400, "MALFORMED_REQUEST")),
        ({"strategies": [{"type": "DIVERSITY"}] * 21}, (400, "MALFORMED_REQUEST")),
        ({"strategies": [{"type": "AUTO"}, {"type": "DIVERSITY"}]}, (400, "BAD_REQUEST")),
        ({"strategies": [{"type": "WEIGHTS"}]}, (400, "BAD_REQUEST")),
        (
            {"strategies": [{"type": "WEIGHTS", "scoreType": "a", "metadataKey": "b"}]},
            (400, "BAD_REQUEST"),
        ),
        (
            {"strategies": [{"type": "WEIGHTS", "scoreType": "unknown"}]},
            (404, "TAG_NO_SCORES_AVAILABLE"),
        ),
        (
            {"strategies": [{"type": "BALANCE", "metadataKey": "a", "distribution": "TARGET"}]},
            (400, "BAD_REQUEST"),
        ),
        ({"nSamples": 1, "proportionSamples": 0.5}, (400, "BAD_REQUEST")),
        ({"nSamples": -2}, (400, "MALFORMED_REQUEST")),
        ({"proportionSamples": 1.5}, (400, "MALFORMED_REQUEST")),
        ({"newTagName": "initial-tag"}, (409, "TAG_NAME_EXISTS")),
        ({"newTagName": "no"}, (400, "MALFORMED_REQUEST")),
        ({"newTagName": "<b>"}, (400, "MALFORMED_REQUEST")),
    ],
)
def test_impossible_requests_are_refused_before_any_work(line, change, error):
    request = {"strategies": [{"type": "DIVERSITY"}], "name": "impossible"} | change
    name = request.pop("newTagName", request.pop("name"))

    response = ask(line, request.pop("strategies"), name, **request)

    assert get_error(response) == error


def test_strategies_by_distance_need_an_embedding(empty):
    response = ask(empty, [{"type": "DIVERSITY"}], "far apart")

    assert get_error(response) == (400, "EMBEDDING_NOT_READY")


def test_a_class_that_no_sample_has_fails_the_job_with_that_reason(line):
    balance = {
        "type": "BALANCE",
        "metadataKey": "look.colour",
        "distribution": "TARGET",
        "target": {"pink": 1},
    }
    job = line.wait_for_job(ask(line, [balance], "pink").json()["jobId"])

    assert (job["status"], "No sample has the class 'pink'" in job["error"]) == ("FAILED", True)


def test_a_tag_that_no_selection_made_has_no_report(line):
    path = make_report_path(line, line.initial_tag_id)

    assert get_error(line.client.get(path)) == (404, "NOT_FOUND")
    assert get_error(line.client.get(f"{path}/columns/picks")) == (404, "NOT_FOUND")


def test_a_column_that_is_not_there_is_not_found(line):
    _, report = select(line, [{"type": "DIVERSITY"}], "columns", nSamples=1)

    response = line.client.get(f"{make_report_path(line, report['tagId'])}/columns/other")

    assert get_error(response) == (404, "NOT_FOUND")


def test_the_report_goes_with_its_tag(line):
    tag, report = select(line, [{"type": "DIVERSITY"}], "to be deleted", nSamples=2)
    assert line.client.delete(f"{line.path}/tags/{tag['id']}").status_code == 204

    by_tag = line.client.get(make_report_path(line, tag["id"]))
    by_job = line.client.get(f"/ext/v1/jobs/{report['jobId']}/report")

    assert get_error(by_tag) == (404, "TAG_UNKNOWN")
    assert get_error(by_job) == (404, "NOT_FOUND")


def test_a_selection_of_the_contract_has_the_same_report(line):
    embedding_id = line.list_embeddings()[0]["id"]

    tag = line.select(embedding_id, "CORAL", name="coral", nSamples=3, scoreType="sharpness")

    report = line.client.get(make_report_path(line, tag["id"])).json()
    check_schema(report, "SelectionReport")
    assert [strategy["kind"] for strategy in report["strategies"]] == ["DIVERSITY", "WEIGHTS"]
    assert len(read_column(line, report, "nearest")) == 6
    assert line.client.get(f"/ext/v1/jobs/{report['jobId']}/report").json() == report


def test_details_of_a_job_that_has_ended(line):
    job_id = ask(line, [{"type": "DIVERSITY"}], "details").json()["jobId"]
    line.wait_for_job(job_id)

    details = line.client.get(f"/ext/v1/jobs/{job_id}").json()

    check_schema(details, "JobDetails")
    assert (details["status"], details["attempts"], details["progress"]) == ("FINISHED", 1, None)


def test_a_job_that_has_ended_cannot_be_cancelled(line):
    job_id = ask(line, [{"type": "DIVERSITY"}], "too late").json()["jobId"]
    line.wait_for_job(job_id)
    reading = line.list_jobs("EMBEDDING")[0]["id"]

    for ended in (job_id, reading):
        response = line.client.put(f"/ext/v1/jobs/{ended}/cancel")
        assert get_error(response) == (409, "CONFLICT")


def test_nobody_else_sees_or_cancels_a_job(server, line):
    job_id = ask(line, [{"type": "DIVERSITY"}], "mine").json()["jobId"]
    other = ContractClient(server.add_user(f"{job_id}@example.com"))

    for response in (
        other.get(f"/ext/v1/jobs/{job_id}"),
        other.get(f"/ext/v1/jobs/{job_id}/report"),
        other.put(f"/ext/v1/jobs/{job_id}/cancel"),
    ):
        assert get_error(response) == (404, "JOB_UNKNOWN")
