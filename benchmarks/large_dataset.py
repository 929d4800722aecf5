"""A dataset with a million samples and a hundred tags: what its lists and its tags cost.

    python -m benchmarks.large_dataset [--rows 1000000] [--tags 100]

Bars: names within 1.5 times of reading and encoding the same rows in one process; the last page of
a list within 2 times of the first, p95 of pages 300 ms; making a tag 2 s, and making and combining
tags within 2 times with a hundred of them as with a few; memory of the server 300 MB. For names the
server's own processor time counts. Set TMPDIR to a folder in memory to leave the disk out of it.
"""

from __future__ import annotations

import argparse
import random
import sqlite3
import statistics
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import orjson
import requests

from benchmarks._sample_rows import (
    METADATA,
    create_dataset,
    read_cpu_s,
    read_peak_memory_mb,
    run_server,
)
from lightly.server.db.engine import open_database
from lightly.server.samples.models import NewSample, SampleContents
from lightly.server.samples.repository import append_samples, update_counts
from tests.support.platforms import ServerProcess

BATCH_ROWS = 50_000
REPEATS = 5
NAMES_RATIO = 1.5
PAGE_RATIO = 2.0
PAGE_P95_S = 0.3
TAG_CREATE_S = 2.0
LIMIT_MB = 300
PREDICTED_SAMPLES = 100_000
PREDICTED_PER_REQUEST = 10_000
BOXES_PER_SAMPLE = 5
#: What a page costs beside its rows, below which a ratio says nothing.
MIN_PAGE_S = 0.005


@dataclass
class Bench:
    """A server with one large dataset.

    Attributes:
        server: The process.
        session: Signed in.
        dataset_id: The dataset.
        count: How many samples it has.
        misses: Bars that were missed.
    """

    server: ServerProcess
    session: requests.Session
    dataset_id: str
    count: int
    misses: list[str] = field(default_factory=list)

    @property
    def url(self) -> str:
        """Where its operations begin."""
        return f"{self.server.url}/v1/datasets/{self.dataset_id}"

    def get(self, path: str, **query: Any) -> bytes:
        """Return the body of an answer; it is not parsed."""
        answer = self.session.get(f"{self.url}/{path}", params=query)
        answer.raise_for_status()
        return answer.content

    def post(self, path: str, body: Any) -> Any:
        """Send JSON and return the answer's."""
        answer = self.session.post(f"{self.url}/{path}", json=body)
        answer.raise_for_status()
        return answer.json()

    def judge(self, what: str, value: float, limit: float, unit: str) -> None:
        """Print a figure beside its bar."""
        is_met = value <= limit
        print(f"{what}: {value:.3g}{unit} (bar {limit:g}{unit}){'' if is_met else ' MISSED'}")
        if not is_met:
            self.misses.append(what)


def time_s(work: Callable[[], object]) -> float:
    """Return how long one call takes."""
    started = time.perf_counter()
    work()
    return time.perf_counter() - started


def fill(bench: Bench) -> None:
    """Write the samples into the database of the running server."""
    contents = SampleContents(metadata_json=orjson.dumps(METADATA).decode())
    database = open_database(f"sqlite:///{bench.server.data_dir / 'lightly.sqlite'}")
    for start in range(0, bench.count, BATCH_ROWS):
        stop = min(start + BATCH_ROWS, bench.count)
        new = [NewSample(f"camera/image_{n:07d}.jpg", contents) for n in range(start, stop)]
        with database.write() as connection:
            append_samples(connection, 1, start, new, 1)
            update_counts(connection, 1, 1, n_samples=stop, size_bytes=stop)
    database.close()


def measure_names(bench: Bench) -> None:
    """Compare the list of all names with reading and encoding the same rows here."""
    path = bench.server.data_dir / "lightly.sqlite"
    query = "SELECT file_name FROM samples WHERE dataset_key = 1 AND idx >= 0 ORDER BY idx"

    def read_here() -> bytes:
        with sqlite3.connect(path) as connection:
            return orjson.dumps([name for (name,) in connection.execute(query)])

    expected = read_here()
    here_s, server_s = [], []
    for _ in range(REPEATS):
        started = time.process_time()
        read_here()
        here_s.append(time.process_time() - started)
        before_s = read_cpu_s(bench.server)
        assert bench.get("mappings", field="fileName") == expected
        server_s.append(read_cpu_s(bench.server) - before_s)
    print(f"{bench.count:,} names: {min(server_s):.2f} s of the server, {min(here_s):.2f} s here")
    bench.judge("all names, against one process", min(server_s) / min(here_s), NAMES_RATIO, "x")


def measure_pages(bench: Bench) -> None:
    """Compare the last page of each list with its first, and look at pages in between."""
    lists: tuple[tuple[str, int, dict[str, str]], ...] = (
        ("mappings", 25_000, {"field": "fileName"}),
        ("mappings", 25_000, {"field": "_id"}),
        ("samples/partial", 25_000, {"mode": "ids"}),
        ("samples/partial", 25_000, {"mode": "fileNames"}),
        ("samples/partial", 5_000, {"mode": "full"}),
        ("samples", 5_000, {}),
        ("samples", 5_000, {"sortBy": "_id"}),
        ("samples", 100, {}),
        ("samples", 100, {"sortBy": "_id"}),
    )
    for path, size, query in lists:
        name = f"{path} {' '.join(query.values())} by {size:,}"
        first_s, last_s = [], []
        for _ in range(2 * REPEATS):
            page = query | {"pageSize": str(size)}
            first_s.append(time_s(lambda: bench.get(path, **page, pageOffset=0)))  # noqa: B023  called at once
            last = bench.count - size
            last_s.append(time_s(lambda: bench.get(path, **page, pageOffset=last)))  # noqa: B023  called at once
        first, last_page = statistics.median(first_s), statistics.median(last_s)
        print(f"{name}: first {first * 1000:.0f} ms, last {last_page * 1000:.0f} ms")
        ratio = last_page / max(first, MIN_PAGE_S)
        bench.judge("  last page against first", ratio, PAGE_RATIO, "x")
    random_offsets = random.Random(0).sample(range(bench.count - 100), 60)
    for query in ({}, {"sortBy": "_id"}):
        pages_s = [
            time_s(lambda: bench.get("samples", **query, pageSize=100, pageOffset=offset))  # noqa: B023  called at once
            for offset in random_offsets
        ]
        p95_s = statistics.quantiles(pages_s, n=20)[-1]
        bench.judge(f"p95 of 100 samples {query} at any offset", p95_s, PAGE_P95_S, " s")


def measure_tags(bench: Bench, n_tags: int) -> None:
    """Make tags and combine them, with few and with many."""
    initial_id = bench.post("tags/initial", {"imgType": "full"})["id"]
    bits = random.Random(1)
    creates_s, unions_s, ids = [], [], []
    for number in range(n_tags - 1):
        body = {
            "name": f"tag {number}",
            "prevTagId": initial_id,
            "bitMaskData": f"{bits.getrandbits(bench.count):#x}",
            "totSize": bench.count,
        }
        started = time.perf_counter()
        ids.append(bench.post("tags", body)["id"])
        creates_s.append(time.perf_counter() - started)
        if number in {1, n_tags - 2}:
            unions_s.append(time_union(bench, ids))
    bench.judge("slowest tag create", max(creates_s), TAG_CREATE_S, " s")
    tenth = max(1, len(creates_s) // 10)
    early, late = statistics.median(creates_s[:tenth]), statistics.median(creates_s[-tenth:])
    bench.judge("tag create, with all tags against with few", late / early, PAGE_RATIO, "x")
    print(f"union with 3 tags {unions_s[0] * 1000:.0f} ms, with all {unions_s[-1] * 1000:.0f} ms")
    ratio = unions_s[-1] / max(unions_s[0], MIN_PAGE_S)
    bench.judge("  union with all tags against with few", ratio, PAGE_RATIO, "x")
    list_s = min(time_s(lambda: bench.get("tags")) for _ in range(REPEATS))
    size_mb = len(bench.get("tags")) / 1e6
    one_s = min(time_s(lambda: bench.get(f"tags/{ids[0]}")) for _ in range(REPEATS))
    print(f"list of {n_tags} tags: {list_s:.2f} s for {size_mb:.0f} MB, one tag {one_s:.4f} s")
    bench.judge("  list against its tags one by one", list_s / (one_s * n_tags), 1, "x")


def time_union(bench: Bench, ids: list[str]) -> float:
    body = {"tagId1": ids[0], "tagId2": ids[1], "operation": "UNION"}
    return min(time_s(lambda: bench.post("tags/arithmetics/bitmask", body)) for _ in range(9))


def measure_predictions(bench: Bench) -> None:
    """Store boxes of a share of the samples in bulk, then list them."""
    categories = [{"id": id_, "name": f"class {id_}"} for id_ in range(10)]
    schema = {"name": "boxes", "type": "OBJECT_DETECTION", "categories": categories}
    bench.post("predictions/tasks", schema)
    numbers = random.Random(2)
    url = f"{bench.server.url}/ext/v1/datasets/{bench.dataset_id}/predictions/samples"
    count = min(bench.count, PREDICTED_SAMPLES)
    taken_s = 0.0
    for start in range(bench.count - count, bench.count, PREDICTED_PER_REQUEST):
        stop = min(start + PREDICTED_PER_REQUEST, bench.count)
        items = [
            {"fileName": f"camera/image_{n:07d}.jpg", "predictions": make_boxes(numbers)}
            for n in range(start, stop)
        ]
        body = orjson.dumps({"items": items})
        started = time.perf_counter()
        bench.session.put(url, data=body).raise_for_status()
        taken_s += time.perf_counter() - started
    print(f"predictions of {count / taken_s:,.0f} samples/s, {BOXES_PER_SAMPLE} boxes each")
    first, last = bench.count - count, bench.count - PREDICTED_PER_REQUEST
    pages_s = [
        min(
            time_s(lambda: bench.get("predictions/samples", pageOffset=offset, pageSize=5_000))  # noqa: B023  called at once
            for _ in range(REPEATS)
        )
        for offset in (first, last)
    ]
    print(f"predictions of 5,000 samples: {pages_s[0] * 1000:.0f} ms")
    bench.judge("  last page against first", pages_s[1] / pages_s[0], PAGE_RATIO, "x")


def make_boxes(numbers: random.Random) -> list[dict[str, Any]]:
    return [
        {
            "type": "OBJECT_DETECTION",
            "taskName": "boxes",
            "categoryId": numbers.randrange(10),
            "score": round(numbers.random(), 3),
            "bbox": [round(1000 * numbers.random(), 1) for _ in range(4)],
        }
        for _ in range(BOXES_PER_SAMPLE)
    ]


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--tags", type=int, default=100)
    arguments = parser.parse_args()
    with run_server() as (server, session):
        dataset_id = create_dataset(server, session, "large")
        bench = Bench(server, session, dataset_id, arguments.rows)
        print(f"filled in {time_s(lambda: fill(bench)):.0f} s")
        measure_names(bench)
        measure_pages(bench)
        measure_tags(bench, arguments.tags)
        measure_predictions(bench)
        bench.judge("peak memory of the server", read_peak_memory_mb(server), LIMIT_MB, " MB")
    print(f"missed: {', '.join(bench.misses) or 'none'}")
    return bool(bench.misses)


if __name__ == "__main__":
    sys.exit(main())
