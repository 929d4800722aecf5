"""How far each pick is from what was selected before it, whatever strategy it was picked by."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from lightly.selection import Diversity, SelectionResult, measure_pick_distances

#: Numbers that are multiplied to measure them: some 20 s of one core. Beyond it they stay unknown.
MOST_PRODUCTS = 3 * 10**11


def add_pick_distances(
    result: SelectionResult,
    open_vectors: Callable[[], NDArray[np.float32]],
    *,
    should_cancel: Callable[[], bool],
) -> SelectionResult:
    """Return what a selection has found with the distances of its picks.

    DIVERSITY has measured them on its way, in its own space. After all other strategies they are
    measured between embeddings.

    Args:
        result: What the engine returned.
        open_vectors: Returns the embeddings that its positions are about, shape (n, d).
        should_cancel: Asked every now and then.

    Raises:
        SelectionCancelled: If that says so.
    """
    is_known = any(isinstance(one, Diversity) for one in result.source.strategies)
    n_picks = len(result.indices)
    if is_known or not n_picks:
        return result
    vectors = open_vectors()
    n_products = n_picks * (n_picks + result.n_preselected) * vectors.shape[1]
    if n_products > MOST_PRODUCTS:
        return result
    found = measure_pick_distances(result, vectors, should_cancel=should_cancel)
    return replace(result, distances=found)
