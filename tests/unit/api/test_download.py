"""Downloading what a listing names."""

import io
import json

import pytest
import requests
from PIL import Image

from lightly.api import download
from lightly.api.errors import BlobTransferFailed, IncompleteDownloadWarning
from tests.support.http_servers import Answer, Request, serve

FILES = {"/a.jpg": b"first", "/sub/b.jpg": b"second"}


def answer(request: Request) -> Answer:
    path = request.path.partition("?")[0]
    return Answer(body=FILES[path]) if path in FILES else Answer(404)


def test_files_are_written_under_their_names(tmp_path):
    with serve(answer) as server:
        files = [(path[1:], f"{server.url}{path}?signature=x") for path in FILES]

        download.download_and_write_all_files(files, str(tmp_path / "out"), max_workers=2)

        assert {path: (tmp_path / f"out{path}").read_bytes() for path in FILES} == FILES
        assert all("Authorization" not in request.headers for request in server.requests)


def test_a_second_start_transfers_what_is_missing_only(tmp_path):
    (tmp_path / "a.jpg").write_bytes(FILES["/a.jpg"])
    stamp = (tmp_path / "a.jpg").stat().st_mtime_ns
    with serve(answer) as server:
        files = [(path[1:], f"{server.url}{path}") for path in FILES]

        download.download_and_write_all_files(files, str(tmp_path))

    assert (tmp_path / "a.jpg").stat().st_mtime_ns == stamp
    assert (tmp_path / "sub/b.jpg").read_bytes() == FILES["/sub/b.jpg"]


def test_what_cannot_be_downloaded_is_listed_and_stops_nothing(tmp_path):
    with serve(answer) as server:
        files = [
            ("gone.jpg", f"{server.url}/gone?signature=geheim"),
            ("../evil.jpg", f"{server.url}/a.jpg"),
            ("a.jpg", f"{server.url}/a.jpg"),
        ]

        with pytest.warns(IncompleteDownloadWarning, match="2 of 3 files") as caught:
            download.download_and_write_all_files(files, str(tmp_path / "out"))

    assert [path.name for path in tmp_path.rglob("*.jpg")] == ["a.jpg"]
    assert "geheim" not in str(caught[0].message)


def test_a_single_file_is_written_whole_or_not_at_all(tmp_path):
    with serve(answer) as server:
        download.download_and_write_file(f"{server.url}/a.jpg", str(tmp_path / "x/a.jpg"))
        with pytest.raises(BlobTransferFailed):
            download.download_and_write_file(f"{server.url}/gone", str(tmp_path / "gone"))

    assert (tmp_path / "x/a.jpg").read_bytes() == b"first"
    assert not (tmp_path / "gone").exists()


def test_a_session_of_ones_own_and_headers_are_used(tmp_path):
    with serve(answer) as server, requests.Session() as session:
        session.headers["X-Session"] = "mine"
        download.download_and_write_file(
            f"{server.url}/a.jpg",
            str(tmp_path / "a"),
            session,
            request_kwargs={"headers": {"X-More": "yes"}, "timeout": 5},
        )

        headers = server.requests[0].headers

    assert (headers["X-Session"], headers["X-More"]) == ("mine", "yes")


def test_options_of_requests_that_have_no_effect_are_refused():
    with pytest.raises(ValueError, match="'verify'"):
        download.download_json_file("http://unused", request_kwargs={"verify": False})


def test_an_image_is_decoded():
    content = io.BytesIO()
    Image.new("RGB", (4, 3)).save(content, "png")
    with serve(lambda _: Answer(body=content.getvalue())) as server:
        image = download.download_image(f"{server.url}/a.png")

    assert image.size == (4, 3)


@pytest.mark.parametrize(
    ("made", "expected"),
    [
        (Answer(body=json.dumps({"a": 1}).encode()), {"a": 1}),
        (Answer(body=b"no json"), None),
        (Answer(404), None),
    ],
)
def test_a_json_file_is_decoded_and_a_missing_one_is_nothing(made, expected):
    with serve(lambda _: made) as server:
        assert download.download_json_file(f"{server.url}/a.json") == expected
        assert download.download_prediction_file(f"{server.url}/a.json") == expected


def test_a_json_file_that_may_not_be_read_is_an_error():
    with serve(lambda _: Answer(403)) as server, pytest.raises(BlobTransferFailed, match="403"):
        download.download_json_file(f"{server.url}/a.json")
