"""Frames of a video, one at a time: never more than one is held in memory.

Frames are numbered from 0 in the order in which the decoder hands them out, which is the order in
which they are shown. Rotation that a phone wrote into the container is applied.
"""

from __future__ import annotations

import os
from array import array
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import av
import av.error
import numpy as np
from av.container import InputContainer
from av.video.stream import VideoStream

from lightly.media import limits
from lightly.media.errors import CorruptVideo, VideoTooLarge
from lightly.media.images import Pixels
from lightly.media.reports import measure_regular_file
from lightly.media.sniff import SNIFF_BYTES, sniff_content_type

# The demuxer follows from the bytes, so that a playlist or a script in disguise is never opened:
# those could make the library read other files or addresses.
_DEMUXERS = {
    "video/mp4": "mov",
    "video/quicktime": "mov",
    "video/x-msvideo": "avi",
    "video/webm": "matroska",
    "video/mp2t": "mpegts",
    "video/h265": "hevc",
}
_PROGRAM_STREAM = b"\x00\x00\x01\xba"
_NO_FRAMES = "The video has no frames."
#: Frames or packets between two signs of life of a long search.
HEARTBEAT_FRAMES = 200


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


def count_frames(path: str | os.PathLike[str]) -> int:
    """Return the number of frames by reading the container, without decoding.

    Raises:
        CorruptVideo: If the file is no readable video or has no frames.
        VideoTooLarge: If it has more than `limits.MAX_VIDEO_FRAMES`.
    """
    *_, count = iterate_count(path)
    return count


def iterate_count(path: str | os.PathLike[str]) -> Iterator[int]:
    """Yield the number of frames counted so far, now and then; the last one is the result."""
    count = 0
    with open_video(path) as (container, stream):
        for packet in _iterate_packets(container, stream):
            count += not packet.is_discard
            if count > limits.MAX_VIDEO_FRAMES:
                raise VideoTooLarge(f"The video has more than {limits.MAX_VIDEO_FRAMES} frames.")
            if count % HEARTBEAT_FRAMES == 0:
                yield count
    if count == 0:
        raise CorruptVideo(_NO_FRAMES)
    yield count


def iterate_frames(path: str | os.PathLike[str], *, first: int = 0) -> Iterator[VideoFrame | None]:
    """Yield the frames from number `first` on.

    Args:
        path: The video.
        first: Frames before this one are decoded but not converted; None is yielded now and then
            while they are passed.

    Raises:
        CorruptVideo: If the file is no readable video or no frame can be decoded. Packets that
            cannot be decoded are passed over as long as others can.
    """
    index = 0
    with open_video(path) as (container, stream):
        for frame in _decode(container, stream):
            if index >= first:
                yield _convert(frame, index, stream)
            elif index % HEARTBEAT_FRAMES == 0:
                yield None
            index += 1
    if index == 0:
        raise CorruptVideo("No frame of the video can be decoded.")


class FrameReader:
    """Random access to the frames of one video; reading on in order is the fast case.

    The container is read once to learn the time stamps. A jump seeks to the key frame before the
    target; where time stamps are missing or repeat, it decodes from the start instead.
    """

    def __init__(self, path: str | os.PathLike[str]) -> None:
        self._path = Path(path)
        self._timestamps = _read_timestamps(self._path)
        self._frames: Iterator[Any] | None = None
        self._opened: Any = None
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
        if self._opened is not None:
            self._opened.__exit__(None, None, None)
        self._opened = self._container = self._stream = self._frames = None

    def read(self, index: int) -> VideoFrame:
        """Return frame `index`.

        Raises:
            CorruptVideo: If the video cannot be decoded up to it.
        """
        if self._frames is None or index != self._position:
            frame = self._seek(index) or self._pass_to(index)
        else:
            frame = self._next()
        if frame is None:
            raise CorruptVideo(f"Frame {index} of the video cannot be decoded.")
        self._position = index + 1
        assert self._stream is not None  # noqa: S101  opened by _seek or _pass_to
        return _convert(frame, index, self._stream)

    def _open(self) -> None:
        self.close()
        self._opened = open_video(self._path)
        self._container, self._stream = self._opened.__enter__()
        self._frames = _decode(self._container, self._stream)
        self._position = 0

    def _seek(self, index: int) -> Any:
        """Return the frame by its time stamp, or None if that does not work here."""
        if self._timestamps is None or index >= len(self._timestamps):
            return None
        self._open()
        assert self._container is not None  # noqa: S101  just opened
        wanted = self._timestamps[index]
        try:
            self._container.seek(wanted, stream=self._stream, backward=True)
        except av.error.FFmpegError:
            return None
        while (frame := self._next()) is not None and frame.pts is not None and frame.pts <= wanted:
            if frame.pts == wanted:
                return frame
        return None

    def _pass_to(self, index: int) -> Any:
        if self._frames is None or index < self._position or self._timestamps is not None:
            self._open()
        frame = None
        for _ in range(index - self._position + 1):
            frame = self._next()
        return frame

    def _next(self) -> Any:
        assert self._frames is not None  # noqa: S101  opened by the caller
        return next(self._frames, None)


@contextmanager
def open_video(path: str | os.PathLike[str]) -> Iterator[tuple[InputContainer, VideoStream]]:
    """Open the first video stream of a file.

    Raises:
        CorruptVideo: If it is no video that we decode; also for errors inside the block.
        VideoTooLarge: If a frame has more than `limits.MAX_FRAME_PIXELS`.
    """
    demuxer = _choose_demuxer(Path(path))
    # "file:" keeps a name such as "http:x" or "-i" from being read as anything but a name.
    address = "file:" + os.path.abspath(path)  # noqa: PTH100  Path.resolve would follow links
    try:
        with av.open(
            address,
            format=demuxer,
            container_options={"protocol_whitelist": "file"},
            metadata_errors="replace",
        ) as container:
            yield container, _choose_stream(container)
    except av.error.FFmpegError as error:
        raise CorruptVideo(f"The video cannot be decoded ({type(error).__name__}).") from error


def _choose_demuxer(path: Path) -> str:
    measure_regular_file(path, CorruptVideo)
    try:
        with path.open("rb") as file:
            head = file.read(SNIFF_BYTES)
    except OSError as error:
        raise CorruptVideo(f"The file cannot be read: {error.strerror}.") from error
    if not head:
        raise CorruptVideo("The file is empty.")
    content_type = sniff_content_type(head)
    if content_type == "video/mpeg":
        return "mpeg" if head.startswith(_PROGRAM_STREAM) else "mpegvideo"
    if content_type not in _DEMUXERS:
        raise CorruptVideo(
            "The content is not a video of a supported type (MP4, MOV, AVI, WebM, MPEG, H.265)."
        )
    return _DEMUXERS[content_type]


def _choose_stream(container: InputContainer) -> VideoStream:
    if not container.streams.video:
        raise CorruptVideo("The file has no video stream.")
    stream = container.streams.video[0]
    context = stream.codec_context
    if context is None:
        raise CorruptVideo("There is no decoder for the codec of the video.")
    if context.width * context.height > limits.MAX_FRAME_PIXELS:
        raise VideoTooLarge(
            f"Frames are {context.width}x{context.height}; at most {limits.MAX_FRAME_PIXELS}"
            " pixels are decoded."
        )
    # A stream can change its size later; the decoder itself then refuses.
    context.options = {"max_pixels": str(limits.MAX_FRAME_PIXELS)}
    # Videos are decoded side by side, so each one keeps to one core.
    context.thread_count = 1
    return stream


def _iterate_packets(container: InputContainer, stream: VideoStream) -> Iterator[Any]:
    for packet in container.demux(stream):
        # The last packet is empty: it only tells the decoder to hand out what it still holds.
        if packet.size:
            yield packet


def _decode(container: InputContainer, stream: VideoStream) -> Iterator[Any]:
    for packet in container.demux(stream):
        try:
            frames = packet.decode()
        except av.error.InvalidDataError:
            continue
        yield from frames


def _convert(frame: Any, index: int, stream: VideoStream) -> VideoFrame:
    pixels = frame.to_ndarray(format="rgb24")
    quarter_turns = round(frame.rotation / 90)
    if quarter_turns % 4:
        pixels = np.ascontiguousarray(np.rot90(pixels, quarter_turns))
    return VideoFrame(index, _time_of(frame.pts, stream.time_base), pixels)


def _time_of(timestamp: int | None, unit: Fraction | None) -> float | None:
    return None if timestamp is None or unit is None else float(timestamp * unit)


def _read_timestamps(path: Path) -> array[int] | None:
    """Return the time stamps in the order of showing; None if they do not tell frames apart."""
    timestamps = array("q")
    with open_video(path) as (container, stream):
        for packet in _iterate_packets(container, stream):
            if packet.is_discard:
                continue
            if packet.pts is None or len(timestamps) >= limits.MAX_VIDEO_FRAMES:
                return None
            timestamps.append(packet.pts)
    ordered = array("q", sorted(timestamps))
    repeats = any(ordered[i] == ordered[i + 1] for i in range(len(ordered) - 1))
    return None if repeats else ordered
