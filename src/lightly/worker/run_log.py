"""The log of a run: a file that becomes an artifact, and entries that users see as they come."""

from __future__ import annotations

import logging
import threading
import time
from collections import deque
from pathlib import Path
from typing import Any

import psutil

from lightly._kit.redaction import RedactingFilter

#: Entries that wait for the server. More than this arrive only while it is away; the oldest go.
_MAX_WAITING = 5_000
_MAX_BATCH = 1_000
_LEVELS = {
    logging.DEBUG: "DEBUG",
    logging.INFO: "INFO",
    logging.WARNING: "WARNING",
    logging.ERROR: "ERROR",
    logging.CRITICAL: "CRITICAL",
}
_GROUP = "worker"


class RunLog(logging.Handler):
    """Collects what is logged while a run is worked on.

    Args:
        path: The log file; a later attempt appends to it.
    """

    def __init__(self, path: Path) -> None:
        super().__init__(logging.INFO)
        self.state = "STARTED"
        self._waiting: deque[dict[str, Any]] = deque(maxlen=_MAX_WAITING)
        self._file = logging.FileHandler(path, encoding="utf-8")
        self._file.setFormatter(logging.Formatter("%(asctime)s %(levelname)s %(message)s"))
        # No signed URL and no token may get into either.
        self.addFilter(RedactingFilter())
        self._lock_waiting = threading.Lock()

    def emit(self, record: logging.LogRecord) -> None:
        """Keep one record."""
        self._file.emit(record)
        entry = {
            "ts": int(record.created * 1000),
            "level": _LEVELS.get(record.levelno, "INFO"),
            "group": _GROUP,
            "origin": record.name[:255],
            "msg": record.getMessage(),
            "state": self.state,
            "load": {"cpu": psutil.cpu_percent(), "mem": psutil.virtual_memory().percent},
        }
        with self._lock_waiting:
            self._waiting.append(entry)

    def take_waiting(self) -> list[dict[str, Any]]:
        """Return entries that the server has not got yet."""
        with self._lock_waiting:
            count = min(_MAX_BATCH, len(self._waiting))
            return [self._waiting.popleft() for _ in range(count)]

    def put_back(self, entries: list[dict[str, Any]]) -> None:
        """Keep entries that could not be sent."""
        with self._lock_waiting:
            self._waiting.extendleft(reversed(entries))

    def close(self) -> None:
        """Close the file."""
        self._file.close()
        super().close()


class MemoryLog:
    """A table of the memory that the worker takes, over time.

    Args:
        path: The file; a later attempt appends to it.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._process = psutil.Process()
        if not path.exists():
            path.write_text("seconds_since_1970,resident_bytes,machine_percent\n")

    def note(self) -> None:
        """Append a row for this moment: this process and its children."""
        resident = 0
        for process in [self._process, *self._process.children(recursive=True)]:
            try:
                resident += process.memory_info().rss
            except psutil.Error:
                continue
        with self._path.open("a") as file:
            file.write(f"{time.time():.0f},{resident},{psutil.virtual_memory().percent}\n")
