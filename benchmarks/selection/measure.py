"""Interleaved measuring in a process of its own, so that neither caches nor peaks add up."""

from __future__ import annotations

import multiprocessing
import os
import statistics
import time
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from typing import TypeVar

from benchmarks.selection.rows import Measured, Row, Work

Answer = TypeVar("Answer")

# On some machines these name an older processor to BLAS, which would slow the peers and us.
_UNSET = ("OPENBLAS_CORETYPE", "OPENBLAS_L2_SIZE")
_ONE_THREAD = (
    "OPENBLAS_NUM_THREADS",
    "OMP_NUM_THREADS",
    "MKL_NUM_THREADS",
    "RAYON_NUM_THREADS",
    "NUMBA_NUM_THREADS",
    "LIGHTLY_SELECTION_THREADS",
)


def use_one_thread() -> None:
    """Set the environment of the processes to come."""
    for name in _UNSET:
        os.environ.pop(name, None)
    for name in _ONE_THREAD:
        os.environ[name] = "1"


def run_alone(function: Callable[..., Answer], *arguments: object) -> Answer:
    """Call a function in a fresh process and return its answer."""
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(1, mp_context=context) as pool:
        return pool.submit(function, *arguments).result()


def measure_row(row: Row) -> Measured:
    """Run both ways in turn and return the medians."""
    if row.measure is not None:
        return row.measure(row.rounds)
    assert row.prepare is not None, "a row prepares a contest or measures itself"
    contest = row.prepare()
    clock = time.perf_counter if row.by_wall else time.process_time
    ours: list[float] = []
    peers: list[float] = []
    for _ in range(row.rounds):
        seconds, our_answer = time_work(contest.ours, clock)
        ours.append(seconds)
        seconds, their_answer = time_work(contest.peer, clock)
        peers.append(seconds / contest.peer_share)
    if contest.agree is not None:
        contest.agree(our_answer, their_answer)
    ratios = [theirs / our for our, theirs in zip(ours, peers, strict=True)]
    return Measured(
        ours_s=statistics.median(ours),
        peer_s=statistics.median(peers),
        ratio=statistics.median(ratios),
    )


def time_work(work: Work, clock: Callable[[], float] = time.process_time) -> tuple[float, object]:
    """Return the seconds that some work takes, and its answer."""
    started = clock()
    answer = work()
    return clock() - started, answer
