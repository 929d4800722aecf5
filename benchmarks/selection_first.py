"""Time and memory of farthest-point selection against plain numpy greedy.

    python -m benchmarks.selection_first            # 100,000 x 128, 1,000 and 10,000 picks
    python -m benchmarks.selection_first --samples 50000 --dims 512 --picks 5000

Every measurement runs in a process of its own, on one thread, and reports process CPU seconds
and the growth of peak memory over the data. Plain greedy is timed on its first picks and
extrapolated, since every pick costs the same.
"""

from __future__ import annotations

import argparse
import multiprocessing
import os
import resource
import tempfile
import time
from collections.abc import Callable
from typing import Any

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

import numpy as np

from lightly.selection import Diversity, Weights, measure_coverage, select

PLAIN_PICKS = 200
N_CLUSTERS, CLUSTER_DIMS = 200, 16


def make_embeddings(kind: str, n_samples: int, n_dims: int) -> np.ndarray:
    """Return unit vectors: uniform on the sphere, or power-law clusters of 16 dimensions."""
    rng = np.random.default_rng(0)
    if kind == "uniform":
        rows = rng.normal(size=(n_samples, n_dims)).astype(np.float32)
    else:
        shares = (np.arange(N_CLUSTERS) + 1.0) ** -0.8
        cluster = rng.choice(N_CLUSTERS, size=n_samples, p=shares / shares.sum())
        centres = rng.normal(size=(N_CLUSTERS, n_dims)).astype(np.float32)
        centres /= np.linalg.norm(centres, axis=1, keepdims=True)
        rows = centres[cluster]
        for k in range(N_CLUSTERS):
            members = np.flatnonzero(cluster == k)
            spread = rng.uniform(0.1, 0.6, size=(CLUSTER_DIMS, 1)) / np.sqrt(n_dims)
            axes = spread * rng.normal(size=(CLUSTER_DIMS, n_dims))
            rows[members] += rng.normal(size=(len(members), CLUSTER_DIMS)) @ axes
            rows[members] += 0.05 * rng.normal(size=(len(members), n_dims))
    rows /= np.linalg.norm(rows, axis=1, keepdims=True)
    return rows


def pick_plainly(embeddings: np.ndarray, n_picks: int) -> None:
    """Greedy with one matrix-vector product per pick, as usually written in numpy."""
    lengths = np.einsum("ij,ij->i", embeddings, embeddings)
    nearest = np.full(len(embeddings), np.inf, dtype=np.float32)
    pick = 0
    for _ in range(n_picks):
        distances = embeddings @ embeddings[pick]
        distances *= -2.0
        distances += lengths + lengths[pick]
        np.minimum(nearest, distances, out=nearest)
        pick = int(nearest.argmax())


def measure(run: Callable[[], Any]) -> tuple[float, float, Any]:
    """Return CPU seconds, growth of peak memory in MB, and the answer."""
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    start = time.process_time()
    answer = run()
    seconds = time.process_time() - start
    return seconds, (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - peak) / 1024, answer


def write_embeddings(kind: str, n_samples: int, n_dims: int, path: str) -> None:
    np.save(path, make_embeddings(kind, n_samples, n_dims))


def compare(kind: str, path: str, n_picks: int) -> None:
    """Print one line of the table."""
    embeddings = np.load(path)
    n_samples, n_dims = embeddings.shape
    weights = np.random.default_rng(1).random(n_samples)
    # The first product makes BLAS allocate its buffers, which belong to no run.
    np.ones((512, 512), dtype=np.float32) @ np.ones((512, 512), dtype=np.float32)
    ours, memory_mb, result = measure(
        lambda: select(n_samples=n_picks, strategies=[Diversity(embeddings)])
    )
    mixed, _, _ = measure(
        lambda: select(n_samples=n_picks, strategies=[Diversity(embeddings), Weights(weights)])
    )
    few, _, _ = measure(lambda: pick_plainly(embeddings, PLAIN_PICKS))
    plain = few * n_picks / PLAIN_PICKS
    coverage = measure_coverage(embeddings, result.indices)
    print(
        f"{kind:>9} {n_samples:>8} x {n_dims:<4} n={n_picks:<6} ours {ours:7.2f} s "
        f"(+{memory_mb:.0f} MB over {embeddings.nbytes / 2**20:.0f} MB)  numpy {plain:7.2f} s "
        f"{plain / ours:5.1f}x  x weights {mixed:6.2f} s  radius {coverage.radius:.4f} "
        f"mean {coverage.mean_distance:.4f}",
        flush=True,
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--samples", type=int, default=100_000)
    parser.add_argument("--dims", type=int, default=128)
    parser.add_argument("--picks", type=int, nargs="*", default=[1_000, 10_000])
    parser.add_argument("--kinds", nargs="*", default=["clustered", "uniform"])
    args = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        for kind in args.kinds:
            path = f"{folder}/{kind}.npy"
            run_alone(write_embeddings, kind, args.samples, args.dims, path)
            for n_picks in args.picks:
                run_alone(compare, kind, path, n_picks)


def run_alone(function: Callable[..., None], *arguments: object) -> None:
    """Call a function in a fresh process, so that memory peaks do not add up."""
    job = multiprocessing.get_context("spawn").Process(target=function, args=arguments)
    job.start()
    job.join()
    if job.exitcode:
        raise SystemExit(job.exitcode)


if __name__ == "__main__":
    main()
