"""Shards: what they hold, that they are done once, and what becomes of them when a run ends."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest

from lightly.api.transport import Transport
from lightly.embedding.pool import ExaminedImage
from lightly.media.reports import ImageReport
from lightly.worker.errors import RunStopped
from lightly.worker.shards.executing import run_shards
from lightly.worker.shards.executors import ShardExecutor
from lightly.worker.shards.kernel import ShardSpec, ShardSummary, name_shard, run_shard
from lightly.worker.shards.records import FileRecord, iterate_records, write_records
from lightly.worker.sources.file_list import InputFile
from lightly.worker.sources.reading import FileReader


class FakeExaminer:
    """Takes bytes that begin with `bad` for corrupt; others have their length as vector."""

    def __init__(self) -> None:
        self.n_seen = 0

    def examine(self, sources: Iterable[bytes]) -> Iterator[ExaminedImage]:
        """Yield what is found out."""
        for data in sources:
            self.n_seen += 1
            if data.startswith(b"bad"):
                yield ExaminedImage(ImageReport({"size_in_bytes": 3}, corruption="broken"), None)
            else:
                report = ImageReport({"luminance": 50.0}, b"thumb", {"Model": "X"})
                yield ExaminedImage(report, np.array([len(data), 0.5], np.float32))


@pytest.fixture
def reader() -> FileReader:
    """Reads paths."""
    return FileReader(Transport("http://127.0.0.1:9", "token"), check=lambda: None)


def make_files(folder: Path, contents: dict[str, bytes | None]) -> list[InputFile]:
    """Write files; None stands for one that is listed and missing."""
    for name, content in contents.items():
        if content is not None:
            (folder / name).write_bytes(content)
    return [InputFile(name, str(folder / name)) for name in contents]


def test_a_shard_has_a_record_of_every_file_in_order(tmp_path: Path, reader: FileReader) -> None:
    contents = {"a": b"1234", "b": b"bad", "c": None, "d": b"12"}
    spec = ShardSpec(make_files(tmp_path, contents), tmp_path / "out.arrow")
    summary = run_shard(spec, reader, FakeExaminer())
    records = list(iterate_records(spec.output))
    assert [(r.name, r.outcome, r.reason) for r in records] == [
        ("a", "good", None),
        ("b", "corrupt", "broken"),
        ("c", "gone", "The file was gone when it was read."),
        ("d", "good", None),
    ]
    assert summary.counts == {"good": 2, "corrupt": 1, "gone": 1}
    assert records[0].vector is not None
    assert records[0].vector.tolist() == [4.0, 0.5]
    assert records[0].metadata == {"luminance": 50.0}
    assert records[0].exif == {"Model": "X"}
    assert records[0].thumbnail == b"thumb"


def test_a_finished_shard_is_not_done_again(tmp_path: Path, reader: FileReader) -> None:
    spec = ShardSpec(make_files(tmp_path, {"a": b"1", "b": b"bad"}), tmp_path / "out.arrow")
    first = run_shard(spec, reader, FakeExaminer())
    examiner = FakeExaminer()
    again = run_shard(spec, reader, examiner)
    assert (again.was_done, again.counts) == (True, first.counts)
    assert examiner.n_seen == 0


def test_a_shard_that_fails_leaves_no_file(tmp_path: Path, reader: FileReader) -> None:
    class Broken(FakeExaminer):
        def examine(self, sources: Iterable[bytes]) -> Iterator[ExaminedImage]:
            yield from super().examine(iter([next(iter(sources))]))
            raise MemoryError

    spec = ShardSpec(make_files(tmp_path, {"a": b"1", "b": b"2"}), tmp_path / "out.arrow")
    with pytest.raises(MemoryError):
        run_shard(spec, reader, Broken())
    assert not list(tmp_path.glob("*out.arrow*"))


def test_the_name_of_a_shard_follows_from_its_files_and_purpose() -> None:
    files = [InputFile("a", "https://one"), InputFile("b", "https://two")]
    moved = [InputFile("a", "https://three"), InputFile("b", "https://four")]
    assert name_shard(files, purpose="x") == name_shard(moved, purpose="x")
    assert name_shard(files, purpose="x") != name_shard(files, purpose="y")
    assert name_shard(files, purpose="x") != name_shard(files[:1], purpose="x")


def test_only_the_wanted_columns_are_read(tmp_path: Path) -> None:
    record = FileRecord("a", "good", vector=np.ones(2, np.float32), thumbnail=b"t")
    write_records(tmp_path / "s.arrow", [record])
    (read,) = iterate_records(tmp_path / "s.arrow", columns=("thumbnail",))
    assert (read.name, read.thumbnail, read.vector) == ("a", b"t", None)


def test_no_more_shards_begin_once_the_run_shall_stop(tmp_path: Path) -> None:
    begun: list[Path] = []

    def run(spec: ShardSpec) -> ShardSummary:
        begun.append(spec.output)
        return ShardSummary(spec.output, {}, was_done=False)

    def check() -> None:
        raise RunStopped

    specs = (ShardSpec([], tmp_path / str(number)) for number in range(100))
    with ThreadPoolExecutor(1) as executor, pytest.raises(RunStopped):
        place = ShardExecutor(executor, n_parallel=2, is_remote=False)
        list(run_shards(specs, run, place, check=check))
    assert len(begun) <= 2
