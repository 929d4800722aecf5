"""Progress bars of long steps."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Protocol

#: Waits shorter than this are not worth a line on the screen.
SHORT_WAIT_S = 2.0


class ProgressBar(Protocol):
    """What long steps use of a progress bar."""

    def update(self, n: float = 1) -> object:
        """Move on by `n`."""


class _NoBar:
    """Shows nothing."""

    def update(self, n: float = 1) -> None:
        """Do nothing."""


@contextmanager
def show_progress(
    title: str,
    *,
    unit: str,
    total: int | None = None,
    is_shown: bool = True,
) -> Iterator[ProgressBar]:
    """Show a progress bar while the block runs.

    Args:
        title: What is going on.
        unit: What is counted.
        total: How many there are; None if nobody knows.
        is_shown: Whether to show anything.
    """
    if not is_shown:
        yield _NoBar()
        return
    from tqdm import tqdm

    is_bytes = unit == "B"
    with tqdm(desc=title, unit=unit, total=total, unit_scale=is_bytes) as bar:
        yield bar


@contextmanager
def show_waiting(title: str) -> Iterator[ProgressBar]:
    """Show how long something of unknown length takes, if that is more than a moment.

    Args:
        title: What is waited for.
    """
    from tqdm import tqdm

    with tqdm(desc=title, bar_format="{desc}: {elapsed}", delay=SHORT_WAIT_S) as bar:
        yield bar
