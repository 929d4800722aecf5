"""Registering samples: in bulk, and one POST per sample by the published 1.2.28 client.

    python -m benchmarks.register_samples [--rows 100000] [--single-rows 20000]

Bars: 100,000 rows in 2 s; per sample the SDK at least 30 times as fast as single POSTs; the server
holds at most 300 MB. The single POSTs are what `upload_dataset` of that client sends, in its own
environment, from as many threads, without the reading of images.
"""

from __future__ import annotations

import argparse
import time
from typing import Any

from benchmarks._sample_rows import (
    BATCH_ROWS,
    METADATA,
    create_dataset,
    make_rows,
    read_cpu_s,
    read_peak_memory_mb,
    register_bulk,
    run_server,
)
from lightly.api.dataset_samples import DatasetSamples, split
from lightly.api.transport import Transport
from tests.support.platforms import ServerProcess
from tests.support.published_clients.runner import run_client_script

SINGLE_POSTS = """
    import time
    from concurrent.futures import ThreadPoolExecutor
    from lightly.api import ApiWorkflowClient
    from lightly.openapi_generated.swagger_client.models import SampleCreateRequest

    client = ApiWorkflowClient(dataset_id=arguments["dataset_id"])

    def post(number):
        body = SampleCreateRequest(
            file_name=f"camera/image_{number:07d}.jpg", meta_data=arguments["metadata"]
        )
        client._samples_api.create_sample_by_dataset_id(
            dataset_id=arguments["dataset_id"], body=body
        )

    started = time.perf_counter()
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(post, range(arguments["rows"])))
    result = time.perf_counter() - started
"""


def register_through_sdk(
    server: ServerProcess, dataset_id: str, rows: list[dict[str, Any]]
) -> float:
    """Return the seconds that the SDK takes, from dictionaries to ids."""
    samples = DatasetSamples(Transport(server.url, server.token), dataset_id)
    started = time.perf_counter()
    for batch in split(rows, BATCH_ROWS):
        samples.register(batch)
    return time.perf_counter() - started


def register_singly(server: ServerProcess, dataset_id: str, count: int) -> float:
    """Return the seconds that the published client takes for one POST per sample."""
    run = run_client_script(
        "1.2.28",
        SINGLE_POSTS,
        server_url=server.url,
        token=server.token,
        timeout_s=1_800,
        arguments={"dataset_id": dataset_id, "rows": count, "metadata": METADATA},
    )
    return float(run.result)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rows", type=int, default=100_000)
    parser.add_argument("--single-rows", type=int, default=20_000)
    options = parser.parse_args()
    with run_server() as (server, session):
        for kind, has_metadata in (("names only", False), ("with metadata", True)):
            rows = make_rows(options.rows, has_metadata=has_metadata)
            dataset_id = create_dataset(server, session, f"bulk {kind}")
            started, cpu_started_s = time.perf_counter(), read_cpu_s(server)
            register_bulk(server, session, dataset_id, rows)
            taken_s = time.perf_counter() - started
            cpu_s = read_cpu_s(server) - cpu_started_s
            print(
                f"bulk over HTTP, {kind}: {options.rows:,} rows in {taken_s:.2f} s, "
                f"server CPU {cpu_s:.2f} s"
            )
            dataset_id = create_dataset(server, session, f"SDK {kind}")
            taken_s = register_through_sdk(server, dataset_id, rows)
            print(f"bulk through the SDK, {kind}: {options.rows:,} rows in {taken_s:.2f} s")
        rows = make_rows(options.single_rows, has_metadata=True)
        sdk_s = register_through_sdk(server, create_dataset(server, session, "few"), rows)
        single_s = register_singly(
            server, create_dataset(server, session, "single"), options.single_rows
        )
        print(
            f"{options.single_rows:,} rows with metadata: SDK {sdk_s:.2f} s, "
            f"client 1.2.28 in 8 threads {single_s:.1f} s, {single_s / sdk_s:.0f}x (bar 30x)"
        )
        print(f"peak memory of the server: {read_peak_memory_mb(server):.0f} MB (bar 300 MB)")


if __name__ == "__main__":
    main()
