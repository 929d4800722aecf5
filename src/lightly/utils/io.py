"""The embeddings CSV and the JSON files of predictions and metadata.

An embeddings CSV is UTF-8 with one header line::

    filenames,embedding_0,embedding_1,labels
    subdir/image_1.jpg,0.12,-1.5,0

Numbers are written with as many digits as it takes to read back the same float32, no more.
Importing this module loads neither numpy nor torch.
"""

from __future__ import annotations

import csv
import io
import json
import re
from array import array
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from lightly._kit.atomic_files import open_atomic, write_atomic
from lightly._kit.errors import BadInput

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import ArrayLike, NDArray

    EmbeddingsTuple = tuple[NDArray[np.float32], list[int], list[str]]

#: Characters that a file name in an embeddings CSV must not have.
INVALID_FILENAME_CHARACTERS = [","]


class COCO_ANNOTATION_KEYS:  # noqa: N801  the published client's name
    """Keys of custom metadata in the form of COCO annotations."""

    images = "images"
    images_id = "id"
    images_filename = "file_name"
    custom_metadata = "metadata"
    custom_metadata_image_id = "image_id"


_FILENAMES = "filenames"
_LABELS = "labels"
_EMBEDDING_COLUMN = re.compile(r"embedding_\d+")
# Columns of the local workflow: allowed in a file, never uploaded.
_LOCAL_COLUMNS = frozenset({"masked", "selected"})


def save_embeddings(
    path: str, embeddings: ArrayLike, labels: Sequence[int], filenames: Sequence[str]
) -> None:
    """Save embeddings as CSV; the file appears whole or not at all.

    Args:
        path: Where to write.
        embeddings: Array of shape (n, d).
        labels: n integers.
        filenames: n file names without commas.

    Raises:
        ValueError: If the lengths differ or a file name has an invalid character.

    >>> import tempfile, os
    >>> path = os.path.join(tempfile.mkdtemp(), "embeddings.csv")
    >>> save_embeddings(path, [[0.1, 2.0]], [0], ["a.jpg"])
    >>> print(open(path).read(), end="")
    filenames,embedding_0,embedding_1,labels
    a.jpg,0.1,2.0,0
    """
    import numpy as np  # noqa: PLC0415  keeps the import of this module light

    check_filenames(filenames)
    rows = np.asarray(embeddings)
    if not len(rows) == len(labels) == len(filenames):
        raise BadInput(
            "Length of embeddings, labels, and filenames should be equal but are not:"
            f" ({len(rows)}, {len(labels)}, {len(filenames)})"
        )
    if rows.ndim != 2:
        raise BadInput(f"embeddings must have the shape (n, d), got {rows.shape}.")
    with _open_text(path) as file:
        file.write(format_header(rows.shape[1]))
        for filename, row, label in zip(filenames, rows, labels, strict=True):
            file.write(format_row([filename, *format_vector(row), str(label)]))


def load_embeddings(path: str) -> EmbeddingsTuple:
    """Load embeddings from CSV.

    Args:
        path: The file.

    Returns:
        The embeddings as float32 of shape (n, d), the n labels, the n file names.

    Raises:
        RuntimeError: If the file has not the form that `check_embeddings` asks for.
        ValueError: If a number is none, or a file name has an invalid character.
    """
    import numpy as np  # noqa: PLC0415  keeps the import of this module light

    values, labels, filenames = array("f"), [], []
    dimension = 0
    for columns, row in _read_rows(path):
        dimension = len(columns.embeddings)
        filenames.append(row[0])
        labels.append(int(row[columns.label]))
        values.extend([float(row[position]) for position in columns.embeddings])
    check_filenames(filenames)
    vectors = np.frombuffer(values, np.float32) if values else np.empty(0, np.float32)
    return vectors.reshape(len(filenames), dimension), labels, filenames


class EmbeddingRow(NamedTuple):
    """A row of an embeddings CSV.

    Attributes:
        name: File name.
        values: The embedding.
        is_masked: Whether the column `masked` of the local workflow says so.
        is_selected: Whether the column `selected` does.
    """

    name: str
    values: list[float]
    is_masked: bool
    is_selected: bool


def read_embedding_dimension(path: str) -> int:
    """Return how many numbers the vectors of an embeddings CSV have.

    Raises:
        RuntimeError: If the header has not the form that `check_embeddings` asks for.
    """
    return len(_Columns(_read_header(path)).embeddings)


def iterate_embeddings(path: str) -> Iterator[EmbeddingRow]:
    """Yield the rows of an embeddings CSV; one is in memory at a time.

    Raises:
        RuntimeError: If the file has not the form that `check_embeddings` asks for.
        ValueError: If a number is none.
    """
    for columns, row in _read_rows(path):
        int(row[columns.label])
        yield EmbeddingRow(
            name=row[0],
            values=[float(row[position]) for position in columns.embeddings],
            is_masked=columns.has_mark(row, "masked"),
            is_selected=columns.has_mark(row, "selected"),
        )


def check_embeddings(path: str, remove_additional_columns: bool = False) -> None:
    """Check that a CSV of embeddings has the right form.

    Args:
        path: The file.
        remove_additional_columns: Whether to rewrite the file without the columns that are
            neither file name, embedding nor label.

    Raises:
        RuntimeError: If the first column is not `filenames`, a column `labels` is missing, a
            column name has blanks, a column before `labels` is no `embedding_x`, or a row is empty
            or of another length than the header.
    """
    if not remove_additional_columns:
        for _ in _read_rows(path):
            pass
        return
    header = _Columns(_read_header(path))
    kept = [0, *header.embeddings, header.label]
    if kept == list(range(len(header.names))):
        check_embeddings(path)
        return
    with _open_text(path) as file:
        file.write(format_row([header.names[position] for position in kept]))
        for _, row in _read_rows(path):
            file.write(format_row([row[position] for position in kept]))


def check_filenames(filenames: Iterable[str]) -> None:
    """Raise `ValueError` if a file name has a character that a CSV cannot hold.

    >>> check_filenames(["a.jpg", "b,c.jpg"])
    Traceback (most recent call last):
    ...
    lightly._kit.errors.BadInput: Invalid filename(s): ['b,c.jpg']
    """
    invalid = [name for name in filenames if not is_valid_filename(name)]
    if invalid:
        raise BadInput(f"Invalid filename(s): {invalid[:100]}")


def is_valid_filename(filename: str) -> bool:
    """Tell whether a file name can stand in an embeddings CSV."""
    return not any(character in filename for character in INVALID_FILENAME_CHARACTERS)


def load_embeddings_as_dict(
    path: str, embedding_name: str = "default", return_all: bool = False
) -> Any:
    """Load embeddings into the dictionary form of the API.

    Args:
        path: The CSV.
        embedding_name: Name of the embedding.
        return_all: Whether to return what `load_embeddings` returns as well.

    Returns:
        `{"embeddingName": ..., "embeddings": [{"fileName", "value", "label"}, ...]}`, or a tuple
        of that and the arrays.
    """
    embeddings, labels, filenames = load_embeddings(path)
    entries = [
        {"fileName": filename, "value": vector, "label": label}
        for filename, vector, label in zip(filenames, embeddings.tolist(), labels, strict=True)
    ]
    data = {"embeddingName": embedding_name, "embeddings": entries}
    return (data, embeddings, labels, filenames) if return_all else data


def format_custom_metadata(custom_metadata: Sequence[tuple[str, dict[str, Any]]]) -> dict[str, Any]:
    """Bring custom metadata into the form that the platform reads.

    Args:
        custom_metadata: Pairs of file name and metadata.

    >>> format_custom_metadata([("a.jpg", {"weather": "rain"})])["metadata"]
    [{'image_id': 0, 'weather': 'rain'}]
    """
    keys, pairs = COCO_ANNOTATION_KEYS, list(enumerate(custom_metadata))
    return {
        keys.images: [
            {keys.images_id: number, keys.images_filename: name} for number, (name, _) in pairs
        ],
        keys.custom_metadata: [
            {keys.custom_metadata_image_id: number, **metadata} for number, (_, metadata) in pairs
        ],
    }


def save_custom_metadata(path: str, custom_metadata: Sequence[tuple[str, dict[str, Any]]]) -> None:
    """Save custom metadata as JSON in the form of `format_custom_metadata`."""
    _save_json(path, format_custom_metadata(custom_metadata))


def save_tasks(path: str, tasks: Sequence[str]) -> None:
    """Save the names of prediction tasks as `tasks.json` of a datasource."""
    _save_json(path, list(tasks))


def save_schema(path: str, task_type: str, ids: Sequence[int], names: Sequence[str]) -> None:
    """Save the schema of a prediction task.

    Args:
        path: Where to write, `.../predictions/TASK/schema.json` in a datasource.
        task_type: Such as `classification` or `object-detection`.
        ids: Category ids.
        names: Category names, as many.

    Raises:
        ValueError: If there are not as many ids as names.
    """
    if len(ids) != len(names):
        raise BadInput("ids and names must have same length!")
    categories = [{"id": key, "name": name} for key, name in zip(ids, names, strict=True)]
    _save_json(path, {"task_type": task_type, "categories": categories})


def format_header(dimension: int) -> str:
    """Return the first line of a CSV with vectors of this length."""
    return format_row([_FILENAMES, *(f"embedding_{n}" for n in range(dimension)), _LABELS])


def format_row(values: Sequence[str]) -> str:
    """Return a line of CSV; only the first value, a file name, can need quotes."""
    first, *others = values
    # The csv module leaves a carriage return bare when lines end with a newline alone.
    if any(character in first for character in '",\r\n') or not first:
        first = '"' + first.replace('"', '""') + '"'
    return ",".join([first, *others]) + "\n"


def format_vector(vector: NDArray[Any]) -> list[str]:
    """Return the numbers as text that reads back as the same float32.

    float32 needs up to 9 digits; other floats keep all that a float64 has.
    """
    if vector.dtype.itemsize < 8 and vector.dtype.kind == "f":
        return list(map(str, vector.astype("float32", copy=False)))
    return list(map(repr, vector.astype(float).tolist()))


def format_line(vector: NDArray[np.float32]) -> str:
    """Return a float32 vector as text between commas, in a third of the time of `format_vector`.

    Nine digits name every float32; most numbers could do with fewer.
    """
    values = vector.tolist()
    return ",".join(["%.9g"] * len(values)) % tuple(values)


class _Columns:
    """Which column of a CSV is what."""

    def __init__(self, names: list[str]) -> None:
        self.names = names
        if any(character.isspace() for name in names for character in name):
            raise RuntimeError("Embeddings csv file must not contain whitespaces.")
        if not names or names[0] != _FILENAMES:
            raise RuntimeError(
                "Embeddings csv file must start with `filenames` column but had"
                f" {names[0] if names else 'nothing'} instead."
            )
        if _LABELS not in names:
            raise RuntimeError("Embeddings csv file has no `labels` column.")
        self.label = names.index(_LABELS)
        for name in names[1 : self.label]:
            if not _EMBEDDING_COLUMN.fullmatch(name) and name not in _LOCAL_COLUMNS:
                raise RuntimeError(
                    f"Embeddings csv file must have `embedding_x` columns but found {name} instead."
                )
        self.embeddings = [
            position for position, name in enumerate(names) if _EMBEDDING_COLUMN.fullmatch(name)
        ]
        self.marks = {name: names.index(name) for name in _LOCAL_COLUMNS & set(names)}

    def has_mark(self, row: Sequence[str], name: str) -> bool:
        """Tell whether a column of the local workflow has another number than 0 in a row."""
        position = self.marks.get(name)
        return position is not None and bool(float(row[position]))


def _read_header(path: str) -> list[str]:
    with Path(path).open(newline="", encoding="utf-8") as file:
        return next(csv.reader(file), [])


def _read_rows(path: str) -> Iterator[tuple[_Columns, list[str]]]:
    with Path(path).open(newline="", encoding="utf-8") as file:
        reader = csv.reader(file)
        columns = _Columns(next(reader, []))
        for row in reader:
            if not row:
                raise RuntimeError(
                    "Embeddings csv file must not have empty rows."
                    f" Found empty row on line {reader.line_num}."
                )
            if len(row) != len(columns.names):
                raise RuntimeError(
                    f"Embeddings csv file must have {len(columns.names)} columns in every row."
                    f" Found {len(row)} on line {reader.line_num}."
                )
            yield columns, row


@contextmanager
def _open_text(path: str) -> Iterator[io.TextIOWrapper]:
    with open_atomic(Path(path)) as file:
        text = io.TextIOWrapper(file, encoding="utf-8", newline="")
        yield text
        text.flush()
        text.detach()


def _save_json(path: str, content: Any) -> None:
    write_atomic(Path(path), json.dumps(content).encode())
