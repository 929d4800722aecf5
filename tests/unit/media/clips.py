"""Small videos, made here. Every frame carries its number as the grey level of its left half."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
from av.stream import Disposition

#: Grey levels of neighbouring frames differ by this, more than a codec blurs.
LEVEL_STEP = 8
LOSSLESS = frozenset({"png", "ffv1", "cinepak"})


def draw_frame(number: int, width: int = 64, height: int = 48) -> np.ndarray:
    pixels = np.full((height, width, 3), 230, np.uint8)
    pixels[:, : width // 2] = number * LEVEL_STEP
    return pixels


def read_number(pixels: np.ndarray) -> int:
    width = pixels.shape[1]
    return round(float(pixels[:, 4 : width // 2 - 4].mean()) / LEVEL_STEP)


def write_clip(
    path: Path,
    n_frames: int = 12,
    *,
    codec: str = "libx264",
    size: tuple[int, int] = (64, 48),
    options: dict[str, str] | None = None,
) -> Path:
    """Write a clip of up to 25 frames at 10 frames a second."""
    with av.open(str(path), "w") as container:
        stream = container.add_stream(codec, rate=10, options=options or {})
        stream.width, stream.height = size
        stream.pix_fmt = "yuv420p"
        stream.bit_rate = 2_000_000
        stream.codec_context.gop_size = 5
        for number in range(n_frames):
            frame = av.VideoFrame.from_ndarray(draw_frame(number, *size), format="rgb24")
            frame.pts = number
            frame.time_base = Fraction(1, 10)
            container.mux(stream.encode(frame))
        container.mux(stream.encode())
    return path


def write_frames(
    path: Path,
    frames: Sequence[np.ndarray],
    *,
    codec: str = "libx264",
    pixel_format: str = "yuv420p",
    options: dict[str, str] | None = None,
    times: Sequence[int] | None = None,
) -> Path:
    """Write frames of equal size, shown at `times` in milliseconds; default 25 a second."""
    with av.open(str(path), "w") as container:
        stream = container.add_stream(codec, rate=25, options=options or {})
        stream.height, stream.width = frames[0].shape[:2]
        stream.pix_fmt = pixel_format
        if codec not in LOSSLESS:
            stream.bit_rate = 4_000_000
        stream.codec_context.gop_size = 8
        if times is not None:
            stream.codec_context.time_base = Fraction(1, 1000)
        for number, pixels in enumerate(frames):
            frame = av.VideoFrame.from_ndarray(pixels, format="rgb24")
            frame.pts = number if times is None else times[number]
            frame.time_base = Fraction(1, 25) if times is None else Fraction(1, 1000)
            container.mux(stream.encode(frame))
        container.mux(stream.encode())
    return path


def remux_clip(path: Path, target: Path, change: Callable[[int, av.Packet], av.Packet]) -> Path:
    """Copy a video packet by packet; `change` gets the number of each and the packet."""
    with av.open(str(path)) as source, av.open(str(target), "w") as container:
        stream = container.add_stream_from_template(source.streams.video[0])
        packets = (packet for packet in source.demux(video=0) if packet.size)
        for number, packet in enumerate(packets):
            changed = change(number, packet)
            changed.stream = stream
            container.mux(changed)
    return target


def copy_packet(packet: av.Packet, content: bytes) -> av.Packet:
    """Return a packet with other bytes."""
    copy = av.Packet(content)
    copy.pts, copy.dts, copy.time_base = packet.pts, packet.dts, packet.time_base
    copy.duration, copy.is_keyframe = packet.duration, packet.is_keyframe
    return copy


def write_sound(path: Path, *, cover: np.ndarray | None = None) -> Path:
    """Write an MP4 with sound only, or with a picture as its cover."""
    with av.open(str(path), "w") as container:
        stream = container.add_stream("aac", rate=8_000)
        if cover is not None:
            picture = container.add_stream("mjpeg", rate=1)
            picture.height, picture.width = cover.shape[:2]
            picture.pix_fmt = "yuvj420p"
            picture.disposition = Disposition.attached_pic
        frame = av.AudioFrame.from_ndarray(np.zeros((1, 1_024), np.float32), "fltp", "mono")
        frame.rate = 8_000
        container.mux(stream.encode(frame))
        container.mux(stream.encode())
        if cover is not None:
            container.mux(picture.encode(av.VideoFrame.from_ndarray(cover, format="rgb24")))
            container.mux(picture.encode())
    return path


def turn_clip(path: Path, quarter_turns: int) -> Path:
    """Write a rotation into an MP4, as a phone does that is held upright."""
    cosine, sine = {0: (1, 0), 1: (0, 1), 2: (-1, 0), 3: (0, -1)}[quarter_turns % 4]
    matrix = [cosine << 16, sine << 16, 0, -sine << 16, cosine << 16, 0, 0, 0, 1 << 30]
    data = bytearray(path.read_bytes())
    place = data.index(b"tkhd") + 4 + 40
    data[place : place + 36] = b"".join(value.to_bytes(4, "big", signed=True) for value in matrix)
    path.write_bytes(data)
    return path
