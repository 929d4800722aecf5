"""The selection engine against its peers, as one table.

    python -m benchmarks.selection                    # everything, about half an hour
    python -m benchmarks.selection --quick            # about a minute
    python -m benchmarks.selection --only "uniform"   # rows whose text contains this
    python -m benchmarks.selection --pictures         # nothing but the pictures

Ratios are of process CPU seconds on one thread, interleaved, medians of three. Rows that were
measured replace the same rows in docs/benchmarks-selection.md, except in a quick run. A run of
everything draws the pictures, too.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from benchmarks.selection.listing import list_rows, measure_listed
from benchmarks.selection.measure import run_alone, use_one_thread
from benchmarks.selection.table import HEAD, format_row, judge, update_document

DOCUMENT = Path(__file__).parents[2] / "docs" / "benchmarks-selection.md"
IMAGES = DOCUMENT.parent / "images"


def main() -> int:
    """Print the table; return 1 if a row missed what is asked of it."""
    options = read_options()
    use_one_thread()
    if options.pictures:
        draw_all()
        return 0
    rows = list_rows()
    print(" | ".join(HEAD), flush=True)
    has_missed = False
    for place, row in enumerate(rows):
        text = f"{row.what} {row.data}"
        if (options.quick and not row.is_quick) or options.only not in text:
            continue
        measured = run_alone(measure_listed, place, options.rounds)
        has_missed |= judge(row, measured) == "MISSED"
        cells = format_row(row, measured)
        print(" | ".join(cells), flush=True)
        if not options.quick:
            update_document(DOCUMENT, cells, rows)
    if not options.quick and not options.only:
        draw_all()
    return int(has_missed)


def draw_all() -> None:
    """Draw the pictures of the document."""
    from benchmarks.selection.pictures import draw_pictures

    draw_pictures(IMAGES)


def read_options() -> argparse.Namespace:
    """Return what the command line asks for."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="a few rows, about a minute")
    parser.add_argument("--only", default="", help="rows whose text contains this")
    parser.add_argument("--rounds", type=int, help="interleaved runs instead of each row's own")
    parser.add_argument("--pictures", action="store_true", help="draw quality against time")
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
