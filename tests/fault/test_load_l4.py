"""A large embeddings CSV: streamed to the server and back, and never there in part."""

from __future__ import annotations

import hashlib
import time
from dataclasses import dataclass
from itertools import islice

import numpy as np
import pytest
import requests

from tests.support.fault_checks import await_condition, call, check_log
from tests.support.fault_kills import run_killable_server
from tests.support.fault_memory import MemoryWatch, watch_memory

pytestmark = pytest.mark.xdist_group("fault-load")
MB = 1024 * 1024
#: Beyond what a server holds that has read a small CSV, its task process included.
MAX_EXTRA_BYTES = 200 * MB
MAX_WALL_S = 1_500.0
ROWS_PER_PIECE = 1_000
SAMPLES_PER_REQUEST = 10_000


@dataclass(frozen=True)
class Table:
    """A CSV of numbered samples; only a few rows of numbers are distinct."""

    n_rows: int
    n_dims: int

    def list_names(self, first, last):
        return [f"camera/{number:08d}.jpg" for number in range(first, min(last, self.n_rows))]

    def write(self):
        """Yield the CSV in pieces."""
        columns = ",".join(f"embedding_{place}" for place in range(self.n_dims))
        yield f"filenames,{columns},labels\n".encode()
        vectors = np.random.default_rng(0).normal(size=(97, self.n_dims)).astype(np.float32)
        lines = [",".join(map(repr, row)) + ",0\n" for row in vectors.tolist()]
        for first in range(0, self.n_rows, ROWS_PER_PIECE):
            names = self.list_names(first, first + ROWS_PER_PIECE)
            rows = (
                f"{name},{lines[number % len(lines)]}" for number, name in enumerate(names, first)
            )
            yield "".join(rows).encode()

    @property
    def n_pieces(self):
        return 1 + -(-self.n_rows // ROWS_PER_PIECE)


@pytest.mark.parametrize(
    "table",
    [
        pytest.param(Table(5_000, 128), id="small"),
        pytest.param(
            Table(1_000_000, 128), id="L4", marks=[pytest.mark.long, pytest.mark.timeout(1_800)]
        ),
    ],
)
def test_a_large_csv_is_streamed_both_ways_and_is_never_there_in_part(table, tmp_path):
    started = time.monotonic()
    with run_killable_server(tmp_path / "data") as server:
        upload_small(server)
        dataset = make_dataset(server, "large", table)
        url, embedding_id = begin_upload(dataset)
        idle = MemoryWatch(lambda: server.pid)
        idle.look()
        with watch_memory(lambda: server.pid) as watch:
            upload_half(url, table)
            check_nothing_arrived(dataset, embedding_id)

            assert requests.put(url, data=table.write(), timeout=600).status_code == 200
            await_condition(lambda: is_processed(dataset, embedding_id), MAX_WALL_S)
        # What the server computes from the vectors by itself is not streaming.
        await_condition(lambda: not is_working(server), MAX_WALL_S)
        with watch_memory(lambda: server.pid) as back:
            assert read_back(dataset, embedding_id) == digest(table.write())
        extra_bytes = max(watch.peak_bytes, back.peak_bytes) - idle.peak_bytes
        print(  # noqa: T201  shown with `pytest -s`
            f"{table.n_rows} x {table.n_dims} in {time.monotonic() - started:.0f} s; "
            f"{extra_bytes / MB:.0f} MB beyond {idle.peak_bytes / MB:.0f} MB"
        )
        assert list_readings(dataset) == ["FINISHED"]
        assert extra_bytes <= MAX_EXTRA_BYTES
        check_log(server)


@dataclass(frozen=True)
class Dataset:
    server: object
    id: str

    def get(self, path, **parameters):
        answer = call(self.server, "GET", f"/v1/datasets/{self.id}{path}", params=parameters)
        assert answer.status_code == 200, answer.text
        return answer.json()


def make_dataset(server, name, table):
    dataset_id = call(server, "POST", "/v1/datasets", json={"name": name}).json()["id"]
    for first in range(0, table.n_rows, SAMPLES_PER_REQUEST):
        names = table.list_names(first, first + SAMPLES_PER_REQUEST)
        body = {"samples": [{"fileName": name} for name in names]}
        path = f"/ext/v1/datasets/{dataset_id}/samples/bulk"
        assert call(server, "POST", path, json=body).ok
    return Dataset(server, dataset_id)


def begin_upload(dataset):
    answer = dataset.get("/embeddings/writeCSVUrl", name="default")
    return answer["signedWriteUrl"], answer["embeddingId"]


def upload_small(server):
    """Let the server load what it reads CSVs with."""
    table = Table(10, 4)
    dataset = make_dataset(server, "small", table)
    url, embedding_id = begin_upload(dataset)
    assert requests.put(url, data=table.write(), timeout=600).status_code == 200
    await_condition(lambda: is_processed(dataset, embedding_id))
    await_condition(lambda: not is_working(server))


def is_working(server):
    jobs = call(server, "GET", "/v1/jobs").json()
    return any(job["status"] not in {"FINISHED", "FAILED"} for job in jobs)


def list_readings(dataset):
    """Return how the jobs stand that read CSVs of a dataset."""
    jobs = call(dataset.server, "GET", "/v1/jobs").json()
    return [
        job["status"]
        for job in jobs
        if (job["datasetId"], job["jobType"]) == (dataset.id, "EMBEDDING")
    ]


def upload_half(url, table):
    """Begin the upload and break off in the middle of it."""

    def write_half():
        yield from islice(table.write(), table.n_pieces // 2)
        raise ConnectionError("broken off")

    with pytest.raises(requests.ConnectionError, match="broken off"):
        requests.put(url, data=write_half(), timeout=600)


def check_nothing_arrived(dataset, embedding_id):
    [embedding] = dataset.get("/embeddings")
    assert (embedding["id"], embedding["isProcessed"]) == (embedding_id, False)
    path = f"/v1/datasets/{dataset.id}/embeddings/{embedding_id}/readCSVUrl"
    answer = call(dataset.server, "GET", path)
    assert (answer.status_code, answer.json()["code"]) == (400, "EMBEDDING_NOT_READY")
    assert list_readings(dataset) == []


def is_processed(dataset, embedding_id):
    [embedding] = dataset.get("/embeddings")
    assert embedding["id"] == embedding_id
    return embedding["isProcessed"]


def read_back(dataset, embedding_id):
    url = dataset.get(f"/embeddings/{embedding_id}/readCSVUrl")
    with requests.get(url, stream=True, timeout=600) as answer:
        answer.raise_for_status()
        return digest(answer.iter_content(MB))


def digest(pieces):
    hasher = hashlib.blake2b()
    for piece in pieces:
        hasher.update(piece)
    return hasher.hexdigest()
