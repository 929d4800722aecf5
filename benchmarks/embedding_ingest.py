"""Reading an embeddings CSV into vectors, against `pandas.read_csv` of the same file.

    .venv/bin/python benchmarks/embedding_ingest.py [--rows 100000] [--dimension 128]

The task runs as the server runs it: in a process that was started when the client asked where the
CSV goes. Its time includes matching every row with its sample and flushing the vectors to disk.
`pandas` is needed for this comparison only.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from dataclasses import asdict, dataclass, replace
from pathlib import Path

import numpy as np

from lightly._kit.ids import make_id
from lightly.server.auth.service import ensure_first_user
from lightly.server.datasets import repository as datasets
from lightly.server.embeddings import repository as embeddings
from lightly.server.embeddings.models import Embedding, EmbeddingState, make_csv_key
from lightly.server.jobs import repository as jobs
from lightly.server.jobs.models import JobKind, NewJob
from lightly.server.jobs.outbox import add_job
from lightly.server.jobs.processes import TaskProcesses
from lightly.server.jobs.run_task import make_order
from lightly.server.platform import PlatformState
from lightly.server.samples import repository as samples
from lightly.server.samples.models import NewSample, SampleContents
from lightly.server.settings import Settings
from lightly.server.startup import open_platform

ROUNDS = 5
_LONGEST_S = 300.0
_CHUNK = 10_000
_NO_CONTENTS = SampleContents(None, None, None, None, None, None, 0)


def write_csv(path: Path, n_rows: int, dimension: int) -> None:
    """Write a CSV as clients do: shortest digits that read back equal."""
    generator = np.random.default_rng(0)
    columns = ",".join(f"embedding_{i}" for i in range(dimension))
    with path.open("w") as file:
        file.write(f"filenames,{columns},labels\n")
        for start in range(0, n_rows, _CHUNK):
            rows = generator.standard_normal((min(_CHUNK, n_rows - start), dimension))
            for number, row in enumerate(rows.astype(np.float32).tolist(), start):
                file.write(f"{name_sample(number)},{','.join(map(repr, row))},0\n")


def name_sample(number: int) -> str:
    """Return the file name of a sample."""
    return f"images/img_{number:09d}.jpg"


def prepare_job(platform: PlatformState, csv: Path, n_rows: int) -> tuple[str, str]:
    """Register samples, store the CSV, add the job; return its id and a token that holds it."""
    now_ms = platform.clock.now_ms()
    dataset_id, embedding_id, token = make_id(), make_id(), make_id()
    with platform.database.write() as connection:
        user_id = connection.exec_driver_sql("SELECT id FROM users").scalar_one()
        datasets.insert_dataset(
            connection,
            dataset_id=dataset_id,
            user_id=user_id,
            name=f"ingest {dataset_id}",
            type_="Images",
            img_type=None,
            creator="UNKNOWN",
            parent_dataset_id=None,
            now_ms=now_ms,
        )
        dataset = datasets.find_dataset(connection, dataset_id)
        assert dataset is not None
        for start in range(0, n_rows, _CHUNK):
            numbers = range(start, min(start + _CHUNK, n_rows))
            new = [NewSample(name_sample(number), _NO_CONTENTS) for number in numbers]
            samples.append_samples(connection, dataset.key, start, new, now_ms)
        samples.update_counts(connection, dataset.key, now_ms, n_samples=n_rows, size_bytes=0)
        embedding = Embedding(
            embedding_id, dataset.key, "e", EmbeddingState.WAITING.value, None, 0, 0, None, now_ms
        )
        embeddings.insert_embedding(connection, embedding)
        new_job = NewJob(JobKind.EMBEDDING, user_id, dataset_id, {"embedding_id": embedding_id})
        job_id = add_job(connection, new_job, now_ms)
        jobs.claim_job(connection, job_id, token, now_ms)
    with csv.open("rb") as file:
        platform.blobs.put(
            make_csv_key(dataset_id, embedding_id), iter(lambda: file.read(1 << 20), b"")
        )
    return job_id, token


@dataclass(frozen=True, order=True)
class Figures:
    """What one reading cost: seconds on the clock, seconds of the processor, peak megabytes."""

    wall_s: float
    cpu_s: float
    peak_mb: float


def run_ingest(
    platform: PlatformState, settings: Settings, csv: Path, n_rows: int, *, is_ready: bool
) -> Figures:
    """Read the CSV once, in a process that has loaded what it needs, or in a new one."""
    job_id, token = prepare_job(platform, csv, n_rows)
    processes = TaskProcesses(keeps_one=True)
    if is_ready:
        processes.prepare()
    process = processes.take()
    if is_ready:
        # An order for a job that does not exist is answered as soon as everything is loaded.
        process.order(make_order(settings, make_id(), token).write())
        process.wait(_LONGEST_S)
    cpu_before_s, _ = read_process(process.pid) if is_ready else (0.0, 0.0)
    started = time.perf_counter()
    process.order(make_order(settings, job_id, token).write())
    process.wait(_LONGEST_S)
    wall_s = time.perf_counter() - started
    cpu_s, peak_mb = read_process(process.pid)
    process.close()
    figures = Figures(wall_s, cpu_s - cpu_before_s, peak_mb)
    with platform.database.read() as connection:
        job = jobs.find_job(connection, job_id)
    assert job is not None
    if job.status != "FINISHED":
        raise SystemExit(f"the job ended as {job.status}: {job.error}")
    return figures


def read_process(pid: int) -> tuple[float, float]:
    """Return processor seconds and peak megabytes of a process that lives."""
    fields = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    cpu_s = (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")
    peak_kb = Path(f"/proc/{pid}/status").read_text().split("VmHWM:")[1].split()[0]
    return cpu_s, int(peak_kb) / 1000


def run_pandas(csv: Path) -> Figures:
    """Read the CSV once with pandas in a new process; only the call itself is timed."""
    script = (
        "import json, sys, time, pandas\n"
        "wall, cpu = time.perf_counter(), time.process_time()\n"
        "pandas.read_csv(sys.argv[1])\n"
        "wall, cpu = time.perf_counter() - wall, time.process_time() - cpu\n"
        "peak = open('/proc/self/status').read().split('VmHWM:')[1].split()[0]\n"
        "print(json.dumps([wall, cpu, int(peak) / 1000]))\n"
    )
    command = [sys.executable, "-c", script, str(csv)]
    output = subprocess.run(command, stdout=subprocess.PIPE, check=True).stdout
    return Figures(*json.loads(output))


def main() -> None:
    """Print the figures as JSON."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=100_000)
    parser.add_argument("--dimension", type=int, default=128)
    arguments = parser.parse_args()
    os.environ["OMP_NUM_THREADS"] = "1"
    with tempfile.TemporaryDirectory() as folder:
        csv = Path(folder, "embeddings.csv")
        write_csv(csv, arguments.rows, arguments.dimension)
        settings = replace(Settings(), data_dir=Path(folder, "data"))
        platform = open_platform(settings)
        ensure_first_user(platform.database, platform.keys, platform.clock, settings.data_dir, None)
        ready, new, theirs = [], [], []
        for _ in range(ROUNDS):
            ready.append(run_ingest(platform, settings, csv, arguments.rows, is_ready=True))
            theirs.append(run_pandas(csv))
            new.append(run_ingest(platform, settings, csv, arguments.rows, is_ready=False))
        platform.database.close()
    best, pandas = min(ready), min(theirs)
    rounds = list(zip(ready, theirs, strict=True))
    figures = {
        "rows": arguments.rows,
        "dimension": arguments.dimension,
        "ingest": asdict(best),
        "ingest_in_new_process": asdict(min(new)),
        "pandas": asdict(pandas),
        # Of rounds, whose two halves met the same load on the machine.
        "wall_ratio": statistics.median(a.wall_s / b.wall_s for a, b in rounds),
        "cpu_ratio": statistics.median(a.cpu_s / b.cpu_s for a, b in rounds),
    }
    print(json.dumps(json.loads(json.dumps(figures), parse_float=lambda n: round(float(n), 2))))


if __name__ == "__main__":
    main()
