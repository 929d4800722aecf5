"""One number per sample, as WEIGHTS and THRESHOLD take it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from lightly.selection.embeddings import Float64Array
from lightly.selection.errors import InvalidSelectionInput
from lightly.selection.random_numbers import Random


@dataclass(frozen=True, eq=False)
class SampleValues:
    """Checked values.

    Attributes:
        numbers: Shape ``[N]``, finite; 0 where missing.
        missing: Shape ``[N]``, True where a sample has no number.
        seed: The seed if the numbers are random.
    """

    numbers: Float64Array
    missing: NDArray[np.bool_]
    seed: int | None


def count_values(values: ArrayLike | Random) -> int:
    """Return how many samples the values are for."""
    return len(values.names) if isinstance(values, Random) else len(np.asarray(values))


def read_values(
    values: ArrayLike | Random, missing: ArrayLike | None, *, name: str
) -> SampleValues:
    """Return values as float64 after checking them.

    Raises:
        InvalidSelectionInput: If a value that is not missing is not a finite number.
    """
    if isinstance(values, Random):
        drawn = values.draw()
        return SampleValues(drawn, np.zeros(len(drawn), dtype=np.bool_), values.seed)
    given = np.asarray(values)
    if given.ndim != 1 or given.dtype.kind not in "fiub":
        raise InvalidSelectionInput(
            f"The values of {name} must be one real number per sample. "
            f"Got shape {given.shape} and dtype {given.dtype}."
        )
    flags = _read_flags(missing, given.shape, name)
    numbers = np.where(flags, 0.0, given).astype(np.float64)
    unusable = np.flatnonzero(~np.isfinite(numbers))
    if unusable.size:
        raise InvalidSelectionInput(
            f"The value of {name} for sample {unusable[0]} is {numbers[unusable[0]]}. "
            "Give a finite number or flag the sample as missing.",
            sample=int(unusable[0]),
        )
    return SampleValues(numbers, flags, None)


def _read_flags(missing: ArrayLike | None, shape: tuple[int, ...], name: str) -> NDArray[np.bool_]:
    if missing is None:
        return np.zeros(shape, dtype=np.bool_)
    flags = np.asarray(missing)
    if flags.dtype.kind != "b" or flags.shape != shape:
        raise InvalidSelectionInput(
            f"The missing flags of {name} must be one truth value per sample, shape {shape}. "
            f"Got shape {flags.shape} and dtype {flags.dtype}."
        )
    return flags
