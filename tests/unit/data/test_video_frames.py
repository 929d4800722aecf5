"""Frames of videos by name."""

from __future__ import annotations

import io

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from lightly._kit.errors import BadInput
from lightly.data.video_frames import list_frames, read_frames, save_frames
from lightly.media.errors import CorruptVideo
from lightly.media.frames import iterate_frames
from lightly.media.listing import VIDEO_EXTENSIONS, name_frame, parse_frame_name
from tests.unit.media.clips import read_number, write_clip

PARTS = st.text("aB0 .-_é\n", min_size=1, max_size=12).filter(lambda part: part.strip(". "))


@given(
    st.lists(PARTS, min_size=1, max_size=3).map("/".join),
    st.sampled_from(VIDEO_EXTENSIONS),
    st.booleans(),
    st.integers(1, 10**9),
    st.data(),
)
def test_a_name_tells_video_and_number(stem, extension, is_upper, n_frames, data):
    video = stem + (extension.upper() if is_upper else extension)
    index = data.draw(st.integers(0, n_frames - 1))

    assert parse_frame_name(name_frame(video, index, n_frames)) == (video, index)


@given(st.integers(1, 10**12))
def test_all_names_of_a_video_are_equally_long_and_in_order(n_frames):
    indices = sorted({0, n_frames // 10, n_frames // 2, n_frames - 1})

    names = [name_frame("a.mp4", index, n_frames) for index in indices]

    assert len({len(name) for name in names}) == 1
    assert names == sorted(names)
    assert len(names[0]) == len(f"a-{n_frames}-mp4.png")


@pytest.mark.parametrize(
    "name",
    [
        "", "a.png", "a-1-mp4.gif", "a-1-mp4", "a-x-mp4.png", "a--1-mp4.png ", "a-1-txt.png",
        "-1-mp4.png", "sub/-1-mp4.png", "a-1-mp4.PNG", "a-\u0661-mp4.png",
        "a-" + "9" * 19 + "-mp4.png",
    ],
)  # fmt: skip
def test_other_names_are_no_frames(name):
    with pytest.raises(BadInput, match="is not the name of a frame"):
        parse_frame_name(name)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A folder with two videos in different folders."""
    folder = tmp_path_factory.mktemp("videos")
    (folder / "sub").mkdir()
    write_clip(folder / "one.mp4", 12, options={"bf": "2"})
    write_clip(folder / "sub" / "two.AVI".lower(), 5, codec="mpeg4")
    return folder


def test_frames_are_listed_with_their_times(folder):
    frames = list(list_frames(folder))

    assert [frame.name for frame in frames] == [
        *(f"one-{n:02}-mp4.png" for n in range(12)),
        *(f"sub/two-{n}-avi.png" for n in range(5)),
    ]
    assert [frame.timestamp_s for frame in frames[:4]] == pytest.approx([0, 0.1, 0.2, 0.3])
    assert (frames[12].video, frames[12].index) == ("sub/two.avi", 0)


def test_frames_of_some_videos_are_listed(folder):
    assert [frame.index for frame in list_frames(folder, ["sub/two.avi"])] == list(range(5))


def test_frames_are_read_by_name_from_one_pass_over_each_video(folder):
    names = ["sub/two-3-avi.png", "one-11-mp4.png", "one-02-mp4.png", "sub/two-3-avi.png"]

    found = list(read_frames(folder, names, n_processes=2))

    assert [name for name, _ in found] == [names[0], names[2], names[1]]
    assert [read_number(np.asarray(image)) for _, image in found] == [3, 2, 11]


def test_all_frames_are_those_of_the_video(folder):
    names = [frame.name for frame in list_frames(folder, ["one.mp4"])]

    images = [np.asarray(image) for _, image in read_frames(folder, names)]

    for image, frame in zip(images, iterate_frames(folder / "one.mp4"), strict=True):
        assert np.array_equal(image, frame.pixels)


def test_frames_are_saved_under_their_names(folder, tmp_path):
    names = ["sub/two-3-avi.png", "one-02-mp4.jpg", "one-11-mp4.png"]

    written = save_frames(folder, names, tmp_path / "frames")

    assert sorted(written) == sorted(names)
    for name, number, file_format in zip(names, (3, 2, 11), ("PNG", "JPEG", "PNG"), strict=True):
        with Image.open(io.BytesIO((tmp_path / "frames" / name).read_bytes())) as image:
            assert image.format == file_format
            assert read_number(np.asarray(image)) == number


def test_nothing_is_read_for_no_names(folder):
    assert list(read_frames(folder, [])) == []


def test_a_frame_that_does_not_exist_is_an_error_after_those_that_do(folder):
    found = []

    with pytest.raises(CorruptVideo, match=r"'one.mp4' has no frame 12, 13"):
        found += read_frames(folder, ["one-12-mp4.png", "one-13-mp4.png"])
    reading = read_frames(folder, ["one-12-mp4.png", "one-00-mp4.png"])

    assert next(reading)[0] == "one-00-mp4.png"
    with pytest.raises(CorruptVideo):
        next(reading)


@pytest.mark.parametrize("name", ["../one-00-mp4.png", "/one-00-mp4.png", "a/../one-00-mp4.png"])
def test_names_that_lead_out_are_refused(folder, tmp_path, name):
    with pytest.raises(BadInput):
        list(read_frames(folder / "sub", [name]))
    with pytest.raises(BadInput):
        save_frames(folder / "sub", [name], tmp_path)


def test_two_names_of_one_frame_are_refused(folder):
    with pytest.raises(BadInput, match="are the same frame"):
        list(read_frames(folder, ["one-00-mp4.png", "one-0-mp4.png"]))


def test_a_video_that_is_none_says_which(tmp_path):
    (tmp_path / "bad.mp4").write_bytes(b"nothing of the kind")

    with pytest.raises(CorruptVideo, match=r"'bad.mp4': The content is not a video"):
        list(list_frames(tmp_path))
    with pytest.raises(CorruptVideo, match=r"'bad.mp4': The content is not a video"):
        list(read_frames(tmp_path, ["bad-0-mp4.png"]))
