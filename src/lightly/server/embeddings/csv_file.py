"""Reading the embeddings CSV of the contract (section 12), piece by piece.

The file is UTF-8 with the header `filenames,embedding_0,...,embedding_n,labels`. pyarrow parses it;
when it stumbles, a second, slower pass over the same bytes finds the row, column and value to name.
"""

from __future__ import annotations

import csv
import io
import os
import re
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import cached_property
from typing import BinaryIO

import numpy as np
import pyarrow as pa
import pyarrow.csv as pa_csv
from numpy.typing import NDArray

from lightly.server.jobs.task import TaskFailed

Float32Array = NDArray[np.float32]
#: Opens the file anew, from its first byte.
OpenFile = Callable[[], BinaryIO]

#: The largest published models have 8,192 dimensions.
MAX_DIMENSION = 16_384
#: Longest row: `MAX_DIMENSION` numbers of 24 digits fit. Also what one core parses at once.
MAX_ROW_BYTES = 1024 * 1024
#: Text in memory at once: enough for all cores, and 60 MB in all with what it becomes.
CHUNK_BYTES = 8 * MAX_ROW_BYTES
_NAMES, _LABELS = "filenames", "labels"
_EMBEDDING_COLUMN = re.compile(r"embedding_\d+", re.ASCII)
#: Columns that old clients keep in local files.
_IGNORED = {"masked", "selected"}
_NUMBER = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?", re.ASCII)
_INTEGER = re.compile(r"-?\d{1,18}", re.ASCII)
_MAX_SHOWN = 60


class CsvInvalid(TaskFailed):
    """The CSV breaks a rule. The message names the row, the column, the value and the rule."""


@dataclass(frozen=True)
class Header:
    """The columns of a CSV, in the order of the file.

    Attributes:
        columns: All names.
        embedding_columns: Those that make up the vectors.
    """

    columns: list[str]
    embedding_columns: list[str]

    @property
    def dimension(self) -> int:
        """Length of a vector."""
        return len(self.embedding_columns)

    @cached_property
    def vector_columns(self) -> frozenset[str]:
        """The names of `embedding_columns`."""
        return frozenset(self.embedding_columns)


@dataclass(frozen=True)
class Batch:
    """Some rows of a CSV.

    Attributes:
        first_row: Number of the first one; the row after the header is row 1.
        names: Their file names.
        vectors: Shape `[len(names), dimension]`, all finite.
    """

    first_row: int
    names: list[str]
    vectors: Float32Array


def read_header(open_file: OpenFile) -> Header:
    """Read the first line.

    Raises:
        CsvInvalid: If it is not the header of an embeddings CSV.
    """
    with open_file() as file:
        line = file.readline(MAX_ROW_BYTES)
    if not line.strip():
        raise CsvInvalid("The CSV is empty. Its first line must name the columns.")
    try:
        text = line.decode("utf-8-sig").rstrip("\r\n")
        columns = next(csv.reader([text], strict=True))
    except (UnicodeDecodeError, csv.Error) as error:
        raise CsvInvalid(
            "The header of the CSV is not one line of comma-separated UTF-8."
        ) from error
    return _check_header(columns)


def _check_header(columns: list[str]) -> Header:
    if columns[0] != _NAMES:
        raise CsvInvalid(f"The first column must be '{_NAMES}', got {show_value(columns[0])}.")
    if _LABELS not in columns:
        raise CsvInvalid(f"The header must have a column '{_LABELS}'.")
    if len(set(columns)) < len(columns):
        repeated = next(name for name in columns if columns.count(name) > 1)
        raise CsvInvalid(f"The header names the column {show_value(repeated)} more than once.")
    vector_columns = [name for name in columns if name not in {_NAMES, _LABELS, *_IGNORED}]
    for name in vector_columns:
        if _EMBEDDING_COLUMN.fullmatch(name) is None:
            raise CsvInvalid(
                f"The header has the column {show_value(name)}. Between '{_NAMES}' and "
                f"'{_LABELS}' all columns must be called 'embedding_0', 'embedding_1' and so on."
            )
    if not 1 <= len(vector_columns) <= MAX_DIMENSION:
        raise CsvInvalid(
            f"The header must have 1 to {MAX_DIMENSION} embedding columns, got "
            f"{len(vector_columns)}."
        )
    return Header(columns, vector_columns)


def iterate_batches(open_file: OpenFile, header: Header) -> Iterator[Batch]:
    """Yield the rows after the header.

    Memory is bounded by a few times `CHUNK_BYTES`, whatever the size of the file.

    Args:
        open_file: Opens the file.
        header: What `read_header` returned.

    Raises:
        CsvInvalid: If a row breaks a rule.
    """
    # pyarrow takes OMP_NUM_THREADS for itself, which task processes set to one for other libraries.
    pa.set_cpu_count(os.cpu_count() or 1)
    next_row = 1
    with open_file() as file, ThreadPoolExecutor(1) as parser:
        file.readline(MAX_ROW_BYTES)
        chunks = _iterate_chunks(file)
        # While one chunk is worked on, the next one is parsed.
        parsing = parser.submit(_parse_next, chunks, header)
        try:
            while (table := parsing.result()) is not None:
                parsing = parser.submit(_parse_next, chunks, header)
                for batch in table.to_batches():
                    yield _read_batch(batch, header, next_row)
                    next_row += batch.num_rows
        except pa.ArrowInvalid as error:
            raise _find_fault(open_file, header, next_row, str(error)) from error


def _iterate_chunks(file: BinaryIO) -> Iterator[bytes]:
    """Yield the rest of a file in pieces of whole rows."""
    begun = b""
    while piece := file.read(CHUNK_BYTES):
        end = piece.rfind(b"\n") + 1
        if end:
            yield begun + piece[:end]
            begun = piece[end:]
        else:
            begun += piece
        if len(begun) > MAX_ROW_BYTES:
            raise CsvInvalid(
                f"A row of the CSV has more than {MAX_ROW_BYTES} bytes, or rows do not end with a "
                "line feed."
            )
    if begun:
        yield begun


def _parse_next(chunks: Iterator[bytes], header: Header) -> pa.Table | None:
    """Parse the next whole rows, on all cores; None after the last ones."""
    chunk = next(chunks, None)
    if chunk is None:
        return None
    types = dict.fromkeys(header.embedding_columns, pa.float32())
    return pa_csv.read_csv(
        pa.BufferReader(chunk),
        read_options=pa_csv.ReadOptions(column_names=header.columns, block_size=MAX_ROW_BYTES),
        parse_options=pa_csv.ParseOptions(ignore_empty_lines=False),
        convert_options=pa_csv.ConvertOptions(
            column_types={**types, _NAMES: pa.string(), _LABELS: pa.int64()},
            include_columns=[_NAMES, *header.embedding_columns, _LABELS],
            null_values=[],
            strings_can_be_null=False,
        ),
    )


def _read_batch(batch: pa.RecordBatch, header: Header, first_row: int) -> Batch:
    names: list[str] = batch.column(0).to_pylist()
    vectors: Float32Array = (
        batch.select(range(1, 1 + header.dimension)).to_tensor(row_major=True).to_numpy()
    )
    if not np.isfinite(vectors).all():
        row, column = np.argwhere(~np.isfinite(vectors))[0]
        raise CsvInvalid(
            f"Row {first_row + row} ({show_value(names[row])}), column "
            f"'{header.embedding_columns[column]}': the value must be a finite 32-bit number, "
            f"got {vectors[row, column]}."
        )
    return Batch(first_row, names, vectors)


def _find_fault(open_file: OpenFile, header: Header, from_row: int, hint: str) -> CsvInvalid:
    """Return the error for the first row that breaks a rule; those before `from_row` are good."""
    number = 0
    with io.TextIOWrapper(open_file(), encoding="utf-8-sig", newline="") as text:
        try:
            rows = csv.reader(text, strict=True)
            next(rows)
            for row in rows:
                number += 1
                if number >= from_row:
                    _check_row(row, number, header)
        except CsvInvalid as fault:
            return fault
        except UnicodeDecodeError:
            return CsvInvalid(f"The CSV is not UTF-8, at row {number + 1} or a little later.")
        except csv.Error as error:
            return CsvInvalid(f"Row {number + 1} is not comma-separated text: {error}.")
    return CsvInvalid(f"The CSV cannot be read: {hint[:200]}")


def _check_row(row: Sequence[str], number: int, header: Header) -> None:
    if not any(row):
        raise CsvInvalid(f"Row {number} is empty. Remove empty rows.")
    if any("\n" in value or "\r" in value for value in row):
        raise CsvInvalid(f"Row {number} has a line break within a value.")
    place = f"Row {number} ({show_value(row[0])})"
    if len(row) != len(header.columns):
        raise CsvInvalid(
            f"{place} has {len(row)} values, but the header names {len(header.columns)} columns."
        )
    for column, value in zip(header.columns, row, strict=True):
        if column == _LABELS and _INTEGER.fullmatch(value) is None:
            raise CsvInvalid(
                f"{place}, column '{_LABELS}': labels must be integers, got {show_value(value)}."
            )
        if column in header.vector_columns and _NUMBER.fullmatch(value.strip()) is None:
            raise CsvInvalid(
                f"{place}, column '{column}': the value must be a finite number, "
                f"got {show_value(value)}."
            )


def show_value(value: str) -> str:
    """Return a value of the caller, bounded and without control characters."""
    text = ascii(value[:_MAX_SHOWN])
    return text if len(value) <= _MAX_SHOWN else f"{text[:-1]}...'"
