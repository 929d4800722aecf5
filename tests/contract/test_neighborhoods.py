"""Near-duplicates and outliers: searched for by a job, listed, read as columns."""

from __future__ import annotations

import json
import struct

import numpy as np
import pytest

from lightly._kit.ids import make_id
from tests.conftest import DATABASES
from tests.support.embedded_datasets import make_embedded_dataset, run_shared_server, write_csv
from tests.support.extension import check_schema

#: On a line: a chain of three, a pair, one alone.
LINE = np.array([[0], [5], [1], [30], [2], [5.5]], dtype=np.float32)
TYPES = {1: "<f4", 5: "<u4"}
CHAIN = {"type": "NEAR_DUPLICATES", "maxDistance": 1}


@pytest.fixture(scope="module", params=DATABASES)
def server(request, tmp_path_factory):
    with run_shared_server(request, tmp_path_factory.mktemp("server")) as running:
        yield running


@pytest.fixture(scope="module")
def line(server):
    dataset = make_embedded_dataset(server)
    dataset.upload(LINE)
    return dataset


def ask(dataset, search, **more):
    body = {"search": search, **more}
    return dataset.client.post(f"/ext/v1/datasets/{dataset.id}/neighborhoods", json=body)


def find(dataset, search, **more):
    """Run a search; return the job's result, what the list says of it, values and JSON."""
    response = ask(dataset, search, **more)
    assert response.status_code == 200, response.text
    job = dataset.wait_for_job(response.json()["jobId"])
    assert job["status"] == "FINISHED", job
    found = {one["id"]: one for one in list_found(dataset)}[job["result"]["data"]]
    return found, *read_column(dataset, found["id"])


def list_found(dataset):
    answer = dataset.client.get(f"/ext/v1/datasets/{dataset.id}/neighborhoods").json()
    for one in answer:
        check_schema(one, "Neighborhood")
    return answer


def read_column(dataset, neighborhood_id):
    path = f"/ext/v1/datasets/{dataset.id}/columns/neighborhoods/{neighborhood_id}"
    response = dataset.client.get(path)
    assert response.status_code == 200
    magic, version, kind, width, count, n_tail, _ = struct.unpack_from(
        "<4sHBBQII", response.content
    )
    assert (magic, version, width) == (b"LPC1", 1, 1)
    values = np.frombuffer(response.content, TYPES[kind], count, 32)
    return values.tolist(), json.loads(response.content[-n_tail:])


@pytest.mark.parametrize(
    ("rule", "leaders", "n_grouped"),
    [("TRANSITIVE", [0, 1, 0, 3, 0, 1], 5), ("STAR", [0, 1, 0, 3, 4, 1], 4)],
)
def test_near_duplicates_point_at_the_first_of_their_group(line, rule, leaders, n_grouped):
    found, values, tail = find(line, {**CHAIN, "rule": rule})

    assert values == leaders
    assert tail == found
    assert found["nGroups"] == 2
    assert found["nGrouped"] == n_grouped
    assert (found["type"], found["rule"], found["maxDistance"]) == ("NEAR_DUPLICATES", rule, 1)


def test_outliers_score_by_the_mean_distance_to_their_neighbours(line):
    found, values, tail = find(line, {"type": "OUTLIERS", "nNeighbors": 2})

    assert values == [1.5, 1.75, 1.0, 24.75, 1.5, 2.0]
    assert (tail["min"], tail["max"], tail["nPresent"]) == (1.0, 24.75, 6)
    assert found["nNeighborsUsed"] == 2


def test_without_a_distance_it_follows_the_spread_of_the_embedding(line):
    found, values, _ = find(line, {"type": "NEAR_DUPLICATES"})

    assert found["maxDistance"] == pytest.approx(0.2 * LINE.std())
    assert values == [0, 1, 0, 3, 0, 1]


def test_outlier_scores_are_a_column_until_the_embedding_goes(server):
    dataset = make_embedded_dataset(server)
    embedding_id = dataset.upload(LINE)
    assert list_columns(dataset) == []
    find(dataset, {"type": "OUTLIERS", "nNeighbors": 2})

    (column,) = list_columns(dataset)
    assert (column["key"], column["kind"], column["nPresent"]) == ("lightly.outliers", "number", 6)
    assert (column["min"], column["max"]) == (1.0, 24.75)
    path = f"/ext/v1/datasets/{dataset.id}/columns/order?sortKey=lightly.outliers&direction=desc"
    order = np.frombuffer(dataset.client.get(path).content, "<u4", 6, 32)
    assert order.tolist() == [3, 5, 1, 0, 4, 2]

    assert dataset.client.delete(dataset.embedding_path(embedding_id)).status_code == 204
    assert list_columns(dataset) == []


def list_columns(dataset):
    answer = dataset.client.get(f"/ext/v1/datasets/{dataset.id}/columns").json()
    assert answer["state"] == "READY"
    return answer["columns"]


def test_the_same_request_is_the_same_job(line):
    first, again = (ask(line, {"type": "OUTLIERS", "nNeighbors": 3}).json() for _ in range(2))

    assert first == again


def test_samples_added_later_have_no_value_and_a_new_version_hides_the_old_one(server):
    dataset = make_embedded_dataset(server)
    url, _ = dataset.begin_upload()
    assert dataset.put(url, write_csv(dataset.names, LINE)) == 200
    dataset.wait_for_jobs("EMBEDDING")
    groups, *_ = find(dataset, CHAIN)
    scores, *_ = find(dataset, {"type": "OUTLIERS"})
    body = {"samples": [{"fileName": "late.jpg"}]}
    path = f"/ext/v1/datasets/{dataset.id}/samples/bulk"
    assert dataset.client.post(path, json=body).status_code == 201

    assert read_column(dataset, groups["id"])[0][-1] == 2**32 - 1
    assert np.isnan(read_column(dataset, scores["id"])[0][-1])

    assert dataset.put(url, write_csv([*dataset.names, "late.jpg"], [*LINE[::-1], [7]])) == 200
    dataset.wait_for_jobs("EMBEDDING")

    assert list_found(dataset) == []
    gone = f"/ext/v1/datasets/{dataset.id}/columns/neighborhoods/{groups['id']}"
    assert dataset.client.get(gone).status_code == 404


@pytest.mark.parametrize(
    "search",
    [
        {"type": "NEAR_DUPLICATES", "maxDistance": -1},
        {**CHAIN, "rule": "CLIQUE"},
        {"type": "OUTLIERS", "nNeighbors": 0},
        {"type": "OUTLIERS", "maxDistance": 1},
        {"type": "SOMETHING"},
    ],
)
def test_a_search_that_makes_no_sense_is_refused(line, search):
    response = ask(line, search)

    assert (response.status_code, response.json()["code"]) == (400, "MALFORMED_REQUEST")


def test_without_an_embedding_there_is_nothing_to_search(server, line):
    empty = make_embedded_dataset(server)

    assert ask(empty, CHAIN).json()["code"] == "EMBEDDING_NOT_READY"
    unknown = ask(line, CHAIN, embeddingId=make_id())
    assert unknown.json()["code"] == "EMBEDDING_UNKNOWN"
