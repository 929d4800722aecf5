"""Where shards run: threads of this machine, or processes of a Ray or Dask cluster.

All three are `concurrent.futures.Executor`. On a cluster each process reads and embeds for itself,
so what travels is a shard's description and its summary.
"""

from __future__ import annotations

import importlib.util
import os
import signal
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import Executor, Future, ThreadPoolExecutor
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from lightly._kit.errors import BadInput
from lightly.embedding.pool import count_cores
from lightly.worker.errors import RunFailed
from lightly.worker.settings import WorkerSettings
from lightly.worker.shards.cluster_watch import (
    ClusterPlace,
    ClusterWatch,
    explain_failure,
    wait_for_cluster,
)

#: Shards under way on this machine: while one waits for its last images, the next keeps cores busy.
_LOCAL_SHARDS = 2
#: How often a shard is done again whose process was lost.
_RETRIES = 3
_CONNECT_TIMEOUT_S = 30
#: Executor -> module that it needs.
_ENGINES = {"ray": "ray", "dask": "distributed"}
_ENGINE_NAMES = {"ray": "Ray", "dask": "Dask"}


@dataclass(frozen=True)
class ShardExecutor:
    """What runs shards.

    Attributes:
        executor: Takes them.
        n_parallel: How many to give it at a time.
        is_remote: Whether other processes run them.
        check: Raises if it cannot go on; to be asked while shards run.
        explain: Returns what to raise instead of what a shard has raised.
    """

    executor: Executor
    n_parallel: int
    is_remote: bool
    check: Callable[[], None] = field(default=lambda: None)
    explain: Callable[[Exception], Exception] = field(default=lambda error: error)


def check_engine(settings: WorkerSettings) -> None:
    """Look for the library of the engine without loading it.

    Raises:
        BadInput: If it is not installed.
    """
    module = _ENGINES.get(settings.executor)
    if module is not None and importlib.util.find_spec(module) is None:
        raise BadInput(
            f"The executor {settings.executor!r} needs {_ENGINE_NAMES[settings.executor]}: install "
            f"it with `pip install 'lightly-platform[{settings.executor}]'`."
        )


@contextmanager
def open_executor(
    settings: WorkerSettings, *, n_local: int = _LOCAL_SHARDS
) -> Iterator[ShardExecutor]:
    """Yield what runs shards, by the settings of the worker.

    Args:
        settings: Of the worker.
        n_local: How many shards are under way on this machine.

    Raises:
        BadInput: If the engine is not installed.
        RunFailed: If its cluster cannot be reached.
    """
    check_engine(settings)
    if settings.executor == "ray":
        with _open_ray(settings.executor_address) as found:
            yield found
    elif settings.executor == "dask":
        with _open_dask(settings.executor_address) as found:
            yield found
    else:
        with ThreadPoolExecutor(n_local, thread_name_prefix="shard") as executor:
            yield ShardExecutor(executor, n_local, is_remote=False)


class RayExecutor(Executor):
    """A Ray cluster as an executor."""

    def __init__(self, ray: Any) -> None:
        # One function for all shards: the cluster is told of each only once. Ray takes nothing but
        # functions, and what comes to `submit` may be a partial one.
        self._task = ray.remote(max_retries=_RETRIES)(_call)

    def submit(self, fn: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Future[Any]:
        """Run a function somewhere in the cluster; again if its process is lost."""
        future: Future[Any] = self._task.remote(fn, *args, **kwargs).future()
        return future


def _call(fn: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Any:
    return fn(*args, **kwargs)


@contextmanager
def _open_ray(address: str | None) -> Iterator[ShardExecutor]:
    _offer_ray_token()
    import ray  # noqa: PLC0415  an extra
    from ray.exceptions import RayError  # noqa: PLC0415  as above

    if address is not None and ":" in address:
        wait_for_cluster(_find_place("Ray", address))
    options = {"log_to_driver": False, "include_dashboard": False, "logging_level": "ERROR"}
    try:
        with _keep_sigterm():
            ray.init(address=address, **options)
    except (ConnectionError, RuntimeError, ValueError, RayError) as error:
        raise _explain_refusal("Ray", error) from error
    try:
        context = ray.get_runtime_context()
        is_client = address is not None and address.startswith("ray://")
        place = _find_place("Ray", str(address if is_client else context.gcs_address))

        def count() -> int:
            return int(ray.cluster_resources().get("CPU", 0))

        # Ray itself only tells after a minute, by ending this process.
        yield _make_executor(RayExecutor(ray), place, place.answers, count)
    finally:
        with _keep_sigterm():
            ray.shutdown()


def _offer_ray_token() -> None:
    """Let Ray show its token to the cluster, where there is one; to be called before it is loaded.

    `ray start` asks for the token where there is one; `ray.init` only shows it when told to.
    """
    files = [Path.home() / ".ray" / "auth_token"]
    if path := os.environ.get("RAY_AUTH_TOKEN_PATH"):
        files.append(Path(path))
    if "RAY_AUTH_TOKEN" in os.environ or any(file.is_file() for file in files):
        os.environ.setdefault("RAY_AUTH_MODE", "token")


@contextmanager
def _keep_sigterm() -> Iterator[None]:
    """Undo what Ray does to SIGTERM, which hands the run back: its own handler exits at once."""
    handler = signal.getsignal(signal.SIGTERM)
    try:
        yield
    finally:
        if threading.current_thread() is threading.main_thread():
            signal.signal(signal.SIGTERM, handler)


@contextmanager
def _open_dask(address: str | None) -> Iterator[ShardExecutor]:
    from distributed import Client, LocalCluster  # noqa: PLC0415  an extra

    if address is not None:
        wait_for_cluster(_find_place("Dask", address))
    # Processes of one thread: each has a pool of its own that keeps one core busy.
    cluster = (
        nullcontext(address)
        if address
        else LocalCluster(n_workers=count_cores(), threads_per_worker=1, dashboard_address=None)
    )
    with cluster as source, _connect_to_dask(Client, source) as client:
        place = _find_place("Dask", client.scheduler.address)

        def is_connected() -> bool:
            return bool(client.status == "running")

        def count() -> int:
            return sum(client.ncores().values())

        executor = client.get_executor(pure=False, retries=_RETRIES)
        yield _make_executor(executor, place, is_connected, count)


def _connect_to_dask(client: Callable[..., Any], source: Any) -> Any:
    try:
        return client(source, timeout=_CONNECT_TIMEOUT_S)
    except (OSError, ValueError) as error:
        raise _explain_refusal("Dask", error) from error


def _make_executor(
    executor: Executor, place: ClusterPlace, answers: Callable[[], bool], count: Callable[[], int]
) -> ShardExecutor:
    return ShardExecutor(
        executor,
        # A cluster may begin without processes and grow with what it is given.
        n_parallel=2 * max(1, count()),
        is_remote=True,
        check=ClusterWatch(place, answers, count).check,
        explain=lambda error: explain_failure(error, place.engine),
    )


def _find_place(engine: str, address: str) -> ClusterPlace:
    """Return where a cluster is, from an address with or without a scheme.

    Raises:
        BadInput: If it has no host or no port.
    """
    try:
        parts = urlsplit(address if "://" in address else f"//{address}")
        host, port = parts.hostname, parts.port
    except ValueError:
        host = port = None
    if not host or not port:
        raise BadInput(
            f"--executor-address must have a host and a port, such as 10.0.0.5:6379; got "
            f"{address[:100]!r}."
        )
    return ClusterPlace(engine, host, port)


def _explain_refusal(engine: str, error: Exception) -> RunFailed:
    return RunFailed(
        f"The {engine} cluster does not take this worker: {' '.join(str(error).split())[:300]}"
    )
