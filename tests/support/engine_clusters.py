"""Clusters of Ray and Dask on this machine: one head and two nodes, each a process tree."""

from __future__ import annotations

import os
import secrets
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from unittest.mock import patch

from tests.support.ports import find_free_port

START_TIMEOUT_S = 300.0
_PROGRAMS = Path(sys.executable).parent
_NODES = 2
_ATTEMPTS = 3


class Cluster:
    """A head and two nodes that work.

    Args:
        folder: For logs.
        head: Command of the head.
        node: Command of a node.
        address: What workers are given.
    """

    def __init__(self, folder: Path, head: list[str], node: list[str], address: str) -> None:
        self.address = address
        self._folder = folder
        self._commands = [head, *[node] * _NODES]
        self._processes: list[subprocess.Popen[bytes]] = []

    def start(self, script: str) -> None:
        """Start all processes, one after another.

        Args:
            script: Waits until a cluster (its address) has so many nodes.
        """
        head, *nodes = self._commands
        self._start(head)
        self._wait_for_head()
        for number, node in enumerate(nodes):
            # Ray gives up on a node that needs more than 30 s, as on a crowded machine.
            assert any(self._joins(node, script, number + 1) for _ in range(_ATTEMPTS)), (
                self._read_logs()
            )

    def _start(self, command: list[str]) -> subprocess.Popen[bytes]:
        with (self._folder / f"cluster-{len(self._processes)}.log").open("wb") as log:
            process = subprocess.Popen(
                command, stdout=log, stderr=log, start_new_session=True, env=_make_environment()
            )
        self._processes.append(process)
        return process

    def _joins(self, command: list[str], script: str, n_nodes: int) -> bool:
        node = self._start(command)
        command = [sys.executable, "-c", script, self.address, str(n_nodes)]
        waiting = subprocess.Popen(command, env=_make_environment())
        deadline = time.monotonic() + START_TIMEOUT_S
        while node.poll() is None and time.monotonic() < deadline:
            with suppress(subprocess.TimeoutExpired):
                return waiting.wait(0.5) == 0
        waiting.kill()
        waiting.wait()
        return False

    def _wait_for_head(self) -> None:
        deadline = time.monotonic() + START_TIMEOUT_S
        place = ("127.0.0.1", int(self.address.rsplit(":", 1)[1]))
        while True:
            with suppress(OSError):
                socket.create_connection(place, 5).close()
                return
            assert time.monotonic() < deadline, self._read_logs()
            time.sleep(0.2)

    def kill_node(self) -> None:
        """End one node and everything in it with SIGKILL."""
        self._kill(self._processes[-1])

    def kill(self) -> None:
        """End all processes with SIGKILL."""
        for process in reversed(self._processes):
            self._kill(process)

    def _kill(self, process: subprocess.Popen[bytes]) -> None:
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait(30)

    def _read_logs(self) -> str:
        logs = sorted(self._folder.glob("cluster-*.log"))
        return "\n".join(log.read_text(errors="replace")[-1000:] for log in logs)


def _make_environment() -> dict[str, str]:
    return {**os.environ, "RAY_AUTH_MODE": "token"}


@contextmanager
def run_ray(folder: Path) -> Iterator[Cluster]:
    """Yield a Ray cluster whose head does no work."""
    port = find_free_port()
    # Paths of sockets are short, so not below the folder of a test.
    sockets = Path(tempfile.mkdtemp(prefix="ray", dir="/tmp"))
    shared = ["--block", "--disable-usage-stats", "--node-ip-address", "127.0.0.1"]
    # Else it takes ports that were free a moment ago for its workers.
    shared += ["--object-store-memory", "80000000", "--min-worker-port", "0"]
    shared += ["--max-worker-port", "0"]
    start = [str(_PROGRAMS / "ray"), "start", *shared]
    head = [*start, "--head", "--port", str(port), "--num-cpus", "0", "--temp-dir", str(sockets)]
    head += ["--include-dashboard", "false"]
    node = [*start, "--address", f"127.0.0.1:{port}", "--num-cpus", "1"]
    cluster = Cluster(folder, head, node, f"127.0.0.1:{port}")
    token = sockets / "token"
    token.write_text(secrets.token_hex(16))
    try:
        # The head asks for a token because there is one; all others have to be told.
        with patch.dict(os.environ, {"RAY_AUTH_TOKEN_PATH": str(token)}):
            cluster.start(_RAY_SCRIPT)
            yield cluster
    finally:
        cluster.kill()
        shutil.rmtree(sockets, ignore_errors=True)


@contextmanager
def run_dask(folder: Path) -> Iterator[Cluster]:
    """Yield a Dask cluster."""
    port = find_free_port()
    address = f"tcp://127.0.0.1:{port}"
    dask = str(_PROGRAMS / "dask")
    head = [dask, "scheduler", "--host", "127.0.0.1", "--port", str(port), "--no-dashboard"]
    node = [dask, "worker", address, "--no-nanny", "--nthreads", "1", "--no-dashboard"]
    cluster = Cluster(folder, head, [*node, "--local-directory", str(folder)], address)
    try:
        cluster.start(_DASK_SCRIPT)
        yield cluster
    finally:
        cluster.kill()


#: Run in processes of their own: this one shall not belong to any cluster.
_RAY_SCRIPT = """
import sys, time, ray
ray.init(address=sys.argv[1], log_to_driver=False, logging_level="ERROR")
while ray.cluster_resources().get("CPU", 0) < int(sys.argv[2]):
    time.sleep(0.5)
"""
_DASK_SCRIPT = """
import sys
from distributed import Client
with Client(sys.argv[1], timeout=60) as client:
    client.wait_for_workers(int(sys.argv[2]))
"""
