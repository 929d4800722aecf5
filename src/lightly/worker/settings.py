"""What a worker process is told at its start."""

from __future__ import annotations

import os
import socket
from dataclasses import dataclass, field
from pathlib import Path

from lightly._kit.egress import EgressPolicy
from lightly._kit.errors import BadInput

EXECUTORS = ("threads", "ray", "dask")
#: What is known of about 700,000 images with the shipped model.
DEFAULT_CACHE_BYTES = 10 * 1024**3
MAX_SELECTION_SHARDS = 4_096
WORK_DIR_VARIABLE = "LIGHTLY_WORKER_DIR"
#: The same as the server's, which has to connect to the same stores.
EGRESS_VARIABLE = "LIGHTLY_SERVER_EGRESS_ALLOW"
WORKER_ID_VARIABLE = "LIGHTLY_WORKER_ID"


@dataclass(frozen=True, kw_only=True)
class WorkerSettings:
    """Settings of one worker process.

    Attributes:
        server_url: Address of the server without a slash at the end.
        token: API token. It is shown nowhere.
        name: Under which name the worker registers; ignored if `worker_id` is given.
        worker_id: Id of a registered worker; None registers one.
        labels: Labels to register with; runs ask for workers by them.
        input_mount: Folder below which LOCAL datasources are read; None if there is none.
        lightly_mount: Folder below which LOCAL datasources are written.
        executor: What runs the shards of a stage: `threads`, `ray` or `dask`.
        executor_address: Address of the cluster of Ray or Dask.
        work_dir: Where results of shards are kept, so that a run that is taken up again does not
            begin at the start. On a cluster it must be a folder that all machines share.
        n_processes: How many processes decode and run models; None for one per core.
        cache_bytes: How much to keep of what was found out about images, for later runs; 0 for
            nothing. A run may ask for less.
        egress: Which addresses that are not public files may be read from; the server's own always.
        takes_over: Whether to take the place of another process with the same id.
        stops_when_idle: Whether to end when there is no run left to do.
        ends_with_input: Whether to end when standard input is closed.
        detector: Id of what finds objects; None for the only detector of this machine.
        makes_auto_tags: Whether every run stores tags, not only those whose selection needs them.
        selection_shards: In how many shards to select by DIVERSITY, where the executor is; 1 for
            none. Picks depend on it.

    Raises:
        BadInput: If a setting breaks a rule.
    """

    server_url: str
    token: str = field(repr=False)
    name: str
    work_dir: Path
    worker_id: str | None = None
    labels: tuple[str, ...] = ()
    input_mount: Path | None = None
    lightly_mount: Path | None = None
    executor: str = "threads"
    executor_address: str | None = None
    n_processes: int | None = None
    cache_bytes: int = DEFAULT_CACHE_BYTES
    egress: EgressPolicy = field(default_factory=EgressPolicy)
    takes_over: bool = True
    stops_when_idle: bool = False
    ends_with_input: bool = False
    makes_auto_tags: bool = False
    detector: str | None = None
    selection_shards: int = 1

    def __post_init__(self) -> None:
        if self.executor not in EXECUTORS:
            raise BadInput(
                f"executor must be one of {', '.join(EXECUTORS)}, got {self.executor[:40]!r}."
            )
        if self.n_processes is not None and self.n_processes < 1:
            raise BadInput(f"n_processes must be at least 1, got {self.n_processes}.")
        if not 1 <= self.selection_shards <= MAX_SELECTION_SHARDS:
            raise BadInput(
                f"selection_shards must be 1 to {MAX_SELECTION_SHARDS}, got "
                f"{self.selection_shards}."
            )
        for name in ("input_mount", "lightly_mount"):
            folder = getattr(self, name)
            if folder is not None and not folder.is_dir():
                raise BadInput(f"{name} must be an existing folder, got {str(folder)[:200]!r}.")


def make_default_name() -> str:
    """Return the name of a worker that was given none: that of its machine."""
    allowed = (char if char.isalnum() and char.isascii() else "-" for char in socket.gethostname())
    return f"worker on {''.join(allowed)[:100].strip('-') or 'this machine'}"


def find_work_dir() -> Path:
    """Return where a worker keeps its results unless it is told."""
    if chosen := os.environ.get(WORK_DIR_VARIABLE):
        return Path(chosen)
    cache = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(cache) / "lightly" / "worker"
