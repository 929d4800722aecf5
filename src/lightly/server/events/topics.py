"""What pages can watch. A topic remembers what it has told, and asks what is new.

Each topic is watched for one user and asks with that user's rights every time, so that whoever
loses access hears no more.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Protocol

import orjson
import sqlalchemy as sa

from lightly.server.auth.users import User
from lightly.server.datasets.access import load_dataset
from lightly.server.datasets.models import Action
from lightly.server.db.tables import tags
from lightly.server.embeddings.repository import find_newest_map_ms
from lightly.server.errors import JobUnknown
from lightly.server.http.clients import read_user_agent
from lightly.server.http.parameters import AssetScope
from lightly.server.jobs.repository import find_job_of_user, read_database_ms, read_progress
from lightly.server.jobs.routes import write_job_details
from lightly.server.runs import log_repository, overview, overview_repository
from lightly.server.runs.access import load_run
from lightly.server.runs.models import Run
from lightly.server.samples.changes import read_revisions
from lightly.server.workers.repository import list_workers
from lightly.server.workers.routes import write_worker

#: A commit can become visible this much later than the time that it wrote down.
OVERLAP_MS = 60_000
#: Whoever was away for longer loads its lists again.
MAX_ABSENCE_MS = 600_000
#: Most runs told at once; beyond that, lists are loaded again.
MAX_RUNS = 500
#: What a page shows of a log before it goes on: the last entries.
TAIL_ENTRIES = 500
#: Most of a log in one event; the rest comes with the next look.
MAX_LOG_BYTES = 256 * 1024
#: No published client: it is told everything.
_PAGE = read_user_agent("")


@dataclass(frozen=True)
class Event:
    """Something that a page is told.

    Attributes:
        name: What kind.
        data: JSON text.
        at_ms: Up to which moment of the database's time its topic is told.
        log_start: Position of the first entry of a log; None of everything else.
        log_end: Position behind the last.
    """

    name: str
    data: bytes
    at_ms: int
    log_start: int | None = None
    log_end: int = 0


@dataclass(frozen=True)
class Mark:
    """Up to where a page was told: a moment of the database's time, and a position in a log."""

    at_ms: int
    log_end: int


class Topic(Protocol):
    """Something that can be watched."""

    def begin(self, connection: sa.Connection) -> None:
        """Note how things are: what comes later is news. Raises if the user may not know."""

    def catch_up(self, connection: sa.Connection, mark: Mark | None) -> list[Event]:
        """Return what somebody has to hear first who was told everything up to `mark`."""

    def poll(self, connection: sa.Connection) -> list[Event]:
        """Return what is new."""


class RunsTopic:
    """Runs that begin, go on and end, and what waits for a worker.

    Args:
        caller: Who watches.
        dataset_id: Only on this dataset; None for the user's own runs and those of mates.
    """

    def __init__(self, caller: User, dataset_id: str | None) -> None:
        self._caller = caller
        self._dataset_id = dataset_id
        self._told_ms = 0
        self._told: dict[str, Run] = {}
        self._waiting = b""

    def begin(self, connection: sa.Connection) -> None:
        """Note how things are."""
        self.poll(connection)

    def catch_up(self, connection: sa.Connection, mark: Mark | None) -> list[Event]:
        """Return the runs that changed meanwhile, and what waits."""
        now_ms = read_database_ms(connection)
        since_ms = now_ms if mark is None else mark.at_ms
        if now_ms - since_ms > MAX_ABSENCE_MS:
            return [Event("reload", b"{}", now_ms)]
        changed = self._list_changed(connection, since_ms)
        waiting = self._write_waiting(connection)
        return [*self._tell_runs(changed, now_ms), Event("waiting", waiting, now_ms)]

    def poll(self, connection: sa.Connection) -> list[Event]:
        """Return what is new."""
        now_ms = read_database_ms(connection)
        changed = self._list_changed(connection, self._told_ms or now_ms)
        news = [found for found in changed if self._told.get(found[0].id) != found[0]]
        self._told = {run.id: run for run, _ in changed}
        self._told_ms = now_ms
        events = list(self._tell_runs(news, now_ms))
        waiting = self._write_waiting(connection)
        if waiting != self._waiting:
            self._waiting = waiting
            events.append(Event("waiting", waiting, now_ms))
        return events

    def _list_changed(
        self, connection: sa.Connection, since_ms: int
    ) -> list[overview_repository.NamedRun]:
        if self._dataset_id is not None:
            load_dataset(connection, self._caller, self._dataset_id, Action.READ)
        return overview_repository.list_changed(
            connection, self._caller, self._dataset_id, since_ms - OVERLAP_MS, MAX_RUNS
        )

    def _tell_runs(self, found: list[overview_repository.NamedRun], now_ms: int) -> Iterator[Event]:
        if len(found) >= MAX_RUNS:
            yield Event("reload", b"{}", now_ms)
            return
        for run, name in found:
            yield Event("run", orjson.dumps(overview.write_summary(run, name)), now_ms)

    def _write_waiting(self, connection: sa.Connection) -> bytes:
        return orjson.dumps(overview.list_waiting(connection, self._caller, self._dataset_id))


class RunTopic:
    """One run with its log.

    Args:
        caller: Who watches.
        run_id: The run.
    """

    def __init__(self, caller: User, run_id: str) -> None:
        self._caller = caller
        self._run_id = run_id
        self._told = b""
        self._log_end = 0

    def begin(self, connection: sa.Connection) -> None:
        """Note how things are."""
        run = load_run(connection, self._caller, self._run_id)
        self._log_end = run.log_end
        self._told = self._write(connection, run)

    def catch_up(self, connection: sa.Connection, mark: Mark | None) -> list[Event]:
        """Return the run, and its log from where it was told: else the end of it."""
        now_ms = read_database_ms(connection)
        run = load_run(connection, self._caller, self._run_id)
        start = max(0, run.log_end - TAIL_ENTRIES) if mark is None else mark.log_end
        events = [Event("run", self._write(connection, run), now_ms)]
        while start < run.log_end:
            event = self._read_log(connection, run, start, now_ms)
            events.append(event)
            start = event.log_end
        return events

    def poll(self, connection: sa.Connection) -> list[Event]:
        """Return what is new."""
        now_ms = read_database_ms(connection)
        run = load_run(connection, self._caller, self._run_id)
        events = []
        while self._log_end < run.log_end:
            event = self._read_log(connection, run, self._log_end, now_ms)
            events.append(event)
            self._log_end = event.log_end
        written = self._write(connection, run)
        if written != self._told:
            self._told = written
            events.append(Event("run", written, now_ms))
        return events

    def _write(self, connection: sa.Connection, run: Run) -> bytes:
        name = overview_repository.find_dataset_name(connection, run.dataset_id)
        n_artifacts, n_tags = overview_repository.count_results(connection, run.id)
        summary = overview.write_summary(run, name)
        return orjson.dumps(summary | {"nArtifacts": n_artifacts, "nTags": n_tags})

    def _read_log(self, connection: sa.Connection, run: Run, start: int, now_ms: int) -> Event:
        rows = log_repository.list_entries(connection, run.id, start, MAX_LOG_BYTES)
        # The oldest entries of a long log are gone.
        first, end = (rows[0][0], rows[-1][0] + 1) if rows else (start, run.log_end)
        body = {"start": first, "entries": [orjson.Fragment(text) for _, text in rows]}
        return Event("log", orjson.dumps(body), now_ms, log_start=first, log_end=end)


class _WholeTopic:
    """Something short: pages are told all of it whenever it is not as before."""

    #: Of its events.
    name: str

    def __init__(self) -> None:
        self._told = b""

    def begin(self, connection: sa.Connection) -> None:
        """Note how things are."""
        self.poll(connection)

    def catch_up(self, connection: sa.Connection, mark: Mark | None) -> list[Event]:  # noqa: ARG002  all is told anyway
        """Return how things are."""
        now_ms = read_database_ms(connection)
        return [Event(self.name, self._write(connection, now_ms), now_ms)]

    def poll(self, connection: sa.Connection) -> list[Event]:
        """Return how things are when they are not as before."""
        now_ms = read_database_ms(connection)
        written = self._write(connection, now_ms)
        if written == self._told:
            return []
        self._told = written
        return [Event(self.name, written, now_ms)]

    def _write(self, connection: sa.Connection, now_ms: int) -> bytes:
        raise NotImplementedError


class WorkersTopic(_WholeTopic):
    """Workers of a user and of the user's mates: there are few, and silence is news too.

    Args:
        caller: Who watches.
    """

    name = "workers"

    def __init__(self, caller: User) -> None:
        super().__init__()
        self._caller = caller

    def _write(self, connection: sa.Connection, now_ms: int) -> bytes:
        found = list_workers(connection, self._caller, AssetScope.BOTH)
        entries: list[dict[str, Any]] = [write_worker(worker, _PAGE, now_ms) for worker in found]
        return orjson.dumps(entries)


class JobTopic(_WholeTopic):
    """How far a job of the user is.

    Args:
        caller: Who watches.
        job_id: The job.
    """

    name = "job"

    def __init__(self, caller: User, job_id: str) -> None:
        super().__init__()
        self._caller = caller
        self._job_id = job_id

    def _write(self, connection: sa.Connection, now_ms: int) -> bytes:  # noqa: ARG002  jobs have no age
        job = find_job_of_user(connection, self._caller, self._job_id)
        if job is None:
            raise JobUnknown
        return orjson.dumps(write_job_details(job, read_progress(connection, job.id)))


class DatasetTopic(_WholeTopic):
    """Samples, tags and maps of a dataset.

    Args:
        caller: Who watches.
        dataset_id: The dataset.
    """

    name = "dataset"

    def __init__(self, caller: User, dataset_id: str) -> None:
        super().__init__()
        self._caller = caller
        self._dataset_id = dataset_id

    def _write(self, connection: sa.Connection, now_ms: int) -> bytes:  # noqa: ARG002  neither has a dataset
        dataset = load_dataset(connection, self._caller, self._dataset_id, Action.READ)
        n_tags, changed_at_ms = connection.execute(
            sa.select(sa.func.count(), sa.func.max(tags.c.last_modified_at_ms)).where(
                tags.c.dataset_key == dataset.key
            )
        ).one()
        body = {
            "datasetId": dataset.id,
            "nSamples": dataset.n_samples,
            "revision": sum(read_revisions(connection, dataset.key).values()),
            "nTags": n_tags,
            "tagsChangedAt": changed_at_ms or 0,
            "mapsChangedAt": find_newest_map_ms(connection, dataset.key) or 0,
        }
        return orjson.dumps(body)
