"""Rows of an embeddings CSV, put into the server's order or merged, without holding the file.

The form of the file: UTF-8, a header `filenames,embedding_0,...,embedding_n,labels`, one row per
sample. Only names and places of rows are kept in memory, and only where order makes that necessary.
"""

from __future__ import annotations

import csv
import re
from array import array
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from lightly._kit.errors import BadInput

_EMBEDDING_COLUMN = re.compile(r"embedding_[0-9]+")
#: Columns that other tools add for themselves. They are not uploaded.
_LOCAL_COLUMNS = frozenset({"masked", "selected"})
_NAMES_COLUMN = "filenames"
_LABELS_COLUMN = "labels"


class RowsMissing(BadInput):
    """The embeddings file has no row for some samples of the dataset."""

    code = "embedding_rows_missing"


@dataclass(frozen=True)
class Columns:
    """The columns of a file.

    Attributes:
        count: How many there are in the file.
        kept: Positions of those that are uploaded.
        header: The header as it is uploaded, with its line end.
    """

    count: int
    kept: tuple[int, ...]
    header: bytes

    @property
    def keeps_all(self) -> bool:
        """Whether rows go out as they are."""
        return len(self.kept) == self.count


def read_columns(file: IO[bytes]) -> Columns:
    """Read the header line and check it.

    Raises:
        RuntimeError: If the file does not have the form of an embeddings file.
    """
    line = file.readline().decode("utf-8-sig", "replace").rstrip("\r\n")
    names = line.split(",")
    if any(name != name.strip() or " " in name for name in names):
        raise RuntimeError("Column names of an embeddings file must not contain blanks.")
    if names[0] != _NAMES_COLUMN:
        raise RuntimeError(
            f"The first column of an embeddings file must be '{_NAMES_COLUMN}', "
            f"got {ascii(names[0])[:60]}."
        )
    if _LABELS_COLUMN not in names:
        raise RuntimeError(f"An embeddings file must have a column '{_LABELS_COLUMN}'.")
    for name in names[1 : names.index(_LABELS_COLUMN)]:
        if not _EMBEDDING_COLUMN.fullmatch(name) and name not in _LOCAL_COLUMNS:
            raise RuntimeError(
                f"The columns between '{_NAMES_COLUMN}' and '{_LABELS_COLUMN}' must be named "
                f"embedding_0, embedding_1, ...; got {ascii(name)[:60]}."
            )
    kept = tuple(number for number, name in enumerate(names) if _is_uploaded(name))
    header = ",".join(names[number] for number in kept) + "\n"
    return Columns(len(names), kept, header.encode())


def _is_uploaded(name: str) -> bool:
    return name in {_NAMES_COLUMN, _LABELS_COLUMN} or _EMBEDDING_COLUMN.fullmatch(name) is not None


def iterate_rows(file: IO[bytes], columns: Columns) -> Iterator[tuple[str, int]]:
    """Yield file name and position of every row from where the file stands.

    Raises:
        RuntimeError: If a row is empty or has another number of columns than the header.
    """
    position = file.tell()
    for number, line in enumerate(file, start=2):
        if line.count(b",") != columns.count - 1:
            problem = "is empty" if not line.strip() else "has another number of columns"
            raise RuntimeError(f"Row {number} of the embeddings file {problem}.")
        yield _read_name(line), position
        position += len(line)


def write_rows(
    source: IO[bytes], columns: Columns, positions: Iterable[int], target: IO[bytes]
) -> None:
    """Copy rows, in the order of `positions`, with the line ends and columns of an upload."""
    reached = -1
    for position in positions:
        # Reading on needs no seek, which would throw the read-ahead away.
        if position != reached:
            source.seek(position)
        line = source.readline()
        reached = position + len(line)
        target.write(_write_row(line, columns))


def order_rows(path: Path, read_names: Callable[[], Iterator[str]], target: IO[bytes]) -> None:
    """Write the rows of a file in the order of the server's samples.

    Args:
        path: The embeddings file. It is not changed.
        read_names: Returns the server's file names in order; called once or twice.
        target: Takes the ordered file.

    Raises:
        RowsMissing: If samples have no row.
        ValueError: If rows have no sample, or a name has two rows.
        RuntimeError: If the file is malformed.
    """
    with path.open("rb") as source:
        columns = read_columns(source)
        body = source.tell()
        if _is_ordered(source, columns, read_names()):
            source.seek(body)
            target.write(columns.header)
            for line in source:
                target.write(_write_row(line, columns))
            return
        source.seek(body)
        places = _find_places(index_rows(source, columns), read_names())
        target.write(columns.header)
        write_rows(source, columns, places, target)


def merge_rows(local: Path, remote: Path, target: IO[bytes]) -> None:
    """Write the remote rows, replaced by local ones of the same name, then the other local rows.

    Raises:
        RuntimeError: If the numbers of columns differ, or a file is malformed.
    """
    with local.open("rb") as local_file, remote.open("rb") as remote_file:
        local_columns, remote_columns = read_columns(local_file), read_columns(remote_file)
        if len(local_columns.kept) != len(remote_columns.kept):
            raise RuntimeError(
                "Column mismatch: the local embeddings file has "
                f"{len(local_columns.kept)} columns, the one on the server "
                f"{len(remote_columns.kept)}."
            )
        index = index_rows(local_file, local_columns)
        target.write(remote_columns.header)
        for line in remote_file:
            place = index.pop(_read_name(line), None)
            if place is None:
                target.write(_write_row(line, remote_columns))
            else:
                write_rows(local_file, local_columns, [place], target)
        write_rows(local_file, local_columns, index.values(), target)


def index_rows(file: IO[bytes], columns: Columns) -> dict[str, int]:
    """Return the position of every name's row, in file order.

    Raises:
        ValueError: If a name has two rows.
    """
    index: dict[str, int] = {}
    for name, position in iterate_rows(file, columns):
        if name in index:
            raise BadInput(f"The embeddings file has two rows for {ascii(name)[:80]}.")
        index[name] = position
    return index


def _is_ordered(file: IO[bytes], columns: Columns, names: Iterator[str]) -> bool:
    for name, _ in iterate_rows(file, columns):
        if next(names, None) != name:
            return False
    return next(names, None) is None


def _find_places(index: dict[str, int], names: Iterator[str]) -> array[int]:
    n_rows, n_samples, n_missing, example = len(index), 0, 0, ""
    places = array("q")
    for name in names:
        n_samples += 1
        place = index.pop(name, None)
        if place is None:
            n_missing, example = n_missing + 1, example or name
        else:
            places.append(place)
    if index:
        raise BadInput(
            f"{len(index)} of {n_rows} rows of the embeddings file belong to no sample of the "
            f"dataset, such as {ascii(next(iter(index)))[:80]}."
        )
    if n_missing:
        raise RowsMissing(
            f"{n_missing} of {n_samples} samples of the dataset have no row in the embeddings "
            f"file, such as {ascii(example)[:80]}."
        )
    return places


def _read_name(line: bytes) -> str:
    if line.startswith(b'"'):
        return next(csv.reader([line.decode("utf-8", "surrogateescape")]))[0]
    return line.partition(b",")[0].decode("utf-8", "surrogateescape")


def _write_row(line: bytes, columns: Columns) -> bytes:
    row = line.rstrip(b"\r\n")
    if not columns.keeps_all:
        cells = row.split(b",")
        row = b",".join(cells[number] for number in columns.kept)
    return row + b"\n"
