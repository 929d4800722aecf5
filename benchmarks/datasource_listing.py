"""Listing a bucket through the server, against the store library listing and signing by itself.

    python -m benchmarks.datasource_listing [--objects 100000] [--shards 1]

Bar: within 1.5 times, with memory that does not grow with the number of objects. The bucket is one
of an S3 server that is started here; it takes about a minute to fill it with 100,000 objects.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import resource
import tempfile
import time
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from pathlib import Path
from typing import Any

import obstore
import orjson
import requests
from obstore.store import S3Store

from benchmarks._sample_rows import create_dataset, read_cpu_s, read_peak_memory_mb
from tests.support.object_stores import ACCESS_KEY, REGION, SECRET_KEY, SHARED_BUCKET, S3Server
from tests.support.platforms import ServerProcess, run_process

PREFIX = "listing"
OBJECTS_PER_FOLDER = 10_000
#: What stores give at once.
CHUNK = 1_000
WRITERS = 64
REPEATS = 2
TTL_S = 3600


def fill(store: S3Store, count: int) -> None:
    names = (
        f"{PREFIX}/camera_{number // OBJECTS_PER_FOLDER:03d}/image_{number:08d}.jpg"
        for number in range(count)
    )

    async def write(names: Iterable[str]) -> None:
        for name in names:
            await obstore.put_async(store, name, b"1")

    async def write_all() -> None:
        # One iterator for all: each takes the next name.
        await asyncio.gather(*(write(names) for _ in range(WRITERS)))

    asyncio.run(write_all())


def list_alone(store: S3Store) -> int:
    count = 0
    for chunk in obstore.list(store, PREFIX, chunk_size=CHUNK):
        paths = [one["path"] for one in chunk]
        count += len(obstore.sign(store, "GET", paths, timedelta(seconds=TTL_S)))
    return count


def walk(session: requests.Session, url: str, query: dict[str, Any]) -> int:
    count = 0
    while True:
        answer = session.get(f"{url}/list", params=query)
        answer.raise_for_status()
        page = orjson.loads(answer.content)
        count += len(page["data"])
        if not page["hasMore"]:
            return count
        query = {"cursor": page["cursor"]}


def list_through_server(session: requests.Session, url: str, shards: int) -> int:
    if shards == 1:
        return walk(session, url, {})
    cursors = session.get(f"{url}/list/dnc", params={"dncShards": shards}).json()["cursors"]
    with ThreadPoolExecutor(shards) as executor:
        return sum(executor.map(lambda cursor: walk(session, url, {"cursor": cursor}), cursors))


def set_datasource(session: requests.Session, url: str) -> None:
    body = {
        "type": "S3",
        "fullPath": f"s3://{SHARED_BUCKET}/{PREFIX}",
        "purpose": "INPUT_OUTPUT",
        "s3Region": REGION,
        "s3AccessKeyId": ACCESS_KEY,
        "s3SecretAccessKey": SECRET_KEY,
    }
    session.put(url, json=body).raise_for_status()


def read_own_cpu_s() -> float:
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_utime + used.ru_stime


def measure(server: ServerProcess, store: S3Store, url: str, shards: int, count: int) -> None:
    with requests.Session() as session:
        session.headers["Authorization"] = f"Bearer {server.token}"
        alone: list[tuple[float, float]] = []
        served: list[tuple[float, float]] = []
        for _ in range(REPEATS):
            started, cpu_s = time.perf_counter(), read_own_cpu_s()
            assert list_alone(store) == count
            alone.append((time.perf_counter() - started, read_own_cpu_s() - cpu_s))
            started, cpu_s = time.perf_counter(), read_cpu_s(server)
            assert list_through_server(session, url, shards) == count
            served.append((time.perf_counter() - started, read_cpu_s(server) - cpu_s))
    (alone_s, _), (served_s, _) = min(alone), min(served)
    alone_cpu_s, served_cpu_s = (min(cpu_s for _, cpu_s in runs) for runs in (alone, served))
    print(f"{count:,} objects, the library alone: {alone_s:.1f} s, {alone_cpu_s:.1f} s CPU")
    print(
        f"through the server, {shards} at a time: {served_s:.1f} s, {served_s / alone_s:.2f}x (bar "
        f"1.5x); its own CPU {served_cpu_s:.1f} s, {served_cpu_s / alone_cpu_s:.2f}x"
    )
    print(f"peak memory of the server: {read_peak_memory_mb(server):.0f} MB")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--objects", type=int, default=100_000)
    parser.add_argument("--shards", type=int, default=1)
    options = parser.parse_args()
    bucket = S3Server()
    try:
        store = S3Store(
            SHARED_BUCKET,
            access_key_id=ACCESS_KEY,
            secret_access_key=SECRET_KEY,
            endpoint=bucket.endpoint,
            region=REGION,
            client_options={"allow_http": True},
        )
        started = time.perf_counter()
        fill(store, options.objects)
        print(f"filled in {time.perf_counter() - started:.0f} s", flush=True)
        variables = {
            "LIGHTLY_SERVER_S3_ENDPOINT": bucket.endpoint,
            "LIGHTLY_SERVER_EGRESS_ALLOW": "127.0.0.1/32",
        }
        with (
            tempfile.TemporaryDirectory() as folder,
            requests.Session() as session,
            run_process(Path(folder, "data"), **variables) as server,
        ):
            session.headers["Authorization"] = f"Bearer {server.token}"
            dataset_id = create_dataset(server, session, "listing")
            url = f"{server.url}/v1/datasets/{dataset_id}/datasource"
            set_datasource(session, url)
            measure(server, store, url, options.shards, options.objects)
    finally:
        bucket.stop()


if __name__ == "__main__":
    os.environ.setdefault("OMP_NUM_THREADS", "1")
    main()
