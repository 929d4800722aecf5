"""A server with a dataset and rows to register, shared by the benchmarks of samples."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import orjson
import requests

from tests.support.platforms import ServerProcess, run_process

BATCH_ROWS = 10_000
#: What the published upload flow measures of each image.
METADATA = {
    "mean": [0.4851, 0.4561, 0.4062],
    "std": [0.2291, 0.2242, 0.2254],
    "sumOfValues": [596126.12, 560432.53, 499098.62],
    "sumOfSquares": [353642.21, 317235.81, 265134.72],
    "shape": [960, 1280, 3],
    "snr": 2.1173,
    "sharpness": 23.442,
    "sizeInBytes": 348_213,
}


@contextmanager
def run_server() -> Iterator[tuple[ServerProcess, requests.Session]]:
    """Yield a real server process on SQLite and a session that is signed in."""
    with (
        tempfile.TemporaryDirectory() as folder,
        run_process(Path(folder, "data")) as server,
        requests.Session() as session,
    ):
        session.headers["Authorization"] = f"Bearer {server.token}"
        yield server, session


def create_dataset(server: ServerProcess, session: requests.Session, name: str) -> str:
    """Add a dataset and return its id."""
    answer = session.post(f"{server.url}/v1/datasets", json={"name": name})
    answer.raise_for_status()
    dataset_id: str = answer.json()["id"]
    return dataset_id


def make_rows(count: int, *, has_metadata: bool) -> list[dict[str, Any]]:
    """Return samples as clients describe them."""
    extra = {"metaData": METADATA} if has_metadata else {}
    return [{"fileName": f"camera/image_{number:07d}.jpg"} | extra for number in range(count)]


def register_bulk(
    server: ServerProcess, session: requests.Session, dataset_id: str, rows: list[dict[str, Any]]
) -> None:
    """Register rows in batches, one after the other."""
    url = f"{server.url}/ext/v1/datasets/{dataset_id}/samples/bulk"
    for start in range(0, len(rows), BATCH_ROWS):
        body = orjson.dumps({"samples": rows[start : start + BATCH_ROWS]})
        answer = session.post(url, data=body)
        answer.raise_for_status()


def read_cpu_s(server: ServerProcess) -> float:
    """Return the processor time that the server has used: other work on the machine hides less."""
    fields = Path(f"/proc/{server.pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def read_peak_memory_mb(server: ServerProcess) -> float:
    """Return the most memory that the server has held so far."""
    status = Path(f"/proc/{server.pid}/status").read_text()
    line = next(line for line in status.splitlines() if line.startswith("VmHWM"))
    return int(line.split()[1]) / 1024
