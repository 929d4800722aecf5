"""Runs the battery in one client."""

from __future__ import annotations

import importlib
import time
from typing import Any

from battery import ledger, surface, world

#: In this order; each module's steps build on those of the modules before.
STEP_MODULES = (
    "local",
    "datasets",
    "uploads",
    "tags",
    "metadata",
    "exports",
    "embeddings",
    "selections",
    "sharing",
    "datasources",
    "workers",
    "runs",
    "predictions",
    "deletions",
)


def run(arguments: dict[str, Any]) -> dict[str, str | None]:
    """Run all steps for the installed client.

    Returns:
        For each public name None if it works, else why not.
    """
    started = time.monotonic()
    shared = world.World(arguments)
    book = ledger.Ledger(surface.list_targets(ours=shared.line == ledger.OURS))
    modules = ("v1_0",) if shared.line < ledger.FIRST else ("v1_0", *STEP_MODULES)
    for name in modules:
        importlib.import_module(f"battery.{name}")
    book.run(shared.line, shared)
    works = sum(outcome is None for outcome in book.outcomes.values())
    seconds = time.monotonic() - started
    print(  # noqa: T201  shown when the script fails
        f"lightly {shared.version}: {works} of {len(book.outcomes)} in {seconds:.1f} s"
    )
    return book.outcomes
