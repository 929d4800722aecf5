"""A server that ends at chosen lines of its own code, as if somebody had pulled the plug there.

Run as `python -m tests.support.fault_server PLACE NUMBER [ARGUMENTS of lightly]`: the process gets
SIGKILL the NUMBER-th time that it reaches PLACE. The product knows nothing of this.
"""

from __future__ import annotations

import itertools
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import requests
import sqlalchemy as sa

from lightly.cli.main import lightly
from lightly.server.db.engine import Database
from tests.support.platforms import START_TIMEOUT_S, ServerProcess

_ROOT = Path(__file__).parents[2]

#: Where a server can be told to end.
PLACES = (
    "file.before_rename",
    "file.after_rename",
    "transaction.before_commit",
    "transaction.after_commit",
)


class CrashingServer(ServerProcess):
    """A server process that ends by itself; every later start is that of a sound one."""

    _doomed: subprocess.Popen[bytes] | None = None

    def start_doomed(self, place: str, number: int) -> None:
        """Start a server that ends the `number`-th time that it reaches a place."""
        command = [sys.executable, "-m", "tests.support.fault_server", place, str(number)]
        command += ["server", "--no-worker", "--port", str(self.port)]
        command += ["--data-dir", str(self.data_dir)]
        environment = {**os.environ, "LIGHTLY_TOKEN": self.token}
        with self.log_path.open("ab") as log:
            self._doomed = subprocess.Popen(
                command, stdout=log, stderr=log, env=environment, cwd=_ROOT
            )
        deadline = time.monotonic() + START_TIMEOUT_S
        while not self._answers():
            if self._doomed.poll() is not None or time.monotonic() > deadline:
                raise RuntimeError(f"the server did not start:\n{self.read_log()[-3000:]}")
            time.sleep(0.05)

    def await_end(self, timeout_s: float) -> int:
        """Wait until it has ended; return its exit code."""
        assert self._doomed is not None
        return self._doomed.wait(timeout_s)

    def _answers(self) -> bool:
        try:
            return requests.get(f"{self.url}/readyz", timeout=5).ok
        except requests.ConnectionError:
            return False


def _make_crash(number: int) -> Callable[[], None]:
    visits = itertools.count(1)

    def crash() -> None:
        if next(visits) == number:
            os.kill(os.getpid(), signal.SIGKILL)
            time.sleep(60)

    return crash


def _arm(place: str, crash: Callable[[], None]) -> None:
    when = place.partition(".")[2]
    if place.startswith("file."):
        _arm_files(crash, is_before=when == "before_rename")
    else:
        _arm_transactions(crash, is_before=when == "before_commit")


def _arm_files(crash: Callable[[], None], *, is_before: bool) -> None:
    """Crash around the renames that make objects visible; other files do not count."""
    replace = os.replace

    def replace_and_crash(source: Any, target: Any, **options: Any) -> None:
        is_object = "blobs" in Path(target).parts
        if is_object and is_before:
            crash()
        replace(source, target, **options)
        if is_object and not is_before:
            crash()

    os.replace = replace_and_crash  # type: ignore[assignment]  # the same call


def _arm_transactions(crash: Callable[[], None], *, is_before: bool) -> None:
    """Crash around the commits of requests that have written samples."""
    write = Database.write

    @contextmanager
    def write_and_crash(self: Database) -> Iterator[sa.Connection]:
        has_samples = False
        with write(self) as connection:
            before = _count_samples(connection)
            yield connection
            has_samples = _count_samples(connection) > before
            if has_samples and is_before:
                crash()
        if has_samples and not is_before:
            crash()

    Database.write = write_and_crash  # type: ignore[method-assign]  # the same interface


def _count_samples(connection: sa.Connection) -> int:
    if not sa.inspect(connection).has_table("samples"):
        return 0
    count: int = connection.execute(sa.text("SELECT count(*) FROM samples")).scalar_one()
    return count


if __name__ == "__main__":
    _arm(sys.argv[1], _make_crash(int(sys.argv[2])))
    lightly(sys.argv[3:])
