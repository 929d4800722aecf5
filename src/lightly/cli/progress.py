"""The bar that shows how far a long command is."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any


class ProgressLine:
    """One bar with a note behind it.

    Args:
        progress: Draws it.
        title: What is under way.
        n_total: Of how many; None if that is not known yet.
    """

    def __init__(self, progress: Any, title: str, n_total: int | None) -> None:
        self._progress = progress
        self._task = progress.add_task(title, total=n_total, note="")

    def show(self, n_done: int, n_total: int, note: str) -> None:
        """Draw how far it is."""
        self._progress.update(self._task, completed=n_done, total=n_total, note=note)

    def show_speed(self, n_done: int, n_total: int) -> None:
        """Draw how far it is and how many are done in a second."""
        self._progress.update(self._task, completed=n_done, total=n_total)
        speed = self._progress.tasks[0].speed
        self._progress.update(self._task, note=f"{speed:.0f}/s" if speed else "")


@contextmanager
def open_progress(
    title: str, n_total: int | None = None, *, quiet: bool = False
) -> Iterator[ProgressLine]:
    """Yield a bar on standard error; a quiet one draws nothing."""
    # Loaded by the commands that need it: others start sooner.
    from rich.console import Console
    from rich.progress import (
        BarColumn,
        MofNCompleteColumn,
        Progress,
        TextColumn,
        TimeRemainingColumn,
    )

    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn("{task.fields[note]}"),
        TimeRemainingColumn(),
    )
    with Progress(*columns, console=Console(stderr=True), disable=quiet) as progress:
        yield ProgressLine(progress, title, n_total)
