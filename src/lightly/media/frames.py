"""Frames of a video, one at a time: never more than one is held in memory.

Frames are numbered from 0 in the order in which the decoder hands them out, which is the order in
which they are shown. What counts is what can be decoded, not what the container promises. Rotation
that a phone wrote into the container is applied.
"""

from __future__ import annotations

import os
from array import array
from collections.abc import Callable, Collection, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import av.error
import numpy as np
from av.container import InputContainer
from av.video.stream import VideoStream
from numpy.typing import NDArray

from lightly.media.errors import CorruptVideo, VideoTooLarge
from lightly.media.images import Pixels
from lightly.media.videos import (
    check_frame_count,
    decode_frames,
    decode_packet,
    iterate_packets,
    open_video,
)

#: Stands for a time stamp that is not known, as in FFmpeg.
NO_TIMESTAMP = -(1 << 63)
#: Why a video without frames is corrupt.
NO_FRAMES = "No frame of the video can be decoded."


@dataclass(frozen=True, slots=True)
class VideoFrame:
    """One frame.

    Attributes:
        index: Its number, from 0.
        timestamp_s: When it is shown, in seconds; None if the container does not say.
        pixels: uint8 of shape (height, width, 3), RGB, as a player shows it.
    """

    index: int
    timestamp_s: float | None
    pixels: Pixels


@dataclass(frozen=True, slots=True)
class FrameIndex:
    """Which frames a video has.

    Attributes:
        timestamps: When each is shown, in units of the stream: int64 of shape (n_frames,);
            `NO_TIMESTAMP` where that is not known.
        unit: Seconds of one unit; None if not known.
        is_seekable: Whether a time stamp stands for one frame, however the decoder got there.
    """

    timestamps: NDArray[np.int64]
    unit: Fraction | None
    is_seekable: bool

    @classmethod
    def unpack(cls, timestamps: bytes, unit: tuple[int, int] | None, is_seekable: bool) -> Self:
        """Return the index that a decoding process has sent: see `sandbox.FrameCount`."""
        numbers = np.frombuffer(timestamps, np.int64)
        return cls(numbers, None if unit is None else Fraction(*unit), is_seekable)

    def __len__(self) -> int:
        return len(self.timestamps)

    def find_timestamp_s(self, index: int) -> float | None:
        """Return when a frame is shown, in seconds; None if the container does not say."""
        timestamp = int(self.timestamps[index])
        return _to_seconds(None if timestamp == NO_TIMESTAMP else timestamp, self.unit)


def count_frames(path: str | os.PathLike[str]) -> int:
    """Return the number of frames that can be decoded, by decoding all of them.

    Containers only promise a number: some count half pictures or hidden ones, and a damaged file
    has fewer. The names of frames depend on it.

    Raises:
        CorruptVideo: If the file is no readable video or no frame can be decoded.
        VideoTooLarge: If it has more than `limits.MAX_VIDEO_FRAMES`.
    """
    return len(index_frames(path))


def index_frames(path: str | os.PathLike[str]) -> FrameIndex:
    """Return which frames a video has; takes 8 bytes for each. Raises as `count_frames`."""
    *_, index = iterate_index(path)
    if index is None:
        raise CorruptVideo(NO_FRAMES)
    return index


def iterate_index(path: str | os.PathLike[str]) -> Iterator[FrameIndex | None]:
    """Yield None as a sign of life after every packet, and the index at the end."""
    promised, found, unit = array("q"), array("q"), None
    try:
        with open_video(path) as (container, stream):
            unit = stream.time_base
            for packet in iterate_packets(container, stream):
                if packet.size:
                    promised.append(write_timestamp(packet.pts))
                found.extend(write_timestamp(frame.pts) for frame in decode_packet(packet))
                check_frame_count(max(len(found), len(promised)))
                yield None
    except VideoTooLarge:
        raise
    except CorruptVideo:
        # A broken tail does not take away the frames before it.
        if not found:
            raise
    if not found:
        raise CorruptVideo(NO_FRAMES)
    yield make_index(np.array(found), np.array(promised), unit)


def iterate_frames(path: str | os.PathLike[str], *, first: int = 0) -> Iterator[VideoFrame | None]:
    """Yield the frames from number `first` on.

    Args:
        path: The video.
        first: Frames before this one are decoded but not converted; None is yielded for each, as a
            sign of life.

    Raises:
        CorruptVideo: If the file is no readable video, or where it cannot be read any further.
    """
    yield from _iterate(path, lambda index: index >= first)


def iterate_selected(
    path: str | os.PathLike[str], indices: Collection[int]
) -> Iterator[VideoFrame | None]:
    """Yield some frames in the order of the video, which is decoded once, up to the last of them.

    Args:
        path: The video.
        indices: Their numbers. Those that the video does not have are left out.

    Raises:
        CorruptVideo: As `iterate_frames`.
    """
    wanted = frozenset(indices)
    last = max(wanted, default=-1)
    if last < 0:
        return
    for index, frame in enumerate(_iterate(path, wanted.__contains__)):
        yield frame
        if index == last:
            return


class FrameReader:
    """Random access to the frames of one video; reading on in order is the fast case.

    A jump seeks to the key frame before the target; where time stamps are missing or repeat, it
    decodes from the start instead.

    Args:
        path: The video.
        index: Its frames, if they are known already; else it is decoded once for that.
    """

    def __init__(self, path: str | os.PathLike[str], index: FrameIndex | None = None) -> None:
        self._path = Path(path)
        self._index = index or index_frames(path)
        self._opened = ExitStack()
        self._frames: Iterator[Any] | None = None
        self._container: InputContainer | None = None
        self._stream: VideoStream | None = None
        self._position = 0

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def close(self) -> None:
        """Close the file. Reading opens it again."""
        self._opened.close()
        self._container = self._stream = self._frames = None

    def read(self, index: int) -> VideoFrame:
        """Return frame `index`.

        Raises:
            CorruptVideo: If the video has no such frame, or cannot be decoded up to it.
        """
        if not 0 <= index < len(self._index):
            raise CorruptVideo(f"Frame {index} of the video cannot be decoded.")
        if self._frames is None or index != self._position:
            frame = self._seek(index) or self._pass_to(index)
        else:
            frame = self._next()
        if frame is None:
            raise CorruptVideo(f"Frame {index} of the video cannot be decoded.")
        self._position = index + 1
        assert self._stream is not None  # noqa: S101  opened by _seek or _pass_to
        return convert_frame(frame, index, self._stream.time_base)

    def _open(self) -> None:
        self.close()
        self._container, self._stream = self._opened.enter_context(open_video(self._path))
        self._frames = decode_frames(self._container, self._stream)
        self._position = 0

    def _seek(self, index: int) -> Any:
        """Return the frame by its time stamp, or None if that does not work here."""
        if not self._index.is_seekable:
            return None
        wanted = int(self._index.timestamps[index])
        self._open()
        assert self._container is not None  # noqa: S101  just opened
        try:
            self._container.seek(wanted, stream=self._stream, backward=True)
        except av.error.FFmpegError:
            self._open()
            return None
        while (frame := self._next()) is not None and frame.pts is not None and frame.pts <= wanted:
            if frame.pts == wanted:
                return frame
        self._open()
        return None

    def _pass_to(self, index: int) -> Any:
        if self._frames is None or index < self._position:
            self._open()
        frame = None
        for _ in range(index - self._position + 1):
            frame = self._next()
        return frame

    def _next(self) -> Any:
        assert self._frames is not None  # noqa: S101  opened by the caller
        return next(self._frames, None)


def _iterate(
    path: str | os.PathLike[str], is_wanted: Callable[[int], bool]
) -> Iterator[VideoFrame | None]:
    index = -1
    with open_video(path) as (container, stream):
        for index, frame in enumerate(decode_frames(container, stream)):
            yield convert_frame(frame, index, stream.time_base) if is_wanted(index) else None
    if index < 0:
        raise CorruptVideo(NO_FRAMES)


def convert_frame(frame: Any, index: int, unit: Fraction | None) -> VideoFrame:
    """Return a decoded frame of PyAV as number, moment and pixels."""
    pixels = frame.to_ndarray(format="rgb24")
    quarter_turns = round(frame.rotation / 90)
    if quarter_turns % 4:
        pixels = np.ascontiguousarray(np.rot90(pixels, quarter_turns))
    return VideoFrame(index, _to_seconds(frame.pts, unit), pixels)


def _to_seconds(timestamp: int | None, unit: Fraction | None) -> float | None:
    return None if timestamp is None or unit is None else float(timestamp * unit)


def write_timestamp(timestamp: int | None) -> int:
    """Return a time stamp as it stands in an index."""
    return NO_TIMESTAMP if timestamp is None else timestamp


def make_index(
    found: NDArray[np.int64], promised: NDArray[np.int64], unit: Fraction | None
) -> FrameIndex:
    """Return an index; time stamps that the decoder has guessed are not those after a jump.

    Args:
        found: Time stamps of the decoded frames, `NO_TIMESTAMP` where there is none.
        promised: Time stamps of the packets.
        unit: Seconds of one unit; None if not known.
    """
    is_known = NO_TIMESTAMP not in found and NO_TIMESTAMP not in promised
    is_rising = bool((found[1:] > found[:-1]).all())
    is_seekable = is_known and is_rising and bool(np.isin(found, promised).all())
    return FrameIndex(found, unit, is_seekable)
