"""Where shards run: threads of this machine, or processes of a Ray or Dask cluster.

All three are `concurrent.futures.Executor`. On a cluster each process reads and embeds for itself,
so what travels is a shard's description and its summary.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import Executor, Future, ThreadPoolExecutor
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass
from typing import Any

from lightly._kit.errors import BadInput
from lightly.embedding.pool import count_cores
from lightly.worker.settings import WorkerSettings

#: Shards under way on this machine: while one waits for its last images, the next keeps cores busy.
_LOCAL_SHARDS = 2
#: How often a shard is done again whose process was lost.
_RETRIES = 3


@dataclass(frozen=True)
class ShardExecutor:
    """What runs shards.

    Attributes:
        executor: Takes them.
        n_parallel: How many to give it at a time.
        is_remote: Whether other processes run them.
    """

    executor: Executor
    n_parallel: int
    is_remote: bool


@contextmanager
def open_executor(settings: WorkerSettings) -> Iterator[ShardExecutor]:
    """Yield what runs shards, by the settings of the worker.

    Raises:
        BadInput: If the engine is not installed.
    """
    if settings.executor == "ray":
        with _open_ray(settings.executor_address) as found:
            yield found
    elif settings.executor == "dask":
        with _open_dask(settings.executor_address) as found:
            yield found
    else:
        with ThreadPoolExecutor(_LOCAL_SHARDS, thread_name_prefix="shard") as executor:
            yield ShardExecutor(executor, _LOCAL_SHARDS, is_remote=False)


class RayExecutor(Executor):
    """A Ray cluster as an executor."""

    def __init__(self, ray: Any) -> None:
        self._ray = ray

    def submit(self, fn: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Future[Any]:
        """Run a function somewhere in the cluster; again if its process is lost."""
        task = self._ray.remote(max_retries=_RETRIES)(fn)
        future: Future[Any] = task.remote(*args, **kwargs).future()
        return future


@contextmanager
def _open_ray(address: str | None) -> Iterator[ShardExecutor]:
    try:
        import ray  # noqa: PLC0415  an extra
    except ImportError as error:
        raise BadInput("The executor 'ray' needs Ray: install 'lightly-platform[ray]'.") from error
    ray.init(address=address, log_to_driver=False, include_dashboard=False)
    try:
        n_cores = int(ray.cluster_resources().get("CPU", 1))
        yield ShardExecutor(RayExecutor(ray), 2 * n_cores, is_remote=True)
    finally:
        ray.shutdown()


@contextmanager
def _open_dask(address: str | None) -> Iterator[ShardExecutor]:
    try:
        from distributed import Client, LocalCluster  # noqa: PLC0415  an extra
    except ImportError as error:
        raise BadInput(
            "The executor 'dask' needs Dask: install 'lightly-platform[dask]'."
        ) from error
    # Processes of one thread: each has a pool of its own that keeps one core busy.
    cluster = (
        nullcontext(address)
        if address
        else LocalCluster(n_workers=count_cores(), threads_per_worker=1, dashboard_address=None)
    )
    with cluster as place, Client(place) as client:
        n_cores = sum(client.ncores().values())
        executor = client.get_executor(pure=False, retries=_RETRIES)
        yield ShardExecutor(executor, 2 * n_cores, is_remote=True)
