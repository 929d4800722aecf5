"""What all stages of a run share."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from lightly.api.api_workflow_client import ApiWorkflowClient
from lightly.worker.lease import RunLease
from lightly.worker.options import RunOptions
from lightly.worker.server_link import ClaimedRun, RunLink
from lightly.worker.settings import WorkerSettings
from lightly.worker.sources.datasource import InputSide, LightlySide, MountedInput


class LeasedClient(ApiWorkflowClient):
    """The SDK's client, whose every call carries the lease of a run.

    Args:
        link: The run, and the connection to its server.
    """

    def __init__(self, link: RunLink) -> None:
        self._creator = "USER_WORKER"
        self._transport = link.transport
        self._dataset_id = link.claim.dataset_id
        self.embedding_id = None


class RunFolder:
    """Where a run keeps what it makes, until it has ended.

    Args:
        work_dir: Folder of the worker.
        claim: The run.
    """

    def __init__(self, work_dir: Path, claim: ClaimedRun) -> None:
        self.root = work_dir / "runs" / claim.run_id
        # Of this run only: a later one may find other bytes behind the same names.
        self.shards = self.root / "shards"
        self.shards.mkdir(parents=True, exist_ok=True, mode=0o700)

    def path(self, name: str) -> Path:
        """Return the path of a file of the run."""
        return self.root / name


@dataclass(frozen=True)
class RunContext:
    """What all stages of a run share.

    Attributes:
        settings: Of the worker process.
        claim: The run.
        options: What it shall do.
        link: Calls the server about the run itself.
        client: Calls the server under the lease, about the run's dataset.
        lease: The hold on the run; takes reports of states and progress.
        input_side: The raw files.
        lightly_side: What lies in `.lightly/`.
        folder: Where files of the run lie.
        holds_videos: Whether the input are videos, of which frames are selected.
    """

    settings: WorkerSettings
    claim: ClaimedRun
    options: RunOptions
    link: RunLink
    client: ApiWorkflowClient
    lease: RunLease
    folder: RunFolder
    input_side: InputSide
    lightly_side: LightlySide
    datasources: Mapping[str, Mapping[str, Any]]
    holds_videos: bool = False

    @property
    def is_mounted(self) -> bool:
        """Whether this worker reads the input itself, without URLs of the server."""
        return isinstance(self.input_side, MountedInput)
