"""How much memory a process and all that it started hold, at most."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress

import psutil

_INTERVAL_S = 0.1


class MemoryWatch:
    """The most memory that was seen.

    Attributes:
        peak_bytes: Resident memory of the whole tree of processes. Pages that they share count for
            each of them.
    """

    def __init__(self, find_pid: Callable[[], int]) -> None:
        self._find_pid = find_pid
        self._stopped = threading.Event()
        self.peak_bytes = 0

    def look(self) -> None:
        """Measure once."""
        with suppress(psutil.NoSuchProcess):
            process = psutil.Process(self._find_pid())
            family = [process, *process.children(recursive=True)]
            self.peak_bytes = max(self.peak_bytes, sum(_read_resident(one) for one in family))

    def run(self) -> None:
        """Measure again and again until `stop`."""
        while not self._stopped.wait(_INTERVAL_S):
            self.look()

    def stop(self) -> None:
        """End `run`."""
        self._stopped.set()


@contextmanager
def watch_memory(find_pid: Callable[[], int]) -> Iterator[MemoryWatch]:
    """Watch a process while the block runs.

    Args:
        find_pid: Returns its id, which may change from one process to its successor.
    """
    watch = MemoryWatch(find_pid)
    thread = threading.Thread(target=watch.run)
    thread.start()
    try:
        yield watch
    finally:
        watch.stop()
        thread.join()


def _read_resident(process: psutil.Process) -> int:
    try:
        resident: int = process.memory_info().rss
    except psutil.NoSuchProcess:
        return 0
    return resident
