"""The work on one video: its records, and how it goes on after a loss."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from lightly.api.transport import Transport
from lightly.embedding.examined_frames import ExaminedFrame, FrameOrEnd, VideoEnd
from lightly.media.errors import CorruptVideo
from lightly.worker.errors import RunStopped
from lightly.worker.shards import video_records
from lightly.worker.shards.records import FileRecord, iterate_records
from lightly.worker.shards.video_kernel import (
    FrameOptions,
    VideoSpec,
    name_video_shard,
    run_video,
)
from lightly.worker.shards.video_records import VideoSummary
from lightly.worker.sources.file_list import InputFile
from lightly.worker.sources.video_files import VideoOpener


class FakeExaminer:
    """Has a video of some frames; frame 3 is damaged.

    Args:
        n_frames: How many.
        loses: Before which frames the decoder is lost, each once for every time it is named.
    """

    def __init__(self, n_frames: int, loses: list[int] | None = None) -> None:
        self.n_frames = n_frames
        self.loses = list(loses or [])
        self.firsts: list[int] = []

    def examine_frames(
        self, video: str | os.PathLike[str], *, first: int = 0, sized_as: str | None = None
    ) -> Iterator[FrameOrEnd]:
        """Yield the frames and the end."""
        self.firsts.append(first)
        if not self.n_frames:
            raise CorruptVideo("no frame")
        for index in range(first, self.n_frames):
            if index in self.loses:
                self.loses.remove(index)
                raise CorruptVideo("Decoding crashed (SIGSEGV).")
            corruption = "damaged" if index == 3 else None
            yield make_frame(index, corruption)
        yield VideoEnd(self.n_frames, n_promised=1_000, is_seekable=True)


def make_frame(index: int, corruption: str | None) -> ExaminedFrame:
    """Return a frame whose vector is its number."""
    vector = None if corruption else np.array([index, 1.0], np.float32)
    return ExaminedFrame(
        index, 512 * index, index / 25, index == 0, corruption, bytes([index]), {}, b"t", vector
    )


@pytest.fixture(autouse=True)
def _small_pieces(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(video_records, "PIECE_FRAMES", 4)


@pytest.fixture
def spec(tmp_path: Path) -> VideoSpec:
    """A video that is there."""
    path = tmp_path / "a.mp4"
    path.write_bytes(b"a video")
    return VideoSpec(InputFile("b/a.mp4", str(path)), tmp_path / "shard", FrameOptions())


def run(spec: VideoSpec, examiner: FakeExaminer, check: object = None) -> VideoSummary:
    """Do the work on a video."""
    transport = Transport("http://127.0.0.1:9", "token")
    opener = VideoOpener(transport, spec.folder.parent / "scratch", check=lambda: None)
    return run_video(spec, opener, examiner, check=check or (lambda: None))  # type: ignore[arg-type]  a function


def read(summary: VideoSummary) -> list[FileRecord]:
    """Return all records of a video."""
    return [record for piece in summary.pieces for record in iterate_records(piece)]


def test_every_frame_has_a_record_under_its_name(spec: VideoSpec) -> None:
    summary = run(spec, FakeExaminer(10))
    records = read(summary)
    assert (summary.outcome, summary.n_frames, summary.n_pieces) == ("good", 10, 3)
    assert [record.name for record in records] == [f"b/a-{n:02d}-mp4.png" for n in range(10)]
    assert [r.reason for r in records if r.outcome == "corrupt"] == ["damaged"]
    assert records[2].vector is not None
    assert records[2].vector.tolist() == [2.0, 1.0]
    place = records[2].frame
    assert place is not None
    assert (place.video, place.index, place.timestamp, place.timestamp_s) == (
        "b/a.mp4", 2, 1024, 0.08,
    )  # fmt: skip


@pytest.mark.parametrize(
    ("options", "name"),
    [
        (FrameOptions(image_format="jpg"), "b/a-0-mp4.jpg"),
        (FrameOptions(trusts_frame_count=True), "b/a-0000-mp4.png"),
    ],
)
def test_options_decide_about_names(spec: VideoSpec, options: FrameOptions, name: str) -> None:
    summary = run(replace(spec, options=options), FakeExaminer(9))
    assert read(summary)[0].name == name


def test_a_finished_video_is_not_done_again(spec: VideoSpec) -> None:
    first = run(spec, FakeExaminer(10))
    examiner = FakeExaminer(10)
    again = run(spec, examiner)
    assert again == replace(first, was_done=True)
    assert examiner.firsts == []


def test_an_attempt_goes_on_behind_the_pieces_of_the_one_before(spec: VideoSpec) -> None:
    seen = []

    def stop() -> None:
        seen.append(1)
        if len(seen) > 10:
            raise RunStopped

    with pytest.raises(RunStopped):
        run(spec, FakeExaminer(20), stop)
    examiner = FakeExaminer(20)
    summary = run(spec, examiner)
    assert examiner.firsts == [8]
    alone = run(replace(spec, folder=spec.folder.with_name("other")), FakeExaminer(20))
    assert [(r.name, r.sha256) for r in read(summary)] == [(r.name, r.sha256) for r in read(alone)]


def test_pieces_of_another_file_under_the_name_are_dropped(spec: VideoSpec) -> None:
    def stop() -> None:
        if list(spec.folder.glob("unnamed-*")):
            raise RunStopped

    with pytest.raises(RunStopped):
        run(spec, FakeExaminer(20), stop)
    Path(spec.file.location).write_bytes(b"another video")
    examiner = FakeExaminer(6)
    assert len(read(run(spec, examiner))) == 6
    assert examiner.firsts == [0]


def test_a_decoder_that_is_lost_once_costs_nothing(spec: VideoSpec) -> None:
    examiner = FakeExaminer(10, loses=[7])
    summary = run(spec, examiner)
    assert examiner.firsts == [0, 7]
    assert (summary.n_frames, summary.problem) == (10, None)


def test_a_frame_that_kills_the_decoder_costs_what_is_behind_it(spec: VideoSpec) -> None:
    summary = run(spec, FakeExaminer(10, loses=[7, 7]))
    assert [record.name for record in read(summary)] == [f"b/a-{n}-mp4.png" for n in range(7)]
    assert summary.problem == ("The video breaks off after 7 frames: Decoding crashed (SIGSEGV).")


def test_a_video_without_frames_is_corrupt(spec: VideoSpec) -> None:
    summary = run(spec, FakeExaminer(0))
    assert (summary.outcome, summary.problem, summary.pieces) == ("corrupt", "no frame", [])


def test_a_video_that_has_vanished_is_gone(spec: VideoSpec) -> None:
    Path(spec.file.location).unlink()
    summary = run(spec, FakeExaminer(3))
    assert (summary.outcome, summary.problem) == ("gone", "The file was gone when it was read.")
    assert run(spec, FakeExaminer(3)).was_done


def test_the_name_of_a_shard_follows_from_the_video_and_what_is_recorded() -> None:
    file, options = InputFile("a.mp4", "https://one", "1"), FrameOptions()
    name = name_video_shard(file, options, purpose="model")
    assert name == name_video_shard(file._replace(location="x"), options, purpose="model")
    others = [
        name_video_shard(file._replace(version="2"), options, purpose="model"),
        name_video_shard(file, FrameOptions(image_format="jpg"), purpose="model"),
        name_video_shard(file, options, purpose="other"),
    ]
    assert name not in others
