"""The server's background jobs: started, followed, recovered."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from lightly._kit.clock import Clock
from lightly._kit.ids import is_id, make_id
from lightly.server.auth.users import User
from lightly.server.db.engine import Database
from lightly.server.embeddings.arrival import note_csv
from lightly.server.errors import JobEnded, JobUnknown
from lightly.server.jobs import repository
from lightly.server.jobs.dispatcher import Dispatcher
from lightly.server.jobs.engine import WorkflowEngine
from lightly.server.jobs.models import Job, JobKind, JobStatus
from lightly.server.jobs.processes import TaskProcesses
from lightly.server.jobs.runner import Runner
from lightly.server.settings import Settings
from lightly.server.storage.blobs import BlobStore

if TYPE_CHECKING:
    from lightly.server.platform import PlatformState

#: Why a cancelled job failed.
CANCELLED = "The job was cancelled."
#: Jobs read at once while a list is sent.
_LIST_CHUNK = 1_000


class JobService:
    """The background jobs of one server process.

    Jobs are asked for with `outbox.add_job` inside a transaction; `notify` after the commit makes
    them begin at once.
    """

    def __init__(
        self, settings: Settings, database: Database, blobs: BlobStore, clock: Clock
    ) -> None:
        executor_id = make_id()
        processes = TaskProcesses(keeps_one=settings.keep_task_process)
        runner = Runner(settings, database, clock, processes, on_end=self.notify)
        url = _choose_queue_url(settings, is_sqlite=database.is_sqlite)
        engine = WorkflowEngine(url, executor_id, runner.attempt)
        self._database = database
        self._blobs = blobs
        self._clock = clock
        self._dispatcher = Dispatcher(
            settings, database, clock, engine, runner, processes, executor_id
        )

    def start(self) -> None:
        """Take up what an earlier process left."""
        self._dispatcher.start()

    def stop(self) -> None:
        """Hand back what is under way; the next start goes on with it."""
        self._dispatcher.stop()

    def notify(self) -> None:
        """Begin jobs that have just been committed."""
        self._dispatcher.notify()

    def expect_work(self) -> None:
        """Get ready for jobs that are likely to come soon, so that they begin without delay."""
        self._dispatcher.expect_work()

    def blob_arrived(self, key: str) -> None:
        """Note that an upload to a signed URL has ended: embeddings are read at once."""
        if note_csv(self._database, self._blobs, self._clock, key):
            self.notify()


def _choose_queue_url(settings: Settings, *, is_sqlite: bool) -> str:
    """Return where the queue keeps its own tables: a file beside the database, or the same one."""
    if is_sqlite:
        return f"sqlite:///{Path(settings.data_dir).resolve() / 'jobs.sqlite'}"
    return settings.effective_database_url.replace("+psycopg://", "://", 1)


def get_job(platform: PlatformState, caller: User, job_id: str) -> Job:
    """Return a job that the caller asked for.

    Raises:
        JobUnknown: If there is none; somebody else's looks the same.
    """
    if not is_id(job_id):
        raise JobUnknown
    with platform.database.read() as connection:
        job = repository.find_job_of_user(connection, caller, job_id)
    if job is None:
        raise JobUnknown
    return job


def get_job_with_progress(
    platform: PlatformState, caller: User, job_id: str
) -> tuple[Job, str | None]:
    """Return a job that the caller asked for, and how far it is, as JSON text."""
    job = get_job(platform, caller, job_id)
    if JobStatus(job.status).is_final:
        return job, None
    with platform.database.read() as connection:
        return job, repository.read_progress(connection, job.id)


def cancel_job(platform: PlatformState, caller: User, job_id: str) -> None:
    """End a selection before it makes its tag. Cancelling it again changes nothing.

    The job has failed once this returns; the task notices within a second and stops.

    Raises:
        JobUnknown: If there is none; somebody else's looks the same.
        JobEnded: If it has ended otherwise, or is no selection.
    """
    job = get_job(platform, caller, job_id)
    if job.kind != JobKind.SAMPLING:
        raise JobEnded("Only selections can be cancelled.")
    with platform.database.write() as connection:
        repository.fail_job(connection, job.id, CANCELLED, platform.clock.now_ms())
        ended = repository.find_job(connection, job.id)
    if ended is None or ended.error != CANCELLED:
        raise JobEnded


def iterate_jobs(platform: PlatformState, caller: User) -> Iterator[list[Job]]:
    """Yield the jobs that the caller asked for, newest first, some at a time."""
    before_id: str | None = None
    while True:
        with platform.database.read() as connection:
            found = repository.list_jobs_of_user(
                connection, caller, before_id=before_id, limit=_LIST_CHUNK
            )
        yield found
        if len(found) < _LIST_CHUNK:
            return
        before_id = found[-1].id
