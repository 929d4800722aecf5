"""What examining one video leaves behind: pieces of some hundred frames, and a summary at the end.

A piece is a file of records as `lightly.worker.shards.records` has them. How frames are called is
known only when the last one has come, because the number in a name has as many digits as their
count; so pieces get their names at the end. A piece that is there is not made again.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass, replace
from itertools import islice
from pathlib import Path, PurePosixPath

from lightly._kit.atomic_files import write_atomic
from lightly.media.listing import name_frame
from lightly.worker.shards.records import FileRecord, iterate_records, write_records

#: Frames of a piece: ten seconds of work, so little is lost when a worker is.
PIECE_FRAMES = 256

_SUMMARY, _IDENTITY = "video.json", "identity"
_UNNAMED, _NAMED = "unnamed-{:06d}.arrow", "frames-{:06d}.arrow"


@dataclass(frozen=True)
class VideoSummary:
    """What came out of a video; small, however long it is.

    Attributes:
        name: The video.
        folder: Where its pieces lie.
        outcome: As of a file: `good` if it has frames, else `corrupt` or `gone`.
        problem: Why it has no frames, or what of it is missing; None if all is well.
        n_frames: How many frames it has, corrupt ones included.
        n_pieces: How many pieces there are.
        is_seekable: Whether a time stamp stands for one frame.
        was_done: Whether an earlier attempt had done it.
    """

    name: str
    folder: Path
    outcome: str
    problem: str | None = None
    n_frames: int = 0
    n_pieces: int = 0
    is_seekable: bool = False
    was_done: bool = False

    @property
    def pieces(self) -> list[Path]:
        """The files with its frames, in their order."""
        return [self.folder / _NAMED.format(number) for number in range(self.n_pieces)]


class VideoFolder:
    """Where the pieces of one video lie.

    Args:
        path: The folder.
    """

    def __init__(self, path: Path) -> None:
        self.path = path

    def read_summary(self) -> VideoSummary | None:
        """Return the summary of a video that is done; None of one that is not."""
        path = self.path / _SUMMARY
        if not path.exists():
            return None
        return VideoSummary(**json.loads(path.read_text()), folder=self.path, was_done=True)

    def begin(self, identity: str) -> int:
        """Return how many frames are there from an earlier attempt at the same file.

        Args:
            identity: Of the file; what was made from another one under its name is dropped.
        """
        mark = self.path / _IDENTITY
        if not mark.exists() or mark.read_text() != identity:
            shutil.rmtree(self.path, ignore_errors=True)
            self.path.mkdir(parents=True, mode=0o700)
            write_atomic(mark, identity.encode())
        return sum(sum(1 for _ in iterate_records(path, ())) for path in self._list_unnamed())

    def write_pieces(self, records: Iterable[FileRecord]) -> None:
        """Write frames, whose names are not known yet, behind those that are there."""
        remaining = iter(records)
        number = len(self._list_unnamed())
        while piece := list(islice(remaining, PIECE_FRAMES)):
            write_records(self.path / _UNNAMED.format(number), piece)
            number += 1

    def finish(self, summary: VideoSummary, *, n_promised: int, image_format: str) -> VideoSummary:
        """Name the frames, keep the summary and return it.

        Args:
            summary: Of the video, without pieces.
            n_promised: Names have at least as many digits as this number.
            image_format: `png` or `jpg`: what frames are written as.
        """
        n_named = max(summary.n_frames, n_promised)
        unnamed = self._list_unnamed()
        for number, path in enumerate(unnamed):
            named = _name_frames(iterate_records(path), summary.name, n_named, image_format)
            write_records(self.path / _NAMED.format(number), list(named))
        found = replace(summary, n_pieces=len(unnamed))
        content = {
            key: value for key, value in asdict(found).items() if key not in {"folder", "was_done"}
        }
        write_atomic(self.path / _SUMMARY, json.dumps(content).encode())
        for path in unnamed:
            path.unlink()
        return found

    def _list_unnamed(self) -> list[Path]:
        """Return the pieces that are there, up to the first that is not."""
        found: list[Path] = []
        while (path := self.path / _UNNAMED.format(len(found))).exists():
            found.append(path)
        return found


def name_frame_file(video: str, index: int, n_frames: int, image_format: str) -> str:
    """Return the file name of a frame that is written in a format.

    >>> name_frame_file("a/b.mp4", 7, 100, "jpg")
    'a/b-007-mp4.jpg'
    """
    return str(PurePosixPath(name_frame(video, index, n_frames)).with_suffix(f".{image_format}"))


def _name_frames(
    records: Iterable[FileRecord], video: str, n_frames: int, image_format: str
) -> Iterator[FileRecord]:
    for record in records:
        assert record.frame is not None  # noqa: S101  pieces hold frames
        name = name_frame_file(video, record.frame.index, n_frames, image_format)
        yield replace(record, name=name)
