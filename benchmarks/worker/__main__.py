"""The compute worker against what has to be done for each image.

    python -m benchmarks.worker                          # everything
    python -m benchmarks.worker kernel runs              # some
    python -m benchmarks.worker second --images 20000

CPU seconds are those of all processes of the worker: on a busy machine the clock says little. Runs
are done by `lightly worker` processes, started for each, with folders mounted beside them.
"""

from __future__ import annotations

import argparse
import os
import sys

from benchmarks.worker.rows import ROWS


def main() -> int:
    """Print all figures; return 1 if one misses its bar."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("rows", nargs="*", choices=[*ROWS, []], help="what to measure")
    parser.add_argument("--images", type=int, default=2_000)
    arguments = parser.parse_args()
    is_good = True
    for name in arguments.rows or ROWS:
        for figure in ROWS[name](arguments.images):
            verdict = "ok" if figure.is_reached else "MISSED"
            load = f"load average {os.getloadavg()[0]:.1f}"
            print(
                f"{figure.what}: {figure.measured}, bar {figure.bar}, {load}  {verdict}", flush=True
            )
            is_good &= figure.is_reached
    return 0 if is_good else 1


if __name__ == "__main__":
    sys.exit(main())
