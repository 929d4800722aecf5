"""The file server of the user's machine, over a real socket."""

import io
import os
import random
import socket
import threading
import urllib.parse
import urllib.request

import pytest
from PIL import Image

from lightly.api.serve import get_server, validate_input_mount, validate_lightly_mount
from tests.support.local_files import run_file_server


def encode(image_format="PNG"):
    buffer = io.BytesIO()
    Image.new("RGB", (40, 30), (200, 100, 0)).save(buffer, image_format)
    return buffer.getvalue()


CONTENT = encode()


@pytest.fixture
def folders(tmp_path):
    """An input folder and one of Lightly's results."""
    folders = (tmp_path / "input", tmp_path / "lightly")
    for folder in folders:
        (folder / "sub").mkdir(parents=True)
    (folders[0] / "sub" / "a b#1%.png").write_bytes(CONTENT)
    (folders[0] / "both.png").write_bytes(CONTENT)
    (folders[1] / "both.png").write_bytes(b"later")
    (folders[1] / "sub" / "a.json").write_text("{}")
    return folders


@pytest.fixture
def client(folders):
    with run_file_server(*folders) as client:
        yield client


def test_a_file_is_served_as_it_is(client):
    answer = client.send("/" + urllib.parse.quote("sub/a b#1%.png"))

    assert (answer.status, answer.body) == (200, CONTENT)
    assert answer.headers["content-type"] == "image/png"
    assert answer.headers["cache-control"] == "no-store"


def test_the_first_folder_that_has_it_wins(client):
    assert client.send("/both.png").body == CONTENT


def test_the_second_folder_is_looked_into_too(client):
    assert client.send("/sub/a.json").body == b"{}"


def test_parameters_of_the_address_are_no_part_of_the_name(client):
    assert client.send("/both.png?token=1#x").status == 200


def test_what_is_not_there_is_not_found(client):
    assert client.send("/sub/none.png").status == 404


@pytest.mark.parametrize("path", ["/", "/sub", "/sub/", "//"])
def test_folders_are_not_listed(client, path):
    assert client.send(path).status == 404


@pytest.mark.parametrize(
    ("wanted", "start", "stop"),
    [
        ("bytes=0-3", 0, 4),
        ("bytes=10-", 10, len(CONTENT)),
        ("bytes=-5", len(CONTENT) - 5, len(CONTENT)),
        ("bytes=5-999999", 5, len(CONTENT)),
        ("bytes=-999999", 0, len(CONTENT)),
    ],
)
def test_a_part_is_served_for_seeking_in_videos(client, wanted, start, stop):
    answer = client.send("/both.png", Range=wanted)

    assert answer.body == CONTENT[start:stop]
    is_partial = stop - start < len(CONTENT)
    assert answer.status == (206 if is_partial else 200)
    if is_partial:
        assert answer.headers["content-range"] == f"bytes {start}-{stop - 1}/{len(CONTENT)}"
    assert answer.headers["accept-ranges"] == "bytes"


@pytest.mark.parametrize("wanted", ["bytes=999999-", "bytes=-0"])
def test_a_part_that_does_not_exist_is_refused(client, wanted):
    answer = client.send("/both.png", Range=wanted)

    assert (answer.status, answer.body) == (416, b"")
    assert answer.headers["content-range"] == f"bytes */{len(CONTENT)}"


@pytest.mark.parametrize(
    "wanted",
    ["bytes=0-1,3-4", "bytes=5-2", "bytes=-", "lines=0-1", "bytes=x-1", "bytes=" + "9" * 50],
)
def test_other_ranges_get_the_whole_file(client, wanted):
    answer = client.send("/both.png", Range=wanted)

    assert (answer.status, answer.body) == (200, CONTENT)


def test_a_part_of_another_version_is_not_mixed_in(client):
    assert client.send("/both.png", Range="bytes=0-3", If_Range='"x"').body == CONTENT


def test_a_part_of_the_same_version_is_served(client):
    whole = client.send("/both.png").headers

    for version in (whole["etag"], whole["last-modified"]):
        answer = client.send("/both.png", Range="bytes=0-3", If_Range=version)

        assert (answer.status, answer.body) == (206, CONTENT[:4])


def test_a_file_that_has_changed_has_another_version(client, folders):
    before = client.send("/both.png").headers["etag"]
    (folders[0] / "both.png").write_bytes(CONTENT[::-1])

    answer = client.send("/both.png", Range="bytes=0-3", If_Range=before)

    assert (answer.status, answer.body) == (200, CONTENT[::-1])


@pytest.mark.parametrize(
    ("asked", "told"), [("If_None_Match", "etag"), ("If_Modified_Since", "last-modified")]
)
def test_who_has_this_version_gets_no_bytes(client, asked, told):
    version = client.send("/both.png").headers[told]

    answer = client.send("/both.png", **{asked: version})

    assert (answer.status, answer.body) == (304, b"")


def test_an_empty_file_is_empty(client, folders):
    (folders[0] / "empty.png").write_bytes(b"")

    answer = client.send("/empty.png")

    assert (answer.status, answer.body, answer.headers["content-length"]) == (200, b"", "0")


def test_headers_can_be_asked_for_alone(client):
    answer = client.send("/both.png", "HEAD")

    assert (answer.status, answer.body) == (200, b"")
    assert answer.headers["content-length"] == str(len(CONTENT))


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "PATCH"])
def test_nothing_can_be_written(client, folders, method):
    answer = client.send("/both.png", method)

    assert answer.status == 501
    assert (folders[0] / "both.png").read_bytes() == CONTENT


def test_many_files_at_once_arrive_whole(client):
    bodies = []
    threads = [
        threading.Thread(target=lambda: bodies.append(client.send("/both.png").body))
        for _ in range(20)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert bodies == [CONTENT] * 20


def test_requests_follow_each_other_on_one_connection(client):
    with client.connect() as connection:
        for _ in range(3):
            connection.sendall(b"GET /both.png HTTP/1.1\r\nHost: localhost\r\n\r\n")
            received = b""
            while not received.endswith(CONTENT):
                received += connection.recv(65_536)

            assert received.startswith(b"HTTP/1.1 200 OK\r\n")


def test_requests_that_arrive_together_are_answered_in_order(client):
    one = b"GET /both.png HTTP/1.1\r\nHost: localhost\r\n\r\n"
    two = b"GET /sub/a.json HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"

    answers = client.send_raw(one + two)

    assert answers.count(b"HTTP/1.1 200 OK") == 2
    assert answers.index(CONTENT) < answers.index(b"\r\n\r\n{}")


def test_a_large_file_arrives_whole(client, folders):
    content = random.Random(0).randbytes(12_345_678)
    (folders[1] / "large.mp4").write_bytes(content)

    assert client.send("/large.mp4").body == content
    assert client.send("/large.mp4", Range="bytes=9000001-").body == content[9_000_001:]


def test_a_file_that_shrinks_while_it_is_sent_breaks_off(client, folders):
    path = folders[1] / "large.mp4"
    path.write_bytes(bytes(50_000_000))

    with client.connect() as connection:
        connection.sendall(b"GET /large.mp4 HTTP/1.1\r\nHost: localhost\r\n\r\n")
        n_received = len(connection.recv(1_000))
        os.truncate(path, 1_000)
        while more := connection.recv(1 << 20):
            n_received += len(more)

    assert n_received < 50_000_000


def test_a_server_that_is_stopped_finishes_what_it_sends(folders):
    content = random.Random(0).randbytes(30_000_000)
    (folders[1] / "large.mp4").write_bytes(content)
    server = get_server(folders, "127.0.0.1", 0)
    serving = threading.Thread(target=server.serve_forever, args=(0.01,))
    serving.start()
    address = ("127.0.0.1", server.server_port)

    with socket.create_connection(address) as busy, socket.create_connection(address) as idle:
        # Only of a connection that was taken does the server say that it ends.
        idle.sendall(b"HEAD /large.mp4 HTTP/1.1\r\nHost: localhost\r\n\r\n")
        assert idle.recv(1_000)
        busy.sendall(b"GET /large.mp4 HTTP/1.1\r\nHost: localhost\r\n\r\n")
        received = busy.recv(1_000)
        server.shutdown()
        closing = threading.Thread(target=server.server_close)
        closing.start()
        assert idle.recv(1) == b""
        received += b"".join(iter(lambda: busy.recv(1 << 20), b""))
        closing.join()

    assert received.endswith(content)
    serving.join()


def test_a_server_on_ipv6_can_be_reached(folders):
    with get_server(folders, "::1", 0) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        with urllib.request.urlopen(f"http://[::1]:{server.server_port}/both.png") as answer:
            body = answer.read()
        server.shutdown()
        thread.join()

    assert body == CONTENT


def test_an_input_folder_needs_something_to_show(folders):
    validate_input_mount(folders[0])
    validate_lightly_mount(folders[1])

    with pytest.raises(ValueError, match="no image and no video"):
        validate_input_mount(folders[1] / "sub")
    with pytest.raises(ValueError, match="does not exist"):
        validate_lightly_mount(folders[1] / "nowhere")


def test_a_taken_address_is_an_error(folders):
    with run_file_server(*folders) as client, pytest.raises(OSError):
        get_server(folders, "127.0.0.1", client.port)
