"""Masks as run lengths: row by row, beginning with the number of zeros.

That is not the order of COCO, whose masks run column by column: see `lightly.data.annotations`.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from lightly._kit.errors import BadInput

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

#: Largest mask: the largest images that exist have some 10^9 pixels; 250 MB as bits.
MAX_MASK_PIXELS = 2**31 - 1


def encode_mask(mask: NDArray[np.bool_]) -> list[int]:
    """Return the run lengths of a mask.

    Args:
        mask: Shape (height, width).

    >>> import numpy as np
    >>> encode_mask(np.array([[False, True], [True, True]]))
    [1, 3]
    >>> encode_mask(np.array([[True, False]]))
    [0, 1, 1]
    """
    import numpy as np  # noqa: PLC0415  keeps the import of this module light

    flat = np.asarray(mask, dtype=bool).ravel()
    if not flat.size:
        return []
    changes = np.flatnonzero(flat[1:] != flat[:-1]) + 1
    bounds = np.concatenate(([0], changes, [flat.size]))
    lengths: list[int] = np.diff(bounds).tolist()
    return [0, *lengths] if flat[0] else lengths


def decode_mask(run_lengths: Sequence[int], width: int, height: int) -> NDArray[np.bool_]:
    """Return the mask of shape (height, width) that run lengths stand for.

    Raises:
        BadInput: If a length is negative, or they do not add up to the number of pixels.

    >>> decode_mask([1, 3], 2, 2).tolist()
    [[False, True], [True, True]]
    """
    import numpy as np  # noqa: PLC0415  keeps the import of this module light

    total, n_pixels = sum(run_lengths), width * height
    if not 0 <= n_pixels <= MAX_MASK_PIXELS:
        raise BadInput(f"A mask may have at most {MAX_MASK_PIXELS} pixels, got {width} x {height}.")
    if total != n_pixels or min(run_lengths, default=0) < 0:
        raise BadInput(
            f"The run lengths of a mask of {width} x {height} pixels must be 0 or more and add up "
            f"to {n_pixels}, they add up to {total}."
        )
    values = np.zeros(len(run_lengths), dtype=bool)
    values[1::2] = True
    return np.repeat(values, run_lengths).reshape(height, width)
