"""Progress and cancellation of a running selection."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from lightly.selection.errors import SelectionCancelled

ReportProgress = Callable[[int, int], None]
ShouldCancel = Callable[[], bool]


@dataclass
class Pulse:
    """The link of a running selection to whoever started it.

    Attributes:
        n_total: Picks the run aims at.
        report: Called with the number of picks so far and ``n_total``.
        should_cancel: Asked often; the run ends with ``SelectionCancelled`` once it says yes.
        keep: Called often while picks are made, when all of them are known to all strategies.
    """

    n_total: int
    report: ReportProgress | None = None
    should_cancel: ShouldCancel | None = None
    n_picked: int = 0
    keep: Callable[[], None] | None = None

    def beat(self) -> None:
        """Tell how far the run is and stop if asked to. Costs nothing without callbacks."""
        if self.report is not None:
            self.report(self.n_picked, self.n_total)
        if self.keep is not None:
            self.keep()
        if self.should_cancel is not None and self.should_cancel():
            raise SelectionCancelled
