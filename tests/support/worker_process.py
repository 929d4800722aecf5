"""`lightly worker` as a real process."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

START_TIMEOUT_S = 60.0


class ComputeWorker:
    """A worker of a server.

    Args:
        server_url: The server.
        token: Whose runs it does.
        folder: Where it keeps its results and its log; a second process on it goes on from there.
        options: More of the command line.
    """

    def __init__(self, server_url: str, token: str, folder: Path, *options: str) -> None:
        self._command = [
            str(Path(sys.executable).parent / "lightly"), "worker", "--server", server_url,
            "--work-dir", str(folder / "work"), "--name", "worker of a test", *options,
        ]  # fmt: skip
        self._environment = {**os.environ, "LIGHTLY_TOKEN": token}
        self.log_path = folder / "worker.log"
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Start the process."""
        with self.log_path.open("ab") as log:
            self._process = subprocess.Popen(
                self._command, stdout=log, stderr=log, env=self._environment
            )

    def finish_runs(self, timeout_s: float = 240) -> None:
        """Do all runs that are waiting, then end."""
        self._command.append("--once")
        self.start()
        assert self._process is not None
        code = self._process.wait(timeout_s)
        self._command.remove("--once")
        assert code == 0, self.read_log()[-4000:]

    def wait_until(self, is_so: Callable[[], bool], timeout_s: float = 120) -> None:
        """Wait until something holds, while the worker works."""
        deadline = time.monotonic() + timeout_s
        while not is_so():
            assert self._process is not None
            assert self._process.poll() is None, self.read_log()[-4000:]
            assert time.monotonic() < deadline, self.read_log()[-4000:]
            time.sleep(0.05)

    def wait(self, timeout_s: float) -> int:
        """Wait until it ends by itself; return its exit code."""
        assert self._process is not None
        return self._process.wait(timeout_s)

    def kill(self) -> None:
        """End it with SIGKILL, as a crash would."""
        self._end(signal.SIGKILL)

    def stop(self) -> int:
        """Ask it to end; return its exit code."""
        return self._end(signal.SIGTERM)

    def read_log(self) -> str:
        """Return everything it has printed."""
        return self.log_path.read_text(errors="replace")

    def _end(self, number: signal.Signals) -> int:
        assert self._process is not None
        if self._process.poll() is None:
            self._process.send_signal(number)
        return self._process.wait(60)
