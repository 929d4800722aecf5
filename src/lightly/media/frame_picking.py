"""Frames of a video that was gone through before: found again by jumping, and proven to be them.

A jump goes to the key frame before a wanted frame and decodes on from there. Not every decoder
makes the same pixels after a jump, so each frame is compared with the digest of the first pass;
where it differs, the video is decoded from its start instead.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from typing import Any, Self

import av.error

from lightly.media.errors import CorruptVideo
from lightly.media.frame_stream import digest_pixels
from lightly.media.frames import VideoFrame, convert_frame
from lightly.media.videos import decode_frames, open_video
from lightly.media.wanted_frames import WantedFrame


def pick_frames(
    path: str | os.PathLike[str], wanted: Sequence[WantedFrame]
) -> Iterator[VideoFrame | None]:
    """Yield some frames of a video, and None as a sign of life for each that is passed over.

    Args:
        path: The video.
        wanted: Which, ascending.

    Raises:
        CorruptVideo: If the video has no such frame, or other pixels in it.
    """
    with _Cursor(path) as cursor:
        for frame in wanted:
            yield from cursor.find(frame)


class _Cursor:
    """A position in a video that is decoded."""

    def __init__(self, path: str | os.PathLike[str]) -> None:
        self._path = path
        self._opened = ExitStack()
        self._can_jump = True
        self._rewind()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._opened.close()

    def find(self, wanted: WantedFrame) -> Iterator[VideoFrame | None]:
        """Yield None for each frame that is passed over, then the wanted one."""
        if wanted.jumps and self._can_jump and self._jump(wanted.timestamp):
            found = None
            while found is None and (frame := next(self._frames, None)) is not None:
                if frame.pts is None or frame.pts > wanted.timestamp:
                    break
                found = self._accept(frame, wanted) if frame.pts == wanted.timestamp else None
                yield None
            if found is not None:
                yield found
                return
            self._can_jump = False
            self._rewind()
        if self._position > wanted.index:
            self._rewind()
        yield from self._walk(wanted)

    def _walk(self, wanted: WantedFrame) -> Iterator[VideoFrame | None]:
        for frame in self._frames:
            self._position += 1
            if self._position <= wanted.index:
                yield None
                continue
            found = self._accept(frame, wanted)
            if found is None:
                raise CorruptVideo(f"Frame {wanted.index} of the video has changed.")
            yield found
            return
        raise CorruptVideo(f"Frame {wanted.index} of the video cannot be decoded.")

    def _accept(self, frame: Any, wanted: WantedFrame) -> VideoFrame | None:
        """Return a frame if it is the wanted one."""
        found = convert_frame(frame, wanted.index, self._stream.time_base)
        if wanted.digest and digest_pixels(found.pixels) != wanted.digest:
            return None
        self._position = wanted.index + 1
        return found

    def _jump(self, timestamp: int | None) -> bool:
        try:
            self._container.seek(timestamp or 0, stream=self._stream, backward=True)
        except av.error.FFmpegError:
            self._rewind()
            return False
        self._frames = decode_frames(self._container, self._stream)
        return True

    def _rewind(self) -> None:
        self._opened.close()
        self._container, self._stream = self._opened.enter_context(open_video(self._path))
        self._frames = decode_frames(self._container, self._stream)
        self._position = 0
