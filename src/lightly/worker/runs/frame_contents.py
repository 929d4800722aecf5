"""Frames of videos by name, as image files: of this run or of earlier ones."""

from __future__ import annotations

import logging
from collections.abc import Collection, Iterator, Mapping

from lightly.data.video_frames import group_by_video
from lightly.media.errors import CorruptVideo
from lightly.media.sandbox import DecodePool
from lightly.media.wanted_frames import WantedFrame, pick_frames
from lightly.worker.runs.context import RunContext
from lightly.worker.runs.examining_videos import open_videos
from lightly.worker.sources.datasource import Period
from lightly.worker.sources.file_list import InputFile

log = logging.getLogger("lightly.worker")


def read_frames(context: RunContext, names: Collection[str]) -> Iterator[tuple[str, bytes]]:
    """Yield name and PNG of frames, video by video; what cannot be read is left out and logged.

    Args:
        context: Of the run.
        names: Of the frames, in any order.
    """
    by_video = group_by_video(names)
    opener = open_videos(context)
    with DecodePool(1) as pool:
        for file in _locate(context, by_video):
            frames = by_video.pop(file.name)
            wanted = [WantedFrame(index) for index in sorted(frames)]
            with opener.open(file) as video:
                if video.path is None:
                    log.warning("The frames of %s are left out: %s", file.name, video.problem)
                    continue
                try:
                    for frame in pick_frames(pool, video.path, wanted, image_format="png"):
                        yield frames[frame.index], frame.content
                except CorruptVideo as error:
                    log.warning("Frames of %s are left out: %s", file.name, error)
    for video_name in by_video:
        log.warning("The frames of %s are left out: the video is not there.", video_name)


def _locate(context: RunContext, wanted: Mapping[str, object]) -> Iterator[InputFile]:
    """Yield where videos are; those of earlier runs are not in this run's list."""
    names, always = set(wanted), Period(0, 2**40)
    for page in context.input_side.iterate_pages(always, context.options.relevant_filenames_file):
        for file in page:
            if file.name in names:
                names.discard(file.name)
                yield file
        if not names:
            return
