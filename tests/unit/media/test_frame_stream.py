"""Going through a video once, and finding some of its frames again."""

from __future__ import annotations

import io
from pathlib import Path

import av
import numpy as np
import pytest
from PIL import Image

from lightly.media import wanted_frames
from lightly.media.errors import CorruptVideo
from lightly.media.frame_picking import pick_frames
from lightly.media.frame_stream import StreamedFrame, StreamEnd, digest_pixels, stream_frames
from lightly.media.sandbox import DecodePool
from lightly.media.wanted_frames import WantedFrame
from tests.unit.media.clips import (
    copy_packet,
    draw_frame,
    remux_clip,
    write_clip,
    write_frames,
    write_sound,
)

FORMATS = [
    ("clip.mp4", "libx264", {"bf": "3", "x264-params": "open-gop=1:keyint=6:min-keyint=6"}),
    ("clip.mp4", "libx265", {"x265-params": "log-level=none:open-gop=1:keyint=6"}),
    ("clip.avi", "mpeg4", {"bf": "2"}),
    ("clip.mpg", "mpeg2video", {"bf": "2"}),
    ("clip.webm", "libvpx", {"auto-alt-ref": "1", "lag-in-frames": "16"}),
    ("clip.mov", "mjpeg", {}),
]


def draw_noise(count: int) -> list[np.ndarray]:
    """Return frames that have nothing to do with each other."""
    generator = np.random.default_rng(7)
    return [np.kron(generator.integers(0, 255, (6, 8, 3), np.uint8), np.ones((8, 8, 1), np.uint8))
            for _ in range(count)]  # fmt: skip


def stream_all(path: Path, first: int = 0) -> tuple[list[StreamedFrame], StreamEnd]:
    """Return the frames of a video and its end."""
    found = [one for one in stream_frames(path, first=first) if one is not None]
    frames = [one for one in found if isinstance(one, StreamedFrame)]
    (end,) = (one for one in found if isinstance(one, StreamEnd))
    return frames, end


def want(frames: list[StreamedFrame], indices: list[int], *, jumps: bool) -> list[WantedFrame]:
    """Return frames that were seen as wanted ones."""
    return [
        WantedFrame(index, frames[index].timestamp, digest_pixels(pixels_of(frames[index])), jumps)
        for index in indices
    ]


def pixels_of(frame: StreamedFrame) -> np.ndarray:
    """Return the pixels of a good frame."""
    assert frame.frame is not None
    return frame.frame.pixels


@pytest.mark.parametrize(("name", "codec", "options"), FORMATS)
@pytest.mark.parametrize("jumps", [False, True])
def test_frames_are_found_again_pixel_by_pixel(
    tmp_path: Path, name: str, codec: str, options: dict[str, str], jumps: bool
) -> None:
    pixel_format = "yuvj420p" if codec == "mjpeg" else "yuv420p"
    noise = draw_noise(24)
    path = write_frames(
        tmp_path / name, noise, codec=codec, pixel_format=pixel_format, options=options
    )
    frames, end = stream_all(path)
    assert [frame.index for frame in frames] == list(range(end.n_frames))
    assert end.problem is None
    wanted = want(frames, [1, 2, 9, 15, 16, end.n_frames - 1], jumps=jumps)
    found = [frame for frame in pick_frames(path, wanted) if frame is not None]
    assert [frame.index for frame in found] == [one.index for one in wanted]
    for frame in found:
        assert np.array_equal(frame.pixels, pixels_of(frames[frame.index]))


def test_frames_are_picked_in_a_child_process_as_image_files(tmp_path: Path) -> None:
    path = write_frames(tmp_path / "a.mp4", draw_noise(20))
    frames, _ = stream_all(path)
    wanted = [*want(frames, [3, 11], jumps=True), WantedFrame(12)]
    with DecodePool(1) as pool:
        found = list(wanted_frames.pick_frames(pool, path, wanted, image_format="png"))
        with pytest.raises(CorruptVideo, match="Frame 40"):
            list(wanted_frames.pick_frames(pool, path, [WantedFrame(40)], image_format="jpg"))
    assert [frame.index for frame in found] == [3, 11, 12]
    for frame in found:
        with Image.open(io.BytesIO(frame.content)) as image:
            assert np.array_equal(np.asarray(image), pixels_of(frames[frame.index]))


def test_a_jump_that_gives_other_pixels_is_made_good(tmp_path: Path) -> None:
    path = write_clip(tmp_path / "a.mp4", 20)
    frames, _ = stream_all(path)
    (right,) = want(frames, [12], jumps=True)
    # The time stamp of another frame stands for a decoder that ends up elsewhere.
    wrong = WantedFrame(12, frames[3].timestamp, right.digest, jumps=True)
    (found,) = (frame for frame in pick_frames(path, [wrong]) if frame is not None)
    assert np.array_equal(found.pixels, pixels_of(frames[12]))


def test_a_video_that_has_changed_is_not_taken_for_the_same(tmp_path: Path) -> None:
    frames, _ = stream_all(write_clip(tmp_path / "a.mp4", 20))
    wanted = want(frames, [12], jumps=False)
    other = write_frames(tmp_path / "b.mp4", draw_noise(20))
    with pytest.raises(CorruptVideo, match="Frame 12 of the video has changed"):
        list(pick_frames(other, wanted))
    with pytest.raises(CorruptVideo, match="Frame 30 of the video cannot be decoded"):
        list(pick_frames(other, [WantedFrame(30)]))


def test_frames_before_the_first_are_numbered_and_not_converted(tmp_path: Path) -> None:
    frames, end = stream_all(write_clip(tmp_path / "a.mp4", 12), first=9)
    assert [frame.frame is None for frame in frames] == [True] * 9 + [False] * 3
    assert (frames[9].index, end.n_frames) == (9, 12)


def move_index_to_front(path: Path, target: Path) -> Path:
    """Copy an MP4 so that it can be opened although its end is missing."""
    with (
        av.open(str(path)) as source,
        av.open(str(target), "w", options={"movflags": "faststart"}) as container,
    ):
        stream = container.add_stream_from_template(source.streams.video[0])
        for packet in source.demux(video=0):
            if packet.size:
                packet.stream = stream
                container.mux(packet)
    return target


def test_a_file_that_is_cut_off_keeps_its_frames_and_says_what_is_missing(tmp_path: Path) -> None:
    whole = move_index_to_front(
        write_frames(tmp_path / "a.mp4", draw_noise(24)), tmp_path / "whole.mp4"
    )
    content = whole.read_bytes()
    cut = tmp_path / "cut.mp4"
    cut.write_bytes(content[: len(content) * 2 // 3])
    complete, _ = stream_all(whole)
    frames, end = stream_all(cut)
    good = [frame for frame in frames if frame.corruption is None]
    assert 5 < len(good) < 24
    assert end.problem is not None
    for frame in good:
        assert np.array_equal(pixels_of(frame), pixels_of(complete[frame.index]))


def test_packets_that_cannot_be_decoded_are_counted(tmp_path: Path) -> None:
    path = write_clip(tmp_path / "a.mp4", 12, codec="mpeg4")
    broken = remux_clip(
        path,
        tmp_path / "b.mp4",
        lambda number, packet: copy_packet(packet, b"\xff" * 40) if number == 6 else packet,
    )
    frames, end = stream_all(broken)
    assert end.n_frames == len(frames)
    assert end.problem is not None or any(frame.corruption for frame in frames)


def test_frames_of_uneven_rate_keep_their_moments(tmp_path: Path) -> None:
    times = [0, 40, 50, 300, 1_000, 1_010, 2_500, 2_600]
    path = write_frames(tmp_path / "a.mp4", [draw_frame(n) for n in range(8)], times=times)
    frames, end = stream_all(path)
    moments = [frame.frame.timestamp_s for frame in frames if frame.frame is not None]
    assert moments == pytest.approx([time / 1_000 for time in times], abs=0.001)
    assert end.problem is None


@pytest.mark.parametrize("kind", ["sound", "text", "empty"])
def test_what_has_no_frames_is_corrupt(tmp_path: Path, kind: str) -> None:
    path = tmp_path / "a.mp4"
    if kind == "sound":
        write_sound(path)
    else:
        path.write_bytes(b"no video" if kind == "text" else b"")
    with pytest.raises(CorruptVideo):
        list(stream_frames(path))
