"""Processes of workers: each start is a session of its own, and leases belong to sessions.

Registering a name again gives the same worker by contract, so two processes can run under one id.
The newer session takes over; what the older one holds is freed, and what it still sends is refused.
Source: threat T41.
"""

from __future__ import annotations

from dataclasses import dataclass

import sqlalchemy as sa

from lightly._kit.ids import make_id
from lightly.openapi_generated.swagger_client.models.docker_worker_state import DockerWorkerState
from lightly.server.auth.users import User
from lightly.server.errors import SessionLost, WorkerOnline
from lightly.server.jobs.repository import read_database_ms
from lightly.server.platform import PlatformState
from lightly.server.runs import lease_repository
from lightly.server.runs.endings import free_run
from lightly.server.runs.lifetimes import get_heartbeat_s
from lightly.server.runs.sweep import give_up_lease
from lightly.server.runs.texts import check_name
from lightly.server.workers.access import load_worker
from lightly.server.workers.repository import update_worker

#: How long a worker without a run waits between two questions: half of what a run may have to wait.
POLL_INTERVAL_S = 2.5


@dataclass(frozen=True)
class Session:
    """What a process of a worker needs to know.

    Attributes:
        id: 24 hex digits.
        poll_interval_s: How often to ask for a run.
        heartbeat_s: How often to show a sign of life during a run.
    """

    id: str
    poll_interval_s: float
    heartbeat_s: float


def begin_session(
    platform: PlatformState,
    caller: User,
    worker_id: str,
    *,
    docker_version: str | None,
    takes_over: bool,
) -> Session:
    """Let a process run under the name of a worker from now on.

    Args:
        platform: The server.
        caller: Who asks.
        worker_id: The worker.
        docker_version: What the process says it is; None to keep what is known.
        takes_over: Do so even if another process seems to run under this name.

    Raises:
        WorkerOnline: If another process was heard of lately and `takes_over` is False.
    """
    values: dict[str, object] = {"state": DockerWorkerState.IDLE.value, "session_id": make_id()}
    if docker_version is not None:
        values["docker_version"] = check_name(docker_version, "dockerVersion")
    with platform.database.write() as connection:
        worker = load_worker(connection, caller, worker_id)
        now_ms = platform.clock.now_ms()
        if not (takes_over or worker.session_id is None or worker.is_free_at(now_ms)):
            raise WorkerOnline
        lease_repository.hold_session(connection, worker.id)
        for lease in lease_repository.list_leases_of_worker(connection, worker.id):
            if lease.session_id is not None:
                reason = "another process has started under the name of its worker"
                give_up_lease(connection, platform.settings, lease, reason)
        update_worker(connection, worker.id, now_ms, **values)
    return Session(str(values["session_id"]), POLL_INTERVAL_S, get_heartbeat_s(platform.settings))


def end_session(platform: PlatformState, caller: User, worker_id: str, session_id: str) -> None:
    """Note that a process of a worker ends; runs that it still has are handed back.

    Raises:
        SessionLost: If another process has the name of the worker by now.
    """
    with platform.database.write() as connection:
        worker = load_worker(connection, caller, worker_id)
        check_session(connection, worker.id, session_id)
        now_ms = read_database_ms(connection)
        for lease in lease_repository.list_leases_of_worker(connection, worker.id):
            if lease.session_id == session_id:
                free_run(connection, lease, "A worker handed the run back.", now_ms, counts=False)
        update_worker(
            connection,
            worker.id,
            platform.clock.now_ms(),
            session_id=None,
            state=DockerWorkerState.OFFLINE.value,
        )


def check_session(connection: sa.Connection, worker_id: str, session_id: str) -> None:
    """Raise `SessionLost` unless this process has the name of the worker; hold it if it does."""
    if lease_repository.hold_session(connection, worker_id) != session_id:
        raise SessionLost
