"""Frames of videos in a datasource through the SDK, against a real application with mounts."""

from __future__ import annotations

import tempfile
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from lightly.api.errors import IncompleteDownloadWarning
from tests.support.contract import ContractClient
from tests.support.platforms import TOKEN, run_in_process
from tests.support.sdk import BridgeAdapter, make_client
from tests.unit.media.clips import read_number, write_clip


@pytest.fixture
def client(tmp_path, monkeypatch):
    """A client with a dataset of two videos and one that is none."""
    folder = tmp_path / "in/streets"
    (folder / "sub").mkdir(parents=True)
    write_clip(folder / "one.mp4", 12)
    write_clip(folder / "sub" / "two b.mov", 5, codec="mpeg4")
    (tmp_path / "scratch").mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "scratch"))
    with run_in_process(tmp_path / "data", input_mount=str(tmp_path / "in")) as server:
        client = make_client(BridgeAdapter(ContractClient(server.client)), TOKEN)
        client.create_dataset("streets", "Videos")
        client.set_local_config(relative_path="streets")
        yield client


def test_frames_are_listed(client):
    frames = list(client.list_video_frames())

    assert sorted(frame.name for frame in frames) == [
        *(f"one-{n:02}-mp4.png" for n in range(12)),
        *(f"sub/two b-{n}-mov.png" for n in range(5)),
    ]
    assert {frame.video for frame in frames} == {"one.mp4", "sub/two b.mov"}


def test_frames_of_named_videos_are_listed(client):
    assert [frame.index for frame in client.list_video_frames(["sub/two b.mov"])] == [0, 1, 2, 3, 4]


def test_frames_are_downloaded_by_name(client, tmp_path):
    names = ["one-11-mp4.png", "sub/two b-3-mov.jpg", "one-02-mp4.png"]

    written = client.download_video_frames(names, tmp_path / "frames")

    assert sorted(written) == sorted(names)
    for name, number in zip(names, (11, 3, 2), strict=True):
        with Image.open(tmp_path / "frames" / name) as image:
            assert read_number(np.asarray(image)) == number


def test_videos_do_not_stay(client, tmp_path):
    client.download_video_frames(["one-11-mp4.png"], tmp_path / "frames")
    next(client.list_video_frames(["one.mp4"]))

    assert list((tmp_path / "scratch").iterdir()) == []


def test_what_cannot_be_read_is_said_and_the_rest_is_there(client, tmp_path):
    (tmp_path / "in/streets/bad.mp4").write_bytes(b"nothing of the kind")
    names = ["bad-0-mp4.png", "none-0-mp4.png", "one-99-mp4.png", "one-00-mp4.png"]

    with pytest.warns(IncompleteDownloadWarning) as warned:
        written = client.download_video_frames(names, tmp_path / "frames")

    assert written == ["one-00-mp4.png"]
    text = str(warned[0].message)
    assert "3 of 3 videos" in text
    for reason in ("not a video", "no such video", "has no frame 99"):
        assert reason in text


def test_a_video_that_is_none_does_not_stop_the_listing(client, tmp_path):
    (tmp_path / "in/streets/bad.mp4").write_bytes(b"nothing of the kind")

    with pytest.warns(IncompleteDownloadWarning, match="1 of 3 videos"):
        frames = list(client.list_video_frames())

    assert len(frames) == 17


@pytest.mark.parametrize("name", ["one.png", "../one-0-mp4.png"])
def test_other_names_are_refused(client, tmp_path: Path, name):
    with pytest.raises((ValueError, IncompleteDownloadWarning)):
        client.download_video_frames([name], tmp_path / "frames")

    assert not (tmp_path / "one-0-mp4.png").exists()
