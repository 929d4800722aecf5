"""Videos from stores become files of this machine for as long as they are needed."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from lightly._kit.retry import RetryPolicy
from lightly.api.sending import TransportSettings
from lightly.api.transport import Transport
from lightly.worker.errors import RunFailed, RunStopped
from lightly.worker.sources import video_files
from lightly.worker.sources.file_list import InputFile
from lightly.worker.sources.video_files import VideoOpener
from tests.support.http_servers import Answer, Request, serve

SETTINGS = TransportSettings(policy=RetryPolicy(attempts=3, sleep=lambda _: None), outage_s=None)
CONTENT = bytes(range(256)) * 40


def fetch(
    answer: Callable[[Request], Answer], folder: Path, check: Callable[[], None] = lambda: None
) -> bytes | str | None:
    """Return the bytes of a video from a server, or why there are none."""
    with serve(answer) as server:
        transport = Transport(server.url, "token", settings=SETTINGS)
        opener = VideoOpener(transport, folder, check=check)
        with opener.open(InputFile("a.mp4", f"{server.url}/a.mp4")) as video:
            return video.problem if video.path is None else video.path.read_bytes()


def test_a_fetched_video_goes_when_it_is_not_needed_any_more(tmp_path: Path) -> None:
    assert fetch(lambda _: Answer(body=CONTENT), tmp_path / "s") == CONTENT
    assert list((tmp_path / "s").iterdir()) == []


def test_a_transfer_goes_on_where_it_broke_off(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(video_files, "_CHUNK_BYTES", 1_000)
    asked: list[str | None] = []

    def answer(request: Request) -> Answer:
        asked.append(request.headers.get("Range"))
        tag = {"ETag": '"1"'}
        if len(asked) == 1:
            return Answer(body=CONTENT[:3_000], headers={**tag, "Content-Length": "10240"})
        assert request.headers.get("If-Range") == '"1"'
        return Answer(206, body=CONTENT[3_000:], headers=tag)

    assert fetch(answer, tmp_path) == CONTENT
    assert asked == [None, "bytes=3000-"]


@pytest.mark.parametrize("tag", [{"ETag": '"1"'}, {}])
def test_a_video_that_has_changed_meanwhile_is_fetched_anew(
    tmp_path: Path, tag: dict[str, str]
) -> None:
    asked: list[str] = []

    def answer(request: Request) -> Answer:
        asked.append(request.path)
        if len(asked) == 1:
            return Answer(body=b"old" * 100, headers={**tag, "Content-Length": "900"})
        return Answer(body=CONTENT)

    assert fetch(answer, tmp_path) == CONTENT


def test_a_store_that_always_breaks_off_is_a_problem_of_that_video(tmp_path: Path) -> None:
    found = fetch(lambda _: Answer(body=b"x", headers={"Content-Length": "9"}), tmp_path)
    assert found == "The store sent fewer bytes than it had announced."


def test_a_video_that_is_gone_is_told(tmp_path: Path) -> None:
    assert fetch(lambda _: Answer(404), tmp_path) == "The file was gone when it was read."


def test_a_store_that_refuses_ends_the_run_with_its_reason(tmp_path: Path) -> None:
    with pytest.raises(RunFailed, match=r"'a\.mp4' cannot be read from the datasource.*403"):
        fetch(lambda _: Answer(403), tmp_path)


def test_a_full_disk_ends_the_run_before_it_is_full(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(video_files, "_RESERVE_BYTES", 1 << 60)
    with pytest.raises(RunFailed, match="no room for a video"):
        fetch(lambda _: Answer(body=CONTENT), tmp_path)


def test_fetching_ends_when_the_run_shall_stop(tmp_path: Path) -> None:
    calls: list[int] = []

    def check() -> None:
        calls.append(1)
        if len(calls) > 1:
            raise RunStopped

    with pytest.raises(RunStopped):
        fetch(lambda _: Answer(body=CONTENT), tmp_path, check)
    assert list(tmp_path.iterdir()) == []


def test_a_mounted_video_is_read_where_it_lies(tmp_path: Path) -> None:
    path = tmp_path / "a.mp4"
    path.write_bytes(CONTENT)
    opener = VideoOpener(Transport("http://127.0.0.1:9", "t"), tmp_path / "s", check=lambda: None)
    with opener.open(InputFile("a.mp4", str(path))) as video:
        assert video.path == path
    assert path.exists()
    assert not (tmp_path / "s").exists()
