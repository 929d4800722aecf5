"""What a shard leaves behind: one row per file, in one Arrow file that appears whole."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from lightly._kit.atomic_files import open_atomic

GOOD, CORRUPT, GONE = "good", "corrupt", "gone"

_SCHEMA = pa.schema(
    [
        ("name", pa.string()),
        ("outcome", pa.string()),
        ("reason", pa.string()),
        ("sha256", pa.binary()),
        ("size_bytes", pa.int64()),
        ("metadata", pa.string()),
        ("exif", pa.string()),
        ("thumbnail", pa.binary()),
        ("vector", pa.binary()),
        ("frame", pa.string()),
    ]
)


@dataclass(frozen=True, slots=True)
class FramePlace:
    """Where a frame comes from.

    Attributes:
        video: Name of its video.
        index: Its number in the video, from 0.
        timestamp: When it is shown, in units of the video; None if not known.
        timestamp_s: The same in seconds.
        is_key: Whether decoding can begin at it.
    """

    video: str
    index: int
    timestamp: int | None
    timestamp_s: float | None
    is_key: bool


@dataclass(frozen=True, slots=True)
class FileRecord:
    """What was found out about one file.

    Attributes:
        name: Relative to the datasource.
        outcome: `good`, `corrupt`, or `gone`: listed, but not there when it was read.
        reason: Why a file is not good, a sentence for people.
        sha256: Of the bytes; empty if there are none.
        size_bytes: Of the file.
        metadata: Statistics, as in `lightly.media.reports.ImageReport`.
        exif: EXIF entries by name.
        thumbnail: A WebP preview.
        vector: float32 of shape (dim,); None without a model or if the file is not good.
        frame: Where a frame comes from; None for an image. What a frame has no file of, it has of
            its pixels: `sha256` is that of `lightly.media.frame_stream.digest_pixels`.
    """

    name: str
    outcome: str
    reason: str | None = None
    sha256: bytes = b""
    size_bytes: int = 0
    metadata: dict[str, Any] | None = None
    exif: dict[str, Any] | None = None
    thumbnail: bytes | None = None
    vector: NDArray[np.float32] | None = None
    frame: FramePlace | None = None


def write_records(path: Path, records: Sequence[FileRecord]) -> None:
    """Write the records of a shard; the file appears whole or not at all."""
    table = pa.Table.from_pylist([write_row(record) for record in records], _SCHEMA)
    with open_atomic(path) as file, pa.ipc.new_file(file, _SCHEMA) as writer:
        writer.write_table(table)


def iterate_records(path: Path, columns: Sequence[str] = _SCHEMA.names) -> Iterator[FileRecord]:
    """Yield the records of a shard; only the named columns are read, the others are empty."""
    wanted = [name for name in _SCHEMA.names if name in {"name", "outcome", *columns}]
    with pa.memory_map(str(path)) as file, pa.ipc.open_file(file) as reader:
        table = reader.read_all().select(wanted)
        for row in table.to_pylist():
            yield read_row(row)


def list_columns() -> list[str]:
    """Return the names of what a record holds."""
    return list(_SCHEMA.names)


def write_row(record: FileRecord) -> dict[str, Any]:
    """Return a record as texts, numbers and bytes."""
    vector = record.vector
    return {
        "name": record.name,
        "outcome": record.outcome,
        "reason": record.reason,
        "sha256": record.sha256,
        "size_bytes": record.size_bytes,
        "metadata": _write_json(record.metadata),
        "exif": _write_json(record.exif),
        "thumbnail": record.thumbnail,
        "vector": None if vector is None else vector.astype(np.float32, copy=False).tobytes(),
        "frame": None if record.frame is None else _write_json(asdict(record.frame)),
    }


def read_row(row: Mapping[str, Any]) -> FileRecord:
    """Return the record that was written as a row; what is missing in it is empty."""
    vector, frame = row.get("vector"), _read_json(row.get("frame"))
    return FileRecord(
        name=row["name"],
        outcome=row["outcome"],
        reason=row.get("reason"),
        sha256=row.get("sha256") or b"",
        size_bytes=row.get("size_bytes") or 0,
        metadata=_read_json(row.get("metadata")),
        exif=_read_json(row.get("exif")),
        thumbnail=row.get("thumbnail"),
        vector=None if vector is None else np.frombuffer(vector, np.float32),
        frame=None if frame is None else FramePlace(**frame),
    )


def _write_json(value: dict[str, Any] | None) -> str | None:
    return None if value is None else json.dumps(value, separators=(",", ":"))


def _read_json(text: str | None) -> dict[str, Any] | None:
    return None if text is None else json.loads(text)
