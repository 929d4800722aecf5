"""The durable queue: DBOS workflows, one per job, in a system database of their own.

DBOS keeps the queue, hands each workflow to one process at a time and runs it again after a crash.
What it lacks without its paid service is noticing that a process is gone for good; `dispatcher`
does that. DBOS is one per process, so at most one `WorkflowEngine` can be launched at a time.
"""

from __future__ import annotations

import enum
import logging
import threading
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from dbos import DBOS, DBOSPortableJSONSerializer, SetWorkflowID

if TYPE_CHECKING:
    from dbos import DBOSConfig

#: Begins one attempt at a job; True asks for another one.
Attempt = Callable[[str], bool]

#: Changes when workflows that an older release began can no longer go on under this one.
WORKFLOW_VERSION = "1"
#: Waits before the second and later attempts, in seconds.
RETRY_WAITS_S = (1.0, 5.0)
#: Workflows that ended stay for an operator to look at, this long and at most so many at a time.
_KEPT_S = 24 * 3600
_FORGOTTEN_AT_ONCE = 1_000
_REPEATED_AFTER_S = 60.0


class Lane(enum.Enum):
    """A queue: name, how many jobs of it one process runs at once, how often it is looked at.

    Somebody waits for the jobs of the first lane: 0.2 s is 0.7 % of a core when idle. Nobody waits
    for the second, whose jobs keep a core busy for minutes.
    """

    PROMPT = ("lightly-prompt", 3, 0.2)
    PATIENT = ("lightly-patient", 1, 2.0)

    @property
    def queue_name(self) -> str:
        """Name of the queue."""
        return self.value[0]


@dataclass(frozen=True)
class WorkflowState:
    """Where a workflow is.

    Attributes:
        status: DBOS's word: ENQUEUED, DELAYED, PENDING (begun), or one of the final ones.
        executor_id: The process that began it last.
    """

    status: str
    executor_id: str | None

    @property
    def is_queued(self) -> bool:
        """Whether some process will take it up."""
        return self.status in {"ENQUEUED", "DELAYED"}

    @property
    def is_begun(self) -> bool:
        """Whether a process has taken it up; whether that one is alive is another question."""
        return self.status == "PENDING"


class WorkflowEngine:
    """DBOS, launched for one database and one executor id.

    Args:
        system_database_url: `sqlite:///...` or `postgresql://...`; DBOS makes its own tables.
        executor_id: Names this start of this process.
        attempt: Called in a thread of its own for each attempt.
    """

    _launched: WorkflowEngine | None = None
    _guard = threading.Lock()

    def __init__(self, system_database_url: str, executor_id: str, attempt: Attempt) -> None:
        self._url = system_database_url
        self._executor_id = executor_id
        self.attempt = attempt

    @classmethod
    def current(cls) -> WorkflowEngine:
        """Return the launched engine: workflows are functions and have to find it."""
        if cls._launched is None:
            raise RuntimeError("No workflow engine is launched.")
        return cls._launched

    def launch(self) -> None:
        """Make or update DBOS's tables and begin to take up jobs.

        Raises:
            RuntimeError: If another server of this process runs jobs.
        """
        with WorkflowEngine._guard:
            if WorkflowEngine._launched is not None:
                raise RuntimeError("Another server in this process runs jobs already.")
            WorkflowEngine._launched = self
        try:
            _quiet_logger()
            DBOS(config=self._configure())
            DBOS.launch()
            for lane in Lane:
                name, jobs_at_once, interval_s = lane.value
                DBOS.register_queue(
                    name, worker_concurrency=jobs_at_once, polling_interval_sec=interval_s
                )
        except BaseException:
            self.destroy()
            raise

    def destroy(self) -> None:
        """Stop taking up jobs and close DBOS's connections."""
        DBOS.destroy()
        with WorkflowEngine._guard:
            if WorkflowEngine._launched is self:
                WorkflowEngine._launched = None

    def enqueue(self, job_id: str, lane: Lane) -> None:
        """Put a job into its queue; one that is there already stays as it is."""
        with SetWorkflowID(job_id):
            DBOS.enqueue_workflow(lane.queue_name, _run_job, job_id)

    def requeue(self, job_id: str, lane: Lane) -> None:
        """Give a job whose process is gone to the processes that live."""
        DBOS.resume_workflow(job_id, queue_name=lane.queue_name)

    def forget(self, job_ids: Iterable[str]) -> None:
        """Remove workflows, so that their jobs can be enqueued as if for the first time."""
        DBOS.delete_workflows(list(job_ids))

    def read_states(self, job_ids: Iterable[str]) -> dict[str, WorkflowState]:
        """Return where the workflows of these jobs are; those that have none are left out."""
        found = DBOS.list_workflows(workflow_ids=list(job_ids), load_input=False, load_output=False)
        return {w.workflow_id: WorkflowState(w.status, w.executor_id) for w in found}

    def forget_old(self) -> None:
        """Remove workflows that ended long ago; what clients see is in the jobs table."""
        before = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(time.time() - _KEPT_S))
        ended = DBOS.list_workflows(
            status=["SUCCESS", "ERROR", "CANCELLED"],
            completed_before=before,
            limit=_FORGOTTEN_AT_ONCE,
            load_input=False,
            load_output=False,
        )
        if ended:
            self.forget(workflow.workflow_id for workflow in ended)

    def _configure(self) -> DBOSConfig:
        return {
            "name": "lightly",
            "system_database_url": self._url,
            "executor_id": self._executor_id,
            "application_version": WORKFLOW_VERSION,
            # The default is pickle, which must not cross any boundary.
            "serializer": DBOSPortableJSONSerializer(),
            "sys_db_pool_size": 5,
            # Nothing here waits for events, and one listening connection less is open.
            "use_listen_notify": False,
            "log_level": "WARNING",
        }


class _Sparing(logging.Filter):
    """Passes each message once a minute: DBOS repeats some with every look at a queue."""

    def __init__(self) -> None:
        super().__init__()
        self._last_s: dict[tuple[str, int], float] = {}

    def filter(self, record: logging.LogRecord) -> bool:
        """Tell whether a record is worth a line."""
        place = (record.pathname, record.lineno)
        is_new = record.created - self._last_s.get(place, 0.0) > _REPEATED_AFTER_S
        if is_new:
            self._last_s[place] = record.created
        return is_new


def _quiet_logger() -> None:
    # DBOS prints with a handler of its own unless there is one: then records go to the server's
    # log, which is redacted.
    logger = logging.getLogger("dbos")
    if not logger.handlers:
        logger.addHandler(logging.NullHandler())
        logger.addFilter(_Sparing())


@DBOS.step(name="attempt_job")
def _attempt_job(job_id: str) -> bool:
    return WorkflowEngine.current().attempt(job_id)


@DBOS.workflow(name="run_job")
def _run_job(job_id: str) -> None:
    waits = iter(RETRY_WAITS_S)
    while _attempt_job(job_id):
        DBOS.sleep(next(waits, RETRY_WAITS_S[-1]))
