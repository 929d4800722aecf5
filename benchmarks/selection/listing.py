"""All rows of the table."""

from __future__ import annotations

from dataclasses import replace

from benchmarks.selection import (
    diversity_rows,
    large_rows,
    memory_rows,
    short_run_rows,
    strategy_rows,
)
from benchmarks.selection.measure import measure_row
from benchmarks.selection.rows import Measured, Row

MODULES = [diversity_rows, strategy_rows, short_run_rows, memory_rows, large_rows]


def list_rows() -> list[Row]:
    """Return the rows of all modules."""
    return [row for module in MODULES for row in module.list_rows()]


def measure_listed(place: int, rounds: int | None = None) -> Measured:
    """Measure one row; called in a process of its own."""
    row = list_rows()[place]
    return measure_row(row if rounds is None else replace(row, rounds=rounds))
