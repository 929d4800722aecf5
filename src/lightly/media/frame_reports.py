"""Everything that is recorded about one frame of a video."""

from __future__ import annotations

import io
from dataclasses import dataclass
from typing import Any

from PIL import Image

from lightly.media.frames import VideoFrame
from lightly.media.statistics import compute_statistics
from lightly.media.thumbnails import make_thumbnail

# zlib's fastest level: three times faster than the default for a tenth more bytes.
_PNG_LEVEL = 1


@dataclass(frozen=True, slots=True)
class FrameReport:
    """What was found out about one frame.

    Attributes:
        index: Number of the frame in its video, from 0.
        timestamp_s: When it is shown, in seconds; None if the container does not say.
        metadata: `ImageStatistics`; `size_in_bytes` is the size of `png`.
        thumbnail: A WebP preview.
        png: The frame as the file that the dataset stores.
    """

    index: int
    timestamp_s: float | None
    metadata: dict[str, Any]
    thumbnail: bytes
    png: bytes


def report_frame(frame: VideoFrame) -> FrameReport:
    """Return statistics, thumbnail and PNG of a frame."""
    png = encode_png(frame)
    return FrameReport(
        index=frame.index,
        timestamp_s=frame.timestamp_s,
        metadata={**compute_statistics(frame.pixels, size_bytes=len(png))},
        thumbnail=make_thumbnail(frame.pixels),
        png=png,
    )


def encode_png(frame: VideoFrame) -> bytes:
    """Return the frame as a PNG file."""
    buffer = io.BytesIO()
    Image.fromarray(frame.pixels).save(buffer, "PNG", compress_level=_PNG_LEVEL)
    return buffer.getvalue()
