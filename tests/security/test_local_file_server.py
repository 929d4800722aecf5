"""The file server of the user's machine gives out nothing but the files of its folders.

Threats T12 (foreign pages), T14 (paths that lead out), T26 (files that pose as pages), T33 (slow
and malformed requests).
"""

import os
import threading
import time

import pytest
from PIL import Image

from lightly.api.file_server import connections
from tests.support.local_files import run_file_server

ORIGIN = "http://localhost:8000"
SECRET = b"secret of this machine"
PATHS_OUT = [
    "/../secret.txt", "/sub/../../secret.txt", "/%2e%2e/secret.txt", "/%2e%2e%2fsecret.txt",
    "/..%2fsecret.txt", "/%252e%252e%252fsecret.txt", "/..\\secret.txt", "/..%5csecret.txt",
    "//secret.txt", "/%2fetc/passwd", "//etc/passwd", "/C:/secret.txt", "/C%3a%5csecret.txt",
    "/%5c%5chost%5cshare", "/a.png%00.txt", "/%00", "/./a.png", "/.%2e%20/secret.txt",
    "/link.txt", "/linked/secret.txt", "/a.png%0d%0aX-Evil:%201", "/%ff%fe", "/" + "a/" * 10_000,
    "/" + "%2e%2e/" * 100 + "etc/passwd", "http://evil.example/../secret.txt", "secret.txt",
]  # fmt: skip


@pytest.fixture
def folder(tmp_path):
    """A folder with an image, a secret beside it, and links that lead there."""
    folder = tmp_path / "input"
    (folder / "sub").mkdir(parents=True)
    Image.new("RGB", (8, 8)).save(folder / "a.png")
    (tmp_path / "secret.txt").write_bytes(SECRET)
    (folder / "link.txt").symlink_to(tmp_path / "secret.txt")
    (folder / "linked").symlink_to(tmp_path)
    return folder


@pytest.mark.parametrize("path", PATHS_OUT, ids=range(len(PATHS_OUT)))
def test_no_path_leads_out_of_the_folder(folder, path):
    with run_file_server(folder) as client:
        answer = client.send(path)
        after = client.send("/a.png")

    assert answer.status in {400, 403, 404, 414}
    assert SECRET not in answer.body
    assert "x-evil" not in answer.headers
    assert after.status == 200


def test_links_within_the_folder_are_followed(folder):
    (folder / "inside.png").symlink_to(folder / "a.png")
    (folder / "folder").symlink_to("sub")
    (folder / "sub" / "b.png").write_bytes(b"b")

    with run_file_server(folder) as client:
        assert client.send("/inside.png").status == 200
        assert client.send("/folder/b.png").body == b"b"


def test_a_link_that_changes_all_the_time_never_leads_out(folder, tmp_path):
    is_done = threading.Event()
    targets = (folder / "a.png", tmp_path / "secret.txt")

    def swap():
        number = 0
        while not is_done.is_set():
            number += 1
            (folder / "new").symlink_to(targets[number % 2])
            (folder / "new").replace(folder / "swapped")

    swapping = threading.Thread(target=swap)
    swapping.start()
    try:
        with run_file_server(folder) as client:
            answers = [client.send("/swapped") for _ in range(300)]
    finally:
        is_done.set()
        swapping.join()

    assert {answer.status for answer in answers} == {200, 404}
    assert all(SECRET not in answer.body for answer in answers)


@pytest.mark.parametrize("make", [os.mkfifo, lambda path: path.symlink_to("/dev/zero"), os.mkdir])
def test_only_regular_files_are_served(folder, make):
    make(folder / "special.png")

    with run_file_server(folder) as client:
        assert client.send("/special.png").status == 404


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
def test_what_the_user_may_not_read_is_forbidden(folder):
    (folder / "a.png").chmod(0)

    with run_file_server(folder) as client:
        assert client.send("/a.png").status == 403


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("page.html", b"<script>alert(1)</script>"),
        ("page.jpg", b"<html><script>alert(1)</script></html>"),
        ("drawing.svg", b"<svg xmlns='http://www.w3.org/2000/svg'><script/></svg>"),
        ("drawing.png", b"<?xml version='1.0'?><svg xmlns='http://www.w3.org/2000/svg'/>"),
        ("code.js", b"alert(1)"),
        ("a.json", b"{}"),
    ],
)
def test_what_is_no_image_is_never_shown_as_a_page(folder, name, content):
    (folder / name).write_bytes(content)

    with run_file_server(folder) as client:
        headers = client.send(f"/{name}").headers

    assert headers["content-type"] == "application/octet-stream"
    assert headers["content-disposition"] == "attachment"
    assert headers["x-content-type-options"] == "nosniff"
    assert "sandbox" in headers["content-security-policy"]


def test_an_image_that_is_a_page_too_runs_nothing(folder):
    picture = (folder / "a.png").read_bytes()
    (folder / "a.html").write_bytes(picture + b"<script>alert(1)</script>")

    with run_file_server(folder) as client:
        headers = client.send("/a.html").headers

    assert headers["content-type"] == "image/png"
    assert headers["x-content-type-options"] == "nosniff"
    assert "default-src 'none'; sandbox" in headers["content-security-policy"]


@pytest.mark.parametrize("method", ["GET", "OPTIONS"])
@pytest.mark.parametrize("origin", ["https://evil.example", "null", ORIGIN])
def test_by_default_every_page_may_read_but_without_credentials(folder, method, origin):
    with run_file_server(folder) as client:
        headers = client.send("/a.png", method, Origin=origin).headers

    assert headers["access-control-allow-origin"] == "*"
    assert "access-control-allow-credentials" not in headers


@pytest.mark.parametrize("method", ["GET", "HEAD", "OPTIONS"])
@pytest.mark.parametrize(
    "origin",
    ["https://evil.example", "null", "http://sub.localhost:8000", "http://localhost:8000.evil.example",
     "https://localhost:8000", "http://localhost:80001", "HTTP://LOCALHOST:8000", "*", ""],
)  # fmt: skip
def test_other_pages_are_refused_when_origins_are_named(folder, method, origin):
    with run_file_server(folder, allowed_origins=[ORIGIN]) as client:
        answer = client.send("/a.png", method, Origin=origin)

    assert answer.status == 403
    assert "access-control-allow-origin" not in answer.headers


@pytest.mark.parametrize("method", ["GET", "OPTIONS"])
def test_the_named_page_may_read(folder, method):
    with run_file_server(folder, allowed_origins=[ORIGIN]) as client:
        answer = client.send("/a.png", method, Origin=ORIGIN)

    assert answer.status in {200, 204}
    assert answer.headers["access-control-allow-origin"] == ORIGIN
    assert answer.headers["vary"] == "Origin"
    assert "access-control-allow-credentials" not in answer.headers


@pytest.mark.parametrize(
    "host",
    ["evil.example", "evil.example:80", "localhost.evil.example", "127.0.0.1.evil.example", "["],
)
def test_a_page_that_rebinds_its_name_is_refused(folder, host):
    with run_file_server(folder) as client:
        answer = client.send("/a.png", host=host)

    assert answer.status == 403


@pytest.mark.parametrize("host", ["localhost", "LOCALHOST:1", "127.0.0.1", "[::1]:3456"])
def test_this_machines_names_are_fine(folder, host):
    with run_file_server(folder) as client:
        assert client.send("/a.png", host=host).status == 200


@pytest.mark.parametrize(
    ("host", "status"),
    [
        ("192.168.0.7:3456", 200),
        ("[fe80::1]:3456", 200),
        ("localhost", 200),
        ("gpu-box.example:3456", 200),
        ("evil.example", 403),
        ("gpu-box.example.evil.example", 403),
        ("192.168.0.7.evil.example", 403),
    ],
)
def test_on_other_addresses_names_are_checked_once_reading_is_narrowed(folder, host, status):
    narrowed = {"allowed_origins": [ORIGIN], "allowed_hosts": ["GPU-box.example"]}

    with run_file_server(folder, host="0.0.0.0", **narrowed) as client:
        assert client.send("/a.png", host=host).status == status


def test_on_other_addresses_any_name_will_do_while_every_page_may_read(folder):
    with run_file_server(folder, host="0.0.0.0") as client:
        assert client.send("/a.png", host="gpu-box.example").status == 200


MALFORMED = [
    b"GET /a.png\r\n\r\n", b"GET  /a.png HTTP/1.1\r\n\r\n",
    b"get /a.png HTTP/1.1\r\n\r\n", b"\r\n\r\n", b"\x16\x03\x01\r\n\r\n",
    b"GET /a.png HTTP/2.0\r\nHost: localhost\r\n\r\n", b"GET /a.png HTTP/1.1\r\n\r\n",
    b"GET /a.png HTTP/1.1\r\nHost: localhost\r\nHost: localhost\r\n\r\n",
    b"GET /a.png HTTP/1.1\r\nHost : localhost\r\n\r\n", b"GET /a.png HTTP/1.1\r\nHost\r\n\r\n",
    b"GET /a.png HTTP/1.1\r\nHost: localhost\r\n folded\r\n\r\n",
    b"GET /a.png HTTP/1.1\r\nHost: localhost\nX: y\r\n\r\n",
    b"GET /a.png HTTP/1.1\r\nHost: a\0b\r\n\r\n",
    b"GET /" + b"a" * 9_000 + b" HTTP/1.1\r\nHost: localhost\r\n\r\n",
    b"GET /a.png HTTP/1.1\r\nHost: localhost\r\nX: " + b"a" * 40_000 + b"\r\n\r\n",
]  # fmt: skip


@pytest.mark.parametrize("request_bytes", MALFORMED, ids=range(len(MALFORMED)))
def test_a_malformed_request_is_refused_and_ends_its_connection(folder, request_bytes):
    with run_file_server(folder) as client:
        answer = client.send_raw(request_bytes)

    assert answer[:12] in {b"HTTP/1.1 400", b"HTTP/1.1 414", b"HTTP/1.1 431", b"HTTP/1.1 505"}
    assert b"Connection: close" in answer


def test_the_body_of_a_request_is_never_taken_for_another_request(folder):
    hidden = b"GET /a.png HTTP/1.1\r\nHost: localhost\r\n\r\n"
    for field in (f"Content-Length: {len(hidden)}", "Transfer-Encoding: chunked"):
        with run_file_server(folder) as client:
            head = f"GET /none.png HTTP/1.1\r\nHost: localhost\r\n{field}\r\n\r\n".encode()

            answers = client.send_raw(head + hidden)

        assert answers.count(b"HTTP/1.1") == 1


def test_who_sends_a_request_too_slowly_is_let_go(folder, monkeypatch):
    monkeypatch.setattr(connections, "HEAD_TIMEOUT_S", 0.2)

    with run_file_server(folder) as client:
        started = time.monotonic()
        assert client.send_raw(b"GET /a.png HTTP/1.1\r\nHost: ") == b""
        spent_s = time.monotonic() - started

    assert spent_s < 5


def test_who_says_nothing_is_let_go(folder, monkeypatch):
    monkeypatch.setattr(connections, "IDLE_TIMEOUT_S", 0.2)

    with run_file_server(folder) as client:
        assert client.send_raw(b"") == b""


def test_who_takes_nothing_is_let_go(folder, monkeypatch):
    monkeypatch.setattr(connections, "IDLE_TIMEOUT_S", 0.2)
    with (folder / "large.mp4").open("wb") as file:
        file.truncate(1 << 30)

    with run_file_server(folder) as client, client.connect() as connection:
        connection.sendall(b"GET /large.mp4 HTTP/1.1\r\nHost: localhost\r\n\r\n")
        time.sleep(1.0)
        n_received = sum(map(len, iter(lambda: connection.recv(1 << 20), b"")))

    assert n_received < 1 << 30


def test_silent_connections_make_room_for_new_ones(folder):
    with run_file_server(folder, max_connections=3) as client:
        silent = [client.connect() for _ in range(10)]
        statuses = [client.send("/a.png").status for _ in range(5)]
        for connection in silent:
            connection.close()

    assert statuses == [200] * 5


def test_busy_connections_are_not_ended_for_new_ones(folder):
    with (folder / "large.mp4").open("wb") as file:
        file.truncate(1 << 26)
    request = b"GET /large.mp4 HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"

    with run_file_server(folder, max_connections=1) as client, client.connect() as busy:
        busy.sendall(request)
        busy.recv(1_000)
        refused = client.send_raw(b"")
        n_received = sum(map(len, iter(lambda: busy.recv(1 << 20), b"")))

    assert refused == b""
    assert n_received > (1 << 26) - 1_000


def test_errors_repeat_nothing_of_the_request(folder):
    with run_file_server(folder) as client:
        answer = client.send("/<script>alert(1)</script>")

    assert (answer.status, answer.body) == (404, b"Not Found")
    assert answer.headers["content-type"].startswith("text/plain")
