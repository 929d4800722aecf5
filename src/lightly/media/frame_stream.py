"""One pass over a video: every frame that its decoder hands out, and at the end what it is worth.

Frames are numbered as in `lightly.media.frames`. What cannot be decoded does not end the pass as
long as something follows; what the video lacks is told at its end.
"""

from __future__ import annotations

import hashlib
import os
from array import array
from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

import av.error
import numpy as np

from lightly.media.errors import CorruptVideo
from lightly.media.frames import NO_FRAMES, VideoFrame, convert_frame, make_index, write_timestamp
from lightly.media.images import Pixels
from lightly.media.videos import check_frame_count, iterate_packets, open_video, try_to_decode

_DAMAGED = "The decoder marks the frame as damaged."


@dataclass(frozen=True, slots=True)
class StreamedFrame:
    """One frame.

    Attributes:
        index: Its number, from 0.
        timestamp: When it is shown, in units of the stream; None if not known.
        is_key: Whether decoding can begin at it.
        frame: Its pixels; None if it was passed over or is corrupt.
        corruption: Why it cannot be used; None for a good one.
    """

    index: int
    timestamp: int | None
    is_key: bool
    frame: VideoFrame | None
    corruption: str | None = None


@dataclass(frozen=True, slots=True)
class StreamEnd:
    """What is known of a video once all of it was decoded.

    Attributes:
        n_frames: How many frames there are, corrupt ones included.
        n_promised: How many the container says there are; 0 if it does not say.
        is_seekable: As in `lightly.media.frames.FrameIndex`.
        problem: What of the video is missing; None if nothing is.
    """

    n_frames: int
    n_promised: int
    is_seekable: bool
    problem: str | None


def stream_frames(
    path: str | os.PathLike[str], *, first: int = 0
) -> Iterator[StreamedFrame | StreamEnd | None]:
    """Yield every frame of a video in order, then what the video is worth.

    None comes between as a sign of life.

    Args:
        path: The video.
        first: Frames before this one are decoded, but not converted.

    Raises:
        CorruptVideo: If the file is no readable video or has no frame.
        VideoTooLarge: If its frames are too large.
    """
    tally = _Tally()
    try:
        with open_video(path) as (container, stream):
            tally.n_promised, tally.unit = stream.frames, stream.time_base
            for packet in iterate_packets(container, stream):
                for frame in tally.decode(packet):
                    yield _describe(frame, tally.n_frames, stream.time_base, first)
                    tally.count(frame)
                yield None
    except CorruptVideo as error:
        # A broken tail does not take away the frames before it.
        if not tally.n_frames:
            raise
        tally.broke_off = str(error)
    if not tally.n_frames:
        raise CorruptVideo(NO_FRAMES)
    yield tally.finish()


def digest_pixels(pixels: Pixels) -> bytes:
    """Return the SHA-256 of a frame: its size and its pixels."""
    digest = hashlib.sha256(repr(pixels.shape).encode())
    digest.update(np.ascontiguousarray(pixels).data)
    return digest.digest()


class _Tally:
    """What was found so far."""

    def __init__(self) -> None:
        self.n_promised = 0
        self.unit: Fraction | None = None
        self.broke_off: str | None = None
        self._n_packets = self._n_failed = 0
        self._found, self._promised = array("q"), array("q")

    @property
    def n_frames(self) -> int:
        return len(self._found)

    def decode(self, packet: Any) -> list[Any]:
        if packet.size:
            self._n_packets += 1
            self._promised.append(write_timestamp(packet.pts))
        check_frame_count(max(self.n_frames, self._n_packets))
        frames = try_to_decode(packet)
        if frames is None:
            self._n_failed += 1
        return frames or []

    def count(self, frame: Any) -> None:
        self._found.append(write_timestamp(frame.pts))

    def finish(self) -> StreamEnd:
        index = make_index(np.array(self._found), np.array(self._promised), self.unit)
        return StreamEnd(self.n_frames, self.n_promised, index.is_seekable, self._find_problem())

    def _find_problem(self) -> str | None:
        if self.broke_off is not None:
            return f"The video breaks off after {self.n_frames} frames: {self.broke_off}"
        if self._n_failed:
            return f"{self._n_failed} of {self._n_packets} packets cannot be decoded."
        if self.n_frames < self.n_promised and self._n_packets < self.n_promised:
            return f"The file ends after {self.n_frames} of {self.n_promised} frames."
        return None


def _describe(frame: Any, index: int, unit: Fraction | None, first: int) -> StreamedFrame:
    place: dict[str, Any] = {
        "index": index, "timestamp": frame.pts, "is_key": bool(frame.key_frame),
    }  # fmt: skip
    if index < first:
        return StreamedFrame(**place, frame=None)
    if frame.is_corrupt:
        return StreamedFrame(**place, frame=None, corruption=_DAMAGED)
    try:
        return StreamedFrame(**place, frame=convert_frame(frame, index, unit))
    except (av.error.FFmpegError, ValueError) as error:
        reason = f"The frame cannot be converted ({type(error).__name__})."
        return StreamedFrame(**place, frame=None, corruption=reason)
