"""Resident memory of the server while samples with metadata are registered through the SDK.

    python -m benchmarks.server_memory [--rows 100000]

Bar: 300 MB, for the server and all that it started. Once as the SDK uploads, 500 samples at a time
from one client, and once as hard as clients can: the largest batches, from eight at the same time.
"""

from __future__ import annotations

import argparse
import sys
import time
from concurrent.futures import ThreadPoolExecutor

from benchmarks._sample_rows import create_dataset, make_rows, run_server
from lightly.api.dataset_samples import MAX_BULK_ITEMS, DatasetSamples, split
from lightly.api.transport import Transport
from lightly.api.upload_engine import BATCH_ITEMS
from tests.support.fault_memory import watch_memory

LIMIT_MB = 300
MB = 1024 * 1024


def upload(transport: Transport, dataset_id: str, numbers: range, batch_rows: int) -> None:
    """Register a share of the samples, batch by batch."""
    samples = DatasetSamples(transport, dataset_id)
    rows = make_rows(numbers.stop, has_metadata=True)[numbers.start :]
    for batch in split(rows, batch_rows):
        refused = [result for result in samples.register(batch) if not isinstance(result, str)]
        assert not refused, refused[0]


def measure(count: int, *, n_clients: int, batch_rows: int) -> bool:
    """Measure one way of uploading; return whether it stayed below the limit."""
    with run_server() as (server, session), watch_memory(lambda: server.pid) as watch:
        dataset_id = create_dataset(server, session, "memory")
        watch.look()
        before_mb = watch.peak_bytes / MB
        share = count // n_clients
        started = time.perf_counter()
        with ThreadPoolExecutor(n_clients) as executor:
            clients = [
                executor.submit(
                    upload,
                    Transport(server.url, server.token),
                    dataset_id,
                    range(client * share, (client + 1) * share),
                    batch_rows,
                )
                for client in range(n_clients)
            ]
            for client in clients:
                client.result()
        taken_s = time.perf_counter() - started
        listed = session.get(f"{server.url}/v1/datasets/{dataset_id}").json()["nSamples"]
        assert listed == share * n_clients
        watch.look()
    peak_mb = watch.peak_bytes / MB
    how = f"{n_clients} client(s), batches of {batch_rows:,}"
    print(
        f"{how}: {share * n_clients:,} samples in {taken_s:.1f} s, "
        f"peak {peak_mb:.0f} MB (bar {LIMIT_MB} MB), {before_mb:.0f} MB before"
    )
    return peak_mb <= LIMIT_MB


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rows", type=int, default=100_000)
    count = parser.parse_args().rows
    as_uploads_are = measure(count, n_clients=1, batch_rows=BATCH_ITEMS)
    at_worst = measure(count, n_clients=8, batch_rows=MAX_BULK_ITEMS)
    return 0 if as_uploads_are and at_worst else 1


if __name__ == "__main__":
    sys.exit(main())
