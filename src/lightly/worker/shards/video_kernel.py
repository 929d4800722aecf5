"""The work on one video: every frame is decoded once, checked, measured and embedded.

What comes of it is written piece by piece, so a video of any length needs the memory of some
hundred frames, and a worker that is lost costs the piece under way: the next attempt only decodes
the frames before it, which is the cheapest part of the work.
"""

from __future__ import annotations

import hashlib
import logging
import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from lightly.embedding.examined_frames import ExaminedFrame, FrameOrEnd, VideoEnd
from lightly.media.errors import CorruptVideo
from lightly.worker.shards.kernel import KERNEL_VERSION
from lightly.worker.shards.records import CORRUPT, GONE, GOOD, FileRecord, FramePlace
from lightly.worker.shards.video_records import VideoFolder, VideoSummary
from lightly.worker.sources.file_list import InputFile
from lightly.worker.sources.video_files import VideoOpener

log = logging.getLogger("lightly.worker")

#: How often a decoder that was lost in the middle of a video is started again.
_MAX_RESTARTS = 3


class FrameExaminer(Protocol):
    """What looks into videos: `lightly.embedding.pool.EmbeddingPool` does."""

    def examine_frames(
        self, video: str | os.PathLike[str], *, first: int = 0, sized_as: str | None = None
    ) -> Iterator[FrameOrEnd]:
        """Yield everything about every frame from number `first` on, then about the video."""


@dataclass(frozen=True)
class FrameOptions:
    """What decides about the records of frames beside their video.

    Attributes:
        image_format: `png` or `jpg`: what frames are written as, and called.
        measures_sizes: Whether the size in bytes of every frame as a file is recorded, which takes
            as long as everything else together.
        trusts_frame_count: Whether names have the digits of the count that the container claims.
    """

    image_format: str = "png"
    measures_sizes: bool = False
    trusts_frame_count: bool = False


@dataclass(frozen=True)
class VideoSpec:
    """One video.

    Attributes:
        file: Where it is.
        folder: Where its records go.
        options: What is recorded.
    """

    file: InputFile
    folder: Path
    options: FrameOptions


def name_video_shard(file: InputFile, options: FrameOptions, *, purpose: str) -> str:
    """Return the name of the folder of a video's records; as `kernel.name_shard`."""
    digest = hashlib.sha256(f"{KERNEL_VERSION}\0{purpose}\0{options}\0".encode())
    digest.update(file.name.encode("utf-8", "surrogateescape") + b"\0" + file.version.encode())
    return f"video-{digest.hexdigest()}"


def run_video(
    spec: VideoSpec,
    opener: VideoOpener,
    examiner: FrameExaminer,
    *,
    check: Callable[[], None],
) -> VideoSummary:
    """Examine a video unless that is done.

    Args:
        spec: Which.
        opener: Makes it readable as a file.
        examiner: Looks into it.
        check: Raises if the run shall not go on.
    """
    folder = VideoFolder(spec.folder)
    done = folder.read_summary()
    if done is not None:
        return done
    name = spec.file.name
    with opener.open(spec.file) as video:
        if video.path is None:
            outcome = GONE if video.is_gone else CORRUPT
            return _finish(spec, VideoSummary(name, spec.folder, outcome, video.problem))
        first = folder.begin(video.identify())
        if first:
            log.info("%s: goes on behind the %d frames of an earlier attempt.", name, first)
        stream = _Stream(spec, video.path, examiner, check)
        try:
            folder.write_pieces(stream.iterate(first))
        except CorruptVideo as error:
            return _finish(spec, VideoSummary(name, spec.folder, CORRUPT, str(error)))
    end = stream.end
    summary = VideoSummary(
        name, spec.folder, GOOD, end.problem, n_frames=end.n_frames, is_seekable=end.is_seekable
    )
    return _finish(spec, summary, end.n_promised)


def _finish(spec: VideoSpec, summary: VideoSummary, n_promised: int = 0) -> VideoSummary:
    options = spec.options
    spec.folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    return VideoFolder(spec.folder).finish(
        summary,
        n_promised=n_promised if options.trusts_frame_count else 0,
        image_format=options.image_format,
    )


class _Stream:
    """The frames of one video, as they come; the decoder is started again where it was lost."""

    def __init__(
        self, spec: VideoSpec, path: Path, examiner: FrameExaminer, check: Callable[[], None]
    ) -> None:
        self._video = spec.file.name
        self._path = path
        self._examiner = examiner
        self._check = check
        self._sized_as = spec.options.image_format if spec.options.measures_sizes else None
        self.end = VideoEnd(0)

    def iterate(self, first: int) -> Iterator[FileRecord]:
        """Yield the records of frames from number `first` on; sets `end`.

        Raises:
            CorruptVideo: If there is no frame at all.
        """
        position, lost_at = first, -1
        for _ in range(1 + _MAX_RESTARTS):
            try:
                for found in self._examine(position):
                    yield self._make_record(found)
                    position = found.index + 1
            except CorruptVideo as error:
                if not position:
                    raise
                problem = f"The video breaks off after {position} frames: {error}"
                self.end = VideoEnd(position, problem=problem)
                if lost_at == position:
                    return
                lost_at = position
            else:
                return

    def _examine(self, first: int) -> Iterator[ExaminedFrame]:
        for found in self._examiner.examine_frames(
            self._path, first=first, sized_as=self._sized_as
        ):
            self._check()
            if isinstance(found, VideoEnd):
                self.end = found
            else:
                yield found

    def _make_record(self, found: ExaminedFrame) -> FileRecord:
        return FileRecord(
            name=self._video,
            outcome=GOOD if found.corruption is None else CORRUPT,
            reason=found.corruption,
            sha256=found.digest,
            size_bytes=(found.metadata or {}).get("size_in_bytes", 0),
            metadata=found.metadata,
            thumbnail=found.thumbnail,
            vector=found.vector,
            frame=FramePlace(
                self._video, found.index, found.timestamp, found.timestamp_s, found.is_key
            ),
        )
