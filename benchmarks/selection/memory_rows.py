"""Memory beyond the data that a selection takes at its peak."""

from __future__ import annotations

import resource
import time

from benchmarks.selection.data import make_embeddings
from benchmarks.selection.diversity_rows import load_loops, select_diverse
from benchmarks.selection.rows import Measured, Row

N_SAMPLES, N_DIMS, N_PICKS = 50_000, 512, 5_000


def list_rows() -> list[Row]:
    """Return the rows."""
    return [
        Row(
            what="bytes of the data over extra bytes at the peak",
            data=f"clustered {N_SAMPLES:,} x {N_DIMS}, n = {N_PICKS:,}",
            at_least=1.5,
            aim=5,
            measure=_measure_memory,
            rounds=1,
        )
    ]


def _measure_memory(_: int) -> Measured:
    """Return the size of the data over what the process grows by; a fresh process measures once."""
    embeddings = make_embeddings("clustered", N_SAMPLES, N_DIMS)
    load_loops()
    select_diverse(embeddings[:2_000], 1_500)
    # What making the data took at its peak must not hide what selecting takes.
    before_kb = _reset_peak()
    started = time.process_time()
    select_diverse(embeddings, N_PICKS)
    spent_s = time.process_time() - started
    extra_mb = (_read_peak_kb() - before_kb) / 1024
    data_mb = embeddings.nbytes / 2**20
    return Measured(
        ours_s=spent_s,
        peer_s=0.0,
        ratio=data_mb / extra_mb,
        note=f"({extra_mb:.0f} MB, {extra_mb / data_mb:.2f}x the data)",
    )


def _reset_peak() -> int:
    """Have the kernel forget the peak; return what is resident."""
    with open("/proc/self/clear_refs", "w") as control:  # noqa: PTH123  the kernel's, not a file
        control.write("5")
    return _read_peak_kb()


def _read_peak_kb() -> int:
    with open("/proc/self/status") as status:  # noqa: PTH123  the kernel's, not a file
        for line in status:
            if line.startswith("VmHWM:"):
                return int(line.split()[1])
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
