"""Selections from files larger than memory."""

from __future__ import annotations

import resource
import tempfile
import time
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from benchmarks.selection.data import make_embeddings
from benchmarks.selection.diversity_rows import load_loops
from benchmarks.selection.measure import run_alone
from benchmarks.selection.rows import Measured, Row

#: What a process may allocate that selects from the file of 2 GB.
MEMORY_LIMIT_BYTES = 1_000_000_000
_MANY, _MANY_DIMS, _MANY_PICKS = 10_000_000, 64, 10_000


@dataclass(frozen=True)
class Selected:
    """A selection that was made in a process of its own.

    Attributes:
        indices: The picks.
        cpu_s: CPU seconds of the selection alone.
        clock_s: Seconds of the selection alone.
        peak_bytes: Most memory the process had at once, libraries included.
        n_evaluations: Pairs of a sample and a pick of which the distance was bounded or measured.
    """

    indices: NDArray[np.int64]
    cpu_s: float
    clock_s: float
    peak_bytes: int
    n_evaluations: int


def read_file(n: int, d: int, n_picks: int, memory_bytes: int) -> Row:
    """Return a row of a selection from a file against the same in memory."""
    return Row(
        what=f"diversity from a file, in {memory_bytes // 1_000_000} MB, vs in memory",
        data=f"clustered {n:,} x {d}, n = {n_picks:,}",
        at_least=0.667,
        aim=None,
        measure=partial(_measure_file, n, d, n_picks, memory_bytes),
        rounds=1,
    )


def select_ten_million() -> Row:
    """Return a row of ten million samples against the least that any exact way must measure."""
    return Row(
        what="diversity from a file, in 3 GB, two threads",
        data=f"clustered {_MANY:,} x {_MANY_DIMS}, n = {_MANY_PICKS:,}",
        at_least=None,
        aim=None,
        measure=_measure_ten_million,
        rounds=1,
    )


def _measure_file(n: int, d: int, n_picks: int, memory_bytes: int, rounds: int) -> Measured:
    # Files must be on a real disk: memory is what is to be saved.
    with tempfile.TemporaryDirectory(dir="/var/tmp") as folder:
        path = Path(folder, "embeddings.npy")
        run_alone(_write_rows, path, n, d)
        ratios = []
        for _ in range(rounds):
            ours = run_alone(_select_from_file, path, d, n_picks, memory_bytes, 1)
            peer = run_alone(_select_in_memory, path, n_picks)
            if not np.array_equal(ours.indices, peer.indices):
                raise AssertionError("Picks from the file are not those in memory.")
            ratios.append((peer.cpu_s / ours.cpu_s, ours, peer))
    ratio, ours, peer = sorted(ratios, key=lambda each: each[0])[len(ratios) // 2]
    return Measured(ours.cpu_s, peer.cpu_s, ratio, f"(peak {_format_peak(ours)})")


def _measure_ten_million(_: int) -> Measured:
    with tempfile.TemporaryDirectory(dir="/var/tmp") as folder:
        path = Path(folder, "embeddings.f32")
        for part in range(10):
            run_alone(_append_part, path, part)
        found = run_alone(
            _select_from_file, path, _MANY_DIMS, _MANY_PICKS, 3 * MEMORY_LIMIT_BYTES, 2
        )
    plain = _MANY * _MANY_PICKS
    # Every sample is measured once, and every pair of picks.
    least = 1 / _MANY_PICKS + _MANY_PICKS / (2 * _MANY)
    note = (
        f"(clock {found.clock_s:.0f} s, peak {_format_peak(found)}, evaluations "
        f"{found.n_evaluations / plain:.2%} of plain, least possible {least:.2%})"
    )
    return Measured(found.cpu_s, 0.0, 0.0, note)


def _format_peak(found: Selected) -> str:
    return f"{found.peak_bytes / 1e6:,.0f} MB"


def _write_rows(path: Path, n: int, d: int) -> None:
    np.save(path, make_embeddings("clustered", n, d))


def _append_part(path: Path, part: int) -> None:
    rows = make_embeddings("clustered", _MANY // 10, _MANY_DIMS, seed=part)
    with path.open("ab") as file:
        rows.tofile(file)


def _select_from_file(
    path: Path, d: int, n_picks: int, memory_bytes: int, threads: int
) -> Selected:
    from lightly.data.large_selection import EmbeddingFile, select_from_file

    load_loops()
    if memory_bytes < MEMORY_LIMIT_BYTES:
        resource.setrlimit(resource.RLIMIT_DATA, (MEMORY_LIMIT_BYTES, MEMORY_LIMIT_BYTES))
    counts = _count_evaluations()
    file = EmbeddingFile(path) if path.suffix == ".npy" else EmbeddingFile(path, n_dims=d)
    clock, cpu = time.perf_counter(), time.process_time()
    found = select_from_file(file, n_picks, memory_bytes=memory_bytes, threads=threads)
    cpu_s, clock_s = time.process_time() - cpu, time.perf_counter() - clock
    peak_bytes = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
    seen = sum(int(each.seen.sum(dtype=np.int64)) for each in counts)
    return Selected(found.result.indices, cpu_s, clock_s, peak_bytes, seen)


def _select_in_memory(path: Path, n_picks: int) -> Selected:
    from lightly.selection import Diversity, select

    load_loops()
    rows: NDArray[np.float32] = np.load(path)
    clock, cpu = time.perf_counter(), time.process_time()
    found = select(n_samples=n_picks, strategies=[Diversity(rows)], threads=1)
    cpu_s, clock_s = time.process_time() - cpu, time.perf_counter() - clock
    return Selected(found.indices, cpu_s, clock_s, 0, 0)


def _count_evaluations() -> list[object]:
    """Return a list that gets all records of how many picks each candidate was measured against."""
    from lightly.selection.nearest import NearestSelected

    made: list[object] = []
    begin = NearestSelected.__init__

    def note(self: NearestSelected, *arguments: object, **options: object) -> None:
        begin(self, *arguments, **options)
        made.append(self)

    NearestSelected.__init__ = note
    return made
