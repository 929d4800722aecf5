"""How many samples a share of the candidates is."""

from __future__ import annotations

import math
from decimal import Decimal

from lightly.selection.errors import InvalidSelectionInput


def count_share(proportion: float, n_candidates: int, *, sequence_length: int = 1) -> int:
    """Return the number of samples that a proportion of the candidates stands for.

    Rounded down in decimal arithmetic, so that 0.1 of 10 is 1, but at least 1 of any candidates
    unless the proportion is 0; then rounded up to whole sequences.

    Args:
        proportion: Within [0, 1], meant as it is written in decimal.
        n_candidates: Candidates before thresholds.
        sequence_length: Samples are selected in blocks of this many.

    Raises:
        InvalidSelectionInput: If the proportion or the length is out of range.

    Example:
        >>> count_share(0.1, 10), count_share(0.29, 100), count_share(0.001, 10)
        (1, 29, 1)
    """
    if not 0.0 <= proportion <= 1.0:
        raise InvalidSelectionInput(
            f"The proportion of samples must be within [0, 1]. Got {proportion!r}."
        )
    if sequence_length < 1:
        raise InvalidSelectionInput(
            f"The sequence length must be at least 1. Got {sequence_length}."
        )
    count = math.floor(Decimal(repr(float(proportion))) * n_candidates)
    if proportion > 0.0 and n_candidates > 0:
        count = max(1, count)
    return -(-count // sequence_length) * sequence_length
