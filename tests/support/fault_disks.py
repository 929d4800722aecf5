"""Disks that are small enough to be full."""

from __future__ import annotations

import errno
import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

_BLOCK_BYTES = 64 * 1024


class SmallDisk:
    """A file system of a few megabytes.

    Args:
        path: Where it is mounted.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._filler = path / "filler"

    @property
    def free_bytes(self) -> int:
        """How much can still be written."""
        status = os.statvfs(self.path)
        return status.f_bavail * status.f_frsize

    def fill(self, *, leave_bytes: int = 0) -> None:
        """Take all space but some."""
        with self._filler.open("ab", buffering=0) as file:
            while (excess := self.free_bytes - leave_bytes) > 0:
                try:
                    file.write(b"x" * min(excess, _BLOCK_BYTES))
                except OSError as error:
                    if error.errno != errno.ENOSPC:
                        raise
                    return

    def free(self) -> None:
        """Give the space back."""
        self._filler.unlink()


@contextmanager
def mount_small_disk(path: Path, *, size_bytes: int) -> Iterator[SmallDisk]:
    """Yield a new file system at `path`. The test is skipped where mounting is not allowed."""
    path.mkdir(parents=True)
    command = ["mount", "-t", "tmpfs", "-o", f"size={size_bytes}", "tmpfs", str(path)]
    if os.geteuid() != 0 or subprocess.run(command, capture_output=True, check=False).returncode:
        pytest.skip("mounting a small disk needs the rights of an administrator")
    try:
        yield SmallDisk(path)
    finally:
        # Lazily: what is still open on it ends with its process.
        subprocess.run(["umount", "--lazy", str(path)], check=True)
