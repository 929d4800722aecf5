"""Listing file names over HTTP, against reading them from the database in this process.

    python -m benchmarks.list_names [--rows 100000]

Bars: 100,000 names in 0.5 s, and within 5 times of the database.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable

import requests

from benchmarks._sample_rows import (
    create_dataset,
    make_rows,
    read_peak_memory_mb,
    register_bulk,
    run_server,
)
from lightly.api.dataset_samples import DatasetSamples
from lightly.api.transport import Transport
from lightly.server.db.engine import open_database
from lightly.server.samples.repository import read_file_names
from tests.support.platforms import ServerProcess

REPEATS = 5
#: What clients from 1.5 on ask for at once.
PAGE_SIZE = 25_000


def list_whole(server: ServerProcess, session: requests.Session, dataset_id: str) -> list[str]:
    answer = session.get(f"{server.url}/v1/datasets/{dataset_id}/mappings?field=fileName")
    names: list[str] = answer.json()
    return names


def list_paged(server: ServerProcess, session: requests.Session, dataset_id: str) -> list[str]:
    names: list[str] = []
    url = f"{server.url}/v1/datasets/{dataset_id}/mappings?field=fileName&pageSize={PAGE_SIZE}"
    while True:
        page = session.get(f"{url}&pageOffset={len(names)}").json()
        names += page
        if len(page) < PAGE_SIZE:
            return names


def list_identities(server: ServerProcess, session: requests.Session, dataset_id: str) -> list[str]:
    names: list[str] = []
    url = f"{server.url}/ext/v1/datasets/{dataset_id}/samples/names"
    while page := session.get(f"{url}?after={len(names) - 1}").json():
        names += [name for _, _, name in page]
    return names


def list_through_sdk(server: ServerProcess, dataset_id: str) -> list[str]:
    samples = DatasetSamples(Transport(server.url, server.token), dataset_id)
    return [name for page in samples.iterate_names() for name in page]


def measure_s(work: Callable[[], list[str]], count: int) -> float:
    """Return the shortest of some runs."""
    times = []
    for _ in range(REPEATS):
        started = time.perf_counter()
        names = work()
        times.append(time.perf_counter() - started)
        assert len(set(names)) == count
    return min(times)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rows", type=int, default=100_000)
    count = parser.parse_args().rows
    with run_server() as (server, session):
        dataset_id = create_dataset(server, session, "names")
        register_bulk(server, session, dataset_id, make_rows(count, has_metadata=False))
        database = open_database(f"sqlite:///{server.data_dir / 'lightly.sqlite'}")

        def read_database() -> list[str]:
            with database.read() as connection:
                return read_file_names(connection, 1, 0, count)

        database_s = measure_s(read_database, count)
        print(f"{count:,} names from the database: {database_s:.3f} s")
        for how, list_names in (
            ("one answer", list_whole),
            (f"pages of {PAGE_SIZE:,}", list_paged),
            ("with index and id", list_identities),
        ):
            taken_s = measure_s(lambda: list_names(server, session, dataset_id), count)  # noqa: B023  called at once
            ratio = taken_s / database_s
            print(f"over HTTP, {how}: {taken_s:.3f} s (bar 0.5 s), {ratio:.1f}x")
        taken_s = measure_s(lambda: list_through_sdk(server, dataset_id), count)
        print(f"through the SDK: {taken_s:.3f} s, {taken_s / database_s:.1f}x (bar 5x)")
        print(f"peak memory of the server: {read_peak_memory_mb(server):.0f} MB")
        database.close()


if __name__ == "__main__":
    main()
