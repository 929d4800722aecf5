"""Videos as they occur: every container, odd timing and pixels, hidden frames, damage.

The number of frames and their order are held against a plain loop of PyAV, with its own choice of
demuxer and threads.
"""

from __future__ import annotations

import random
import subprocess
import sys
from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path

import av
import av.error
import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from lightly.media import limits, videos
from lightly.media.errors import CorruptVideo, VideoTooLarge
from lightly.media.frames import (
    FrameReader,
    count_frames,
    index_frames,
    iterate_frames,
    iterate_selected,
)
from lightly.media.listing import name_frame
from tests.unit.media.clips import (
    copy_packet,
    draw_frame,
    read_number,
    remux_clip,
    write_clip,
    write_frames,
    write_sound,
)

FORMATS = [
    ("clip.mp4", "libx264", "yuv420p", {"bf": "3"}),
    ("clip.mp4", "libx264", "yuv444p", {}),
    ("clip.mp4", "libx264", "yuv422p10le", {}),
    ("clip.mp4", "libx264", "gray", {}),
    ("clip.mov", "mpeg4", "yuv420p", {}),
    ("clip.mov", "mjpeg", "yuvj422p", {}),
    ("clip.mov", "png", "rgb24", {}),
    ("clip.avi", "mpeg4", "yuv420p", {"bf": "2"}),
    ("clip.avi", "msmpeg4", "yuv420p", {}),
    ("clip.avi", "cinepak", "rgb24", {}),
    ("clip.avi", "ffv1", "yuv420p", {}),
    ("clip.mpg", "mpeg2video", "yuv420p", {"bf": "2"}),
    ("clip.mpeg", "mpeg1video", "yuv420p", {}),
    ("clip.webm", "libvpx", "yuv420p", {"auto-alt-ref": "1", "lag-in-frames": "16"}),
    ("clip.webm", "libvpx-vp9", "yuv420p", {"deadline": "realtime"}),
    ("clip.mp4", "libx265", "yuv420p", {"x265-params": "log-level=none"}),
]  # fmt: skip
IDS = [f"{name}-{codec}-{pixels}" for name, codec, pixels, _ in FORMATS]


def decode_plainly(path: Path) -> list[np.ndarray]:
    """Return all frames as a loop of PyAV hands them out; what cannot be decoded is left out."""
    return list(iterate_plainly(path))


def iterate_plainly(path: Path) -> Iterator[np.ndarray]:
    with av.open(str(path)) as container:
        packets = container.demux(container.streams.video[0])
        while True:
            try:
                packet = next(packets)
            except (StopIteration, av.error.FFmpegError):
                return
            try:
                yield from (frame.to_ndarray(format="rgb24") for frame in packet.decode())
            except av.error.FFmpegError:
                continue


def read_all(path: Path) -> list[np.ndarray]:
    return [frame.pixels for frame in iterate_frames(path) if frame is not None]


def assert_same(ours: list[np.ndarray], theirs: list[np.ndarray]) -> None:
    assert len(ours) == len(theirs)
    for mine, other in zip(ours, theirs, strict=True):
        assert np.array_equal(mine, other)


@pytest.fixture(params=FORMATS, ids=IDS)
def clip(request, tmp_path):
    name, codec, pixel_format, options = request.param
    frames = [draw_frame(number) for number in range(25)]
    return write_frames(
        tmp_path / name, frames, codec=codec, pixel_format=pixel_format, options=options
    )


def test_frames_are_those_of_a_plain_loop(clip):
    theirs = decode_plainly(clip)

    assert count_frames(clip) == len(theirs) == 25
    assert_same(read_all(clip), theirs)


def test_reading_out_of_order_gives_the_same_frames(clip):
    in_order = read_all(clip)
    wanted = [13, 2, 24, 0, 14, 15, 7]

    with FrameReader(clip) as reader:
        assert_same([reader.read(n).pixels for n in wanted], [in_order[n] for n in wanted])


def test_selected_frames_come_in_the_order_of_the_video(clip):
    in_order = read_all(clip)

    found = [frame for frame in iterate_selected(clip, [24, 3, 3, 11, 500]) if frame is not None]

    assert [frame.index for frame in found] == [3, 11, 24]
    assert_same([frame.pixels for frame in found], [in_order[n] for n in (3, 11, 24)])


def test_hidden_frames_of_a_container_do_not_count(tmp_path):
    def hide(number, packet):
        # VP8 has pictures that are only referred to: this bit says that a frame is shown.
        content = bytearray(bytes(packet))
        if number in {5, 9, 10}:
            content[0] &= ~0x10
        return copy_packet(packet, bytes(content))

    whole = write_clip(tmp_path / "whole.webm", 20, codec="libvpx")
    path = remux_clip(whole, tmp_path / "clip.webm", hide)

    assert count_frames(path) == len(decode_plainly(path)) == 17
    with FrameReader(path) as reader:
        assert_same([reader.read(11).pixels], [read_all(path)[11]])


@settings(
    deadline=None, max_examples=20, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(st.lists(st.integers(1, 700), min_size=1, max_size=24))
def test_a_variable_frame_rate_changes_times_but_not_numbers(tmp_path, gaps):
    times = np.cumsum([0, *gaps])
    frames = [draw_frame(number) for number in range(len(times))]
    path = write_frames(tmp_path / "clip.mp4", frames, times=[int(t) for t in times])

    found = [frame for frame in iterate_frames(path) if frame is not None]

    assert [read_number(frame.pixels) for frame in found] == list(range(len(times)))
    assert [frame.timestamp_s for frame in found] == pytest.approx(list(times / 1000), abs=1e-3)
    index = index_frames(path)
    assert [index.find_timestamp_s(n) for n in range(len(index))] == [
        frame.timestamp_s for frame in found
    ]


DAMAGED = [
    ("clip.mp4", "libx264"),
    ("clip.avi", "mpeg4"),
    ("clip.mpg", "mpeg2video"),
    ("clip.webm", "libvpx"),
    ("clip.mov", "mjpeg"),
]


@pytest.fixture(params=DAMAGED, ids=[name for name, _ in DAMAGED])
def whole(request, tmp_path):
    """A clip with enough in every frame to be damaged."""
    name, codec = request.param
    random_numbers = np.random.default_rng(1)
    frames = [random_numbers.integers(0, 255, (96, 128, 3), np.uint8) for _ in range(20)]
    pixel_format = "yuvj422p" if codec == "mjpeg" else "yuv420p"
    return write_frames(tmp_path / name, frames, codec=codec, pixel_format=pixel_format)


@settings(
    deadline=None, max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(seed=st.integers(0, 2**32), how=st.sampled_from(["cut", "flip", "blank"]))
def test_damage_costs_the_frames_that_a_plain_loop_loses_too(whole, seed, how):
    path = whole.with_name("damaged" + whole.suffix)
    path.write_bytes(damage(whole.read_bytes(), random.Random(seed), how))
    try:
        theirs = decode_plainly(path)
    except av.error.FFmpegError:
        theirs = []

    ours = []
    try:
        n_frames = count_frames(path)
        ours += (frame.pixels for frame in iterate_frames(path) if frame is not None)
    except CorruptVideo:
        n_frames = len(ours)

    # Where one shows it at all: ours goes by the bytes, the plain loop also guesses.
    if ours:
        assert n_frames == len(ours) == len(theirs)


def damage(content: bytes, chance: random.Random, how: str) -> bytes:
    data = bytearray(content)
    at = chance.randrange(len(data) // 3, len(data))
    if how == "cut":
        del data[at:]
    elif how == "flip":
        for _ in range(chance.choice([1, 20])):
            data[chance.randrange(600, len(data))] = chance.randrange(256)
    else:
        data[at : at + 500] = bytes(len(data[at : at + 500]))
    return bytes(data)


def test_names_count_what_can_be_decoded_not_what_is_promised(tmp_path):
    frames = np.random.default_rng(2).integers(0, 255, (100, 96, 128, 3), np.uint8)
    path = write_frames(tmp_path / "clip.avi", list(frames), codec="mpeg4")
    data = path.read_bytes()
    path.write_bytes(data[: len(data) // 2])
    with av.open(str(path)) as container:
        n_promised = container.streams.video[0].frames

    n_frames = count_frames(path)

    assert n_promised == 100 > n_frames
    assert name_frame("clip.avi", 7, n_frames) == "clip-07-avi.png"


def test_the_cover_of_a_song_is_no_video(tmp_path):
    path = write_sound(tmp_path / "song.mp4", cover=draw_frame(3))

    with pytest.raises(CorruptVideo, match="no video stream"):
        count_frames(path)


def test_the_rotation_of_the_video_is_the_only_change_to_pixels(tmp_path):
    path = write_clip(tmp_path / "clip.mp4", 3, size=(35 * 2, 27 * 2))

    assert read_all(path)[0].shape == (54, 70, 3)
    assert_same(read_all(path), decode_plainly(path))


@pytest.mark.parametrize("size", [(2, 2), (66, 50), (130, 2)])
def test_small_and_odd_sizes_are_read(tmp_path, size):
    frames = [np.full((size[1], size[0], 3), 100, np.uint8)] * 3
    path = write_frames(tmp_path / "clip.mov", frames, codec="png", pixel_format="rgb24")

    assert [pixels.shape for pixels in read_all(path)] == [(size[1], size[0], 3)] * 3


PEAK = """
import resource, sys
from lightly.media.frames import count_frames, iterate_frames
n = count_frames(sys.argv[1])
assert sum(frame.pixels.any() for frame in iterate_frames(sys.argv[1])) == n
print(n, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)
"""


def test_memory_does_not_grow_with_the_video(tmp_path):
    frame = np.full((480, 640, 3), 99, np.uint8)
    peaks = {}
    for n_frames in (10, 400):
        path = write_frames(tmp_path / f"{n_frames}.mp4", [frame] * n_frames, codec="mpeg4")
        command = [sys.executable, "-c", PEAK, str(path)]
        done = subprocess.run(command, capture_output=True, check=True, text=True)
        count, peak_kb = map(int, done.stdout.split())
        peaks[count] = peak_kb

    # 390 frames more have 350 MB.
    assert peaks[400] - peaks[10] < 50_000


@pytest.mark.parametrize("limit", [24, 25])
def test_the_limit_of_frames_holds_wherever_they_are_read(tmp_path, monkeypatch, limit):
    path = write_clip(tmp_path / "clip.mp4", 25)
    monkeypatch.setattr(limits, "MAX_VIDEO_FRAMES", limit)

    for read in (count_frames, read_all):
        if limit == 25:
            read(path)
        else:
            with pytest.raises(VideoTooLarge, match="more than 24 frames"):
                read(path)


def test_an_empty_packet_in_the_middle_is_not_taken_for_the_end(tmp_path):
    path = write_clip(tmp_path / "clip.avi", 12, codec="mpeg4")
    data = path.read_bytes()
    # The size of one chunk of pictures becomes zero; the index is not needed for reading on.
    at = [n for n in range(len(data)) if data.startswith(b"00dc", n)][6]
    path.write_bytes(data[: at + 4] + bytes(4) + data[at + 8 :])

    assert count_frames(path) == len(read_all(path)) >= 10


def test_only_files_are_opened(tmp_path):
    # The library can follow addresses inside of files; here it never gets to see such a file.
    (tmp_path / "secret.mp4").write_bytes(write_clip(tmp_path / "a.mp4", 1).read_bytes())
    for text in ("#EXTM3U\nfile:secret.mp4\n", "ffconcat version 1.0\nfile secret.mp4\n"):
        (tmp_path / "list.mp4").write_text(text)

        with (
            pytest.raises(CorruptVideo, match="supported type"),
            videos.open_video(tmp_path / "list.mp4"),
        ):
            pass


def test_time_stamps_that_repeat_are_not_used_for_jumps(tmp_path):
    def repeat(number, packet):
        if number in {3, 7}:
            packet.pts += packet.duration
        return packet

    frames = [draw_frame(number) for number in range(10)]
    options = {"codec": "png", "pixel_format": "rgb24"}
    whole = write_frames(tmp_path / "whole.mov", frames, **options)
    path = remux_clip(whole, tmp_path / "clip.mov", repeat)

    assert not index_frames(path).is_seekable
    with FrameReader(path) as reader:
        numbers = [read_number(reader.read(index).pixels) for index in (7, 3, 2, 9, 4)]
    assert numbers == [7, 3, 2, 9, 4]


def test_units_of_time_are_exact(tmp_path):
    path = write_clip(tmp_path / "clip.mp4", 4)

    assert index_frames(path).unit == Fraction(1, 10240)


@pytest.fixture
def growing(tmp_path):
    """A stream that changes from 64x48 to 320x240 in its middle."""
    parts = [
        write_clip(tmp_path / f"{width}.mpg", 10, codec="mpeg2video", size=(width, height))
        for width, height in ((64, 48), (320, 240))
    ]
    path = tmp_path / "clip.mpg"
    path.write_bytes(b"".join(part.read_bytes() for part in parts))
    return path


def test_frames_may_change_their_size(growing):
    shapes = [pixels.shape[:2] for pixels in read_all(growing)]

    assert shapes == [pixels.shape[:2] for pixels in decode_plainly(growing)]
    assert set(shapes) == {(48, 64), (240, 320)}


def test_frames_that_grow_too_large_later_are_not_decoded(growing, monkeypatch):
    monkeypatch.setattr(limits, "MAX_FRAME_PIXELS", 64 * 48)

    try:
        shapes = {frame.pixels.shape[:2] for frame in iterate_frames(growing) if frame is not None}
    except CorruptVideo:
        shapes = set()

    assert (240, 320) not in shapes
