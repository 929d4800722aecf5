"""Processes of tasks: started, told what to do, kept for the next task.

Loading what a task needs takes longer than most tasks. So a process that has done one stays for the
next, and when work is likely the first one is started before there is any.
"""

from __future__ import annotations

import os
import selectors
import subprocess
import sys
import threading
import time
from contextlib import suppress

from lightly.server.jobs.run_task import PRELOAD_FLAG

#: How long a process without work is kept after the last sign that some is likely.
IDLE_TTL_S = 120.0
#: Numeric libraries would start a thread per core in every task.
_ONE_THREAD = dict.fromkeys(
    ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "NUMBA_NUM_THREADS"), "1"
)
#: Nothing that a task needs; what is not there cannot leak.
_WITHHELD = ("LIGHTLY_TOKEN",)
_REPLY_BYTES = 64


class TaskProcess:
    """One process, which carries out one order at a time.

    Attributes:
        is_free: Whether it can take an order.
    """

    def __init__(self, *flags: str) -> None:
        self.is_free = True
        kept = {name: value for name, value in os.environ.items() if name not in _WITHHELD}
        self._popen = subprocess.Popen(  # noqa: S603  our own module, with nothing of a caller's
            [sys.executable, "-m", "lightly.server.jobs.run_task", *flags],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            env={**kept, **_ONE_THREAD},
        )

    @property
    def pid(self) -> int:
        """The process's id."""
        return self._popen.pid

    @property
    def has_ended(self) -> bool:
        """Whether the process is gone."""
        return self._popen.poll() is not None

    def order(self, order: bytes) -> None:
        """Tell the process what to do next."""
        self.is_free = False
        # A process that has ended already tells how by its exit code.
        with suppress(BrokenPipeError):
            os.write(self._popen.stdin.fileno(), order)  # type: ignore[union-attr]  # it is a pipe

    def wait(self, timeout_s: float) -> int | None:
        """Return how the order ended; None when that takes longer.

        The number is the task's own word, or the exit code of a process that ended without one.
        """
        output = self._popen.stdout.fileno()  # type: ignore[union-attr]  # it is a pipe
        with selectors.DefaultSelector() as selector:
            selector.register(output, selectors.EVENT_READ)
            if not selector.select(timeout_s):
                return None
        reply = os.read(output, _REPLY_BYTES)
        self.is_free = bool(reply)
        return int(reply) if reply else self._popen.wait()

    def terminate(self) -> None:
        """Ask the process to end."""
        self._popen.terminate()

    def kill(self) -> None:
        """End the process."""
        self._popen.kill()

    def close(self) -> None:
        """End the process if it lives and free what it took."""
        self._popen.kill()
        self._popen.communicate()


class TaskProcesses:
    """Hands out processes and keeps one without work, for a while.

    The kernel ends a process together with the thread that started it, so everything here is called
    from threads that live as long as the server runs jobs.

    Args:
        keeps_one: Whether one is kept at all.
    """

    def __init__(self, *, keeps_one: bool) -> None:
        self._keeps_one = keeps_one
        self._lock = threading.Lock()
        self._idle: TaskProcess | None = None
        self._wanted_until_s = -float("inf")

    def take(self) -> TaskProcess:
        """Return a process without work; `give_back` it afterwards, however it ended."""
        return self._take_idle() or TaskProcess()

    def give_back(self, process: TaskProcess) -> None:
        """Take a process back; it ends unless it is the one that is kept."""
        # Whoever embeds goes on to select: work rarely comes alone.
        self.expect_work()
        with self._lock:
            is_kept = self._keeps_one and self._idle is None and process.is_free
            if is_kept:
                self._idle = process
        if not is_kept:
            process.close()

    def expect_work(self) -> None:
        """Note that an order is likely to come soon."""
        self._wanted_until_s = time.monotonic() + IDLE_TTL_S

    def prepare(self) -> None:
        """Start a process before there is work for it."""
        with self._lock:
            if self._keeps_one and self._idle is None:
                self._idle = TaskProcess(PRELOAD_FLAG)

    def drop_unwanted(self) -> None:
        """End the process without work if there was none for a while."""
        if time.monotonic() > self._wanted_until_s:
            self.drop()

    def drop(self) -> None:
        """End the process without work."""
        process = self._take_idle()
        if process is not None:
            process.close()

    def _take_idle(self) -> TaskProcess | None:
        with self._lock:
            process, self._idle = self._idle, None
        if process is not None and process.has_ended:
            process.close()
            return None
        return process
