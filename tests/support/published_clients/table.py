"""The table of what works in which published client: written from a run, compared by a test.

python -m tests.support.published_clients.table    run the battery in all clients, write the table
"""

from __future__ import annotations

import re
import sys
import tempfile
from pathlib import Path

from tests.support.published_clients.battery import run_battery, start_battery_server
from tests.support.published_clients.runner import OURS

TARGET = Path(__file__).resolve().parents[3] / "docs" / "reference" / "published-clients.md"
VERSIONS = ("1.5.26", "1.4.26", "1.2.28", "1.1.23", "1.0.8")
#: The columns of the table; the last one is this package.
CLIENTS = (*VERSIONS, OURS)

#: How outcomes begin of what no server could help.
CANNOT_WORK = "cannot work: "

Outcomes = dict[str, dict[str, str | None]]

_INTRODUCTION = """# Published clients

Scripts written for a published release of the `lightly` client run against this server unchanged:
set `LIGHTLY_SERVER_LOCATION` to its address and `LIGHTLY_TOKEN` to your token. The table below
lists everything public below `lightly.api` in five releases, and in this package. It is written by
a run in which each release, unmodified and as a process of its own, calls every one of these names
against a real server and checks what comes back; a test repeats that run and compares.

Methods of `ApiWorkflowClient` stand by themselves, others with their class or module. The column
`ours` is this package. A blank cell means that there is no such name. Releases up to 1.2 keep a
slash at the end of the address, which is served all the same. `lightly.api.patch`, `retry_utils`
and `swagger_*` are not listed: all methods go through them.
"""


def find_failures(found: dict[str, str | None]) -> dict[str, str]:
    """Return what should work and does not: names with what happened.

    Args:
        found: What `run_battery` returned.
    """
    return {
        name: outcome
        for name, outcome in found.items()
        if outcome is not None and not outcome.startswith(CANNOT_WORK)
    }


def make_document(outcomes: Outcomes) -> str:
    """Return the table as Markdown.

    Args:
        outcomes: What `run_battery` returned, by version.
    """
    counts = [
        f"- {version}: {sum(outcome is None for outcome in found.values())} of {len(found)} work"
        for version, found in outcomes.items()
    ]
    names = sorted({name for found in outcomes.values() for name in found}, key=str.lower)
    notes = sorted({text for found in outcomes.values() for text in found.values() if text})
    rows = [
        f"| `{name}` | "
        + " | ".join(_write_cell(found, name, notes) for found in outcomes.values())
        + " |"
        for name in names
    ]
    header = f"| name | {' | '.join(outcomes)} |"
    lines = [_INTRODUCTION, *counts, "", header, "|---" * (len(outcomes) + 1) + "|", *rows]
    if notes:
        lines += ["", *(f"[{number}] {text}" for number, text in enumerate(notes, 1))]
    return "\n".join(lines) + "\n"


def read_column(version: str) -> dict[str, str | None]:
    """Return what the table says of one version, as `run_battery` returns it."""
    text = TARGET.read_text("utf-8")
    notes = dict(re.findall(r"^\[(\d+)\] (.*)$", text, re.MULTILINE))
    table = [line.strip("| ").split(" | ") for line in text.splitlines() if line.startswith("| ")]
    column = table[0].index(version)
    cells = {row[0].strip("`"): row[column].strip() for row in map(_pad, table[1:])}
    return {
        name: None if cell == "works" else notes[cell.strip("no []")]
        for name, cell in cells.items()
        if cell
    }


def _pad(row: list[str]) -> list[str]:
    """Return a row with the blank cells that splitting has cut off its end."""
    return row + [""] * (1 + len(CLIENTS) - len(row))


def _write_cell(found: dict[str, str | None], name: str, notes: list[str]) -> str:
    if name not in found:
        return ""
    outcome = found[name]
    return "works" if outcome is None else f"no [{notes.index(outcome) + 1}]"


def main() -> None:
    """Run the battery and write the table."""
    with (
        tempfile.TemporaryDirectory() as folder,
        start_battery_server(Path(folder)) as server,
    ):
        outcomes = {client: run_battery(client, server) for client in CLIENTS}
    n_failures = 0
    for version, found in outcomes.items():
        failures = find_failures(found)
        n_failures += len(failures)
        lines = [f"lightly {version}: {len(found) - len(failures)} of {len(found)}"]
        lines += [f"  {name}: {outcome}" for name, outcome in failures.items()]
        sys.stdout.write("\n".join(lines) + "\n")
    if n_failures:
        raise SystemExit("The table was not written: it has no room for what should work.")
    TARGET.write_text(make_document(outcomes), "utf-8")


if __name__ == "__main__":
    main()
