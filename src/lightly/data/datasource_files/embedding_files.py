"""Custom embeddings in a datasource: a CSV that has a vector for each image."""

from __future__ import annotations

import csv
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from lightly.data.datasource_files.errors import FileInvalid, shorten
from lightly.utils.io import iterate_embeddings, read_embedding_dimension

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

_REMEDY = "Each image has one line: filenames,embedding_0,embedding_1,...,labels."
_SELECTED_REMEDY = (
    "The column 'selected' belongs to files of the local workflow. Leave it out; with the datapool "
    "on, what was selected in earlier runs counts."
)


@dataclass(frozen=True)
class CustomEmbeddings:
    """The embeddings of a file.

    Attributes:
        file_names: One for each vector, all different.
        vectors: float32 of shape (n, d), all finite.
    """

    file_names: list[str]
    vectors: NDArray[np.float32]


def read_custom_embeddings(
    path: Path,
    file: str,
    *,
    n_dimensions: int | None = None,
    known_names: Collection[str] | None = None,
) -> CustomEmbeddings:
    r"""Read a file with custom embeddings.

    Args:
        path: Where it, or a copy of it, lies.
        file: Its name in the datasource, for errors.
        n_dimensions: The length that its vectors must have: `model.num_ftrs` of the run. None if
            any will do.
        known_names: The images of the datasource; the file may have no others. None if they are
            not known.

    Raises:
        FileInvalid: If it breaks a rule; the first line that does is named.

    >>> import tempfile
    >>> place = Path(tempfile.mkdtemp()) / "clip.csv"
    >>> _ = place.write_text("filenames,embedding_0,labels\na.jpg,0.5,0\n")
    >>> read_custom_embeddings(place, "clip.csv").vectors.tolist()
    [[0.5]]
    """
    import numpy as np  # noqa: PLC0415  keeps the import of this module light

    names: list[str] = []
    vectors: list[NDArray[np.float32]] = []
    seen: set[str] = set()
    for row, (name, vector, _) in enumerate(
        iterate_custom_embeddings(path, file, n_dimensions=n_dimensions), 1
    ):
        if name in seen:
            raise refuse_repeated_name(file, row, name)
        if known_names is not None and name not in known_names:
            raise refuse_unknown_name(file, row, name)
        seen.add(name)
        names.append(name)
        vectors.append(vector)
    dimension = read_dimension(path, file)
    return CustomEmbeddings(names, np.array(vectors, np.float32).reshape(len(names), dimension))


def read_dimension(path: Path, file: str) -> int:
    """Return how many numbers the vectors of a file have.

    Raises:
        FileInvalid: If its header breaks a rule.
    """
    try:
        dimension = read_embedding_dimension(str(path))
    except (RuntimeError, UnicodeDecodeError, csv.Error) as error:
        raise FileInvalid(file, "", str(error)[:200].rstrip("."), _REMEDY) from None
    if not dimension:
        raise FileInvalid(file, "", "must have columns embedding_0, embedding_1, ...", _REMEDY)
    return dimension


def iterate_custom_embeddings(
    path: Path, file: str, *, n_dimensions: int | None = None
) -> Iterator[tuple[str, NDArray[np.float32], bool]]:
    """Yield name, vector and whether it is masked of each image; one is in memory at a time.

    Args:
        path: Where the file, or a copy of it, lies.
        file: Its name in the datasource, for errors.
        n_dimensions: As in `read_custom_embeddings`.

    Raises:
        FileInvalid: At the first row that breaks a rule.
    """
    import numpy as np  # noqa: PLC0415  keeps the import of this module light

    found = read_dimension(path, file)
    if n_dimensions is not None and found != n_dimensions:
        rule = f"must have vectors of {n_dimensions} numbers, has {found}"
        raise FileInvalid(file, "", rule, f"Set model.num_ftrs of the run to {found}.")
    row = 0
    try:
        for row, one in enumerate(iterate_embeddings(str(path)), 1):
            with np.errstate(over="ignore"):
                vector = np.array(one.values, np.float32)
            if not np.isfinite(vector).all():
                rule = f"must have finite numbers only, {shorten(one.name)} has others"
                raise FileInvalid(file, f"row {row}", rule, _REMEDY)
            if one.is_selected:
                rule = f"selects {shorten(one.name)} beforehand"
                raise FileInvalid(file, f"row {row}", rule, _SELECTED_REMEDY)
            yield one.name, vector, one.is_masked
    except (RuntimeError, ValueError, csv.Error) as error:
        if isinstance(error, FileInvalid):
            raise
        reason = str(error)[:200].rstrip(".")
        raise FileInvalid(file, f"row {row + 1}", reason, _REMEDY) from None


def refuse_repeated_name(file: str, row: int, name: str) -> FileInvalid:
    """Return the error for an image that has a second row."""
    return FileInvalid(file, f"row {row}", f"has {shorten(name)} again", _REMEDY)


def refuse_unknown_name(file: str, row: int, name: str) -> FileInvalid:
    """Return the error for a row without an image."""
    rule = f"names {shorten(name)}, which is not in the datasource"
    return FileInvalid(file, f"row {row}", rule, _REMEDY)


def refuse_missing_row(file: str, name: str, count: int) -> FileInvalid:
    """Return the error for images without a row.

    Args:
        file: With the embeddings.
        name: Of the first image.
        count: How many there are.
    """
    others = f" and for {count - 1} other images" if count > 1 else ""
    return FileInvalid(
        file,
        "",
        f"has no row for {shorten(name)}{others}",
        "Add what is missing, or leave images out with worker_config.relevant_filenames_file.",
    )
