"""DIVERSITY against plain numpy, over a grid of sizes: the worst ratio counts."""

from __future__ import annotations

import time
from collections.abc import Iterator
from functools import partial
from itertools import product

from benchmarks.selection.data import make_embeddings
from benchmarks.selection.diversity_rows import load_loops, select_diverse
from benchmarks.selection.measure import time_work
from benchmarks.selection.peers import pick_with_numpy
from benchmarks.selection.rows import Measured, Row

N_SAMPLES, N_DIMS = (100, 1_000, 10_000, 100_000), (8, 32, 128, 512)
COUNTS, SHARES = (1, 2, 5, 10, 20, 50, 100), (0.01, 0.02, 0.05, 0.1)
# What a run costs whatever its size, checks and report, is no share of less.
SLOW_S = 1e-3
# Each point is measured for so much CPU time, and at least so many times. Minima are compared: what
# a machine does beside only adds to a measurement.
_MEASURED_S, _FEWEST_REPEATS = 0.2, 3
# Plain greedy costs the same for every pick: more of them are not measured.
_PLAIN_PICKS = 50


def list_rows() -> list[Row]:
    """Return the rows."""
    grid = "clustered 100 to 100,000 x 8 to 512, n = 1 to 10 %"
    return [
        Row(
            what="diversity vs numpy greedy, the worst that takes numpy 1 ms",
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
        shares = {int(share * n_samples) for share in SHARES}
        for n_picks in sorted({*COUNTS, *shares}):
            n_plain = min(n_picks, _PLAIN_PICKS)
            both = (
                partial(select_diverse, embeddings, n_picks),
                partial(pick_with_numpy, embeddings, n_plain),
            )
            note = f"({n_samples:,} x {n_dims}, n = {n_picks:,})"
            yield _measure_point(both, n_plain / n_picks, rounds, note)


def _measure_point(
    both: tuple[partial, partial], peer_share: float, rounds: int, note: str
) -> Measured:
    least = [float("inf"), float("inf")]
    deadline, n_done = time.process_time() + _MEASURED_S, 0
    while n_done < max(rounds, _FEWEST_REPEATS) or time.process_time() < deadline:
        least = [min(one, time_work(work)[0]) for one, work in zip(least, both, strict=True)]
        n_done += 1
    peer_s = least[1] / peer_share
    return Measured(ours_s=least[0], peer_s=peer_s, ratio=peer_s / least[0], note=note)
