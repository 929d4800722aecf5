"""Small videos, made here. Every frame carries its number as the grey level of its left half."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import av
import numpy as np

#: Grey levels of neighbouring frames differ by this, more than a codec blurs.
LEVEL_STEP = 8


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


def write_sound(path: Path) -> Path:
    """Write an MP4 with sound only."""
    with av.open(str(path), "w") as container:
        stream = container.add_stream("aac", rate=8_000)
        frame = av.AudioFrame.from_ndarray(np.zeros((1, 1_024), np.float32), "fltp", "mono")
        frame.rate = 8_000
        container.mux(stream.encode(frame))
        container.mux(stream.encode())
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
