"""Which frames of which videos were selected as sequences: the artifact of a run."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from lightly.selection import Sequences


@dataclass(frozen=True)
class Frame:
    """One frame of a video.

    Attributes:
        video_name: File name of the video.
        name: File name of the frame.
        index: Position in the video, from 0.
        timestamp_pts: Presentation time in units of the video's time base; None if not known.
        timestamp_s: The same in seconds.
    """

    video_name: str
    name: str
    index: int
    timestamp_pts: int | None
    timestamp_s: float | None


def describe_sequences(
    sequences: Sequences, picks: Iterable[int], frames: Sequence[Frame] | Mapping[int, Frame]
) -> list[dict[str, Any]]:
    """Return the content of ``sequence_information.json``.

    Args:
        sequences: All blocks.
        picks: The selected blocks, in pick order.
        frames: Those of the picks, by position in the whole input.

    Returns:
        One entry per selected block, in the same order.
    """
    chosen = [[frames[int(i)] for i in sequences.list_frames([b])] for b in picks]
    return [
        {
            "video_name": block[0].video_name,
            "frame_names": [frame.name for frame in block],
            "frame_timestamps_pts": [frame.timestamp_pts for frame in block],
            "frame_timestamps_sec": [frame.timestamp_s for frame in block],
            "frame_indices": [frame.index for frame in block],
        }
        for block in chosen
    ]
