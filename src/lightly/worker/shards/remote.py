"""A shard in a process of a cluster: it reads and embeds for itself, and answers a summary only."""

from __future__ import annotations

import atexit
import tempfile
import threading
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Self

from lightly._kit.egress import EgressPolicy
from lightly.embedding.pool import EmbeddingPool
from lightly.embedding.registry import EmbeddingModel
from lightly.worker.server_link import ClaimedRun
from lightly.worker.settings import WorkerSettings
from lightly.worker.shards.kernel import ShardSpec, ShardSummary, run_shard
from lightly.worker.shards.record_cache import list_libraries
from lightly.worker.shards.video_kernel import VideoSpec, run_video
from lightly.worker.shards.video_records import VideoSummary
from lightly.worker.sources.reading import FileReader
from lightly.worker.sources.store_transport import open_store_transport
from lightly.worker.sources.video_files import VideoOpener

_pools: dict[str, EmbeddingPool] = {}
_lock = threading.Lock()


@dataclass(frozen=True)
class RemoteWork:
    """What every shard of a run needs in another process.

    Attributes:
        server_url: Address of the server.
        public_url: What URLs that it hands out begin with.
        model: What to embed with.
        egress: Which addresses that are not public files may be read from.
        libraries: What decodes and computes on the worker's machine.
        token: Of the worker; URLs are signed, but the transport wants one.
    """

    server_url: str
    public_url: str
    model: EmbeddingModel
    egress: EgressPolicy
    libraries: tuple[str, ...]
    token: str = field(repr=False)

    @classmethod
    def of_run(cls, settings: WorkerSettings, claim: ClaimedRun, model: EmbeddingModel) -> Self:
        """Return what the shards of a run need."""
        return cls(
            server_url=settings.server_url,
            public_url=claim.server_url,
            model=model,
            egress=settings.egress,
            libraries=list_libraries(),
            token=settings.token,
        )


def run_shard_remotely(spec: ShardSpec, work: RemoteWork) -> ShardSummary:
    """Do a shard in this process. A lost process loses nothing but time: shards can be repeated."""
    transport = open_store_transport(
        work.server_url, work.token, server_urls=[work.public_url], egress=work.egress
    )
    try:
        reader = FileReader(transport, check=lambda: None)
        summary = run_shard(spec, reader, _open_pool(work.model))
        return replace(summary, has_same_libraries=list_libraries() == work.libraries)
    finally:
        transport.close()


def run_video_remotely(spec: VideoSpec, work: RemoteWork) -> VideoSummary:
    """Do a video in this process; one from a store lies in its temporary folder meanwhile."""
    transport = open_store_transport(
        work.server_url, work.token, server_urls=[work.public_url], egress=work.egress
    )
    try:
        with tempfile.TemporaryDirectory(prefix="lightly-videos-") as scratch:
            opener = VideoOpener(transport, Path(scratch), check=lambda: None)
            return run_video(spec, opener, _open_pool(work.model), check=lambda: None)
    finally:
        transport.close()


def _open_pool(model: EmbeddingModel) -> EmbeddingPool:
    """Return the pool of this process; starting one for each shard would take a second each."""
    with _lock:
        if model.digest not in _pools:
            pool = EmbeddingPool(model, n_processes=1)
            pool.__enter__()
            atexit.register(pool.__exit__, None, None, None)
            _pools[model.digest] = pool
        return _pools[model.digest]
