"""What a compiled loop returns that makes several picks at once."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from lightly.selection.embeddings import Float64Array, IndexArray


@dataclass(frozen=True)
class PoolPicks:
    """Picks in order.

    Attributes:
        rows: The candidates.
        distances2: Their squared distances, in true units, to what was selected before.
        neighbours: Position, in order of selection, of the nearest sample selected before.
        stopped: Whether the next pick would be nearer than the least distance.
    """

    rows: IndexArray
    distances2: Float64Array
    neighbours: NDArray[np.int32]
    stopped: bool
