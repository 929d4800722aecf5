"""Positions of samples, as users give them and as the engine uses them."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from lightly.selection.embeddings import IndexArray
from lightly.selection.errors import InvalidSelectionInput


def read_positions(positions: ArrayLike, n_samples: int, name: str) -> IndexArray:
    """Return positions in the given order, repeated ones once, at their first place.

    Raises:
        InvalidSelectionInput: If one is not an integer within ``[0, n_samples)``.
    """
    given = np.asarray(positions)
    if given.size == 0:
        return np.empty(0, dtype=np.int64)
    if given.ndim != 1 or given.dtype.kind not in "iu":
        raise InvalidSelectionInput(
            f"The {name} must be a one-dimensional list of positions. "
            f"Got shape {given.shape} and dtype {given.dtype}."
        )
    outside = np.flatnonzero((given < 0) | (given >= n_samples))
    if outside.size:
        raise InvalidSelectionInput(
            f"The {name} must be positions from 0 to {n_samples - 1}. Got {int(given[outside[0]])}."
        )
    _, first = np.unique(given, return_index=True)
    return given[np.sort(first)].astype(np.int64)


def read_candidates(candidates: ArrayLike | None, n_samples: int) -> IndexArray:
    """Return candidate positions, ascending, from positions or from one flag per sample."""
    if candidates is None:
        return np.arange(n_samples)
    given = np.asarray(candidates)
    if given.dtype.kind != "b":
        return np.sort(read_positions(given, n_samples, "candidates"))
    if given.shape != (n_samples,):
        raise InvalidSelectionInput(
            f"The candidates must be one flag per sample, shape ({n_samples},). "
            f"Got shape {given.shape}."
        )
    return np.flatnonzero(given)
