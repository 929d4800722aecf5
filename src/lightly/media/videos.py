"""Opening a video: which demuxer, which stream, within which limits, and its decoded frames.

Frames come in the order in which the decoder hands them out, which is the order of showing and the
order of PyAV. Packets that cannot be decoded are passed over as long as others can.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import av
import av.error
from av.container import InputContainer
from av.stream import Disposition
from av.video.stream import VideoStream

from lightly.media import limits
from lightly.media.errors import CorruptVideo, VideoTooLarge
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


def iterate_packets(container: InputContainer, stream: VideoStream) -> Iterator[Any]:
    """Yield the packets of a stream; the last one only makes the decoder hand out what it holds."""
    for packet in container.demux(stream):
        # AVI marks a repeated frame by an empty packet, which to a decoder means the end.
        if packet.size or packet.dts is None:
            yield packet


def decode_packet(packet: Any) -> list[Any]:
    """Return the frames that are ready after a packet; none if it cannot be decoded."""
    return try_to_decode(packet) or []


def try_to_decode(packet: Any) -> list[Any] | None:
    """Return the frames that are ready after a packet; None if it cannot be decoded."""
    try:
        frames: list[Any] = packet.decode()
    except (av.error.InvalidDataError, av.error.EOFError):
        return None
    return frames


def decode_frames(container: InputContainer, stream: VideoStream) -> Iterator[Any]:
    """Yield the frames of a stream as PyAV has them.

    Raises:
        VideoTooLarge: If there are more than `limits.MAX_VIDEO_FRAMES`.
    """
    count = 0
    for packet in iterate_packets(container, stream):
        for frame in decode_packet(packet):
            count += 1
            check_frame_count(count)
            yield frame


def check_frame_count(count: int) -> None:
    """Raise VideoTooLarge if a video has more frames than `limits.MAX_VIDEO_FRAMES`."""
    if count > limits.MAX_VIDEO_FRAMES:
        raise VideoTooLarge(
            f"The video has more than {limits.MAX_VIDEO_FRAMES} frames. Cut it into parts."
        )


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
    # The cover of a song is a stream of one picture.
    streams = [
        stream
        for stream in container.streams.video
        if not stream.disposition & Disposition.attached_pic
    ]
    if not streams:
        raise CorruptVideo("The file has no video stream.")
    stream = streams[0]
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
