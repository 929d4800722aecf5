"""How far samples are from a tag: measured by a job, read as a column, of the tag as it is now."""

from __future__ import annotations

import json
import struct

import numpy as np
import pytest

from lightly.server.coverages import service
from tests.conftest import DATABASES
from tests.support.embedded_datasets import make_embedded_dataset, run_shared_server

LINE = np.array([[0], [5], [1], [30], [2], [5.5]], dtype=np.float32)


@pytest.fixture(scope="module", params=DATABASES[:1])
def server(request, tmp_path_factory):
    with run_shared_server(request, tmp_path_factory.mktemp("server")) as running:
        yield running


@pytest.fixture
def line(server):
    dataset = make_embedded_dataset(server)
    dataset.upload(LINE)
    return dataset


def ask(dataset, tag_id, **body):
    return dataset.client.post(f"/ext/v1/datasets/{dataset.id}/tags/{tag_id}/coverage", json=body)


def measure(dataset, tag_id, **body):
    response = ask(dataset, tag_id, **body)
    assert response.status_code == 200, response.text
    job = dataset.wait_for_job(response.json()["jobId"])
    assert job["status"] == "FINISHED", job
    assert job["result"]["data"] == tag_id


def read(dataset, tag_id, **query):
    path = f"/ext/v1/datasets/{dataset.id}/columns/tags/{tag_id}/coverage"
    response = dataset.client.get(path, params=query)
    if response.status_code == 204:
        return None
    assert response.status_code == 200, response.text
    _, _, kind, _, count, length, _ = struct.unpack("<4sHBBQII8x", response.content[:32])
    assert kind == 1
    tail = json.loads(response.content[-length:])
    return np.frombuffer(response.content, "<f4", count, offset=32).tolist(), tail


def test_every_sample_has_its_distance_to_the_nearest_of_the_tag(line):
    tag_id = line.add_tag([0, 3], "ends")
    assert read(line, tag_id) is None
    measure(line, tag_id)
    distances, tail = read(line, tag_id)

    assert distances == [0, 5, 1, 0, 2, 5.5]
    assert (tail["max"], tail["nPresent"]) == (5.5, 6)
    assert tail["mean"] == pytest.approx(13.5 / 6)


def test_what_was_measured_is_not_taken_for_an_edited_tag_or_another_embedding(line):
    tag_id = line.add_tag([0], "first")
    measure(line, tag_id)
    other = line.upload(LINE * 2, "double")
    assert read(line, tag_id) is None
    measure(line, tag_id, embeddingId=other)
    assert read(line, tag_id, embeddingId=other)[0] == [0, 10, 2, 60, 4, 11]
    path = f"/v1/datasets/{line.id}/tags/{tag_id}"
    body = {"name": "first", "bitMaskData": "0x2"}
    assert line.client.put(path, json=body).status_code == 204
    assert read(line, tag_id, embeddingId=other) is None


def test_what_was_measured_of_earlier_and_of_deleted_tags_does_not_pile_up(line, server):
    embedding_id = line.list_embeddings()[0]["id"]
    gone = line.add_tag([0], "gone")
    kept = line.add_tag([1], "kept")
    measure(line, gone)
    measure(line, kept)
    assert line.client.delete(f"/v1/datasets/{line.id}/tags/{gone}").status_code == 204
    path = f"/v1/datasets/{line.id}/tags/{kept}"
    assert line.client.put(path, json={"name": "kept", "bitMaskData": "0x4"}).status_code == 204
    measure(line, kept)

    prefix = f"datasets/{line.id}/embeddings/{embedding_id}/coverage/"
    keys = list(server.platform.blobs.list_keys(prefix))
    assert [key.removeprefix(prefix)[:24] for key in keys] == [kept]


def test_an_empty_tag_and_one_that_is_too_large_are_refused(line, monkeypatch):
    empty = line.add_tag([], "empty")
    assert ask(line, empty).status_code == 400
    monkeypatch.setattr(service, "EXPLAIN_BUDGET", 5)
    answer = ask(line, line.add_tag([0], "large"))
    assert answer.status_code == 400
    assert "6 samples against 1" in answer.json()["error"]


def test_a_dataset_without_embedding_has_no_distances(server):
    dataset = make_embedded_dataset(server)
    tag_id = dataset.add_tag([0], "first")
    path = f"/ext/v1/datasets/{dataset.id}/columns/tags/{tag_id}/coverage"
    answers = [ask(dataset, tag_id), dataset.client.get(path)]
    assert [answer.status_code for answer in answers] == [400, 400]
