"""Files that readers see whole or not at all."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import BinaryIO

#: Temporary files carry this prefix, so that a sweep can recognise what a killed process left.
TEMPORARY_PREFIX = ".part-"


@contextmanager
def open_atomic(path: Path, *, mode: int = 0o644) -> Iterator[BinaryIO]:
    """Yield a file that becomes `path` when the block ends without an error.

    The bytes are flushed to disk before the rename and the rename is flushed after it, as are new
    folders, so what a caller acknowledges afterwards survives a power loss. An error leaves no
    temporary file, and an older file under this name as it was.

    Args:
        path: The final place. Its folder is made when it is missing.
        mode: Permission bits of the file.
    """
    _make_folder(path.parent)
    descriptor, temporary = tempfile.mkstemp(prefix=TEMPORARY_PREFIX, dir=path.parent)
    try:
        with os.fdopen(descriptor, "wb") as file:
            os.fchmod(file.fileno(), mode)
            yield file
            file.flush()
            os.fsync(file.fileno())
        Path(temporary).replace(path)
        _sync_folder(path.parent)
    except BaseException:
        with suppress(FileNotFoundError):
            Path(temporary).unlink()
        raise


def write_atomic(path: Path, content: bytes, *, mode: int = 0o644) -> None:
    """Write `content` to `path`, whole or not at all."""
    with open_atomic(path, mode=mode) as file:
        file.write(content)


def remove_temporary_files(folder: Path, *, written_before_s: float) -> int:
    """Remove what killed writers left below `folder`; return how many files that was.

    Args:
        folder: Searched with everything below it.
        written_before_s: Seconds since the epoch. Later files may belong to a living writer.
    """
    count = 0
    for leftover in folder.rglob(f"{TEMPORARY_PREFIX}*"):
        with suppress(FileNotFoundError):
            if leftover.is_file() and leftover.stat().st_mtime < written_before_s:
                leftover.unlink()
                count += 1
    return count


def _make_folder(folder: Path) -> None:
    if folder.is_dir():
        return
    _make_folder(folder.parent)
    folder.mkdir(exist_ok=True)
    # A file survives a power loss only if the entries of all folders above it do.
    _sync_folder(folder.parent)


def _sync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
