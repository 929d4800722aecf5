"""Embeddings that arrive some rows at a time, the way of client 1.0.8.

Nothing in that protocol says which batch is the last. Batches are kept as pieces of CSV until there
is a row for every sample of the dataset; then they become the embedding's CSV, which is read like
any other. The client sends two-dimensional values beside each batch, under a name with the suffix
`__2D`; those become a 2-D embedding in the same way.
"""

from __future__ import annotations

import csv
import hashlib
import io
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from lightly.server.embeddings.csv_file import show_value
from lightly.server.errors import BadRequest, EmbeddingInvalid
from lightly.server.legacy.requests import EmbeddingRow
from lightly.server.storage.blobs import BlobStore


@dataclass(frozen=True)
class Piece:
    """A batch that was stored.

    Attributes:
        key: Where; pieces sort by it in the order of their arrival.
        n_rows: How many rows it has.
        dimension: Length of their vectors.
        digest: Of its text.
    """

    key: str
    n_rows: int
    dimension: int
    digest: str


class RowStore:
    """The batches of one embedding that have arrived so far.

    Args:
        blobs: Where they are kept.
        prefix: Below which key.
    """

    def __init__(self, blobs: BlobStore, prefix: str) -> None:
        self._blobs = blobs
        self._prefix = prefix

    def add(self, rows: list[EmbeddingRow]) -> list[Piece]:
        """Keep a batch and return all there are. The same batch again changes nothing.

        Raises:
            BadRequest: If a file name comes twice, or not all vectors are equally long.
        """
        pieces = self.list_pieces()
        if not rows:
            return pieces
        text = _write_rows(rows)
        dimension = _check_rows(rows, pieces)
        digest = hashlib.sha256(text).hexdigest()[:16]
        if any(piece.digest == digest for piece in pieces):
            return pieces
        offset = sum(piece.n_rows for piece in pieces)
        key = f"{self._prefix}{offset:012d}-{len(rows)}-{dimension}-{digest}"
        self._blobs.put(key, [text])
        return [*pieces, Piece(key, len(rows), dimension, digest)]

    def list_pieces(self) -> list[Piece]:
        """Return all batches in the order of their arrival."""
        return [_parse_key(key) for key in sorted(self._blobs.list_keys(self._prefix))]

    def clear(self) -> None:
        """Forget all batches."""
        self._blobs.delete_below(self._prefix)

    def iterate_rows(self, pieces: Iterable[Piece]) -> Iterator[list[str]]:
        """Yield the fields of each row: file name, values, label."""
        for piece in pieces:
            with io.TextIOWrapper(self._blobs.open(piece.key), "utf-8", newline="") as text:
                yield from csv.reader(text)

    def iterate_csv(self, pieces: list[Piece]) -> Iterator[bytes]:
        """Yield the CSV that the batches make up."""
        columns = (f"embedding_{number}" for number in range(pieces[0].dimension))
        yield ",".join(["filenames", *columns, "labels"]).encode() + b"\n"
        for piece in pieces:
            with self._blobs.open(piece.key) as file:
                yield file.read()


def contains_rows(blobs: BlobStore, key: str, rows: list[EmbeddingRow]) -> bool:
    """Tell whether a CSV has all of some rows, value for value."""
    wanted = {row.file_name: _list_fields(row) for row in rows}
    with io.TextIOWrapper(blobs.open(key), "utf-8", newline="") as text:
        for fields in csv.reader(text):
            if fields and wanted.get(fields[0]) == fields:
                del wanted[fields[0]]
    return not wanted


def check_names_differ(names: Iterable[str]) -> int:
    """Return how many names there are.

    Raises:
        EmbeddingInvalid: If one comes twice.
    """
    seen: set[str] = set()
    for name in names:
        if name in seen:
            raise EmbeddingInvalid(
                f"The file name {show_value(name)} has two rows. Every sample takes one."
            )
        seen.add(name)
    return len(seen)


def _parse_key(key: str) -> Piece:
    _, n_rows, dimension, digest = key.rpartition("/")[2].split("-")
    return Piece(key, int(n_rows), int(dimension), digest)


def _check_rows(rows: list[EmbeddingRow], pieces: list[Piece]) -> int:
    """Return the dimension that all rows have."""
    dimension = pieces[0].dimension if pieces else len(rows[0].value)
    for row in rows:
        if len(row.value) != dimension:
            raise BadRequest(
                f"All vectors must be equally long. That of {show_value(row.file_name)} has "
                f"{len(row.value)} values, earlier ones have {dimension}."
            )
    check_names_differ(row.file_name for row in rows)
    return dimension


def _write_rows(rows: list[EmbeddingRow]) -> bytes:
    text = io.StringIO(newline="")
    writer = csv.writer(text, lineterminator="\n")
    writer.writerows(map(_list_fields, rows))
    return text.getvalue().encode()


def _list_fields(row: EmbeddingRow) -> list[str]:
    return [row.file_name, *map(repr, row.value), str(row.label)]
