"""One decoding child as its parent sees it, and the watchdog that ends it when it is overdue."""

from __future__ import annotations

import json
import math
import os
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import IO, BinaryIO, cast

import lightly
from lightly.media import limits
from lightly.media.errors import SandboxFailed
from lightly.media.sandbox_protocol import Message, ProtocolError, read_message, write_message

# By default glibc gives every buffer of some megabytes back to the system and pays for fresh pages
# at the next image: a third of the CPU time at 1280x960. Buffers above this are still given back.
_KEPT_BUFFER_BYTES = 64 * 1024 * 1024
_CHILD_ENVIRONMENT = {
    "MALLOC_MMAP_THRESHOLD_": str(_KEPT_BUFFER_BYTES),
    "MALLOC_TRIM_THRESHOLD_": str(_KEPT_BUFFER_BYTES),
    # Parallelism is the number of processes; threads inside would only fight for the cores.
    "OPENCV_FOR_THREADS_NUM": "1",
    "OMP_NUM_THREADS": "1",
    "OPENBLAS_NUM_THREADS": "1",
}
_PASSED_VARIABLES = (
    "PATH", "HOME", "LANG", "LC_", "LD_", "DYLD_", "PYTHON", "COVERAGE_", "TMPDIR", "SYSTEMROOT",
)  # fmt: skip
# The pixels of a model's input fit, so a child hands them over at once and takes the next image.
_PIPE_BYTES = 512 * 1024
_END_WAIT_S = 1.0
_MAX_START_ERROR_CHARS = 2_000


@dataclass(frozen=True, slots=True)
class ChildSettings:
    """What one item may cost; the reasons are in `lightly.media.limits`."""

    deadline_s: float = limits.ITEM_DEADLINE_S
    cpu_s: int = limits.ITEM_CPU_S
    memory_bytes: int = limits.MEMORY_BYTES


class ChildLost(Exception):
    """The child is gone.

    Attributes:
        reason: What to say about the item that it worked on.
        is_from_outside: Whether somebody else ended it, so that the item may be innocent.
    """

    def __init__(self, reason: str, *, is_from_outside: bool = False) -> None:
        super().__init__(reason)
        self.reason = reason
        self.is_from_outside = is_from_outside


class Watchdog:
    """One thread that runs an action when a block takes too long."""

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._deadlines: dict[object, tuple[float, Callable[[], None]]] = {}
        self._is_stopped = False
        self._wakes_at = math.inf
        self._thread = threading.Thread(target=self._watch, name="decode-watchdog", daemon=True)
        self._thread.start()

    @contextmanager
    def limit(self, seconds: float, on_overdue: Callable[[], None]) -> Iterator[None]:
        """Call `on_overdue` from the watchdog's thread if the block lasts longer than that."""
        token = object()
        deadline = time.monotonic() + seconds
        with self._changed:
            self._deadlines[token] = (deadline, on_overdue)
            if deadline < self._wakes_at:
                self._changed.notify()
        try:
            yield
        finally:
            with self._changed:
                self._deadlines.pop(token, None)

    def stop(self) -> None:
        """End the thread."""
        with self._changed:
            self._is_stopped = True
            self._changed.notify()
        self._thread.join()

    def _watch(self) -> None:
        with self._changed:
            while not self._is_stopped:
                now = time.monotonic()
                for token, (deadline, on_overdue) in list(self._deadlines.items()):
                    if deadline <= now:
                        del self._deadlines[token]
                        on_overdue()
                deadlines = (deadline for deadline, _ in self._deadlines.values())
                self._wakes_at = min(deadlines, default=math.inf)
                is_idle = self._wakes_at == math.inf
                self._changed.wait(None if is_idle else max(0.0, self._wakes_at - now))


class DecodeProcess:
    """A running child.

    Args:
        command: Program and arguments; the settings are appended as JSON.
        settings: What one item may cost.
        watchdog: Ends this child when an answer is overdue.

    Raises:
        SandboxFailed: If it does not come up. That is never the fault of an image.
    """

    def __init__(self, command: Sequence[str], settings: ChildSettings, watchdog: Watchdog) -> None:
        self._settings = settings
        self._watchdog = watchdog
        self._is_overdue = False
        with tempfile.TemporaryFile() as start_errors:
            self._process = _start(command, settings, start_errors)
            self._await_ready(start_errors)

    def ask(self, request: Message) -> Iterator[Message]:
        """Send a request and yield the answers as they come.

        Raises:
            ChildLost: If the child does not live to the end of it.
        """
        try:
            with self._watchdog.limit(self._settings.deadline_s, self._end_overdue):
                write_message(self._requests, request)
            patience_s = self._settings.deadline_s
            while (answer := self._receive(patience_s)).header.get("kind") != "done":
                if answer.header.get("kind") == "out_of_memory":
                    self.kill()
                    raise ChildLost(self._describe_memory())
                patience_s = self._read_patience(answer)
                if answer.header.get("kind") != "alive":
                    yield answer
        except (ProtocolError, OSError, ValueError) as error:
            raise self._explain_end() from error

    def kill(self) -> None:
        """End the process at once and collect it. Safe to call twice and from any thread."""
        with suppress(ProcessLookupError):
            self._process.kill()

    def close(self) -> None:
        """End the process and close its pipes."""
        self.kill()
        self._process.wait()
        for stream in (self._requests, self._replies):
            with suppress(OSError):
                stream.close()

    @property
    def _requests(self) -> BinaryIO:
        return cast("BinaryIO", self._process.stdin)

    @property
    def _replies(self) -> BinaryIO:
        return cast("BinaryIO", self._process.stdout)

    def _receive(self, patience_s: float) -> Message:
        with self._watchdog.limit(patience_s, self._end_overdue):
            answer = read_message(self._replies)
        if answer is None:
            raise ProtocolError("The child closed the pipe.")
        return answer

    def _read_patience(self, answer: Message) -> float:
        """Return how long the next answer may take; a child can ask for more, up to a limit."""
        wanted = float(answer.header.get("deadline_s", self._settings.deadline_s))
        return min(wanted, max(limits.LONGEST_STEP_S, self._settings.deadline_s))

    def _await_ready(self, start_errors: IO[bytes]) -> None:
        try:
            with self._watchdog.limit(limits.CHILD_START_S, self._end_overdue):
                is_ready = read_message(self._replies) is not None
        except ProtocolError:
            is_ready = False
        if is_ready:
            return
        self.close()
        start_errors.seek(0)
        text = start_errors.read().decode(errors="replace")[-_MAX_START_ERROR_CHARS:]
        raise SandboxFailed(f"A decoding process did not start: {text or 'it said nothing'}")

    def _end_overdue(self) -> None:
        self._is_overdue = True
        self.kill()

    def _explain_end(self) -> ChildLost:
        """Find out why the child is gone, or make sure that it is."""
        with suppress(subprocess.TimeoutExpired):
            self._process.wait(timeout=_END_WAIT_S)
        if self._process.returncode is None:
            self.close()
            return ChildLost("Decoding ended with an answer that makes no sense.")
        self.close()
        if self._is_overdue:
            return ChildLost(f"Decoding took longer than {self._settings.deadline_s:g} s.")
        return self._explain_code(self._process.returncode)

    def _explain_code(self, code: int) -> ChildLost:
        if code == -signal.SIGXCPU:
            return ChildLost(f"Decoding used more than {self._settings.cpu_s} s of CPU time.")
        if code == -signal.SIGKILL:
            reason = "Decoding was killed, possibly because the machine ran out of memory."
            return ChildLost(reason, is_from_outside=True)
        if code < 0:
            return ChildLost(f"Decoding crashed ({signal.Signals(-code).name}).")
        return ChildLost(f"Decoding ended unexpectedly (exit code {code}).")

    def _describe_memory(self) -> str:
        return f"Decoding needed more than {self._settings.memory_bytes // 2**20} MiB of memory."


def default_command() -> list[str]:
    """Return how the shipped child is started: a module, so that no user script runs again."""
    # Safe path: nothing in the working directory may stand in for a library.
    return [sys.executable, "-P", "-m", "lightly.media.sandbox_child"]


def _start(
    command: Sequence[str], settings: ChildSettings, errors: IO[bytes]
) -> subprocess.Popen[bytes]:
    # The child finds this package even where it was put on the path by hand.
    root = str(Path(lightly.__file__).parents[1])
    search_path = os.pathsep.join(filter(None, (root, os.environ.get("PYTHONPATH"))))
    # Tokens and keys of stores live in variables too; nothing that decodes needs to know them.
    passed = {key: os.environ[key] for key in os.environ if key.startswith(_PASSED_VARIABLES)}
    environment = {**passed, **_CHILD_ENVIRONMENT, "PYTHONPATH": search_path}
    try:
        process = subprocess.Popen(  # noqa: S603  the command is ours
            [*command, json.dumps(asdict(settings))],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=errors,
            env=environment,
        )
    except OSError as error:
        raise SandboxFailed(f"A decoding process cannot be started: {error}") from error
    _widen_pipe(cast("BinaryIO", process.stdout))
    return process


def _widen_pipe(pipe: BinaryIO) -> None:
    """Ask for a larger buffer, where the system has that and this user may."""
    with suppress(ImportError, AttributeError, OSError):
        import fcntl  # noqa: PLC0415  POSIX only

        fcntl.fcntl(pipe, fcntl.F_SETPIPE_SZ, _PIPE_BYTES)
