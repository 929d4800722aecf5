"""The last resort: which of a few candidates has the largest product, decided with 60 digits."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal, localcontext

import numpy as np

from lightly.selection.embeddings import IndexArray
from lightly.selection.portable_math import EQUAL_WITHIN, PRECISE
from lightly.selection.strategy import Objective


def choose_exactly(objectives: Sequence[Objective], rows: IndexArray) -> int:
    """Return the row with the largest product of objectives; the first of equals.

    Args:
        objectives: Strategies with a strength other than 0.
        rows: Candidates whose objectives are known exactly, ascending, at least one.
    """
    if len(rows) == 1:
        return int(rows[0])
    signatures = np.hstack([objective.signatures(rows) for objective in objectives])
    if (signatures == signatures[0]).all():
        return int(rows[0])
    _, first = np.unique(signatures, axis=0, return_index=True)
    candidates = [int(row) for row in rows[np.sort(first)]]
    with localcontext(PRECISE):
        logs = [_take_log(objectives, row) for row in candidates]
        bar = max(logs) - EQUAL_WITHIN * (1 + abs(max(logs)))
    return next(row for row, log in zip(candidates, logs, strict=True) if log >= bar)


def _take_log(objectives: Sequence[Objective], row: int) -> Decimal:
    terms = (Decimal(o.strength) * o.exact_log(row) for o in objectives)
    return sum(terms, start=Decimal(0))
