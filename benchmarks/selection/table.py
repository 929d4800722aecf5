"""The table of ratios, on the terminal and in the docs."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from benchmarks.selection.rows import Measured, Row

HEAD = ("what", "data", "ours", "peer", "ratio", "at least", "aim", "reached")
_BEGIN, _END = "<!-- begin of the table -->", "<!-- end of the table -->"


def format_row(row: Row, measured: Measured) -> tuple[str, ...]:
    """Return the cells of one row."""
    unit = " wall" if row.by_wall else ""
    return (
        row.what,
        row.data,
        f"{_seconds(measured.ours_s)}{unit}",
        f"{_seconds(measured.peer_s)}{unit}" if measured.peer_s else "-",
        f"{measured.ratio:.3g}x" if measured.ratio else "-",
        "-" if row.at_least is None else f"{row.at_least:g}x{_limit(row)}",
        "-" if row.aim is None else f"{row.aim:g}x",
        " ".join(text for text in (judge(row, measured), measured.note) if text) or "-",
    )


def judge(row: Row, measured: Measured) -> str:
    """Return whether the row reached what is asked of it."""
    if row.at_least is None:
        return ""
    if measured.ratio < row.at_least or (row.most_s and measured.ours_s > row.most_s):
        return "MISSED"
    return "aim" if row.aim is not None and measured.ratio >= row.aim else "yes"


def update_document(path: Path, cells: tuple[str, ...], rows: Sequence[Row]) -> None:
    """Put a row into the table between the marks, in place of an older one of the same kind.

    The table has the order of all rows; what is none of them any more is left out.
    """
    text = path.read_text(encoding="utf-8")
    before, rest = text.split(_BEGIN)
    table, after = rest.split(_END)
    old = [tuple(c.strip() for c in line.strip("| ").split("|")) for line in table.split("\n")]
    lines = [line for line in old if len(line) == len(HEAD)][2:]
    known = {line[:2]: line for line in lines} | {cells[:2]: cells}
    wanted = [known[row.what, row.data] for row in rows if (row.what, row.data) in known]
    path.write_text(f"{before}{_BEGIN}\n{_format_table(wanted)}\n{_END}{after}")


def _format_table(rows: list[tuple[str, ...]]) -> str:
    lines = [HEAD, tuple("---" for _ in HEAD), *rows]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)


def _limit(row: Row) -> str:
    return f", {row.most_s:g} s" if row.most_s else ""


def _seconds(seconds: float) -> str:
    return f"{seconds:.3g} s" if seconds >= 0.1 else f"{seconds * 1e3:.3g} ms"
