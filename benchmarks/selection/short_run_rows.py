"""DIVERSITY with few picks against plain numpy, over a grid of sizes: the worst ratio counts."""

from __future__ import annotations

import statistics
from collections.abc import Iterator
from functools import partial
from itertools import product

from benchmarks.selection.data import make_embeddings
from benchmarks.selection.diversity_rows import load_loops, select_diverse
from benchmarks.selection.measure import time_work
from benchmarks.selection.peers import pick_with_numpy
from benchmarks.selection.rows import Measured, Row

N_SAMPLES, N_DIMS, N_PICKS = (
    (100, 1_000, 10_000, 100_000),
    (8, 32, 128, 512),
    (1, 2, 5, 10, 20, 50, 100),
)
# What a run costs whatever its size, checks and report, is no share of less.
SLOW_S = 10e-3
_REPEATED_S, _MOST_REPEATS = 0.02, 50


def list_rows() -> list[Row]:
    """Return the rows."""
    grid = "clustered 100 to 100,000 x 8 to 512, n = 1 to 100"
    return [
        Row(
            what="diversity vs numpy greedy, the worst that takes numpy 10 ms",
            data=grid,
            at_least=0.9,
            aim=None,
            measure=partial(_measure_worst, has_loops=True, least_s=SLOW_S),
        ),
        Row(
            what="the same where compiled loops cannot run",
            data=grid,
            at_least=0.9,
            aim=None,
            measure=partial(_measure_worst, has_loops=False, least_s=SLOW_S),
        ),
        Row(
            what="diversity vs numpy greedy, most time beyond numpy's where it takes less",
            data=grid,
            at_least=None,
            aim=None,
            measure=_measure_most_beyond,
        ),
    ]


def _measure_worst(rounds: int, *, has_loops: bool, least_s: float) -> Measured:
    """Return the measurement of the lowest ratio among those where the peer takes so long."""
    found = [one for one in _measure_grid(rounds, has_loops) if one.peer_s >= least_s]
    return min(found, key=lambda one: one.ratio)


def _measure_most_beyond(rounds: int) -> Measured:
    """Return the measurement of the largest difference among those where the peer is fast."""
    found = [one for one in _measure_grid(rounds, has_loops=True) if one.peer_s < SLOW_S]
    return max(found, key=lambda one: one.ours_s - one.peer_s)


def _measure_grid(rounds: int, has_loops: bool) -> Iterator[Measured]:
    from lightly.selection.kernels import loading

    if has_loops:
        load_loops()
    else:
        loading.rule_out_kernels()
    select_diverse(make_embeddings("clustered", 300, 8), 10)
    for n_samples, n_dims in product(N_SAMPLES, N_DIMS):
        embeddings = make_embeddings("clustered", n_samples, n_dims)
        for n_picks in N_PICKS:
            both = (
                partial(select_diverse, embeddings, n_picks),
                partial(pick_with_numpy, embeddings, n_picks),
            )
            yield _measure_point(both, rounds, f"({n_samples:,} x {n_dims}, n = {n_picks})")


def _measure_point(both: tuple[partial, partial], rounds: int, note: str) -> Measured:
    first_s, _ = time_work(both[1])
    repeats = max(1, min(_MOST_REPEATS, int(_REPEATED_S / max(first_s, 1e-6))))
    seconds: tuple[list[float], list[float]] = ([], [])
    for _ in range(rounds):
        for work, spent in zip(both, seconds, strict=True):
            total_s, _ = time_work(lambda work=work: [work() for _ in range(repeats)])
            spent.append(total_s / repeats)
    ours, peers = seconds
    ratios = [peer / max(our, 1e-9) for our, peer in zip(ours, peers, strict=True)]
    return Measured(
        ours_s=statistics.median(ours),
        peer_s=statistics.median(peers),
        ratio=statistics.median(ratios),
        note=note,
    )
