"""The images that a selection may choose from, in the order of their names, mostly on disk."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from lightly.data.datasource_files.embedding_files import refuse_missing_row
from lightly.data.datasource_files.names import cut_extension
from lightly.worker.runs.excluded import CORRUPT, DUPLICATE, FILTERED, GONE, ExcludedFiles
from lightly.worker.shards.records import GOOD, FileRecord, iterate_records
from lightly.worker.sources.custom_embeddings import CustomEmbeddings

#: Why a file that was selected before is left out.
KNOWN = "The dataset has it already."
_DIGEST_BYTES = 16
_COLLECTED = ("reason", "vector", "frame")


@dataclass(frozen=True)
class Candidates:
    """Rows of shards that take part in a selection.

    Attributes:
        shards: Files with records; the names in them ascend from shard to shard.
        shard_of: Which shard holds a candidate, int32 of shape (n,).
        row_of: In which row of it, int32 of shape (n,).
        embeddings: float32 of shape (n, dim), memory-mapped.
    """

    shards: Sequence[Path]
    shard_of: NDArray[np.int32]
    row_of: NDArray[np.int32]
    embeddings: NDArray[np.float32]

    def __len__(self) -> int:
        """Return how many there are."""
        return len(self.row_of)

    def iterate(
        self, positions: NDArray[np.int64] | None = None, *, columns: Sequence[str] = ()
    ) -> Iterator[tuple[int, FileRecord]]:
        """Yield position and record of candidates, ascending.

        Args:
            positions: Which candidates; all if None.
            columns: What of the records to read, beside the name.
        """
        wanted = np.arange(len(self)) if positions is None else np.sort(positions)
        bounds = np.flatnonzero(np.diff(self.shard_of[wanted])) + 1
        for of_shard in np.split(wanted, bounds) if len(wanted) else ():
            rows = {int(self.row_of[position]): int(position) for position in of_shard}
            shard = self.shards[self.shard_of[of_shard[0]]]
            for row, record in enumerate(iterate_records(shard, columns)):
                if row in rows:
                    yield rows[row], record

    def iterate_names(self) -> Iterator[str]:
        """Yield the names of all candidates."""
        return (record.name for _, record in self.iterate())


def collect_candidates(
    shards: Sequence[Path],
    embeddings_path: Path,
    excluded: ExcludedFiles,
    *,
    dim: int,
    removes_duplicates: bool,
    known_stems: Collection[str] = (),
    custom: CustomEmbeddings | None = None,
) -> Candidates:
    """Gather the good images of all shards; note what is not.

    Of files with the same bytes the one whose name comes first stays.

    Args:
        shards: In the order of the names in them.
        embeddings_path: The file for the vectors.
        excluded: Where excluded files are noted.
        dim: Length of a vector.
        removes_duplicates: Whether files with the same bytes count once.
        known_stems: Names without extension of what the dataset has and is not asked for again.
        custom: Takes the place of the vectors in the shards.

    Raises:
        FileInvalid: If an image has none of the custom embeddings.
    """
    missing: list[str] = []
    firsts = _find_first_copies(shards) if removes_duplicates else None
    shard_of: list[NDArray[np.int32]] = []
    row_of: list[NDArray[np.int32]] = []
    n_good = 0
    with embeddings_path.open("wb") as file:
        for number, shard in enumerate(shards):
            rows = []
            for row, record in enumerate(iterate_records(shard, _COLLECTED)):
                if record.outcome != GOOD:
                    kind = GONE if record.outcome == GONE else CORRUPT
                    excluded.add(record.name, kind, record.reason or "")
                    continue
                n_good += 1
                if firsts is not None and not firsts[n_good - 1]:
                    excluded.add(record.name, DUPLICATE, _explain_duplicate(record))
                    continue
                if known_stems and cut_extension(record.name) in known_stems:
                    excluded.add(record.name, FILTERED, KNOWN)
                    continue
                vector = record.vector if custom is None else custom.find(record.name)
                if vector is None:
                    missing.append(record.name)
                    continue
                file.write(vector.tobytes())
                rows.append(row)
            row_of.append(np.array(rows, np.int32))
            shard_of.append(np.full(len(rows), number, np.int32))
    if missing:
        source = "the model" if custom is None else custom.file
        raise refuse_missing_row(source, missing[0], len(missing))
    return Candidates(
        shards=shards,
        shard_of=np.concatenate([np.empty(0, np.int32), *shard_of]),
        row_of=np.concatenate([np.empty(0, np.int32), *row_of]),
        embeddings=_map_embeddings(embeddings_path, dim),
    )


def _explain_duplicate(record: FileRecord) -> str:
    kind = "file has the same bytes" if record.frame is None else "frame has the same pixels"
    return f"Another {kind}."


def _map_embeddings(path: Path, dim: int) -> NDArray[np.float32]:
    if not path.stat().st_size:
        return np.empty((0, dim), np.float32)
    return np.memmap(path, np.float32, "r").reshape(-1, dim)


def _find_first_copies(shards: Sequence[Path]) -> NDArray[np.bool_]:
    """Return for each good image, in order, whether it is the first with its bytes."""
    pieces = [_read_digests(shard) for shard in shards]
    digests = np.concatenate([np.empty(0, f"S{_DIGEST_BYTES}"), *pieces])
    is_first = np.zeros(len(digests), bool)
    _, first = np.unique(digests, return_index=True)
    is_first[first] = True
    return is_first


def _read_digests(shard: Path) -> NDArray[np.bytes_]:
    """Return the first half of the SHA-256 of the good images of a shard."""
    with pa.memory_map(str(shard)) as file, pa.ipc.open_file(file) as reader:
        table = reader.read_all().select(["outcome", "sha256"])
        outcomes = table.column("outcome").to_pylist()
        digests = table.column("sha256").to_pylist()
    good = b"".join(
        digest[:_DIGEST_BYTES]
        for digest, outcome in zip(digests, outcomes, strict=True)
        if outcome == GOOD
    )
    return np.frombuffer(good, f"S{_DIGEST_BYTES}")
