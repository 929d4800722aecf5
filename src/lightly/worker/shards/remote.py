"""A shard in a process of a cluster: it reads and embeds for itself, and answers a summary only."""

from __future__ import annotations

import atexit
import threading
from dataclasses import dataclass, field

from lightly.api.transport import Transport
from lightly.embedding.pool import EmbeddingPool
from lightly.embedding.registry import EmbeddingModel
from lightly.worker.shards.kernel import ShardSpec, ShardSummary, run_shard
from lightly.worker.sources.reading import FileReader

_pools: dict[str, EmbeddingPool] = {}
_lock = threading.Lock()


@dataclass(frozen=True)
class RemoteWork:
    """What every shard of a run needs in another process.

    Attributes:
        server_url: Where redirected URLs begin.
        model: What to embed with.
        token: Of the worker; URLs are signed, but the transport wants one.
    """

    server_url: str
    model: EmbeddingModel
    token: str = field(repr=False)


def run_shard_remotely(spec: ShardSpec, work: RemoteWork) -> ShardSummary:
    """Do a shard in this process. A lost process loses nothing but time: shards can be repeated."""
    transport = Transport(work.server_url, work.token)
    try:
        reader = FileReader(transport, check=lambda: None)
        return run_shard(spec, reader, _open_pool(work.model))
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
