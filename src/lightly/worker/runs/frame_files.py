"""SAVING_RESULTS: selected frames of videos become image files below `.lightly/frames/`.

Their videos are opened once more, and decoded only around the frames that are wanted.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from lightly.api.dataset_samples import split
from lightly.api.errors import BlobTransferFailed
from lightly.data.datasource_files.names import LIGHTLY_FOLDER
from lightly.embedding.pool import count_cores
from lightly.media.errors import CorruptVideo
from lightly.media.reports import ExtractedFrame
from lightly.media.sandbox import DecodePool
from lightly.media.wanted_frames import WantedFrame, pick_frames
from lightly.worker.errors import RunFailed
from lightly.worker.runs.candidates import Candidates
from lightly.worker.runs.context import RunContext
from lightly.worker.runs.examining_videos import open_videos
from lightly.worker.runs.video_input import ExaminedVideo, VideoInput
from lightly.worker.shards.executing import run_shards
from lightly.worker.shards.executors import ShardExecutor
from lightly.worker.shards.records import iterate_records

FRAMES_FOLDER = f"{LIGHTLY_FOLDER}frames/"
#: Files that are held in memory until they are written together.
_FILES_AT_ONCE = 8

#: A video, the names of wanted frames by number, and the frames.
Order = tuple[ExaminedVideo, Mapping[int, str], Sequence[WantedFrame]]


class FrameFiles:
    """Reads frames of the videos of a run as image files.

    Args:
        context: Of the run.
        videos: Where the frames are.
        candidates: The frames.
    """

    def __init__(self, context: RunContext, videos: VideoInput, candidates: Candidates) -> None:
        self._context = context
        self._videos = videos
        self._candidates = candidates
        options = (context.settings.n_processes, context.options.n_processes, count_cores())
        self._n_processes = next(count for count in options if count)
        self._opener = open_videos(context)

    def save(self, positions: NDArray[np.int64]) -> dict[str, int]:
        """Write frames into the datasource; return the size in bytes of each file by its name.

        Args:
            positions: Which candidates.

        Raises:
            RunFailed: If a video has changed since it was examined, or writing fails.
        """
        sizes: dict[str, int] = {}
        lease = self._context.lease
        n_processes = self._n_processes
        with DecodePool(n_processes) as pool, ThreadPoolExecutor(n_processes) as threads:
            place = ShardExecutor(threads, n_processes, is_remote=False)

            def save_video(order: Order) -> dict[str, int]:
                return dict(self._save_video(order, pool))

            for found in run_shards(self._plan(positions), save_video, place, check=lease.check):
                sizes |= found
                lease.report_progress(len(sizes), len(positions))
        return sizes

    def _plan(self, positions: NDArray[np.int64]) -> Iterator[Order]:
        for video, own in self._videos.group_by_video(self._candidates, positions):
            found = self._candidates.iterate(own, columns=("frame",))
            names = {one.frame.index: one.name for _, one in found if one.frame is not None}
            yield video, names, _find_wanted(video, names)

    def _save_video(self, order: Order, pool: DecodePool) -> Iterator[tuple[str, int]]:
        image_format = self._context.options.image_format
        for batch in split(self._decode(order, pool, image_format), _FILES_AT_ONCE):
            self._context.lease.check()
            try:
                self._context.lightly_side.write(
                    [(FRAMES_FOLDER + name, frame.content) for name, frame in batch]
                )
            except (BlobTransferFailed, OSError) as error:
                raise RunFailed(
                    f"Frames cannot be written into the datasource: {error} Let the worker write "
                    "below .lightly/."
                ) from error
            for name, frame in batch:
                yield name, len(frame.content)

    def _decode(
        self, order: Order, pool: DecodePool, image_format: str
    ) -> Iterator[tuple[str, ExtractedFrame]]:
        video, names, wanted = order
        with self._opener.open(video.file) as opened:
            if opened.path is None:
                raise _make_change_error(video, opened.problem or "")
            try:
                yield from self._pick(pool, opened.path, names, wanted, image_format)
            except CorruptVideo as error:
                raise _make_change_error(video, str(error)) from error

    def _pick(
        self,
        pool: DecodePool,
        path: Path,
        names: Mapping[int, str],
        wanted: Sequence[WantedFrame],
        image_format: str,
    ) -> Iterator[tuple[str, ExtractedFrame]]:
        for frame in pick_frames(pool, path, wanted, image_format=image_format):
            yield names[frame.index], frame


def save_frames(
    context: RunContext, videos: VideoInput, candidates: Candidates, picks: NDArray[np.int64]
) -> dict[str, int]:
    """Write selected frames into the datasource; return sizes in bytes by file name.

    Args:
        context: Of the run.
        videos: Where the frames are.
        candidates: All frames.
        picks: Positions of the selected ones.

    Raises:
        RunFailed: If a video has changed since it was examined, or writing fails.
    """
    return FrameFiles(context, videos, candidates).save(picks)


def _find_wanted(video: ExaminedVideo, names: Mapping[int, str]) -> list[WantedFrame]:
    """Return the wanted frames of a video, and where decoding can jump on the way to them."""
    wanted: list[WantedFrame] = []
    jumps = False
    for piece in video.summary.pieces:
        for record in iterate_records(piece, ("frame", "sha256")):
            frame = record.frame
            if frame is None or len(wanted) == len(names):
                return wanted
            jumps = jumps or (frame.is_key and frame.index > 0)
            if frame.index in names:
                can_jump = jumps and video.summary.is_seekable
                wanted.append(WantedFrame(frame.index, frame.timestamp, record.sha256, can_jump))
                jumps = False
    return wanted


def _make_change_error(video: ExaminedVideo, reason: str) -> RunFailed:
    return RunFailed(
        f"The video {video.file.name[:200]!r} cannot be read a second time, for its selected "
        f"frames: {reason} Leave videos as they are while a run goes on, and schedule it again."
    )
