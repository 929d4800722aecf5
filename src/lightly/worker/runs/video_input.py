"""The videos of a run: what became of each, and where its frames are."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from lightly.data.datasource_files.names import cut_extension
from lightly.worker.runs.candidates import Candidates
from lightly.worker.runs.excluded import CORRUPT, DUPLICATE, FILTERED, GONE, InputCounts
from lightly.worker.shards.records import GOOD, iterate_records
from lightly.worker.shards.video_records import VideoSummary
from lightly.worker.sources.file_list import InputFile


@dataclass(frozen=True)
class ExaminedVideo:
    """One video.

    Attributes:
        file: Where to read it.
        summary: What was found out about it.
    """

    file: InputFile
    summary: VideoSummary


@dataclass(frozen=True)
class VideoInput:
    """The videos of a run, by name.

    Attributes:
        videos: All that could be looked into, good or not.
        counts: What became of the videos; a video that gives a frame to the selection is processed.
    """

    videos: Sequence[ExaminedVideo]
    counts: InputCounts

    @cached_property
    def _piece_ends(self) -> NDArray[np.int64]:
        return np.cumsum([one.summary.n_pieces for one in self.videos], dtype=np.int64)

    def find_videos(
        self, candidates: Candidates, positions: NDArray[np.int64]
    ) -> NDArray[np.int64]:
        """Return the number of the video of each candidate."""
        pieces = candidates.shard_of[positions]
        return np.searchsorted(self._piece_ends, pieces, side="right").astype(np.int64)

    def group_by_video(
        self, candidates: Candidates, positions: NDArray[np.int64]
    ) -> Iterator[tuple[ExaminedVideo, NDArray[np.int64]]]:
        """Yield each video of which there are candidates, with their positions, ascending."""
        ordered = np.sort(positions)
        owners = self.find_videos(candidates, ordered)
        bounds = np.flatnonzero(np.diff(owners)) + 1
        for own in np.split(ordered, bounds) if len(ordered) else ():
            (number,) = self.find_videos(candidates, own[:1])
            yield self.videos[int(number)], own


def count_videos(
    videos: Sequence[ExaminedVideo],
    candidates: Candidates,
    left_out: Counter[str],
    *,
    known_stems: Collection[str],
) -> VideoInput:
    """Return the videos of a run with what became of them.

    Args:
        videos: All that could be looked into.
        candidates: The frames that can be selected.
        left_out: Videos that could not, by why.
        known_stems: Frames that the dataset has, by their names without extension.
    """
    counts = Counter(left_out)
    found = VideoInput(videos, _make_counts(counts, 0))
    used = set(found.find_videos(candidates, np.arange(len(candidates))).tolist())
    for number, video in enumerate(videos):
        if number not in used:
            counts[_find_fate(video.summary, known_stems)] += 1
    return VideoInput(videos, _make_counts(counts, len(used)))


def _find_fate(summary: VideoSummary, known_stems: Collection[str]) -> str:
    """Return why a video has no frame that can be selected."""
    if summary.outcome != GOOD:
        return GONE if summary.outcome == GONE else CORRUPT
    good = [
        record.name
        for piece in summary.pieces
        for record in iterate_records(piece, ())
        if record.outcome == GOOD
    ]
    if not good:
        return CORRUPT
    are_known = known_stems and all(cut_extension(name) in known_stems for name in good)
    return FILTERED if are_known else DUPLICATE


def _make_counts(counts: Counter[str], n_processed: int) -> InputCounts:
    return InputCounts(
        n_listed=n_processed + counts.total(),
        n_processed=n_processed,
        n_corrupt=counts[CORRUPT],
        n_duplicate=counts[DUPLICATE],
        n_gone=counts[GONE],
        n_filtered=counts[FILTERED],
    )
