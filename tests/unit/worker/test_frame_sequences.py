"""Sequences of frames: where they begin and end, and what is told of them."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from lightly.media.listing import name_frame
from lightly.selection import Diversity, group_strategies, select
from lightly.worker.runs.candidates import collect_candidates
from lightly.worker.runs.excluded import ExcludedFiles
from lightly.worker.runs.frame_sequences import cut_frames, write_sequence_information
from lightly.worker.shards.records import FileRecord, FramePlace, write_records


def list_names(video: str, numbers: list[int]) -> list[str]:
    """Return the names of frames of a video of 30 frames."""
    return [name_frame(video, number, 30) for number in numbers]


def cut(names: list[str], length: int, n_earlier: int = 0) -> list[list[int]]:
    """Return the positions of the frames of each sequence."""
    sequences, _ = cut_frames(names, length, n_earlier)
    return [sequences.list_frames([number]).tolist() for number in range(len(sequences))]


def test_sequences_stay_within_their_video_and_leave_out_the_rest() -> None:
    names = [*list_names("a.mp4", [0, 1, 2, 3, 4]), *list_names("b.mp4", [0, 1])]
    assert cut(names, 2) == [[0, 1], [2, 3], [5, 6]]


def test_a_missing_frame_ends_a_sequence() -> None:
    names = list_names("a.mp4", [0, 1, 2, 4, 5, 6, 7])
    assert cut(names, 3) == [[0, 1, 2], [3, 4, 5]]


def test_frames_of_earlier_runs_are_sequences_of_their_own() -> None:
    names = [*list_names("a.mp4", [4, 5, 6, 7]), *list_names("a.mp4", [0, 1, 2, 3, 8, 9])]
    sequences, chosen = cut_frames(names, 2, 4)
    assert chosen.tolist() == [0, 1]
    assert sequences.list_frames(chosen).tolist() == [0, 1, 2, 3]
    assert cut(names, 2, 4)[2:] == [[4, 5], [6, 7], [8, 9]]


@pytest.mark.parametrize("names", [[], list_names("a.mp4", [0, 1])])
def test_nothing_is_selected_where_no_video_is_long_enough(names: list[str]) -> None:
    sequences, chosen = cut_frames(names, 5, 0)
    vectors = np.ones((len(names), 3), np.float32)
    strategies = group_strategies([Diversity(vectors)], sequences)
    result = select(
        n_samples=2, strategies=strategies, preselected=chosen, candidates=np.empty(0, np.int64)
    )
    assert len(result.indices) == 0


def test_selected_sequences_are_listed_with_moments_that_may_be_unknown(tmp_path: Path) -> None:
    names = list_names("b/a.mp4", [0, 1, 2, 3])
    moments = [(0, 0.0), (512, 0.04), (None, None), (1536, 0.12)]
    records = [
        FileRecord(
            name, "good", sha256=bytes([number]) * 32, vector=np.array([number], np.float32),
            frame=FramePlace("b/a.mp4", number, *moments[number], is_key=number == 0),
        )
        for number, name in enumerate(names)
    ]  # fmt: skip
    write_records(tmp_path / "p.arrow", records)
    with ExcludedFiles(tmp_path / "x.csv") as excluded:
        candidates = collect_candidates(
            [tmp_path / "p.arrow"], tmp_path / "e.f32", excluded, dim=1, removes_duplicates=True
        )
    earlier = list_names("old.mp4", [7, 8])
    sequences, _ = cut_frames([*earlier, *names], 2, 2)
    path = tmp_path / "sequence_information.json"
    write_sequence_information(path, sequences, np.array([2]), candidates, n_earlier=2)
    assert json.loads(path.read_text()) == [
        {
            "video_name": "b/a.mp4",
            "frame_names": ["b/a-02-mp4.png", "b/a-03-mp4.png"],
            "frame_timestamps_pts": [None, 1536],
            "frame_timestamps_sec": [None, 0.12],
            "frame_indices": [2, 3],
        }
    ]
