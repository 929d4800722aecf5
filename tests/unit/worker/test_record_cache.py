"""What is known from earlier runs: found by bytes, never by names, and never a reason to fail."""

from __future__ import annotations

import hashlib
import sqlite3
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from lightly.api.transport import Transport
from lightly.worker.shards import record_cache
from lightly.worker.shards.kernel import ShardSpec, run_shard
from lightly.worker.shards.record_cache import RecordCache
from lightly.worker.shards.records import FileRecord, iterate_records
from lightly.worker.sources.file_list import InputFile
from lightly.worker.sources.reading import FileReader
from tests.unit.worker.test_shards import FakeExaminer

MIB = 1024**2


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """Where the cache lies."""
    return tmp_path / "cache" / "records.sqlite"


@pytest.fixture
def cache(path: Path) -> Iterator[RecordCache]:
    """A cache with room."""
    found = RecordCache(path, purpose="model", limit_bytes=64 * MIB)
    yield found
    found.close()


@pytest.fixture
def reader() -> FileReader:
    """Reads paths."""
    return FileReader(Transport("http://127.0.0.1:9", "token"), check=lambda: None)


def make_record(name: str, content: bytes, **fields: object) -> FileRecord:
    """Return the record of a good image."""
    record = FileRecord(
        name,
        "good",
        sha256=hashlib.sha256(content).digest(),
        size_bytes=len(content),
        metadata={"luminance": 50.0, "shape": [1, 2, 3]},
        exif={"Model": "X"},
        thumbnail=b"thumb" + content,
        vector=np.array([len(content), 0.5], np.float32),
    )
    return replace(record, **fields)  # type: ignore[arg-type]  fields of a test


def as_text(record: FileRecord | None) -> str:
    """Return a record for comparison: arrays have no plain one."""
    assert record is not None
    assert record.vector is not None
    return repr(replace(record, vector=None)) + repr(record.vector.tolist())


def find_file(cache: RecordCache, file: InputFile) -> FileRecord | None:
    return cache.find_versions([file]).get(file.name)


def test_known_bytes_are_found_by_version_and_by_digest_under_their_present_name(
    cache: RecordCache,
) -> None:
    record = make_record("a.jpg", b"1234")
    cache.keep([(InputFile("a.jpg", "/a", "v1"), record)])
    moved = find_file(cache, InputFile("b.jpg", "/b", "v1"))
    assert as_text(moved) == as_text(replace(record, name="b.jpg"))
    assert as_text(cache.find_digest("c.jpg", record.sha256)) == as_text(
        replace(record, name="c.jpg")
    )


@pytest.mark.parametrize("file", [InputFile("a.jpg", "/a", "v2"), InputFile("a.jpg", "/a", "")])
def test_a_name_finds_nothing(cache: RecordCache, file: InputFile) -> None:
    unversioned, versioned = make_record("a.jpg", b"1"), make_record("a.jpg", b"2")
    cache.keep([(InputFile("a.jpg", "/a", ""), unversioned)])
    cache.keep([(InputFile("a.jpg", "/a", "v1"), versioned)])
    assert find_file(cache, file) is None


def test_what_is_no_good_image_is_not_remembered(cache: RecordCache) -> None:
    broken = make_record("a.jpg", b"1", outcome="corrupt", reason="broken")
    cache.keep([(InputFile("a.jpg", "/a", "v1"), broken)])
    assert cache.find_digest("a.jpg", broken.sha256) is None


def test_a_later_process_finds_what_was_kept(path: Path, cache: RecordCache) -> None:
    record = make_record("a.jpg", b"1234")
    cache.keep([(InputFile("a.jpg", "/a", "v1"), record)])
    cache.close()
    later = RecordCache(path, purpose="model", limit_bytes=64 * MIB)
    assert as_text(find_file(later, InputFile("a.jpg", "/a", "v1"))) == as_text(record)
    later.close()


def test_another_model_or_library_finds_nothing(
    path: Path, cache: RecordCache, monkeypatch: pytest.MonkeyPatch
) -> None:
    record = make_record("a.jpg", b"1234")
    cache.keep([(InputFile("a.jpg", "/a", "v1"), record)])
    other = RecordCache(path, purpose="other model", limit_bytes=64 * MIB)
    assert other.find_digest("a.jpg", record.sha256) is None
    assert find_file(other, InputFile("a.jpg", "/a", "v1")) is None
    other.close()
    monkeypatch.setattr(record_cache, "version", lambda _library: "0.0.1")
    older = RecordCache(path, purpose="model", limit_bytes=64 * MIB)
    assert older.find_digest("a.jpg", record.sha256) is None
    older.close()


@pytest.mark.parametrize("place", [0, 20, 60, -1])
def test_a_changed_byte_is_a_miss(path: Path, cache: RecordCache, place: int) -> None:
    record = make_record("a.jpg", b"1234")
    cache.keep([(InputFile("a.jpg", "/a", "v1"), record)])
    with sqlite3.connect(path) as connection:
        (content,) = connection.execute("SELECT content FROM contents").fetchone()
        changed = bytearray(content)
        changed[place] ^= 1
        connection.execute("UPDATE contents SET content = ?", (bytes(changed),))
    connection.close()
    assert cache.find_digest("a.jpg", record.sha256) is None
    cache.keep([(InputFile("a.jpg", "/a", "v1"), record)])
    assert as_text(cache.find_digest("a.jpg", record.sha256)) == as_text(record)


def test_the_record_of_other_bytes_is_a_miss(path: Path, cache: RecordCache) -> None:
    one, other = make_record("a.jpg", b"1"), make_record("b.jpg", b"2")
    cache.keep([(InputFile("a.jpg", "/a"), one), (InputFile("b.jpg", "/b"), other)])
    with sqlite3.connect(path) as connection:
        connection.execute("UPDATE entries SET content_id = 3 - content_id")
    connection.close()
    assert cache.find_digest("a.jpg", one.sha256) is None
    assert cache.find_digest("b.jpg", other.sha256) is None


@pytest.mark.parametrize("content", [b"no database at all" * 100, b""])
def test_a_broken_file_is_a_miss_and_begun_anew(path: Path, content: bytes) -> None:
    path.parent.mkdir()
    path.write_bytes(content)
    record = make_record("a.jpg", b"1")
    for is_known in (False, bool(not content), True):
        cache = RecordCache(path, purpose="model", limit_bytes=64 * MIB)
        assert (cache.find_digest("a.jpg", record.sha256) is not None) == is_known
        cache.keep([(InputFile("a.jpg", "/a"), record)])
        cache.close()


def test_a_file_with_broken_pages_is_a_miss(path: Path, cache: RecordCache) -> None:
    records = [make_record(str(number), b"%d" % number) for number in range(500)]
    cache.keep([(InputFile(record.name, "/"), record) for record in records])
    cache.close()
    content = bytearray(path.read_bytes())
    content[8192:] = b"\xff" * (len(content) - 8192)
    path.write_bytes(bytes(content))
    later = RecordCache(path, purpose="model", limit_bytes=64 * MIB)
    assert all(later.find_digest("a", record.sha256) is None for record in records)
    later.keep([(InputFile("a", "/"), records[0])])
    later.close()


def test_a_folder_that_cannot_be_written_is_no_reason_to_fail(tmp_path: Path) -> None:
    (tmp_path / "cache").write_bytes(b"a file, no folder")
    cache = RecordCache(tmp_path / "cache" / "x.sqlite", purpose="m", limit_bytes=64 * MIB)
    record = make_record("a.jpg", b"1")
    cache.keep([(InputFile("a.jpg", "/a"), record)])
    assert cache.find_digest("a.jpg", record.sha256) is None
    cache.close()


def test_the_file_stays_small_and_keeps_what_was_used_last(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    clock = [1_000_000_000.0]
    monkeypatch.setattr(record_cache.time, "time", lambda: clock[0])
    cache = RecordCache(path, purpose="model", limit_bytes=2 * MIB)
    records = [
        make_record(str(number), b"%d" % number, thumbnail=bytes([number % 256]) * 10_000)
        for number in range(600)
    ]
    for start in range(0, 600, 50):
        clock[0] += 2 * 24 * 3600
        piece = records[start : start + 50]
        cache.keep([(InputFile(record.name, "/", record.name), record) for record in piece])
        # The first one is asked for again and again.
        assert cache.find_digest("0", records[0].sha256) is not None
    assert path.stat().st_size < 2.5 * MIB
    assert cache.find_digest("599", records[599].sha256) is not None
    assert cache.find_digest("300", records[300].sha256) is None
    assert find_file(cache, InputFile("300", "/", "300")) is None
    cache.close()


def test_several_workers_share_a_file(path: Path) -> None:
    caches = [RecordCache(path, purpose="model", limit_bytes=64 * MIB) for _ in range(3)]
    records = [make_record(str(number), b"%d" % number) for number in range(90)]

    def keep(cache: RecordCache) -> None:
        for start in range(0, 90, 10):
            piece = records[start : start + 10]
            cache.keep([(InputFile(record.name, "/", record.name), record) for record in piece])

    with ThreadPoolExecutor(3) as executor:
        list(executor.map(keep, caches))
    files = [InputFile(record.name, "/", record.name) for record in records]
    assert all(len(cache.find_versions(files)) == 90 for cache in caches)
    with sqlite3.connect(path) as connection:
        assert connection.execute("SELECT count(*) FROM contents").fetchone() == (90,)
    connection.close()
    for cache in caches:
        cache.close()


def run(
    folder: Path, reader: FileReader, cache: RecordCache, files: list[InputFile], number: int
) -> tuple[list[str], int, int]:
    """Do a shard; return its records, how many files were looked into and how many were known."""
    examiner = FakeExaminer()
    spec = ShardSpec(files, folder / f"{number}.arrow")
    summary = run_shard(spec, reader, examiner, cache)
    records = [
        f"{one.name} {one.outcome} {None if one.vector is None else one.vector.tolist()}"
        for one in iterate_records(spec.output)
    ]
    return records, examiner.n_seen, summary.n_known


def test_a_shard_looks_into_unknown_files_only_and_holds_the_same(
    tmp_path: Path, reader: FileReader, cache: RecordCache
) -> None:
    contents = {"a": b"1234", "b": b"bad", "c": None, "d": b"12", "e": b"123"}
    for name, content in contents.items():
        if content is not None:
            (tmp_path / name).write_bytes(content)
    files = [InputFile(name, str(tmp_path / name), f"v-{name}") for name in contents]
    first, n_seen, n_known = run(tmp_path, reader, cache, files, 1)
    assert (n_seen, n_known) == (4, 0)
    assert run(tmp_path, reader, cache, files, 2) == (first, 1, 3)
    # Known by their bytes, where versions are new or there are none.
    later = [
        file._replace(version="" if file.name == "a" else f"new-{file.name}") for file in files
    ]
    assert run(tmp_path, reader, cache, later, 3) == (first, 1, 3)
    # And from then on by these versions: nothing but the broken file is read again.
    for name in ("d", "e"):
        (tmp_path / name).unlink()
    records, n_seen, n_known = run(tmp_path, reader, cache, later, 4)
    assert (records, n_seen, n_known) == (first, 1, 3)


def test_an_image_that_was_replaced_under_its_name_is_looked_into(
    tmp_path: Path, reader: FileReader, cache: RecordCache
) -> None:
    place = tmp_path / "a"
    place.write_bytes(b"1234")
    run(tmp_path, reader, cache, [InputFile("a", str(place), "v1")], 1)
    place.write_bytes(b"567890")
    records, n_seen, _ = run(tmp_path, reader, cache, [InputFile("a", str(place), "v2")], 2)
    assert (records, n_seen) == (["a good [6.0, 0.5]"], 1)
