"""Shards on a cluster: what is known on the worker's machine is not done again elsewhere."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from lightly.api.transport import Transport
from lightly.embedding.pool import ExaminedImage
from lightly.media.reports import ImageReport
from lightly.worker.shards.kernel import ShardSpec, ShardSummary, name_shard, run_shard
from lightly.worker.shards.known_shards import KnownShards
from lightly.worker.shards.record_cache import RecordCache
from lightly.worker.shards.records import iterate_records
from lightly.worker.sources.file_list import InputFile
from lightly.worker.sources.reading import FileReader

CONTENTS = {"a": b"1", "b": b"bad", "c": b"333", "d": b"4444"}


class Elsewhere:
    """A process of a cluster; takes bytes that begin with `bad` for corrupt."""

    def __init__(self) -> None:
        self.n_seen = 0

    def run(self, spec: ShardSpec) -> ShardSummary:
        """Do a shard without knowing anything."""
        transport = Transport("http://127.0.0.1:9", "token")
        return run_shard(spec, FileReader(transport, check=lambda: None), self)

    def examine(self, sources: Iterable[bytes]) -> Iterator[ExaminedImage]:
        """Yield what is found out: of a good image, its length as vector."""
        for data in sources:
            self.n_seen += 1
            if data.startswith(b"bad"):
                yield ExaminedImage(ImageReport({}, corruption="broken"), None)
            else:
                report = ImageReport({"luminance": 5.0}, b"thumb")
                yield ExaminedImage(report, np.array([len(data)], np.float32))


@pytest.fixture
def cache(tmp_path: Path) -> Iterator[RecordCache]:
    path = tmp_path / "cache" / "records.sqlite"
    with closing(RecordCache(path, purpose="model", limit_bytes=2**26)) as found:
        yield found


@pytest.fixture
def files(tmp_path: Path) -> list[InputFile]:
    for name, content in CONTENTS.items():
        (tmp_path / name).write_bytes(content)
    return [InputFile(name, str(tmp_path / name), f"version of {name}") for name in CONTENTS]


def do(
    cache: RecordCache, files: list[InputFile], folder: Path, **summary: bool
) -> tuple[list[bytes | None], ShardSummary | None, int]:
    """Do a shard of a run; return its vectors, its summary and how many images were looked at."""
    elsewhere, shards = Elsewhere(), KnownShards(cache, purpose="model")
    folder.mkdir(exist_ok=True)
    spec = ShardSpec(files, folder / name_shard(files, purpose="model"))
    left = shards.reduce(spec)
    done = None if left is None else shards.complete(replace(elsewhere.run(left), **summary))
    assert [path.name for path in folder.iterdir()] == [spec.output.name]
    records = list(iterate_records(spec.output))
    assert [record.name for record in records] == [file.name for file in files]
    vectors = [None if one.vector is None else one.vector.tobytes() for one in records]
    return vectors, done, elsewhere.n_seen


def test_a_later_run_gives_away_what_is_not_known(
    cache: RecordCache, files: list[InputFile], tmp_path: Path
) -> None:
    first, _, n_seen = do(cache, files[:3], tmp_path / "1")
    assert n_seen == 3
    later, summary, n_seen = do(cache, files, tmp_path / "2")
    # The corrupt one is looked into again, as on threads.
    assert n_seen == 2
    assert later[:3] == first
    assert summary is not None
    assert (summary.counts, summary.n_known) == ({"good": 3, "corrupt": 1}, 2)


def test_a_shard_of_which_all_is_known_is_given_to_nobody(
    cache: RecordCache, files: list[InputFile], tmp_path: Path
) -> None:
    good = [files[0], files[2]]
    first, _, _ = do(cache, good, tmp_path / "1")
    assert do(cache, good, tmp_path / "2") == (first, None, 0)


def test_what_another_library_has_made_is_not_kept(
    cache: RecordCache, files: list[InputFile], tmp_path: Path
) -> None:
    do(cache, files, tmp_path / "1", has_same_libraries=False)
    assert do(cache, files, tmp_path / "2")[2] == len(files)


def test_a_shard_that_was_done_before_the_worker_was_lost_is_kept_by_the_next_one(
    cache: RecordCache, files: list[InputFile], tmp_path: Path
) -> None:
    (tmp_path / "1").mkdir()
    Elsewhere().run(ShardSpec(files, tmp_path / "1" / name_shard(files, purpose="model")))
    assert do(cache, files, tmp_path / "1")[2] == 0
    assert do(cache, files, tmp_path / "2")[2] == 1
