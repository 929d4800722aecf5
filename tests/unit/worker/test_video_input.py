"""Videos of a run: every one and every frame is accounted for."""

from __future__ import annotations

import csv
from collections import Counter
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lightly.worker.runs.candidates import Candidates, collect_candidates
from lightly.worker.runs.excluded import ExcludedFiles
from lightly.worker.runs.video_input import ExaminedVideo, VideoInput, count_videos
from lightly.worker.shards.records import FileRecord, FramePlace
from lightly.worker.shards.video_records import VideoFolder, VideoSummary
from lightly.worker.sources.file_list import InputFile


def make_video(folder: Path, name: str, frames: str) -> ExaminedVideo:
    """Return a video of frames: `x` is damaged, other letters are pixels; `-` for none at all."""
    file, place = InputFile(name, name), VideoFolder(folder / name)
    place.begin("1")
    if frames == "-":
        gone = VideoSummary(name, place.path, "gone", "It was gone.")
        return ExaminedVideo(file, place.finish(gone, n_promised=0, image_format="png"))
    records = [
        FileRecord(
            name,
            "corrupt" if pixels == "x" else "good",
            "damaged" if pixels == "x" else None,
            sha256=pixels.encode().ljust(32, b"."),
            vector=None if pixels == "x" else np.array([number], np.float32),
            frame=FramePlace(name, number, number, None, is_key=True),
        )
        for number, pixels in enumerate(frames)
    ]
    place.write_pieces(records)
    outcome, problem = ("good", None) if frames else ("corrupt", "No frame.")
    summary = VideoSummary(name, place.path, outcome, problem, n_frames=len(frames))
    return ExaminedVideo(file, place.finish(summary, n_promised=0, image_format="png"))


def gather(
    folder: Path, contents: dict[str, str], known: frozenset[str] = frozenset()
) -> tuple[Candidates, VideoInput, Counter[str]]:
    """Return candidates, videos, and how many frames are left out, by why."""
    videos = [make_video(folder, name, frames) for name, frames in contents.items()]
    with ExcludedFiles(folder / "excluded.csv") as excluded:
        candidates = collect_candidates(
            [piece for video in videos for piece in video.summary.pieces],
            folder / "e.f32",
            excluded,
            dim=1,
            removes_duplicates=True,
            known_stems=known,
        )
    return (
        candidates,
        count_videos(videos, candidates, Counter(), known_stems=known),
        excluded.counts,
    )


def test_each_video_is_counted_by_what_became_of_it(tmp_path: Path) -> None:
    contents = {
        "a.mp4": "abc",
        "b.mp4": "ab",
        "c.mp4": "xx",
        "d.mp4": "",
        "e.mp4": "-",
        "f.mp4": "xd",
    }
    candidates, videos, excluded = gather(tmp_path, contents)
    counts = videos.counts
    assert (counts.n_listed, counts.n_processed, counts.n_duplicate) == (6, 2, 1)
    assert (counts.n_corrupt, counts.n_gone, counts.n_filtered) == (2, 1, 0)
    assert counts.is_balanced
    assert list(candidates.iterate_names()) == [
        "a-0-mp4.png", "a-1-mp4.png", "a-2-mp4.png", "f-1-mp4.png",
    ]  # fmt: skip
    assert excluded == {"duplicate": 2, "corrupt": 3}
    rows = list(csv.reader((tmp_path / "excluded.csv").read_text().splitlines()))
    assert ["b-0-mp4.png", "duplicate", "Another frame has the same pixels."] in rows


def test_frames_that_the_dataset_has_are_left_out_whatever_their_format(tmp_path: Path) -> None:
    known = frozenset({"a-0-mp4", "b-0-mp4", "b-1-mp4"})
    candidates, videos, excluded = gather(tmp_path, {"a.mp4": "abc", "b.mp4": "de"}, known)
    assert list(candidates.iterate_names()) == ["a-1-mp4.png", "a-2-mp4.png"]
    assert (excluded, videos.counts.n_filtered) == ({"filtered": 3}, 1)


def test_candidates_lead_back_to_their_videos(tmp_path: Path) -> None:
    candidates, videos, _ = gather(tmp_path, {"a.mp4": "ab", "b.mp4": "-", "c.mp4": "cde"})
    groups = [
        (video.file.name, own.tolist())
        for video, own in videos.group_by_video(candidates, np.array([4, 0, 2]))
    ]
    assert groups == [("a.mp4", [0]), ("c.mp4", [2, 4])]
    assert list(videos.group_by_video(candidates, np.array([], np.int64))) == []


@settings(deadline=None, max_examples=40)
@given(st.lists(st.one_of(st.just("-"), st.text("abcx", max_size=6)), max_size=6))
def test_frames_and_videos_always_add_up(
    tmp_path_factory: pytest.TempPathFactory, frames: list[str]
) -> None:
    folder = tmp_path_factory.mktemp("videos")
    contents = {f"{number}.mp4": one for number, one in enumerate(frames)}
    candidates, videos, excluded = gather(folder, contents)
    assert sum(len(one) for one in frames if one != "-") == len(candidates) + excluded.total()
    assert videos.counts.is_balanced
    assert videos.counts.n_listed == len(frames)
