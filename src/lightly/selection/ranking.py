"""Ranking candidates by a bound: the highest first, ties to the lowest row."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from lightly.selection.embeddings import Float64Array, IndexArray


@dataclass(frozen=True)
class TopRows:
    """The rows that rank highest and where the others begin.

    Attributes:
        rows: Ascending.
        bar: Every other row's value is below it, or equal with a row above ``last_tie``.
        last_tie: Highest row that was taken with a value equal to ``bar``.
    """

    rows: IndexArray
    bar: float
    last_tie: int

    def is_ahead(self, value: float, row: int) -> bool:
        """Return whether a value of one of the rows ranks ahead of everything outside."""
        return value > self.bar or (value == self.bar and row <= self.last_tie)


def take_top(values: Float64Array, n_rows: int) -> TopRows:
    """Return the ``n_rows`` highest ranked rows in O(N); rows of value minus infinity never rank.

    Taking exactly the first of the tied rows keeps a round short when thousands tie, and loses
    nothing: an equal value outside can only belong to a later row, which ranks behind.
    """
    if n_rows >= len(values):
        return TopRows(np.flatnonzero(values > -np.inf), -np.inf, -1)
    if n_rows == 0:
        return TopRows(np.empty(0, dtype=np.int64), np.inf, -1)
    bar = float(np.partition(values, len(values) - n_rows)[len(values) - n_rows])
    above = np.flatnonzero(values > bar)
    if bar == -np.inf:
        return TopRows(above, bar, -1)
    ties = np.flatnonzero(values == bar)[: n_rows - len(above)]
    return TopRows(np.sort(np.concatenate([above, ties])), bar, int(ties[-1]))
