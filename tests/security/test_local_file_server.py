"""The file server of the user's machine gives out nothing but the files of its folders.

Threats T12 (foreign pages), T14 (paths that lead out), T26 (files that pose as pages).
"""

import pytest
from PIL import Image

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


def test_errors_repeat_nothing_of_the_request(folder):
    with run_file_server(folder) as client:
        answer = client.send("/<script>alert(1)</script>")

    assert (answer.status, answer.body) == (404, b"Not Found")
    assert answer.headers["content-type"].startswith("text/plain")
