"""Attempts at jobs, each in a process apart from the server."""

from __future__ import annotations

import logging
import signal
import threading
import time
from collections.abc import Callable
from typing import TypeVar

from lightly._kit.clock import Clock
from lightly._kit.ids import make_id
from lightly.server.db.engine import Database
from lightly.server.errors import Unavailable
from lightly.server.jobs import repository
from lightly.server.jobs.models import Job
from lightly.server.jobs.processes import TaskProcess, TaskProcesses
from lightly.server.jobs.run_task import ENDED, UNAVAILABLE, make_order
from lightly.server.settings import Settings

log = logging.getLogger("lightly.server.jobs")

ResultT = TypeVar("ResultT")

#: A job whose attempts end without a result is given up after so many.
MAX_ATTEMPTS = 3
#: The longest honest task, t-SNE of 100,000 samples on a busy core, takes less than an hour.
ATTEMPT_TIMEOUT_S = 6 * 3600.0
#: How long a task may clean up after it was asked to stop.
_GRACE_S = 2.0
_DATABASE_RETRY_S = 1.0


class HandedBack(BaseException):
    """The server stops. Not an `Exception`: the queue must not take it for the job's outcome."""


class Runner:
    """Makes attempts; used by several threads at once.

    Args:
        settings: The server's settings.
        database: The server's database.
        clock: The time.
        task_processes: Starts the processes.
        on_end: Called after each attempt, since other jobs may have waited for it.
    """

    def __init__(
        self,
        settings: Settings,
        database: Database,
        clock: Clock,
        task_processes: TaskProcesses,
        on_end: Callable[[], None],
    ) -> None:
        self._settings = settings
        self._database = database
        self._clock = clock
        self._task_processes = task_processes
        self._on_end = on_end
        self._stopping = threading.Event()
        self._idle = threading.Condition()
        self._n_active = 0
        self._running: set[TaskProcess] = set()

    def attempt(self, job_id: str) -> bool:
        """Make one attempt at a job; tell whether another one has to follow.

        Raises:
            HandedBack: If the server stops; the job waits for the next one then.
        """
        with self._idle:
            self._n_active += 1
        try:
            return self._attempt(job_id)
        finally:
            with self._idle:
                self._n_active -= 1
                self._idle.notify_all()
            self._on_end()

    def stop(self) -> None:
        """End all attempts and hand their jobs back."""
        self._stopping.set()
        self.interrupt()
        with self._idle:
            self._idle.wait_for(lambda: self._n_active == 0, timeout=4 * _GRACE_S)

    def interrupt(self) -> None:
        """End the processes of all attempts."""
        for process in list(self._running):
            process.terminate()

    def _attempt(self, job_id: str) -> bool:
        claim_token = make_id()
        job = self._persist(lambda: self._claim(job_id, claim_token))
        if job is None:
            return False
        if job.attempts > MAX_ATTEMPTS:
            self._fail(
                job, claim_token, f"The server ended during each of {MAX_ATTEMPTS} attempts."
            )
            return False
        problem = self._run_task(job, claim_token)
        if problem is None:
            return False
        if self._stopping.is_set():
            self._release(job_id, claim_token)
            raise HandedBack
        log.warning("job %s, attempt %d: %s", job_id, job.attempts, problem)
        if job.attempts < MAX_ATTEMPTS:
            return True
        reason = f"{problem} This happened in each of {MAX_ATTEMPTS} attempts."
        self._fail(job, claim_token, reason)
        return False

    def _run_task(self, job: Job, claim_token: str) -> str | None:
        """Run the task; return None when it ended the job, else what happened to it."""
        process = self._task_processes.take()
        self._running.add(process)
        try:
            process.order(make_order(self._settings, job.id, claim_token).write())
            return self._follow(process)
        finally:
            self._running.discard(process)
            self._task_processes.give_back(process)

    def _follow(self, process: TaskProcess) -> str | None:
        if self._stopping.is_set():
            process.terminate()
        deadline = time.monotonic() + ATTEMPT_TIMEOUT_S
        while (code := process.wait(_GRACE_S)) is None:
            if self._stopping.is_set():
                process.kill()
            elif time.monotonic() > deadline:
                process.kill()
                return f"The task took longer than {ATTEMPT_TIMEOUT_S / 3600:.0f} hours."
        return _explain_code(code)

    def _claim(self, job_id: str, claim_token: str) -> Job | None:
        with self._database.write() as connection:
            return repository.claim_job(connection, job_id, claim_token, self._clock.now_ms())

    def _fail(self, job: Job, claim_token: str, reason: str) -> None:
        def fail() -> None:
            with self._database.write() as connection:
                now_ms = self._clock.now_ms()
                repository.fail_job(connection, job.id, reason, now_ms, claim_token=claim_token)

        self._persist(fail)

    def _release(self, job_id: str, claim_token: str) -> None:
        try:
            with self._database.write() as connection:
                repository.release_job(connection, job_id, claim_token, self._clock.now_ms())
        except Unavailable:
            log.warning("job %s could not be handed back; it is taken up all the same", job_id)

    def _persist(self, action: Callable[[], ResultT]) -> ResultT:
        """Repeat a short transaction until the database answers."""
        is_first = True
        while True:
            try:
                return action()
            except Unavailable:
                if is_first:
                    log.warning("the database does not answer; trying again", exc_info=True)
                is_first = False
            if self._stopping.wait(_DATABASE_RETRY_S):
                raise HandedBack


def _explain_code(code: int) -> str | None:
    """Return what a task's code means; None for a task that ended its job."""
    if code == ENDED:
        return None
    if code == UNAVAILABLE:
        return "The task could not reach the database."
    if code == -signal.SIGKILL:
        return "The task was killed, most likely because the machine ran out of memory."
    if code < 0:
        return f"The task crashed with {signal.Signals(-code).name}."
    return "The task ended with an internal error; the server's log has the details."
