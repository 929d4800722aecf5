"""The files of a folder of labels."""

from __future__ import annotations

import os
from collections.abc import Collection
from pathlib import Path

from lightly._kit.errors import BadInput
from lightly.data.datasource_files.errors import FileInvalid

#: Largest file with the labels of one image. Those of labelme carry the image itself.
MAX_LABEL_BYTES = 256 * 1024 * 1024


def list_files(folder: Path, extension: str, *, left_out: Collection[str] = ()) -> list[str]:
    """Return the names of the files with an extension below a folder, sorted.

    Args:
        folder: Searched with everything below it.
        extension: With its dot, in lower case.
        left_out: Files of these names, wherever they are.

    Raises:
        BadInput: If there is no such folder.
    """
    if not folder.is_dir():
        raise BadInput(f"There is no folder {folder.name[:80]!r} with labels.")
    names = []
    for root, _, files in os.walk(folder):
        below = Path(root).relative_to(folder)
        names += [
            (below / name).as_posix()
            for name in files
            if name.lower().endswith(extension) and name not in left_out
        ]
    return sorted(names)


def read_label_bytes(path: Path) -> bytes:
    """Return the bytes of a file.

    Raises:
        FileInvalid: If it is too large.
    """
    with path.open("rb") as file:
        content = file.read(MAX_LABEL_BYTES + 1)
    if len(content) > MAX_LABEL_BYTES:
        raise FileInvalid(path.name, "", f"may have at most {MAX_LABEL_BYTES} bytes")
    return content


def read_text(path: Path) -> str:
    """Return the text of a file.

    Raises:
        FileInvalid: If it is too large or no UTF-8.
    """
    try:
        return read_label_bytes(path).decode("utf-8-sig")
    except UnicodeDecodeError:
        raise FileInvalid(path.name, "", "must be text in UTF-8", "Save it as UTF-8.") from None
