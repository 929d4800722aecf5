"""Rules of the worker registry."""

from __future__ import annotations

import itertools
import re

import orjson
import sqlalchemy as sa

from lightly._kit.ids import make_id
from lightly.openapi_generated.swagger_client.models.create_docker_worker_registry_entry_request import (  # noqa: E501  a name of the contract
    CreateDockerWorkerRegistryEntryRequest,
)
from lightly.openapi_generated.swagger_client.models.creator import Creator
from lightly.openapi_generated.swagger_client.models.docker_worker_state import DockerWorkerState
from lightly.openapi_generated.swagger_client.models.docker_worker_type import DockerWorkerType
from lightly.openapi_generated.swagger_client.models.update_docker_worker_registry_entry_request import (  # noqa: E501  a name of the contract
    UpdateDockerWorkerRegistryEntryRequest,
)
from lightly.server.auth.users import User
from lightly.server.errors import BadRequest, Forbidden, MalformedRequest
from lightly.server.http.parameters import AssetScope
from lightly.server.platform import PlatformState
from lightly.server.runs.endings import cancel_runs_of_worker
from lightly.server.teams.models import Rights
from lightly.server.workers import repository
from lightly.server.workers.access import choose_owner, load_worker
from lightly.server.workers.models import SILENT_AFTER_MS, Worker

#: The contract has no limit, but the index over names does. Labels and versions are shown in lists.
MAX_TEXT_CHARACTERS = 255
#: Enough to name every property of a machine; every poll compares them.
MAX_LABELS = 100
#: The list of workers is never paged: this many are some 3 MB.
MAX_WORKERS = 10_000
#: What the first worker is called that is registered for a process which names none.
DEFAULT_NAME = "default"
#: A poll of a worker that was not heard of for this long is written down at once; those of others
#: are `SignsOfLife`.
WRITTEN_AT_ONCE_AFTER_MS = SILENT_AFTER_MS // 2

_CONTROL = re.compile(r"[\x00-\x1f\x7f]")


def list_workers(platform: PlatformState, caller: User, scope: AssetScope) -> list[Worker]:
    """Return workers of the caller, of the caller's teams, or both; oldest first."""
    with platform.database.read() as connection:
        return repository.list_workers(connection, caller, scope)


def get_worker(platform: PlatformState, caller: User, worker_id: str) -> Worker:
    """Return one worker."""
    with platform.database.read() as connection:
        return load_worker(connection, caller, worker_id)


def register_worker(
    platform: PlatformState,
    caller: User,
    body: CreateDockerWorkerRegistryEntryRequest,
    for_user_id: str | None = None,
) -> str:
    """Register a worker and return its id.

    A name that its owner has registered before gets the same id again, and that worker stays as it
    is: labels cannot be changed.

    Args:
        platform: The server.
        caller: Who asks.
        body: Name, labels and version of the worker.
        for_user_id: Who shall own it, if not the caller: somebody of the same team.

    Raises:
        Forbidden: If `for_user_id` is nobody of the caller's teams.
        BadRequest: If the owner has too many workers.
    """
    _check_texts(body)
    return _register_once(platform, caller, body, for_user_id=for_user_id)


def find_default_worker(platform: PlatformState, caller: User) -> Worker:
    """Return a default worker of the caller that no process runs; register one if need be.

    Until a process has started under its name, the same one is given again.
    """
    now_ms = platform.clock.now_ms()
    with platform.database.read() as connection:
        # In this order: a default worker that comes in between has a name that is free here, so
        # that registering it finds that one.
        taken = repository.list_names(connection, caller.id)
        for worker in repository.list_default_workers(connection, caller.id):
            if worker.is_free_at(now_ms):
                return worker
    numbered = (f"{DEFAULT_NAME} {number}" for number in itertools.count(2))
    name = next(name for name in itertools.chain([DEFAULT_NAME], numbered) if name not in taken)
    body = CreateDockerWorkerRegistryEntryRequest(
        name=name, worker_type=DockerWorkerType.FULL, creator=Creator.USER_WORKER
    )
    # Whoever asked at the same moment has registered this name and gets the same worker.
    worker_id = _register_once(platform, caller, body, is_default=True)
    return get_worker(platform, caller, worker_id)


def update_worker(
    platform: PlatformState,
    caller: User,
    worker_id: str,
    body: UpdateDockerWorkerRegistryEntryRequest,
) -> None:
    """Note what a worker says of itself; this is a sign of life, too."""
    _check_text("dockerVersion", body.docker_version or "")
    values = {"state": body.state.value}
    if body.docker_version is not None:
        values["docker_version"] = body.docker_version
    with platform.database.write() as connection:
        worker = load_worker(connection, caller, worker_id)
        repository.update_worker(connection, worker.id, platform.clock.now_ms(), **values)


def delete_worker(platform: PlatformState, caller: User, worker_id: str) -> None:
    """Remove a worker. Runs that it is working on end as ABORTED."""
    with platform.database.write() as connection:
        worker = load_worker(connection, caller, worker_id, Rights.FULL)
        cancel_runs_of_worker(connection, worker.id, f"Its worker {worker.name} was deleted.")
        repository.delete_worker(connection, worker.id)


def end_silence(platform: PlatformState, worker: Worker) -> None:
    """Note at once that a worker is heard of again which was silent for a while."""
    now_ms = platform.clock.now_ms()
    if now_ms - worker.last_modified_at_ms < WRITTEN_AT_ONCE_AFTER_MS:
        return
    with platform.database.write() as connection:
        repository.update_worker(connection, worker.id, now_ms)


def _register_once(
    platform: PlatformState,
    caller: User,
    body: CreateDockerWorkerRegistryEntryRequest,
    *,
    for_user_id: str | None = None,
    is_default: bool = False,
) -> str:
    try:
        with platform.database.write() as connection:
            owner_id = choose_owner(connection, caller, for_user_id)
            existing = repository.find_worker_by_name(connection, owner_id, body.name)
            if existing is not None:
                return existing.id
            if repository.count_workers(connection, owner_id) >= MAX_WORKERS:
                raise BadRequest(
                    f"There are {MAX_WORKERS} workers already. Delete those that are not used."
                )
            worker = _make_worker(owner_id, body, platform.clock.now_ms(), is_default=is_default)
            repository.insert_worker(connection, worker)
            return worker.id
    except sa.exc.IntegrityError as error:
        return _find_registered(platform, caller, body.name, for_user_id, error)


def _find_registered(
    platform: PlatformState,
    caller: User,
    name: str,
    for_user_id: str | None,
    error: sa.exc.IntegrityError,
) -> str:
    """Return the worker that somebody registered at the same moment."""
    with platform.database.read() as connection:
        owner_id = choose_owner(connection, caller, for_user_id)
        existing = repository.find_worker_by_name(connection, owner_id, name)
    if existing is None:
        raise Forbidden("forUserId (query): this member has not signed in yet.") from error
    return existing.id


def _make_worker(
    owner_id: str, body: CreateDockerWorkerRegistryEntryRequest, now_ms: int, *, is_default: bool
) -> Worker:
    return Worker(
        id=make_id(),
        user_id=owner_id,
        name=body.name,
        worker_type=body.worker_type.value,
        state=DockerWorkerState.OFFLINE.value,
        labels_json=orjson.dumps(body.labels or []).decode(),
        is_default=is_default,
        docker_version=body.docker_version,
        creator=(body.creator or Creator.UNKNOWN).value,
        session_id=None,
        created_at_ms=now_ms,
        last_modified_at_ms=now_ms,
    )


def _check_texts(body: CreateDockerWorkerRegistryEntryRequest) -> None:
    _check_text("name", body.name)
    _check_text("dockerVersion", body.docker_version or "")
    labels = body.labels or []
    if len(labels) > MAX_LABELS:
        raise MalformedRequest(f"labels (body): a worker may have at most {MAX_LABELS} labels.")
    for label in labels:
        _check_text("labels", label)


def _check_text(field: str, text: str) -> None:
    if len(text) > MAX_TEXT_CHARACTERS or _CONTROL.search(text):
        raise MalformedRequest(
            f"{field} (body): may have at most {MAX_TEXT_CHARACTERS} characters and no control "
            "characters."
        )
