"""The work on one shard: read, check by decoding everything, measure, embed.

A shard can be done again at any time: it writes one file whose name follows from what it is made
of, so a shard that is done already is only looked at.
"""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
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
    """

    output: Path
    counts: Mapping[str, int]
    was_done: bool


def name_shard(files: Sequence[InputFile], *, purpose: str) -> str:
    """Return the name of a shard's file: it follows from the names of its files and its purpose.

    Args:
        files: The files of the shard.
        purpose: What else decides about its content: the model.
    """
    digest = hashlib.sha256(f"{KERNEL_VERSION}\0{purpose}".encode())
    for file in files:
        digest.update(b"\0" + file.name.encode("utf-8", "surrogateescape"))
    return f"{digest.hexdigest()}.arrow"


def run_shard(spec: ShardSpec, reader: FileReader, examiner: Examiner) -> ShardSummary:
    """Do a shard unless it is done."""
    if spec.output.exists():
        records = iterate_records(spec.output, columns=())
        return ShardSummary(spec.output, Counter(record.outcome for record in records), True)
    found = list(examine_files(spec.files, reader, examiner))
    write_records(spec.output, found)
    return ShardSummary(spec.output, Counter(record.outcome for record in found), False)


def examine_files(
    files: Iterable[InputFile], reader: FileReader, examiner: Examiner
) -> Iterator[FileRecord]:
    """Yield a record for every file, in their order."""
    # Both run in step, apart by what the examiner takes ahead, so little is held in between.
    contents, ahead = tee(reader.read(files))
    examined = examiner.examine(content.data for content in ahead if content.data is not None)
    for content in contents:
        if content.data is None:
            outcome = GONE if content.is_gone else CORRUPT
            yield FileRecord(content.file.name, outcome, content.problem)
        else:
            yield _make_record(content, next(examined))


def _make_record(content: FileContent, image: ExaminedImage) -> FileRecord:
    data, report = content.data or b"", image.report
    digest = hashlib.sha256(data).digest()
    if report.corruption is not None:
        return FileRecord(
            content.file.name, CORRUPT, report.corruption, sha256=digest, size_bytes=len(data)
        )
    return FileRecord(
        name=content.file.name,
        outcome=GOOD,
        sha256=digest,
        size_bytes=len(data),
        metadata=report.metadata,
        exif=report.exif,
        thumbnail=report.thumbnail,
        vector=image.vector,
    )
