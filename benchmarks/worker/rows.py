"""The rows of the table: each a figure against its floor in the same run."""

from __future__ import annotations

import csv
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np

from benchmarks.embedding_throughput import measure_inference
from benchmarks.worker.kernels import inspect_all, measure_pool_s
from benchmarks.worker.pictures import draw_tiny_picture, make_all_photos, write_folder
from benchmarks.worker.platform import DIVERSITY, RANDOM, do_run, open_place, schedule
from lightly.embedding.registry import SHIPPED_MODEL
from tests.support.worker_runs import LocalPlace

N_CUSTOM = 64
#: States that say that a worker has the run in hand.
_WORKING = frozenset({"INITIALIZING", "LOADING_DATASET", "EMBEDDING", "SAMPLING", "COMPLETED",
                      "UPLOADING_DATASET", "UPLOADED_ARTIFACTS", "SAVING_RESULTS"})  # fmt: skip


@dataclass(frozen=True)
class Figure:
    """One result.

    Attributes:
        what: What was measured against what.
        bar: What is asked for.
        measured: What came out.
        is_reached: Whether that is enough.
    """

    what: str
    bar: str
    measured: str
    is_reached: bool


def measure_kernel(_n_images: int) -> Iterator[Figure]:
    """Decoding with everything that is recorded about an image, on one core."""
    photos = make_all_photos()
    per_image_s = min(_measure_cpu_s(lambda: inspect_all(photos)) for _ in range(3)) / len(photos)
    yield Figure(
        "decode to thumbnail and exact metadata, 1280x960 JPEG, per core, CPU",
        "85 images/s",
        f"{1 / per_image_s:.0f} images/s ({per_image_s * 1e3:.1f} ms)",
        1 / per_image_s >= 85,
    )


def measure_runs(n_images: int) -> Iterator[Figure]:
    """Whole runs, without and with the model, against what has to be done for each image."""
    photos = make_all_photos()
    with open_place() as place:
        folder = place.root / "input" / "pictures"
        write_folder(folder, photos, n_images)
        _write_embeddings(place, "pictures", n_images)
        options = {"n_samples": n_images // 10, "strategies": DIVERSITY, "cache_size": 0}
        pool_before_s = measure_pool_s(folder)
        without = do_run(
            place, *schedule(place, "without", "pictures", embeddings="own.csv", **options)
        )
        pool_s = (pool_before_s + measure_pool_s(folder)) / 2
        share = pool_s / without.cpu_s
        yield Figure(
            f"whole run without the model, {n_images:,} images, against the kernel alone on its "
            "executor, CPU",
            "75 %",
            f"{share:.1%} ({without.cpu_s:.1f} s, server {without.server_cpu_s:.1f} s)",
            share >= 0.75,
        )
        kernel_s = _measure_cpu_s(lambda: inspect_all(photos)) / len(photos)
        infer_s = measure_inference(photos)
        whole = do_run(place, *schedule(place, "with", "pictures", **options))
        kernel_s = (kernel_s + _measure_cpu_s(lambda: inspect_all(photos)) / len(photos)) / 2
        infer_s = (infer_s + measure_inference(photos)) / 2
        share = (kernel_s + infer_s) * n_images / whole.cpu_s
        yield Figure(
            f"whole run with the shipped model ({SHIPPED_MODEL.dim} numbers), {n_images:,} images, "
            "against kernel and ONNX Runtime, CPU",
            "80 %",
            f"{share:.1%} ({whole.cpu_s:.1f} s, server {whole.server_cpu_s:.1f} s)",
            share >= 0.8,
        )


def measure_second_run(n_images: int) -> Iterator[Figure]:
    """A run with 1 % new files, on the dataset of the first one and on another one."""
    photos = make_all_photos()
    with open_place() as place:
        folder = place.root / "input" / "pictures"
        write_folder(folder, photos, n_images)
        # Files of this moment might still change, so nothing would be known about them.
        time.sleep(11)
        options = {"n_samples": n_images // 20, "strategies": DIVERSITY, "upload_report": False}
        client, scheduled = schedule(place, "first", "pictures", **options)
        first = do_run(place, client, scheduled)
        n_new = max(1, n_images // 100)
        write_folder(folder, photos, n_new, first=n_images)
        options["n_samples"] = n_new
        dataset_id = client.dataset_id
        for what, known in (("same dataset, datapool on", dataset_id), ("another dataset", None)):
            if known is None:
                options["n_samples"] = n_images // 20
            second = do_run(
                place, *schedule(place, "second", "pictures", dataset_id=known, **options)
            )
            share = second.cpu_s / first.cpu_s
            yield Figure(
                f"second run with 1 % new files against the first, {n_images:,} images, no report, "
                f"{what}, CPU",
                "5 %",
                f"{share:.1%} ({second.cpu_s:.1f} s of {first.cpu_s:.1f} s, server "
                f"{second.server_cpu_s:.1f} s; {second.wall_s / first.wall_s:.1%} on the clock)",
                share <= 0.05,
            )


def measure_memory(_n_images: int) -> Iterator[Figure]:
    """Memory of the worker for few and for a hundred times as many listed files."""
    n_few, n_many = 2_000, 200_000
    tiny = [draw_tiny_picture()]
    with open_place() as place:
        peaks = []
        for count in (n_few, n_many):
            name = f"tiny-{count}"
            write_folder(place.root / "input" / name, tiny, count)
            _write_embeddings(place, name, count)
            options = {"n_samples": 100, "strategies": DIVERSITY, "embeddings": "own.csv"}
            peaks.append(do_run(place, *schedule(place, name, name, **options)).peak_bytes)
        few, many = peaks
        yield Figure(
            f"peak private memory of the worker's process, {n_few:,} against {n_many:,} files",
            "1.3x",
            f"{many / few:.2f}x ({few / 1e6:.0f} MB, {many / 1e6:.0f} MB)",
            many / few <= 1.3,
        )


def measure_start(_n_images: int) -> Iterator[Figure]:
    """How long a run waits for an idle worker until it reports its first state."""
    with open_place() as place:
        write_folder(place.root / "input" / "few", [draw_tiny_picture()], 10)
        worker = place.make_worker()
        worker.start()
        worker.wait_until(lambda: "waits for runs" in worker.read_log())
        waits = []
        try:
            for number in range(3):
                options = {"n_samples": 2, "strategies": RANDOM, "upload_report": False}
                client, scheduled = schedule(place, f"start {number}", "few", **options)
                started = time.perf_counter()
                while client.get_compute_worker_run_info(scheduled).state not in _WORKING:
                    time.sleep(0.05)
                waits.append(time.perf_counter() - started)
                for _ in client.compute_worker_run_info_generator(scheduled):
                    pass
        finally:
            worker.stop()
        yield Figure(
            "a run is scheduled until an idle worker reports its first state",
            "3 s",
            f"worst of {len(waits)} {max(waits):.2f} s",
            max(waits) <= 3.0,
        )


def _write_embeddings(place: LocalPlace, pictures: str, count: int) -> None:
    path = place.root / "lightly" / pictures / ".lightly" / "embeddings" / "own.csv"
    path.parent.mkdir(parents=True, exist_ok=True)
    rows = np.random.default_rng(0).normal(size=(count, N_CUSTOM)).astype(np.float32)
    with path.open("w", newline="") as file:
        writer = csv.writer(file)
        columns = [f"embedding_{number}" for number in range(N_CUSTOM)]
        writer.writerow(["filenames", *columns, "labels"])
        writer.writerows([f"{number:06d}.jpg", *row, 0] for number, row in enumerate(rows.tolist()))


def _measure_cpu_s(work: Callable[[], object]) -> float:
    before = time.process_time()
    work()
    return time.process_time() - before


ROWS = {
    "kernel": measure_kernel,
    "runs": measure_runs,
    "second": measure_second_run,
    "memory": measure_memory,
    "start": measure_start,
}
