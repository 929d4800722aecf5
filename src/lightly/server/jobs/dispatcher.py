"""Keeping what the jobs table owes and what the queue holds in step.

The jobs table is the truth: every row that is not final is owed. A pass looks at those rows and at
their workflows and mends what differs: work that was committed but never enqueued, work whose
process is gone, work that waited for another job. It may run on every server at once and at any
time; a second pass right after a first one changes nothing.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Mapping

import orjson

from lightly._kit.clock import Clock
from lightly.server.db.engine import Database
from lightly.server.errors import ApiError
from lightly.server.jobs import repository
from lightly.server.jobs.crash_points import reach
from lightly.server.jobs.engine import Lane, WorkflowEngine, WorkflowState
from lightly.server.jobs.models import JobKind, JobStatus, OwedJob
from lightly.server.jobs.processes import TaskProcesses
from lightly.server.jobs.runner import Runner
from lightly.server.settings import Settings

log = logging.getLogger("lightly.server.jobs")

#: Jobs looked at in one pass, oldest first; the later ones come up as those end.
_OWED_AT_ONCE = 1_000
#: Jobs of each kind of one user that are in the queue at once; others' jobs wait for no more.
_OWED_PER_USER = 8
#: A pass without any news, in seconds; a fraction of the lease, so that none is missed.
_LONGEST_PAUSE_S = 15.0
_SHORTEST_PAUSE_S = 0.5
_SIGNS_PER_LEASE = 4
_AFTER_FAILURE_S = 1.0
_LONGEST_STOP_S = 10.0
_HOUSEKEEPING_S = 3600.0
_MAX_REASON = 300


class Dispatcher:
    """A thread that enqueues owed jobs, shows signs of life and takes over from the dead.

    Nothing is launched until there is a first job: a server that runs none pays nothing.

    Args:
        settings: The server's settings.
        database: The server's database.
        clock: The time.
        engine: The queue.
        runner: Makes the attempts.
        task_processes: Starts their processes.
        executor_id: Names this start of this process.
    """

    def __init__(
        self,
        settings: Settings,
        database: Database,
        clock: Clock,
        engine: WorkflowEngine,
        runner: Runner,
        task_processes: TaskProcesses,
        executor_id: str,
    ) -> None:
        self._database = database
        self._clock = clock
        self._engine = engine
        self._runner = runner
        self._task_processes = task_processes
        self._executor_id = executor_id
        self._lease_ms = 1000 * settings.job_lease_s
        pause_s = min(_LONGEST_PAUSE_S, settings.job_lease_s / _SIGNS_PER_LEASE)
        self._pause_s = max(_SHORTEST_PAUSE_S, pause_s)
        self._wake = threading.Event()
        self._is_expecting = threading.Event()
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name="job-dispatcher", daemon=True)
        self._is_launched = False
        self._is_well = True
        self._last_sign_s = self._last_housekeeping_s = -float("inf")

    def start(self) -> None:
        """Take up what an earlier process left, and go on until `stop`."""
        self._thread.start()

    def notify(self) -> None:
        """Look for owed jobs now."""
        self._wake.set()

    def expect_work(self) -> None:
        """Get ready for jobs that are likely to come soon."""
        self._is_expecting.set()
        self._task_processes.expect_work()
        self._wake.set()

    def stop(self) -> None:
        """Hand back what is under way and close the queue."""
        self._stopping.set()
        # Before the thread ends: the kernel ends processes with the thread that started them.
        self._runner.stop()
        self._wake.set()
        if self._thread.ident is not None:
            # DBOS waits for a database that is away for as long as that takes.
            self._thread.join(_LONGEST_STOP_S)
        self._task_processes.drop()
        if not self._is_launched:
            return
        self._engine.destroy()
        try:
            with self._database.write() as connection:
                repository.remove_executor(connection, self._executor_id)
        except ApiError:
            log.warning("the database does not answer; handed-back jobs wait for the lease's end")

    def _run(self) -> None:
        if self._database.is_sqlite:
            # A file has one server. Whoever showed signs of life in it was a process before this.
            self._tend(self._forget_predecessors)
        while not self._stopping.is_set():
            self._wake.clear()
            is_well = self._tend(self._pass) and self._tend(self._task_processes.drop_unwanted)
            self._wake.wait(self._pause_s if is_well else _AFTER_FAILURE_S)

    def _tend(self, action: Callable[[], None]) -> bool:
        """Do something that may fail for now; it is tried again in a moment."""
        try:
            action()
        except Exception as error:  # noqa: BLE001  the thread outlives a database that is away
            # Once per outage: a database that is away for an hour must not fill the log.
            if self._is_well:
                reason = f"{type(error).__name__}: {error}"[:_MAX_REASON]
                log.warning("background jobs cannot be looked after (%s); trying again", reason)
            self._is_well = False
            return False
        if not self._is_well:
            log.info("background jobs are looked after again")
        self._is_well = True
        return True

    def _forget_predecessors(self) -> None:
        with self._database.write() as connection:
            repository.remove_all_executors(connection)

    def _pass(self) -> None:
        with self._database.read() as connection:
            owed = repository.list_owed(connection, _OWED_AT_ONCE, _OWED_PER_USER)
        if (owed or self._is_expecting.is_set()) and not self._is_launched:
            # First the sign of life, so that no other server takes the first jobs for abandoned.
            self._show_life()
            self._engine.launch()
            self._is_launched = True
        if self._is_expecting.is_set():
            self._is_expecting.clear()
            self._task_processes.prepare()
        if self._is_launched:
            self._show_life()
            self._mend(owed)
            self._keep_house()

    def _show_life(self) -> None:
        now_s = time.monotonic()
        if now_s - self._last_sign_s < self._pause_s / 2:
            return
        with self._database.write() as connection:
            was_alive = repository.extend_executor(connection, self._executor_id, self._lease_ms)
        if not was_alive and self._last_sign_s > 0:
            log.warning("this server was taken for dead; its jobs were given to others")
            self._runner.interrupt()
        self._last_sign_s = now_s

    def _mend(self, owed: list[OwedJob]) -> None:
        free = [job for job in owed if self._is_free(job)]
        if not free:
            return
        states = self._engine.read_states(job.id for job in free)
        living: set[str] = set()
        if any(state.is_begun for state in states.values()):
            with self._database.write() as connection:
                living = repository.list_living_executors(connection)
        for job in free:
            self._mend_job(job, states, living)

    def _is_free(self, job: OwedJob) -> bool:
        """Tell whether a job waits for no other; one that waits for a failed job fails too."""
        if job.awaited_status in {None, JobStatus.FINISHED}:
            return True
        if job.awaited_status == JobStatus.FAILED:
            reason = job.awaited_error or "The job that this one waited for failed."
            with self._database.write() as connection:
                repository.fail_job(connection, job.id, reason, self._clock.now_ms())
        return False

    def _mend_job(
        self, job: OwedJob, states: Mapping[str, WorkflowState], living: set[str]
    ) -> None:
        lane, state = choose_lane(job), states.get(job.id)
        if state is None:
            reach("dispatcher.before_enqueue")
            self._engine.enqueue(job.id, lane)
        elif state.is_begun:
            if state.executor_id not in living:
                log.warning("job %s was left by a server that is gone; taking it over", job.id)
                self._engine.requeue(job.id, lane)
        elif not state.is_queued:
            # The workflow ended without ending the job, for example after a restored backup.
            self._engine.forget([job.id])
            self._engine.enqueue(job.id, lane)

    def _keep_house(self) -> None:
        now_s = time.monotonic()
        if now_s - self._last_housekeeping_s > _HOUSEKEEPING_S:
            self._engine.forget_old()
            self._last_housekeeping_s = now_s


def choose_lane(job: OwedJob) -> Lane:
    """Return the queue of a job: nobody waits for the slow projections."""
    if job.kind == JobKind.EMBEDDINGS2D and orjson.loads(job.input_json)["method"] != "PCA":
        return Lane.PATIENT
    return Lane.PROMPT
