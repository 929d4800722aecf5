"""What stands for the bytes of a file without reading them."""

from __future__ import annotations

import os
import time

#: Clocks of file systems are coarse (two seconds at worst) and may be ahead of or behind ours. A
#: file that was changed this recently may be changed again without its times showing it.
SETTLED_S = 10.0


def make_file_version(status: os.stat_result, *, now_s: float | None = None) -> str | None:
    """Return a text that changes whenever the bytes of a file may have; None if nothing does yet.

    The time of change is part of it: unlike the time of writing, no program can set it back.

    Args:
        status: Of the file, from a look at it just now.
        now_s: Seconds since 1970; now if None.

    >>> import tempfile
    >>> with tempfile.NamedTemporaryFile() as file:
    ...     status = os.stat(file.fileno())
    >>> make_file_version(status) is None, make_file_version(status, now_s=2e9) is None
    (True, False)
    """
    moment_s = time.time() if now_s is None else now_s
    if max(status.st_mtime, status.st_ctime) > moment_s - SETTLED_S:
        return None
    parts = (
        status.st_dev, status.st_ino, status.st_size, status.st_mtime_ns, status.st_ctime_ns,
    )  # fmt: skip
    return "-".join(f"{part:x}" for part in parts)
