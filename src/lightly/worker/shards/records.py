"""What a shard leaves behind: one row per file, in one Arrow file that appears whole."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
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
    ]
)


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


def write_records(path: Path, records: Sequence[FileRecord]) -> None:
    """Write the records of a shard; the file appears whole or not at all."""
    columns: dict[str, list[Any]] = {
        "name": [record.name for record in records],
        "outcome": [record.outcome for record in records],
        "reason": [record.reason for record in records],
        "sha256": [record.sha256 for record in records],
        "size_bytes": [record.size_bytes for record in records],
        "metadata": [_write_json(record.metadata) for record in records],
        "exif": [_write_json(record.exif) for record in records],
        "thumbnail": [record.thumbnail for record in records],
        "vector": [None if r.vector is None else r.vector.tobytes() for r in records],
    }
    table = pa.table(columns, schema=_SCHEMA)
    with open_atomic(path) as file, pa.ipc.new_file(file, _SCHEMA) as writer:
        writer.write_table(table)


def iterate_records(path: Path, columns: Sequence[str] = _SCHEMA.names) -> Iterator[FileRecord]:
    """Yield the records of a shard; only the named columns are read, the others are empty."""
    wanted = [name for name in _SCHEMA.names if name in {"name", "outcome", *columns}]
    with pa.memory_map(str(path)) as file, pa.ipc.open_file(file) as reader:
        table = reader.read_all().select(wanted)
        for row in table.to_pylist():
            yield _read_row(row)


def _read_row(row: dict[str, Any]) -> FileRecord:
    vector = row.get("vector")
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
    )


def _write_json(value: dict[str, Any] | None) -> str | None:
    return None if value is None else json.dumps(value, separators=(",", ":"))


def _read_json(text: str | None) -> dict[str, Any] | None:
    return None if text is None else json.loads(text)
