"""Which frames of a video are wanted again, on their way to the process that decodes them."""

from __future__ import annotations

import os
from array import array
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from lightly.media.reports import ExtractedFrame
from lightly.media.sandbox import DecodePool, make_request
from lightly.media.sandbox_protocol import Message

_DIGEST_BYTES = 32
_UNKNOWN_DIGEST = bytes(_DIGEST_BYTES)
#: Stands for a time stamp that is not known, as in FFmpeg.
_NO_TIMESTAMP = -(1 << 63)


@dataclass(frozen=True, slots=True)
class WantedFrame:
    """One frame, as an earlier pass has seen it.

    Attributes:
        index: Its number, from 0.
        timestamp: When it is shown, in units of the stream; None if not known.
        digest: As `frame_stream.digest_pixels` makes it; empty if not known.
        jumps: Whether there is a key frame between the wanted frame before and this one, from
            which decoding can go on.
    """

    index: int
    timestamp: int | None = None
    digest: bytes = b""
    jumps: bool = False


def pick_frames(
    pool: DecodePool,
    video: str | os.PathLike[str],
    wanted: Sequence[WantedFrame],
    *,
    image_format: str,
) -> Iterator[ExtractedFrame]:
    """Yield frames of a video as image files.

    Args:
        pool: Decodes.
        video: Its path.
        wanted: Which, ascending.
        image_format: `png` or `jpg`; `rgb` for pixels.

    Raises:
        CorruptVideo: If the video has no such frame, or other pixels in it than before.
    """
    header = make_request("pick_frames", video, image_format=image_format).header
    for answers in pool.stream([Message(header, _pack(wanted))]):
        for answer in answers:
            place = {key: answer.header[key] for key in ("index", "timestamp_s", "width", "height")}
            yield ExtractedFrame(**place, content=answer.blobs[0])


def _pack(wanted: Sequence[WantedFrame]) -> list[bytes]:
    timestamps = (_NO_TIMESTAMP if one.timestamp is None else one.timestamp for one in wanted)
    return [
        array("q", (one.index for one in wanted)).tobytes(),
        array("q", timestamps).tobytes(),
        bytes(one.jumps for one in wanted),
        b"".join(one.digest or _UNKNOWN_DIGEST for one in wanted),
    ]


def unpack_wanted(blobs: Sequence[bytes]) -> list[WantedFrame]:
    """Return the frames that a request asks for."""
    indices, timestamps = array("q", bytes(blobs[0])), array("q", bytes(blobs[1]))
    found = []
    for number, (index, timestamp) in enumerate(zip(indices, timestamps, strict=True)):
        digest = bytes(blobs[3][number * _DIGEST_BYTES : (number + 1) * _DIGEST_BYTES])
        found.append(
            WantedFrame(
                index,
                None if timestamp == _NO_TIMESTAMP else timestamp,
                b"" if digest == _UNKNOWN_DIGEST else digest,
                bool(blobs[2][number]),
            )
        )
    return found
