"""The work on one shard: read, check by decoding everything, measure, embed.

Files whose bytes are known from earlier runs are not looked into again, and where the listing says
that they are the same as then, not even read.

A shard can be done again at any time: it writes one file whose name follows from what it is made
of, so a shard that is done already is only looked at.
"""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import tee
from pathlib import Path
from typing import Protocol

from lightly.embedding.pool import ExaminedImage
from lightly.worker.shards.records import (
    CORRUPT,
    GONE,
    GOOD,
    FileRecord,
    iterate_records,
    write_records,
)
from lightly.worker.sources.file_list import InputFile
from lightly.worker.sources.reading import FileContent, FileReader

#: Changes whenever a shard would hold something else for the same files.
KERNEL_VERSION = "1"


class Examiner(Protocol):
    """What looks into images: `lightly.embedding.pool.EmbeddingPool` does."""

    def examine(self, sources: Iterable[bytes], /) -> Iterator[ExaminedImage]:
        """Yield report and vector of every image, in input order."""


class KnownRecords(Protocol):
    """What is known of images from earlier runs: `lightly.worker.shards.record_cache` has it."""

    def find_versions(self, files: Sequence[InputFile], /) -> Mapping[str, FileRecord]:
        """Return records by name of those files whose bytes are known without reading them."""

    def find_digest(self, name: str, digest: bytes, /) -> FileRecord | None:
        """Return the record of bytes by their SHA-256, under a name; None if it is not known."""

    def keep(self, found: Iterable[tuple[InputFile, FileRecord]], /) -> None:
        """Remember records."""

    def keep_versions(self, found: Iterable[tuple[InputFile, FileRecord]], /) -> None:
        """Note under which versions known bytes lie now."""


@dataclass(frozen=True)
class ShardSpec:
    """One shard.

    Attributes:
        files: Its files, in the order of their names.
        output: The file that it writes.
    """

    files: Sequence[InputFile]
    output: Path


@dataclass(frozen=True)
class ShardSummary:
    """What came out of a shard; small, whatever the shard holds.

    Attributes:
        output: The file with its records.
        counts: Files by outcome.
        was_done: Whether an earlier attempt had done it.
        n_known: Files that did not have to be looked into, because their bytes were known.
        has_same_libraries: Whether what has done it decodes and computes as this machine does.
    """

    output: Path
    counts: Mapping[str, int]
    was_done: bool
    n_known: int = 0
    has_same_libraries: bool = True


def name_shard(files: Sequence[InputFile], *, purpose: str) -> str:
    """Return the name of a shard's file: it follows from names and versions of its files.

    Args:
        files: The files of the shard.
        purpose: What else decides about its content: the model.
    """
    digest = hashlib.sha256(f"{KERNEL_VERSION}\0{purpose}".encode())
    for file in files:
        digest.update(b"\0" + file.name.encode("utf-8", "surrogateescape"))
        digest.update(b"\0" + file.version.encode())
    return f"{digest.hexdigest()}.arrow"


def run_shard(
    spec: ShardSpec, reader: FileReader, examiner: Examiner, known: KnownRecords | None = None
) -> ShardSummary:
    """Do a shard unless it is done.

    Args:
        spec: The shard.
        reader: Reads files.
        examiner: Looks into them.
        known: What earlier runs have found out; None to find out everything anew.
    """
    if spec.output.exists():
        outcomes = (record.outcome for record in iterate_records(spec.output, columns=()))
        counts = Counter(outcomes)
        return ShardSummary(spec.output, counts, was_done=True, n_known=counts.total())
    old = {} if known is None else dict(known.find_versions(spec.files))
    new = [file for file in spec.files if file.name not in old]
    examined = list(examine_files(new, reader, examiner, known))
    n_known = len(old) + sum(one.was_known for one in examined)
    if known is not None:
        known.keep((one.file, one.record) for one in examined if not one.was_known)
        known.keep_versions((one.file, one.record) for one in examined if one.was_known)
    found = old | {one.file.name: one.record for one in examined}
    records = [found[file.name] for file in spec.files]
    write_records(spec.output, records)
    return ShardSummary(
        spec.output, Counter(record.outcome for record in records), was_done=False, n_known=n_known
    )


@dataclass(frozen=True, slots=True)
class ExaminedFile:
    """What was found out about one file that was read.

    Attributes:
        file: The file.
        record: What was found out.
        was_known: Whether its bytes were known.
    """

    file: InputFile
    record: FileRecord
    was_known: bool = False


@dataclass(frozen=True, slots=True)
class _ReadFile:
    """A file that was read: its digest, and the record if its bytes are known."""

    content: FileContent
    digest: bytes = b""
    record: FileRecord | None = None


def examine_files(
    files: Iterable[InputFile],
    reader: FileReader,
    examiner: Examiner,
    known: KnownRecords | None = None,
) -> Iterator[ExaminedFile]:
    """Yield what there is to say about every file, in their order."""
    # Both run in step, apart by what the examiner takes ahead, so little is held in between.
    looked_up, ahead = tee(_look_up(reader.read(files), known))
    examined = examiner.examine(
        one.content.data for one in ahead if one.content.data is not None and one.record is None
    )
    for one in looked_up:
        file, content = one.content.file, one.content
        if one.record is not None:
            yield ExaminedFile(file, one.record, was_known=True)
        elif content.data is None:
            outcome = GONE if content.is_gone else CORRUPT
            yield ExaminedFile(file, FileRecord(file.name, outcome, content.problem))
        else:
            yield ExaminedFile(file, _make_record(one, next(examined)))


def _look_up(contents: Iterable[FileContent], known: KnownRecords | None) -> Iterator[_ReadFile]:
    for content in contents:
        if content.data is None:
            yield _ReadFile(content)
            continue
        digest = hashlib.sha256(content.data).digest()
        record = None if known is None else known.find_digest(content.file.name, digest)
        # The bytes of a known image are of no use any more.
        kept = content if record is None else replace(content, data=None)
        yield _ReadFile(kept, digest, record)


def _make_record(read: _ReadFile, image: ExaminedImage) -> FileRecord:
    name, size_bytes, report = read.content.file.name, len(read.content.data or b""), image.report
    if report.corruption is not None:
        return FileRecord(
            name, CORRUPT, report.corruption, sha256=read.digest, size_bytes=size_bytes
        )
    return FileRecord(
        name=name,
        outcome=GOOD,
        sha256=read.digest,
        size_bytes=size_bytes,
        metadata=report.metadata,
        exif=report.exif,
        thumbnail=report.thumbnail,
        vector=image.vector,
    )
