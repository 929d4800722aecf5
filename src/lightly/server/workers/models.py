"""Workers and their configurations as the server works with them."""

from __future__ import annotations

import enum
from dataclasses import dataclass

import orjson

from lightly.openapi_generated.swagger_client.models.docker_worker_state import DockerWorkerState

#: A worker that was not heard of for this long is taken for gone. Workers show a sign of life every
#: 30 s, so that three may be lost; leases of runs are shorter and do not depend on this.
SILENT_AFTER_MS = 120_000

#: What the silence of a worker means, by what it last said of itself.
_WHEN_SILENT = {
    DockerWorkerState.IDLE.value: DockerWorkerState.OFFLINE.value,
    DockerWorkerState.BUSY.value: DockerWorkerState.CRASHED.value,
}
_GONE = frozenset({DockerWorkerState.OFFLINE.value, DockerWorkerState.CRASHED.value})


class ConfigVersion(enum.Enum):
    """The forms that a worker configuration can have. V0 is free-form."""

    V0 = "V0"
    V2 = "V2"
    V3 = "V3"
    V4 = "V4"


@dataclass(frozen=True, slots=True)
class Worker:
    """One row of the workers table.

    Attributes:
        id: 24 hex digits.
        user_id: The owner.
        name: Unique per owner.
        worker_type: `FULL`, the only one there is.
        state: What the worker last said of itself; see `state_at`.
        labels_json: JSON list of texts; fixed at registration.
        is_default: Whether it was registered for a process that named no worker.
        docker_version: What the worker says it is.
        creator: What kind of client registered it.
        session_id: The process that runs under this name; None before the first one.
        created_at_ms: When it was registered.
        last_modified_at_ms: When it was last heard of.
    """

    id: str
    user_id: str
    name: str
    worker_type: str
    state: str
    labels_json: str
    is_default: bool
    docker_version: str | None
    creator: str
    session_id: str | None
    created_at_ms: int
    last_modified_at_ms: int

    @property
    def labels(self) -> list[str]:
        """The labels: runs with other ones are not for this worker."""
        labels: list[str] = orjson.loads(self.labels_json)
        return labels

    def state_at(self, now_ms: int) -> str:
        """Return the state at a moment: a worker that went silent is OFFLINE or CRASHED."""
        if now_ms - self.last_modified_at_ms <= SILENT_AFTER_MS:
            return self.state
        return _WHEN_SILENT.get(self.state, self.state)

    def is_free_at(self, now_ms: int) -> bool:
        """Tell whether no process seems to run under this name."""
        return self.state_at(now_ms) in _GONE


@dataclass(frozen=True, slots=True)
class WorkerConfig:
    """One row of the worker configurations table.

    Attributes:
        id: 24 hex digits.
        user_id: The owner.
        version: Value of a `ConfigVersion`.
        creator: What kind of client made it.
        created_at_ms: When it was made.
        last_modified_at_ms: When it was last changed.
        config_json: JSON text of the contract's model of this version.
    """

    id: str
    user_id: str
    version: str
    creator: str
    created_at_ms: int
    last_modified_at_ms: int
    config_json: str
