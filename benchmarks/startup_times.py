"""How long until something answers: the server, the SDK's import, the command's help.

    python -m benchmarks.startup_times

Each figure is the median of several fresh processes, beside a bare interpreter as the floor.
"""

from __future__ import annotations

import signal
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import requests

from tests.support.ports import find_free_port

REPEATS = 5
LIGHTLY = str(Path(sys.executable).parent / "lightly")


def time_command(*command: str) -> float:
    """Return the seconds that a command takes."""
    started = time.perf_counter()
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
    return time.perf_counter() - started


def time_server_start(data_dir: Path) -> float:
    """Return the seconds from starting a server to its first ready answer."""
    port = find_free_port()
    command = [LIGHTLY, "server", "--port", str(port), "--data-dir", str(data_dir)]
    started = time.perf_counter()
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        while True:
            try:
                requests.get(f"http://127.0.0.1:{port}/readyz", timeout=5).raise_for_status()
                return time.perf_counter() - started
            except requests.RequestException:
                time.sleep(0.01)
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait()


def measure(name: str, limit_s: float, run: Callable[[], float], floor_s: float) -> None:
    """Print the median of several runs beside its limit and the floor."""
    seconds = statistics.median(run() for _ in range(REPEATS))
    verdict = "ok" if seconds <= limit_s else "MISSED"
    print(
        f"{name:<42} {seconds:6.2f} s  limit {limit_s:.1f} s  {seconds / floor_s:5.1f}x  {verdict}"
    )


def main() -> None:
    """Print all figures."""
    floor_s = statistics.median(time_command(sys.executable, "-c", "") for _ in range(REPEATS))
    print(f"{'bare interpreter (floor)':<42} {floor_s:6.2f} s")
    with tempfile.TemporaryDirectory() as folder:
        time_server_start(Path(folder))
        measure(
            "lightly server, existing data, until ready",
            3.0,
            lambda: time_server_start(Path(folder)),
            floor_s,
        )
    measure(
        "import lightly.api",
        0.6,
        lambda: time_command(sys.executable, "-c", "from lightly.api import ApiWorkflowClient"),
        floor_s,
    )
    measure("lightly --help", 0.5, lambda: time_command(LIGHTLY, "--help"), floor_s)


if __name__ == "__main__":
    main()
