from __future__ import annotations

import os

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from lightly.media import limits
from lightly.media.errors import CorruptVideo, VideoTooLarge
from lightly.media.frames import FrameReader, count_frames, iterate_frames
from lightly.media.listing import name_frame
from tests.unit.media.clips import read_number, turn_clip, write_clip, write_sound

CONTAINERS = [
    ("clip.mp4", "libx264", {"bf": "2"}),
    ("clip.m4v", "libx264", {"bf": "0"}),
    ("clip.mov", "mpeg4", {}),
    ("clip.avi", "mpeg4", {}),
    ("clip.mpg", "mpeg2video", {}),
    ("clip.webm", "libvpx-vp9", {"deadline": "realtime"}),
    ("clip.hevc.mp4", "libx265", {"x265-params": "log-level=none"}),
]


@pytest.fixture(params=CONTAINERS, ids=[row[0] for row in CONTAINERS])
def clip(request, tmp_path):
    name, codec, options = request.param
    return write_clip(tmp_path / name, 12, codec=codec, options=options)


@pytest.mark.parametrize(
    ("video", "index", "n_frames", "name"),
    [
        ("subdir/video_1.mp4", 99, 200, "subdir/video_1-099-mp4.png"),
        ("subdir/video_1.mp4", 99, 1000, "subdir/video_1-0099-mp4.png"),
        # the digits of the number of frames count, so 100 frames give three
        ("video.avi", 0, 100, "video-000-avi.png"),
        ("video.avi", 0, 9, "video-0-avi.png"),
        ("a.b/c.d.MOV", 7, 10, "a.b/c.d-07-MOV.png"),
    ],
)
def test_frame_names(video, index, n_frames, name):
    assert name_frame(video, index, n_frames) == name


def test_frames_come_in_the_order_of_showing(clip):
    frames = list(iterate_frames(clip))

    assert [frame.index for frame in frames] == list(range(12))
    assert [read_number(frame.pixels) for frame in frames] == list(range(12))
    assert frames[0].pixels.shape == (48, 64, 3)
    assert frames[0].pixels.dtype == np.uint8


def test_the_count_needs_no_decoding_and_agrees_with_it(clip):
    assert count_frames(clip) == 12


def test_time_stamps_are_in_seconds(tmp_path):
    clip = write_clip(tmp_path / "clip.mp4", 5)

    stamps = [frame.timestamp_s for frame in iterate_frames(clip)]

    assert stamps == pytest.approx([0.0, 0.1, 0.2, 0.3, 0.4])


def test_frames_before_the_first_wanted_one_are_passed_over(clip):
    frames = [frame for frame in iterate_frames(clip, first=9) if frame is not None]

    assert [frame.index for frame in frames] == [9, 10, 11]
    assert [read_number(frame.pixels) for frame in frames] == [9, 10, 11]


def test_frames_are_read_in_any_order(clip):
    wanted = [7, 8, 0, 11, 3, 3, 4, 10]

    with FrameReader(clip) as reader:
        numbers = [read_number(reader.read(index).pixels) for index in wanted]

    assert numbers == wanted


@settings(
    deadline=None, max_examples=15, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(st.lists(st.integers(0, 11), min_size=1, max_size=6))
def test_reading_a_frame_never_depends_on_what_was_read_before(tmp_path, wanted):
    path = tmp_path / "clip.mp4"
    if not path.exists():
        write_clip(path, 12, options={"bf": "2"})

    with FrameReader(path) as reader:
        assert [read_number(reader.read(index).pixels) for index in wanted] == wanted


def test_a_frame_behind_the_end_is_an_error(clip):
    with FrameReader(clip) as reader, pytest.raises(CorruptVideo, match="Frame 12"):
        reader.read(12)


@pytest.mark.parametrize("quarter_turns", [1, 2, 3])
def test_the_rotation_of_a_phone_is_applied(tmp_path, quarter_turns):
    upright = next(iter(iterate_frames(write_clip(tmp_path / "a.mp4", 1)))).pixels
    turned = turn_clip(write_clip(tmp_path / "b.mp4", 1), quarter_turns)

    pixels = next(iter(iterate_frames(turned))).pixels

    # the container's matrix turns clockwise, numpy counterclockwise
    assert np.array_equal(pixels, np.rot90(upright, -quarter_turns))


def test_videos_that_cannot_be_used_say_why(tmp_path):
    reasons = {
        "empty.mp4": (b"", "The file is empty."),
        "page.mp4": (b"<html></html>", "The content is not a video of a supported type"),
        "list.mp4": (b"#EXTM3U\n/etc/passwd\n", "The content is not a video of a supported type"),
        "brand.mp4": (b"\x00\x00\x00\x14ftypisom\x00\x00\x00\x00isom", "The video"),
    }
    for name, (data, reason) in reasons.items():
        (tmp_path / name).write_bytes(data)

        with pytest.raises(CorruptVideo, match=reason):
            count_frames(tmp_path / name)


def test_an_mp4_without_its_index_is_corrupt(tmp_path):
    path = write_clip(tmp_path / "clip.mp4", 12)
    data = path.read_bytes()
    path.write_bytes(data[: data.index(b"moov") - 4])

    with pytest.raises(CorruptVideo, match=r"The video cannot be decoded \(InvalidDataError\)"):
        list(iterate_frames(path))


def test_a_cut_video_yields_the_frames_that_are_there(tmp_path):
    path = write_clip(tmp_path / "clip.mpg", 20, codec="mpeg2video", size=(320, 240))
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])

    numbers = [read_number(frame.pixels) for frame in iterate_frames(path)]

    assert 0 < len(numbers) < 20
    assert numbers[:3] == [0, 1, 2]


def test_a_file_with_sound_only_is_no_video(tmp_path):
    with pytest.raises(CorruptVideo, match="no video stream"):
        count_frames(write_sound(tmp_path / "sound.mp4"))


@pytest.mark.parametrize("kind", ["missing", "folder", "pipe"])
def test_what_is_no_file_is_refused(tmp_path, kind):
    path = tmp_path / "clip.mp4"
    {"missing": lambda: None, "folder": path.mkdir, "pipe": lambda: os.mkfifo(path)}[kind]()

    with pytest.raises(CorruptVideo, match=r"missing|not a regular file"):
        count_frames(path)


def test_names_that_look_like_options_or_addresses_are_names(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for name in ("-i.mp4", "concat:a.mp4", "50%d.mp4"):
        write_clip(tmp_path / name.replace(":", "_"), 2).rename(tmp_path / name)

        assert count_frames(name) == 2


def test_huge_frames_are_refused_before_decoding(tmp_path, monkeypatch):
    path = write_clip(tmp_path / "clip.mp4", 1)
    monkeypatch.setattr(limits, "MAX_FRAME_PIXELS", 1_000)

    with pytest.raises(VideoTooLarge, match="Frames are 64x48"):
        list(iterate_frames(path))


def test_too_many_frames_are_refused(tmp_path, monkeypatch):
    path = write_clip(tmp_path / "clip.mp4", 12)
    monkeypatch.setattr(limits, "MAX_VIDEO_FRAMES", 11)

    with pytest.raises(VideoTooLarge, match="more than 11 frames"):
        count_frames(path)
