"""Frames of videos by name, as image files: of this run or of earlier ones."""

from __future__ import annotations

import logging
from collections.abc import Collection, Iterator

from lightly.data.video_frames import group_by_video
from lightly.media.errors import CorruptVideo
from lightly.media.sandbox import DecodePool
from lightly.media.wanted_frames import WantedFrame, pick_frames
from lightly.worker.runs.context import RunContext
from lightly.worker.runs.examining_videos import open_videos
from lightly.worker.runs.input_places import locate_files

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
        for file in locate_files(context, by_video):
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
