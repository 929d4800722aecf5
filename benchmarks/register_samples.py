"""Registering samples over HTTP: in bulk, and one POST per sample as the published 1.2 client does.

    python -m benchmarks.register_samples [--rows 100000] [--single-rows 2000]

Bars: 100,000 rows in 2 s; per sample at least 30 times as fast as single POSTs; the server holds
at most 300 MB.
"""

from __future__ import annotations

import argparse
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import requests

from benchmarks._sample_rows import (
    create_dataset,
    make_rows,
    read_cpu_s,
    read_peak_memory_mb,
    register_bulk,
    run_server,
)
from tests.support.platforms import ServerProcess

#: Threads of the published client's upload.
CLIENT_THREADS = 8


def register_singly(
    server: ServerProcess, token: str, dataset_id: str, rows: list[dict[str, Any]]
) -> None:
    url = f"{server.url}/v1/datasets/{dataset_id}/samples"
    local = threading.local()

    def post(row: dict[str, Any]) -> None:
        if not hasattr(local, "session"):
            local.session = requests.Session()
        answer = local.session.post(url, params={"token": token}, json=row)
        answer.raise_for_status()

    with ThreadPoolExecutor(CLIENT_THREADS) as pool:
        list(pool.map(post, rows))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rows", type=int, default=100_000)
    parser.add_argument("--single-rows", type=int, default=2_000)
    options = parser.parse_args()
    with run_server() as (server, session):
        per_row_s = {}
        for kind, has_metadata in (("names only", False), ("with metadata", True)):
            rows = make_rows(options.rows, has_metadata=has_metadata)
            dataset_id = create_dataset(server, session, f"bulk {kind}")
            started, cpu_started_s = time.perf_counter(), read_cpu_s(server)
            register_bulk(server, session, dataset_id, rows)
            taken_s = time.perf_counter() - started
            cpu_s = read_cpu_s(server) - cpu_started_s
            per_row_s[kind] = taken_s / options.rows
            print(
                f"bulk, {kind}: {options.rows:,} rows in {taken_s:.2f} s, server CPU {cpu_s:.2f} s"
            )
        rows = make_rows(options.single_rows, has_metadata=True)
        dataset_id = create_dataset(server, session, "single")
        started = time.perf_counter()
        register_singly(server, server.token, dataset_id, rows)
        single_s = time.perf_counter() - started
        print(f"one POST per sample, 8 threads: {len(rows):,} rows in {single_s:.2f} s")
        ratio = single_s / len(rows) / per_row_s["with metadata"]
        print(f"ratio per sample, both with metadata: {ratio:.0f}x (bar 30x)")
        print(f"peak memory of the server: {read_peak_memory_mb(server):.0f} MB (bar 300 MB)")


if __name__ == "__main__":
    main()
