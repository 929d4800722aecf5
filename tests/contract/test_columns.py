"""Columns, questions about them, and what grids show, over HTTP."""

from __future__ import annotations

import json
import struct
from typing import Any

import numpy as np
import pytest
import sqlalchemy as sa

from lightly._kit.ids import make_id
from lightly.server.db import tables
from lightly.server.embeddings.models import Embedding, make_vectors_key
from lightly.server.embeddings.repository import insert_embedding
from lightly.server.embeddings.vectors import open_vector_writer
from tests.support.extension import check_schema

NAMES = [f"cam{k % 2}/image_{k:02}.jpg" for k in range(20)]


def read(response: Any) -> tuple[np.ndarray, dict[str, Any]]:
    assert response.status_code == 200, response.text
    content = response.content
    _, _, kind, width, count, tail, _ = struct.unpack("<4sHBBQII8x", content[:32])
    body, text = content[32 : len(content) - tail], content[len(content) - tail :]
    if kind == 4:
        return np.flatnonzero(
            np.unpackbits(np.frombuffer(body, np.uint8), bitorder="little")
        ), json.loads(text)
    dtype = {1: "<f4", 2: "<u2", 3: "u1", 5: "<u4"}[kind]
    return np.frombuffer(body, dtype).reshape(-1, count) if width > 1 else np.frombuffer(
        body, dtype
    ), json.loads(text)


@pytest.fixture
def dataset_url(server) -> str:
    client = server.client
    dataset_id = client.post("/v1/datasets", json={"name": "columns"}).json()["id"]
    samples = [
        {"fileName": name, "customMetaData": {"speed": k, "weather": "rain" if k % 3 else "sun"}}
        for k, name in enumerate(NAMES)
    ]
    url = f"/ext/v1/datasets/{dataset_id}"
    assert client.post(f"{url}/samples/bulk", json={"samples": samples}).status_code == 201
    client.post(f"/v1/datasets/{dataset_id}/tags/initial", json={"imgType": "full"})
    return url


def test_columns_are_listed_with_what_they_hold(server, dataset_url):
    body = server.client.get(f"{dataset_url}/columns").json()

    check_schema(body, "ColumnList")
    assert (body["state"], body["nSamples"]) == ("READY", 20)
    assert [(info["key"], info["kind"]) for info in body["columns"]] == [
        ("speed", "number"),
        ("weather", "category"),
    ]


def test_filters_are_combined_and_histograms_leave_their_own_out(server, dataset_url):
    body = {
        "filters": [
            {"kind": "range", "key": "speed", "min": 5, "max": 14},
            {"kind": "values", "key": "weather", "values": ["sun"]},
            {"kind": "name", "text": "CAM1"},
        ],
        "histograms": ["weather", "speed"],
    }

    found, tail = read(server.client.post(f"{dataset_url}/columns/query", json=body))

    assert found.tolist() == [9]
    assert tail["count"] == 1
    # odd numbers from 5 to 14: 5 7 9 11 13
    assert tail["histograms"]["weather"] == [4, 1]
    assert sum(tail["histograms"]["speed"]) == len([k for k in range(20) if k % 3 == 0 and k % 2])
    assert tail["filters"] == [
        {"alone": 10, "without": 3},
        {"alone": 7, "without": 5},
        {"alone": 10, "without": 3},
    ]
    assert "tag" not in tail


def test_samples_outside_of_a_tag_are_asked_for(server, dataset_url):
    url = dataset_url.removeprefix("/ext")
    initial = server.client.get(f"{url}/tags").json()[0]
    made = {"name": "first", "prevTagId": initial["id"], "bitMaskData": "0xff", "totSize": 20}
    tag_id = server.client.post(f"{url}/tags", json=made).json()["id"]
    wanted = {"kind": "range", "key": "speed", "min": 6, "max": 9}
    body = {"filters": [wanted], "tagId": tag_id, "isTagNegated": True, "histograms": ["weather"]}

    found, tail = read(server.client.post(f"{dataset_url}/columns/query", json=body))

    assert found.tolist() == [8, 9]
    assert tail["histograms"]["weather"] == [1, 1]
    assert (tail["tag"], tail["filters"]) == (
        {"alone": 12, "without": 4},
        [{"alone": 4, "without": 12}],
    )


@pytest.mark.parametrize(
    ("wanted", "expected"),
    [
        ({"kind": "name", "text": r"_0[0-3]\.", "isRegex": True}, [0, 1, 2, 3]),
        ({"kind": "name", "text": "CAM1", "isCaseSensitive": True}, []),
        ({"kind": "range", "key": "speed", "max": 17, "isNegated": True}, [18, 19]),
        ({"kind": "values", "key": "weather", "values": ["snow"]}, []),
    ],
)
def test_one_filter(server, dataset_url, wanted, expected):
    found, _ = read(server.client.post(f"{dataset_url}/columns/query", json={"filters": [wanted]}))

    assert found.tolist() == expected


@pytest.mark.parametrize(
    "wanted",
    [
        {"kind": "range"},
        {"kind": "range", "key": "weather", "min": 1},
        {"kind": "values", "key": "speed", "values": ["1"]},
        {"kind": "values", "key": "nothing", "values": []},
        {"kind": "name", "text": "(", "isRegex": True},
        {"kind": "polygon", "polygon": [[0, 0], [1, 1]]},
        {"kind": "else"},
    ],
)
def test_a_filter_that_makes_no_sense_is_refused(server, dataset_url, wanted):
    response = server.client.post(f"{dataset_url}/columns/query", json={"filters": [wanted]})

    assert response.status_code == 400, response.text


def test_a_column_is_kept_by_its_revision_and_a_change_makes_a_new_one(server, dataset_url):
    client = server.client
    first = client.get(f"{dataset_url}/columns").json()["revision"]
    url = f"{dataset_url}/columns/metadata/speed"
    answer = client.get(url, params={"revision": first})
    again = client.get(url, headers={"If-None-Match": answer.headers["ETag"]})

    change = {"items": [{"fileName": NAMES[3], "customMetaData": {"speed": 99}}]}
    client.put(f"{dataset_url}/samples/customMetadata", json=change)
    after = client.get(url, params={"revision": first})

    assert "immutable" in answer.headers["Cache-Control"]
    assert again.status_code == 304
    assert "immutable" not in after.headers["Cache-Control"]
    assert after.headers["ETag"] != answer.headers["ETag"]
    values, tail = read(after)
    assert values.tolist() == [0, 1, 2, 99, *range(4, 20)]
    assert tail["max"] == 99
    assert client.get(f"{dataset_url}/columns").json()["revision"] > first


def test_new_samples_are_part_of_the_columns_at_once(server, dataset_url):
    client = server.client
    client.get(f"{dataset_url}/columns")
    new = {"samples": [{"fileName": "new.jpg", "customMetaData": {"speed": -1}}]}
    client.post(f"{dataset_url}/samples/bulk", json=new)

    values, _ = read(client.get(f"{dataset_url}/columns/metadata/speed"))

    assert values.tolist() == [*range(20), -1]


def test_samples_are_sorted_by_a_column_and_by_name(server, dataset_url):
    down, _ = read(
        server.client.get(
            f"{dataset_url}/columns/order", params={"sortKey": "speed", "direction": "desc"}
        )
    )
    by_name, _ = read(server.client.get(f"{dataset_url}/columns/order"))

    assert down.tolist() == list(range(19, -1, -1))
    assert by_name.tolist() == sorted(range(20), key=lambda k: NAMES[k])


def test_tags_are_listed_with_their_counts_and_read_as_bits(server, dataset_url):
    client = server.client
    (initial,) = client.get(f"{dataset_url}/tags").json()
    body = {"name": "some", "prevTagId": initial["id"], "bitMaskData": "0x80005", "totSize": 20}
    client.post(f"{dataset_url.replace('/ext', '')}/tags", json=body)

    listed = client.get(f"{dataset_url}/tags").json()
    bits, tail = read(client.get(f"{dataset_url}/columns/tags/{listed[1]['id']}"))

    for tag in listed:
        check_schema(tag, "TagSummary")
        assert not tag["hasScores"]
    assert [(tag["name"], tag["count"]) for tag in listed] == [("initial-tag", 20), ("some", 3)]
    assert bits.tolist() == [0, 2, 19]
    assert tail == {"count": 3}


def test_records_are_those_of_the_asked_indices(server, dataset_url):
    body = {"indices": [19, 3, 3, 400]}

    records = server.client.post(f"{dataset_url}/samples/records", json=body).json()

    assert [(record[0], record[2]) for record in records] == [(3, NAMES[3]), (19, NAMES[19])]


def test_a_dataset_without_samples_has_no_columns(server):
    dataset_id = server.client.post("/v1/datasets", json={"name": "empty"}).json()["id"]
    url = f"/ext/v1/datasets/{dataset_id}"

    assert server.client.get(f"{url}/columns").json()["columns"] == []
    found, tail = read(server.client.post(f"{url}/columns/query", json={"filters": []}))
    assert (found.tolist(), tail["count"]) == ([], 0)
    assert server.client.post(f"{url}/samples/records", json={"indices": [0]}).json() == []


def test_an_image_is_served_inertly(server, dataset_url):
    client = server.client
    records = client.post(f"{dataset_url}/samples/records", json={"indices": [0, 1]}).json()
    url = f"{dataset_url}/samples/{records[0][1]}"
    body = {"sampleIds": [records[0][1], records[1][1]], "kinds": ["full"]}
    png, html = b"\x89PNG\r\n\x1a\n" + bytes(40), b"<html><script>alert(1)</script></html>"
    urls = client.post(f"{dataset_url}/samples/writeUrls", json=body).json()["urls"]
    assert client.put(urls[0]["full"], content=png).status_code == 200

    answer = client.get(f"{url}/image", params={"type": "thumbnail"})
    missing = client.get(f"{dataset_url}/samples/{records[1][1]}/image")

    assert answer.content == png
    assert answer.headers["Content-Type"] == "image/png"
    assert "sandbox" in answer.headers["Content-Security-Policy"]
    assert "Cookie" in answer.headers["Vary"]
    assert missing.status_code == 404
    client.put(urls[1]["full"], content=html)
    other = client.get(f"{dataset_url}/samples/{records[1][1]}/image")
    assert "html" not in other.headers["Content-Type"]


def add_predictions(server: Any, dataset_url: str) -> None:
    """Give the first samples cars and vans: k + 1 of them to sample k."""
    client, url = server.client, dataset_url.removeprefix("/ext")
    categories = [{"id": 0, "name": "car"}, {"id": 1, "name": "van"}]
    schema = {"name": "vehicles", "type": "OBJECT_DETECTION", "categories": categories}
    assert client.post(f"{url}/predictions/tasks", json=schema).status_code == 201
    ids = [one[1] for one in list_records(server, dataset_url, [0, 1, 2])]
    for k, sample_id in enumerate(ids):
        box = {"type": "OBJECT_DETECTION", "taskName": "vehicles", "bbox": [0, 0, 1, 1]}
        body = [box | {"categoryId": k % 2, "score": 0.5 + k / 10}] * (k + 1)
        assert client.post(f"{url}/predictions/samples/{sample_id}", json=body).status_code == 201


def list_records(server: Any, dataset_url: str, indices: list[int]) -> list[Any]:
    answer = server.client.post(f"{dataset_url}/samples/records", json={"indices": indices})
    found: list[Any] = answer.json()
    return found


def test_predictions_are_columns_and_new_ones_make_a_new_revision(server, dataset_url):
    client = server.client
    before = client.get(f"{dataset_url}/columns").json()["revision"]
    add_predictions(server, dataset_url)

    listed = client.get(f"{dataset_url}/columns").json()
    check_schema(listed, "ColumnList")
    by_key = {info["key"]: info for info in listed["columns"]}
    assert listed["revision"] > before
    assert by_key["lightly.prediction.vehicles"]["categories"] == [
        {"name": "car", "count": 2},
        {"name": "van", "count": 1},
    ]
    values, _ = read(client.get(f"{dataset_url}/columns/metadata/lightly.objects.vehicles.car"))
    assert values[:4].tolist() == pytest.approx([1, 0, 3, np.nan], nan_ok=True)
    wanted = {"kind": "range", "key": "lightly.confidence.vehicles", "min": 0.55}
    found, _ = read(client.post(f"{dataset_url}/columns/query", json={"filters": [wanted]}))
    assert found.tolist() == [1, 2]


def test_scores_are_columns_until_their_tag_goes(server, dataset_url):
    client, url = server.client, dataset_url.removeprefix("/ext")
    initial = client.get(f"{url}/tags").json()[0]
    tag = {"name": "some", "prevTagId": initial["id"], "bitMaskData": "0x28", "totSize": 20}
    tag_id = client.post(f"{url}/tags", json=tag).json()["id"]
    scores = {"scoreType": "margin", "scores": [0.25, 0.75]}
    assert client.post(f"{url}/tags/{tag_id}/scores", json=scores).status_code == 201

    scored = {tag["name"]: tag["hasScores"] for tag in client.get(f"{dataset_url}/tags").json()}
    assert scored == {"initial-tag": False, "some": True}
    values, info = read(client.get(f"{dataset_url}/columns/metadata/lightly.tagScore.some.margin"))
    assert (info["nPresent"], info["min"], info["max"]) == (2, 0.25, 0.75)
    assert np.flatnonzero(~np.isnan(values)).tolist() == [3, 5]
    order, _ = read(
        client.get(
            f"{dataset_url}/columns/order",
            params={"sortKey": "lightly.tagScore.some.margin", "direction": "desc"},
        )
    )
    assert order[:2].tolist() == [5, 3]
    client.delete(f"{url}/tags/{tag_id}")
    keys = [info["key"] for info in client.get(f"{dataset_url}/columns").json()["columns"]]
    assert "lightly.tagScore.some.margin" not in keys


def test_samples_are_ordered_by_their_distance_to_the_nearest_example(server, dataset_url):
    dataset_id = dataset_url.rpartition("/")[2]
    vectors = np.arange(20, dtype=np.float32)[:, None] ** 2
    embedding_id = add_embedding(server, dataset_id, vectors[:18])
    url = f"{dataset_url}/columns/embeddings/{embedding_id}/similar"
    ids = {one[0]: one[1] for one in list_records(server, dataset_url, list(range(20)))}

    order, tail = read(server.client.post(url, json={"sampleIds": [ids[2], ids[17]]}))
    few, _ = read(server.client.post(url, json={"sampleIds": [ids[2]], "limit": 3}))
    mixed, _ = read(server.client.post(url, json={"sampleIds": [ids[19], ids[2]], "limit": 3}))
    without, told = read(server.client.post(url, json={"sampleIds": [ids[19]]}))

    nearest = np.minimum(abs(vectors[:18, 0] - 4), abs(vectors[:18, 0] - 289))
    assert order[:18].tolist() == np.argsort(nearest, kind="stable").tolist()
    assert order[18:].tolist() == [18, 19]
    assert tail["distances"] == pytest.approx(sorted(nearest))
    assert few.tolist() == [2, 1, 0]
    assert mixed.tolist() == few.tolist()
    assert (without.tolist(), told["distances"]) == (list(range(20)), [])


def add_embedding(server: Any, dataset_id: str, vectors: np.ndarray) -> str:
    """Store vectors of the first samples, as reading a CSV does."""
    platform = server.platform
    embedding_id = make_id()
    with platform.database.write() as connection:
        key = connection.execute(
            sa.select(tables.datasets.c.key).where(tables.datasets.c.id == dataset_id)
        ).scalar_one()
        insert_embedding(
            connection,
            Embedding(embedding_id, key, "squares", "READY", None, *vectors.shape, "etag", 1),
        )
    blob = make_vectors_key(dataset_id, embedding_id, "etag")
    with open_vector_writer(platform.blobs, blob, *vectors.shape) as writer:
        writer.write(np.arange(len(vectors)), vectors)
    return embedding_id
