"""Custom embeddings in a datasource: a CSV that has a vector for each image."""

from __future__ import annotations

import csv
from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from lightly.data.datasource_files.errors import FileInvalid, shorten
from lightly.utils.io import load_embeddings

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

_REMEDY = "Each image has one line: filenames,embedding_0,embedding_1,...,labels."


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

    try:
        vectors, _, names = load_embeddings(str(path))
    except (RuntimeError, ValueError, csv.Error) as error:
        raise FileInvalid(file, "", str(error)[:200].rstrip("."), _REMEDY) from None
    found = vectors.shape[1]
    if n_dimensions is not None and found != n_dimensions and len(names):
        rule = f"must have vectors of {n_dimensions} numbers, has {found}"
        raise FileInvalid(file, "", rule, f"Set model.num_ftrs of the run to {found}.")
    is_bad = ~np.isfinite(vectors).all(axis=1)
    if is_bad.any():
        row = int(is_bad.argmax())
        rule = f"must have finite numbers only, {shorten(names[row])} has others"
        raise FileInvalid(file, f"row {row + 1}", rule, _REMEDY)
    seen: set[str] = set()
    for row, name in enumerate(names, 1):
        if name in seen:
            raise FileInvalid(file, f"row {row}", f"has {shorten(name)} again", _REMEDY)
        if known_names is not None and name not in known_names:
            rule = f"names {shorten(name)}, which is not in the datasource"
            raise FileInvalid(file, f"row {row}", rule, _REMEDY)
        seen.add(name)
    return CustomEmbeddings(names, vectors)
