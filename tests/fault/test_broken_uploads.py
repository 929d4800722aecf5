"""Files that arrive in part: nothing of them is ever taken for the whole."""

from __future__ import annotations

import socket
from urllib.parse import urlsplit

import numpy as np
import pytest
from PIL import Image

from tests.support.fault_checks import await_condition, call, check_log
from tests.support.fault_kills import run_killable_server
from tests.support.samples import make_dataset


@pytest.fixture
def picture(tmp_path):
    """The bytes of a JPEG of some 100 kB."""
    noise = np.random.default_rng(0).integers(0, 256, (256, 256, 3), dtype=np.uint8)
    Image.fromarray(noise).save(tmp_path / "a.jpg", quality=90)
    return (tmp_path / "a.jpg").read_bytes()


@pytest.fixture
def dataset(sqlite_server):
    return make_dataset(sqlite_server)


@pytest.fixture
def sample_id(dataset, picture):
    return dataset.add("a.jpg", metaData={"sizeInBytes": len(picture)})


@pytest.fixture
def urls(dataset, sample_id):
    return dataset.client.get(f"{dataset.path}/samples/{sample_id}/writeurls").json()


def read_image(dataset, sample_id):
    url = dataset.client.get(f"{dataset.path}/samples/{sample_id}/readurl").json()
    return dataset.client.get(url).content


@pytest.mark.parametrize("kind", ["full", "thumb"])
def test_a_repetition_that_finds_its_file_read_already_stores_nothing(dataset, urls, kind):
    # Without a length in advance, as clients send a file that stands at its end.
    answer = dataset.client.put(urls[kind], content=iter([]))

    assert (answer.status_code, answer.json()["code"]) == (400, "MALFORMED_REQUEST")
    assert (
        dataset.client.get(f"{dataset.ext_path}/stored?kind={kind}").json()["bitMaskData"] == "0x0"
    )


def test_such_a_repetition_of_an_upload_that_had_arrived_is_a_success(
    dataset, sample_id, urls, picture
):
    dataset.client.put(urls["full"], content=picture)

    assert dataset.client.put(urls["full"], content=iter([])).status_code == 200

    assert read_image(dataset, sample_id) == picture


def test_a_file_that_is_said_to_be_empty_may_be(dataset, sample_id, urls):
    assert dataset.client.put(urls["full"], content=b"").status_code == 200

    assert read_image(dataset, sample_id) == b""


@pytest.mark.parametrize("start", [1, 16_384, -1])
def test_the_end_of_an_image_is_not_taken_for_the_image(dataset, sample_id, urls, picture, start):
    before = dataset.client.put(urls["full"], content=picture[start:])
    dataset.client.put(urls["full"], content=picture)
    after = dataset.client.put(urls["full"], content=picture[start:])

    for answer in (before, after):
        assert (answer.status_code, answer.json()["code"]) == (400, "MALFORMED_REQUEST")
        assert f"of the {len(picture)} bytes" in answer.json()["error"]
    assert read_image(dataset, sample_id) == picture


def test_a_smaller_image_than_was_announced_is_taken(dataset, sample_id, urls):
    smaller = b"\x89PNG\r\n\x1a\n" + b"anything"

    assert dataset.client.put(urls["full"], content=smaller).status_code == 200

    assert read_image(dataset, sample_id) == smaller


def test_a_file_of_any_kind_is_taken_when_it_is_as_long_as_announced(
    dataset, sample_id, urls, picture
):
    other = b"x" * len(picture)

    assert dataset.client.put(urls["full"], content=other).status_code == 200

    assert read_image(dataset, sample_id) == other


def test_a_client_that_goes_away_leaves_nothing_and_no_error(tmp_path, picture):
    with run_killable_server(tmp_path / "data") as server:
        dataset_id = call(server, "POST", "/v1/datasets", json={"name": "abc"}).json()["id"]
        samples = f"/v1/datasets/{dataset_id}/samples"
        sample_id = call(server, "POST", samples, json={"fileName": "a.jpg"}).json()["id"]
        url = call(server, "GET", f"{samples}/{sample_id}/writeurls").json()["full"]
        bodies = {url: picture[:5_000], server.url + samples: b'{"fileName": '}
        for target, part in bodies.items():
            break_off(target, part, len(picture), server.token)

        await_condition(lambda: server.read_log().count(" 400 ") == len(bodies))
        blobs = [path for path in server.data_dir.joinpath("blobs").rglob("*") if path.is_file()]
        assert blobs == []
        check_log(server)


def break_off(url, part, length, token):
    """Begin a request and close the connection in the middle of its body."""
    parts = urlsplit(url)
    method = "PUT" if parts.query else "POST"
    head = (
        f"{method} {parts.path}?{parts.query} HTTP/1.1\r\nHost: {parts.netloc}\r\n"
        f"Authorization: Bearer {token}\r\nContent-Length: {length}\r\n\r\n"
    )
    with socket.create_connection((parts.hostname, parts.port), timeout=30) as connection:
        connection.sendall(head.encode() + part)
