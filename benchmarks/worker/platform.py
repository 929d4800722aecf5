"""A server, a worker with mounts, and runs between them, measured from outside."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from unittest.mock import patch

import psutil

from lightly.api import ApiWorkflowClient
from tests.support.worker_runs import LocalPlace, run_local_place

RANDOM = [{"input": {"type": "RANDOM"}, "strategy": {"type": "WEIGHTS"}}]
DIVERSITY = [{"input": {"type": "EMBEDDINGS"}, "strategy": {"type": "DIVERSITY"}}]
_LOOK_INTERVAL_S = 0.1


@dataclass(frozen=True)
class Cost:
    """What one life of a worker took, from its start to its end.

    Attributes:
        wall_s: Seconds on the clock.
        cpu_s: CPU seconds of the worker and its children.
        server_cpu_s: CPU seconds of the server meanwhile.
        peak_bytes: Most private memory of the worker's own process.
    """

    wall_s: float
    cpu_s: float
    server_cpu_s: float
    peak_bytes: int


@contextmanager
def open_place() -> Iterator[LocalPlace]:
    """Yield a server with mounts in memory, if there is room."""
    shared = Path("/dev/shm")
    with (
        tempfile.TemporaryDirectory(dir=shared if shared.is_dir() else None) as folder,
        run_local_place(Path(folder)) as place,
    ):
        yield place


def schedule(
    place: LocalPlace,
    name: str,
    pictures: str,
    *,
    n_samples: int,
    strategies: list[dict[str, Any]],
    dataset_id: str | None = None,
    **worker: Any,
) -> tuple[ApiWorkflowClient, str]:
    """Schedule a run on a new dataset, or on one that there is; return its client and id."""
    with patch.dict(os.environ, {"LIGHTLY_SERVER_LOCATION": place.server.url}):
        client = ApiWorkflowClient(token=place.server.token, dataset_id=dataset_id)
    if dataset_id is None:
        (place.root / "lightly" / pictures).mkdir(parents=True, exist_ok=True)
        client.create_dataset(name)
        for purpose in ("INPUT", "LIGHTLY"):
            client.set_local_config(relative_path=pictures, purpose=purpose)
    selection = {"n_samples": n_samples, "strategies": strategies}
    scheduled = client.schedule_compute_worker_run(
        worker_config={"use_datapool": True, **worker}, selection_config=selection
    )
    return client, scheduled


def do_run(place: LocalPlace, client: ApiWorkflowClient, scheduled: str) -> Cost:
    """Have a fresh worker do the run that waits; return what that took."""
    command = [
        str(Path(sys.executable).parent / "lightly"), "worker", "--server", place.server.url,
        "--work-dir", str(place.root / "work"), "--name", "bench", "--once",
        "--input-mount", str(place.root / "input"), "--lightly-mount", str(place.root / "lightly"),
    ]  # fmt: skip
    server = psutil.Process(place.server.pid)
    server_before = _read_cpu_s(server)
    with (place.root / "worker.log").open("ab") as log:
        started = time.perf_counter()
        process = psutil.Popen(
            command, stdout=log, stderr=log,
            env={**os.environ, "LIGHTLY_TOKEN": place.server.token},
        )  # fmt: skip
        peak = _watch_memory(process)
        _, status, usage = os.wait4(process.pid, 0)
        wall_s = time.perf_counter() - started
    info = client.get_compute_worker_run_info(scheduled)
    if status or info.state != "COMPLETED":
        raise RuntimeError(f"The run ended as {info.state}: {info.message}")
    return Cost(
        wall_s, usage.ru_utime + usage.ru_stime, _read_cpu_s(server) - server_before, peak[0]
    )


def _watch_memory(process: subprocess.Popen[bytes]) -> list[int]:
    """Return a list whose only entry is the most private memory so far."""
    peak = [0]
    place = Path(f"/proc/{process.pid}/status")

    def watch() -> None:
        while True:
            try:
                text = place.read_text()
            except OSError:
                return
            lines = dict(line.split(":", 1) for line in text.splitlines() if ":" in line)
            if "RssAnon" not in lines:
                return
            peak[0] = max(peak[0], int(lines["RssAnon"].split()[0]) * 1024)
            time.sleep(_LOOK_INTERVAL_S)

    threading.Thread(target=watch, daemon=True).start()
    return peak


def _read_cpu_s(process: psutil.Process) -> float:
    times = process.cpu_times()
    return float(times.user + times.system)
