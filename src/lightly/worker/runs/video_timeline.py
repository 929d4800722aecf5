"""Which frames of which videos were selected, for the report."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lightly.media.listing import parse_frame_name
from lightly.worker.report.facts import VideoSizes, VideoTimeline
from lightly.worker.runs.data import RunData


def list_timeline(data: RunData, picks: NDArray[np.int64]) -> list[VideoTimeline]:
    """Return the selected frames of each video that has any, by its name."""
    if data.videos is None:
        return []
    timeline = []
    for video, own in data.videos.group_by_video(data.candidates, picks):
        found = data.candidates.iterate(own, columns=("frame",))
        selected = [record.frame.index for _, record in found if record.frame is not None]
        timeline.append(VideoTimeline(video.file.name, video.summary.n_frames, selected))
    return timeline


def describe_timeline(timeline: Sequence[VideoTimeline]) -> dict[str, Any]:
    """Return the timeline as JSON; nothing for images."""
    if not timeline:
        return {}
    return {
        "videos": [
            {"name": one.video, "nFrames": one.n_frames, "selectedFrames": list(one.selected)}
            for one in timeline
        ]
    }


def measure_video_sizes(data: RunData, picks: NDArray[np.int64]) -> VideoSizes | None:
    """Return how videos were used; None if the input are images."""
    if data.videos is None:
        return None
    numbers = np.unique(data.videos.find_videos(data.candidates, picks)).tolist()
    selected = {data.videos.videos[number].file.name for number in numbers}
    earlier = {parse_frame_name(name)[0] for name in data.datapool.names}
    return VideoSizes(data.videos.counts, len(selected), len(earlier), len(selected | earlier))
