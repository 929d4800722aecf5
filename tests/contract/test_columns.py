"""Columns, questions about them, and what grids show, over HTTP."""

from __future__ import annotations

import json
import struct
from typing import Any

import numpy as np
import pytest

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
