"""Run a command of the system within a time limit."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from lightly._kit.errors import LightlyError

_POLL_S = 0.2
# One line of a log is enough to know what went wrong.
_MAX_REASON_CHARS = 160
_ADDRESS = re.compile(r"\S+://\S+")


class CommandFailed(LightlyError):
    """A command failed or took too long."""

    code = "demo_command_failed"


@dataclass(frozen=True)
class Deadline:
    """A point in time; every step asks for what is left until then."""

    at_s: float

    @classmethod
    def after(cls, time_limit_s: float) -> Deadline:
        return cls(at_s=time.monotonic() + time_limit_s)

    def left_s(self) -> float:
        return max(0.0, self.at_s - time.monotonic())


def run_limited(
    command: Sequence[str],
    work_dir: Path,
    deadline: Deadline,
    *,
    on_wait: Callable[[], None] | None = None,
) -> str:
    """Run a command until it ends or the deadline passes.

    Args:
        command: Program and arguments, without a shell.
        work_dir: Where it runs.
        deadline: When it is ended, together with the processes that it started.
        on_wait: Called a few times a second, to show progress.

    Returns:
        What the command printed.

    Raises:
        CommandFailed: If it cannot start, fails or takes too long.
    """
    with tempfile.TemporaryFile("w+", encoding="utf-8", errors="replace") as output:
        try:
            process = subprocess.Popen(
                command,
                cwd=work_dir,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                env={**os.environ, "LC_ALL": "C.UTF-8"},
                start_new_session=True,
            )
        except OSError as err:
            raise CommandFailed(f"{command[0]} cannot be started") from err
        try:
            is_in_time = _wait_until(process, deadline, on_wait)
        finally:
            _end_group(process)
        output.seek(0)
        text = output.read()
    if not is_in_time:
        raise CommandFailed(f"{command[0]} was not done within the time limit")
    if process.returncode:
        raise CommandFailed(f"{command[0]} failed: {find_reason(text)}")
    return text


def _wait_until(
    process: subprocess.Popen[bytes], deadline: Deadline, on_wait: Callable[[], None] | None
) -> bool:
    """Tell whether the process ended before the deadline."""
    while deadline.left_s() > 0:
        try:
            process.wait(timeout=min(_POLL_S, deadline.left_s()))
        except subprocess.TimeoutExpired:
            if on_wait:
                on_wait()
        else:
            return True
    return process.poll() is not None


def _end_group(process: subprocess.Popen[bytes]) -> None:
    """End the process and its children if they still run."""
    if process.poll() is None:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()


def find_reason(text: str) -> str:
    """Return the line of a log that most likely says what went wrong, shortened.

    Addresses are left out: they may hold the password of a proxy.

    >>> find_reason("E: Failed to fetch http://host/x  Could not connect")
    'E: Failed to fetch (address) Could not connect'
    """
    lines = [" ".join(_ADDRESS.sub("(address)", line).split()) for line in text.splitlines()]
    told = [line for line in lines if line]
    errors = [line for line in told if line.startswith("E:")]
    errors += [line for line in told if line.startswith(("Err:", "error"))]
    return (errors or told[-1:] or ["it gave no reason"])[0][:_MAX_REASON_CHARS]
