"""Reading input files from stores that misbehave."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Callable
from pathlib import Path

import pytest

from lightly._kit.retry import RetryPolicy
from lightly.api.sending import TransportSettings
from lightly.api.transport import Transport
from lightly.worker.errors import RunFailed, RunStopped
from lightly.worker.sources.file_list import InputFile
from lightly.worker.sources.reading import FileContent, FileReader
from tests.support.http_servers import Answer, Request, serve

SETTINGS = TransportSettings(policy=RetryPolicy(attempts=3, sleep=lambda _: None), outage_s=None)


def read(
    answer: Callable[[Request], Answer], names: list[str], check: Callable[[], None] = lambda: None
) -> list[FileContent]:
    """Read names from a server."""
    with serve(answer) as server:
        transport = Transport(server.url, "token", settings=SETTINGS)
        reader = FileReader(transport, n_parallel=2, check=check)
        return list(reader.read(InputFile(name, f"{server.url}/{name}") for name in names))


def test_contents_come_in_the_order_of_the_files() -> None:
    def answer(request: Request) -> Answer:
        return Answer(body=request.path.encode(), delay_s=0.05 if request.path == "/a" else 0)

    assert [content.data for content in read(answer, ["a", "b", "c"])] == [b"/a", b"/b", b"/c"]


@pytest.mark.parametrize("status", [404, 410])
def test_a_file_that_is_gone_is_told_and_the_others_go_on(status: int) -> None:
    def answer(request: Request) -> Answer:
        return Answer(status) if request.path == "/b" else Answer(body=b"x")

    contents = read(answer, ["a", "b", "c"])
    assert [content.is_gone for content in contents] == [False, True, False]
    assert contents[1].problem == "The file was gone when it was read."


def test_a_transfer_that_breaks_off_is_made_again() -> None:
    seen: list[str] = []

    def answer(request: Request) -> Answer:
        seen.append(request.path)
        cut = {"Content-Length": "10"} if len(seen) == 1 else {}
        return Answer(body=b"whole", headers=cut)

    (content,) = read(answer, ["a"])
    assert (content.data, len(seen)) == (b"whole", 2)


def test_a_transfer_that_always_breaks_off_is_a_problem_of_that_file() -> None:
    contents = read(lambda _: Answer(body=b"x", headers={"Content-Length": "9"}), ["a"])
    assert contents[0].data is None
    assert contents[0].problem == "The store sent fewer or other bytes than it had announced."


@pytest.mark.parametrize("header", ["x-goog-hash", "Content-MD5"])
def test_bytes_that_are_not_those_of_the_stores_checksum_are_fetched_again(header: str) -> None:
    md5 = base64.b64encode(hashlib.md5(b"whole").digest()).decode()
    headers = {header: f"crc32c=AAAAAA==,md5={md5}" if header == "x-goog-hash" else md5}
    seen: list[str] = []

    def answer(request: Request) -> Answer:
        seen.append(request.path)
        return Answer(body=b"whOle" if len(seen) == 1 else b"whole", headers=headers)

    (content,) = read(answer, ["a"])
    assert (content.data, len(seen)) == (b"whole", 2)


def test_a_store_that_refuses_ends_the_run_with_its_reason() -> None:
    with pytest.raises(RunFailed, match=r"'a' cannot be read from the datasource.*403"):
        read(lambda _: Answer(403), ["a"])


def test_a_short_outage_of_the_store_is_not_noticed() -> None:
    seen: list[str] = []

    def answer(request: Request) -> Answer:
        seen.append(request.path)
        return Answer(503) if len(seen) == 1 else Answer(body=b"x")

    assert [content.data for content in read(answer, ["a"])] == [b"x"]


def test_reading_ends_when_the_run_shall_stop() -> None:
    def check() -> None:
        raise RunStopped

    with pytest.raises(RunStopped):
        read(lambda _: Answer(body=b"x"), ["a"], check)


def test_a_folder_in_place_of_a_file_is_gone(tmp_path: Path) -> None:
    reader = FileReader(Transport("http://127.0.0.1:9", "token"), check=lambda: None)
    (content,) = reader.read([InputFile("a", str(tmp_path))])
    assert content.is_gone
