"""What runs leave in the work folder that nobody will take up again."""

from __future__ import annotations

import logging
import shutil
import time
from pathlib import Path

log = logging.getLogger("lightly.worker")

#: A run that another worker has taken over, or that the server has ended while this worker was
#: away. Runs that are worked on write into their folder every minute.
MAX_AGE_S = 3 * 24 * 3600


def remove_leftovers(runs_folder: Path, *, now_s: float | None = None) -> list[str]:
    """Remove the folders of runs that nothing was written into for days; return their names.

    Args:
        runs_folder: With one folder for each run.
        now_s: Seconds since 1970; now if None.
    """
    oldest_s = (time.time() if now_s is None else now_s) - MAX_AGE_S
    removed = []
    for folder in sorted(runs_folder.glob("*")):
        if _find_last_write_s(folder) < oldest_s:
            shutil.rmtree(folder, ignore_errors=True)
            removed.append(folder.name)
    if removed:
        log.info("Removed what %d earlier runs have left.", len(removed))
    return removed


def _find_last_write_s(folder: Path) -> float:
    try:
        return max(path.stat().st_mtime for path in (folder, *folder.iterdir()))
    except OSError:
        # Another worker on this folder was quicker.
        return float("inf")
