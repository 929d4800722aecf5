"""Files from signed URLs: whole, and without transferring twice what has arrived."""

import io
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from lightly.api import blob_files
from lightly.api.blob_files import download_blob
from lightly.api.errors import ApiException, BlobTransferFailed
from lightly.api.transport import Transport
from tests.support.http_servers import Answer, LocalServer, Request, serve
from tests.support.sdk import make_settings

CONTENT = bytes(range(256)) * 40


@pytest.fixture(autouse=True)
def _small_chunks(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whole chunks are what a transfer keeps when it breaks off."""
    monkeypatch.setattr(blob_files, "CHUNK_BYTES", 500)


class Store:
    """A store that breaks transfers off after some bytes.

    Args:
        breaks: How many transfers are broken off.
        tag: Its `ETag`; empty for none.
        honours_ranges: Whether it sends the rest when asked for.
    """

    def __init__(self, *, breaks: int, tag: str = '"v1"', honours_ranges: bool = True) -> None:
        self.breaks = breaks
        self.tag = tag
        self.honours_ranges = honours_ranges
        self.content = CONTENT

    def answer(self, request: Request) -> Answer:
        """Answer a GET."""
        start = 0
        asked = request.headers.get("Range", "")
        is_same = request.headers.get("If-Range") == self.tag
        if asked and is_same and self.honours_ranges:
            start = int(asked.removeprefix("bytes=").removesuffix("-"))
        body = self.content[start:]
        headers = {"Content-Length": str(len(body))}
        headers |= {"ETag": self.tag} if self.tag else {}
        if start:
            total = len(self.content)
            headers["Content-Range"] = f"bytes {start}-{total - 1}/{total}"
        if self.breaks:
            self.breaks -= 1
            body = body[:1000]
        return Answer(206 if start else 200, body, headers)


@contextmanager
def open_store(store: Store) -> Iterator[tuple[LocalServer, Transport]]:
    with serve(store.answer) as server:
        yield server, Transport(server.url, "TOKEN", settings=make_settings())


def download(transport: Transport, server: LocalServer) -> bytes:
    target = io.BytesIO()
    download_blob(transport, f"{server.url}/file?signature=x", target)
    return target.getvalue()


def test_a_transfer_that_breaks_off_goes_on_where_it_stopped():
    with open_store(Store(breaks=2)) as (server, transport):
        assert download(transport, server) == CONTENT

        ranges = [request.headers.get("Range") for request in server.requests]

    assert ranges == [None, "bytes=1000-", "bytes=2000-"]


def test_a_store_that_sends_everything_again_gives_the_same_file():
    with open_store(Store(breaks=2, honours_ranges=False)) as (server, transport):
        assert download(transport, server) == CONTENT


@pytest.mark.parametrize("tag", ["", 'W/"v1"'])
def test_without_a_strong_tag_everything_is_asked_for_again(tag):
    with open_store(Store(breaks=1, tag=tag)) as (server, transport):
        assert download(transport, server) == CONTENT

        assert [request.headers.get("Range") for request in server.requests] == [None, None]


def test_content_that_changed_meanwhile_is_not_mixed_with_the_old():
    store = Store(breaks=1)
    with serve(lambda request: change(store, request)) as server:
        transport = Transport(server.url, "TOKEN", settings=make_settings())

        content = download(transport, server)

    assert content == b"new" * 2000


def change(store: Store, request: Request) -> Answer:
    """Answer, and have other content from then on."""
    answer = store.answer(request)
    store.content, store.tag = b"new" * 2000, '"v2"'
    return answer


def test_a_part_that_nobody_asked_for_is_refused():
    headers = {"Content-Range": "bytes 5-9/10", "Content-Length": "5"}
    with serve(lambda _: Answer(206, b"later", headers)) as server:
        transport = Transport(server.url, "TOKEN", settings=make_settings())

        with pytest.raises(BlobTransferFailed, match="another part"):
            download(transport, server)


def test_a_part_that_became_too_short_is_asked_for_as_a_whole():
    store = Store(breaks=1)

    def answer(request: Request) -> Answer:
        if "Range" in request.headers:
            return Answer(416)
        return store.answer(request)

    with serve(answer) as server:
        transport = Transport(server.url, "TOKEN", settings=make_settings())

        assert download(transport, server) == CONTENT


def test_a_store_that_always_breaks_off_is_an_error_without_the_signature():
    with (
        open_store(Store(breaks=99, tag="")) as (server, transport),
        pytest.raises(ApiException) as caught,
    ):
        download(transport, server)

    assert "signature" not in str(caught.value)


def test_what_is_there_already_is_not_transferred():
    with open_store(Store(breaks=0)) as (server, transport):
        target = io.BytesIO()
        was_transferred = download_blob(
            transport, f"{server.url}/file", target, known_size=len(CONTENT)
        )

    assert not was_transferred


def test_no_token_goes_to_a_store():
    with open_store(Store(breaks=1)) as (server, transport):
        download(transport, server)

        for request in server.requests:
            assert "TOKEN" not in f"{request.path}{request.headers}"


def test_a_silent_store_is_given_up_after_the_time_that_was_asked_for():
    with serve(lambda _: Answer(body=b"late", delay_s=30)) as server:
        transport = Transport(server.url, "TOKEN", settings=make_settings())

        with pytest.raises(RuntimeError, match="timed out"):
            download_blob(transport, f"{server.url}/file", io.BytesIO(), read_timeout_s=0.05)
