"""The process of tasks: `python -m lightly.server.jobs.run_task`.

A task runs apart from the server, so that its memory is given back, its processor time blocks no
request and a crash of native code ends the attempt only. What to do comes as one line of JSON on
standard input. The task ends its job in the database itself; standard output only tells the server
that it is done, as one line with a number, and then the next order may come.
"""

from __future__ import annotations

import ctypes
import importlib
import json
import logging
import os
import queue
import resource
import signal
import sys
import threading
from collections.abc import Callable
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import orjson

from lightly._kit.clock import SystemClock
from lightly._kit.errors import LightlyError
from lightly._kit.redaction import RedactingFilter
from lightly.server.db.engine import open_database
from lightly.server.errors import Unavailable
from lightly.server.jobs import repository
from lightly.server.jobs.models import JobKind
from lightly.server.jobs.task import ClaimLost, Task
from lightly.server.secrets.keys import load_or_make_keys
from lightly.server.settings import Settings
from lightly.server.storage.opening import open_blob_store

log = logging.getLogger("lightly.server.jobs")

#: Exit codes: the job was ended, or this attempt could not end it.
ENDED, UNAVAILABLE, CRASHED = 0, 75, 1
#: Asks a process to load what tasks need before it is told which one.
PRELOAD_FLAG = "--preload"
#: Where each kind of job is done; loaded by the one process that needs it.
_TASKS = {
    JobKind.EMBEDDING: "lightly.server.embeddings.ingest_task",
    JobKind.EMBEDDINGS2D: "lightly.server.embeddings.projection_task",
    JobKind.SAMPLING: "lightly.server.embeddings.sampling_task",
}
#: What people wait for; the slow projections load what they need themselves.
_PRELOADED = (_TASKS[JobKind.EMBEDDING], _TASKS[JobKind.SAMPLING])
#: The kernel looks for memory here before it looks at the server.
_OOM_SCORE = 500
_PR_SET_PDEATHSIG = 1
#: A process that holds more memory than this is not kept for the next order.
_WORN_OUT_BYTES = 400_000_000
_OUT_OF_MEMORY = "The server ran out of memory. Use fewer samples or a larger machine."


@dataclass(frozen=True)
class TaskOrder:
    """What the server tells the process.

    Attributes:
        settings: The server's settings, paths as text.
        job_id: The job.
        claim_token: What this attempt holds it with.
    """

    settings: dict[str, Any]
    job_id: str
    claim_token: str

    def write(self) -> bytes:
        """Return the order as one line."""
        return orjson.dumps(asdict(self)) + b"\n"

    def read_settings(self) -> Settings:
        """Return the server's settings."""
        return Settings(**{**self.settings, "data_dir": Path(self.settings["data_dir"])})


def make_order(settings: Settings, job_id: str, claim_token: str) -> TaskOrder:
    """Return the order to make one attempt at a job."""
    values = {**asdict(settings), "data_dir": str(settings.data_dir.resolve())}
    return TaskOrder(values, job_id, claim_token)


def main() -> int:
    """Carry out orders until there are no more; return the exit code of the last one."""
    _end_with_parent()
    replies = _claim_output()
    _log_to_parent()
    # Leaving by an exception lets a task remove its half-written files.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(CRASHED))
    if PRELOAD_FLAG in sys.argv:
        for module in _PRELOADED:
            importlib.import_module(module)
    orders: queue.SimpleQueue[bytes] = queue.SimpleQueue()
    threading.Thread(target=_read_orders, args=(orders,), daemon=True).start()
    while True:
        code = _carry_out(TaskOrder(**json.loads(orders.get())))
        if code != ENDED or not _is_fresh():
            return code
        os.write(replies, b"%d\n" % code)


def _carry_out(order: TaskOrder) -> int:
    """Make one attempt at one job; return how it ended."""
    settings = order.read_settings()
    database = open_database(settings.effective_database_url, pool_size=3)
    # Tasks read and write objects and sign no URLs, so there is no address to begin them with.
    blobs = open_blob_store(settings, load_or_make_keys(settings.data_dir), "")
    try:
        with database.read() as connection:
            job = repository.find_job(connection, order.job_id)
        if job is None:
            return ENDED
        task = Task(
            job_id=job.id,
            claim_token=order.claim_token,
            user_id=job.user_id,
            dataset_id=job.dataset_id,
            input=orjson.loads(job.input_json),
            database=database,
            blobs=blobs,
            clock=SystemClock(),
        )
        return _attempt(task, JobKind(job.kind))
    except Unavailable:
        log.warning("job %s: the database does not answer", order.job_id, exc_info=True)
        return UNAVAILABLE
    finally:
        database.close()


def _attempt(task: Task, kind: JobKind) -> int:
    """Do the task; a reason that its owner can read ends the job, anything else the attempt."""
    try:
        run: Callable[[Task], None] = importlib.import_module(_TASKS[kind]).run
        run_or_fail(task, run)
    except ClaimLost:
        log.warning(
            "job %s was cancelled or was taken over by another server; this attempt is dropped",
            task.job_id,
        )
    except Unavailable:
        raise
    except Exception:
        log.exception("job %s: the attempt crashed", task.job_id)
        return CRASHED
    return ENDED


def run_or_fail(task: Task, run: Callable[[Task], None]) -> None:
    """Do a task; what its owner can do something about ends the job.

    Raises:
        ClaimLost: If another attempt has the job by now.
        Unavailable: If the database does not answer.
    """
    try:
        run(task)
    except (ClaimLost, Unavailable):
        raise
    except (LightlyError, MemoryError) as error:
        log.info("job %s failed: %s", task.job_id, type(error).__name__)
        with task.fail(_OUT_OF_MEMORY if isinstance(error, MemoryError) else str(error)):
            pass


def _end_with_parent() -> None:
    """Let the server live longer than this process, and never the other way round.

    The thread that watches standard input needs the interpreter, which native code may hold for
    minutes; the kernel needs nothing.
    """
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
        with suppress(OSError):
            Path("/proc/self/oom_score_adj").write_text(str(_OOM_SCORE))


def _claim_output() -> int:
    """Return where replies go; whatever libraries print goes to the log instead."""
    replies = os.dup(1)
    os.dup2(2, 1)
    return replies


def _read_orders(orders: queue.SimpleQueue[bytes]) -> None:
    """Pass orders on; end the process when the server has gone, which closes the other end."""
    # Unbuffered: a thread that waits inside a buffered reader brings the interpreter's exit down.
    line = bytearray()
    while piece := os.read(0, 64 * 1024):
        line += piece
        if line.endswith(b"\n"):
            orders.put(bytes(line))
            line.clear()
    os._exit(CRASHED)


def _is_fresh() -> bool:
    """Tell whether the process is as good as new for the next order."""
    if os.getpriority(os.PRIO_PROCESS, 0) > 0:
        return False
    try:
        resident_pages = int(Path("/proc/self/statm").read_text().split()[1])
    except OSError:
        return True
    return resident_pages * resource.getpagesize() < _WORN_OUT_BYTES


def _log_to_parent() -> None:
    handler = logging.StreamHandler()
    handler.setFormatter(logging.Formatter("%(asctime)s %(levelname)s %(name)s %(message)s"))
    handler.addFilter(RedactingFilter())
    logging.basicConfig(level=logging.INFO, handlers=[handler], force=True)


if __name__ == "__main__":
    sys.exit(main())
