"""Which points lie within a polygon."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray


def find_inside(
    xs: NDArray[np.float32], ys: NDArray[np.float32], polygon: list[list[float]]
) -> NDArray[np.bool_]:
    """Tell of each point whether it is within a polygon, by the even-odd rule.

    A ray from the point to the right counts the edges that it crosses: those with exactly one end
    above the point. The web app computes the same, in the same order of operations, in float64.

    Args:
        xs: Shape `[n]`.
        ys: Shape `[n]`.
        polygon: Corners; the last one is joined to the first.

    Returns:
        Shape `[n]`. Points without coordinates (NaN) are outside.
    """
    inside = np.zeros(len(xs), dtype=np.bool_)
    corners = np.asarray(polygon, dtype=np.float64)
    x, y = xs.astype(np.float64), ys.astype(np.float64)
    previous = corners[-1]
    for corner in corners:
        (x1, y1), (x2, y2) = corner, previous
        previous = corner
        if y1 == y2:
            continue
        candidates = np.flatnonzero((y1 > y) != (y2 > y))
        crossing = (x2 - x1) * (y[candidates] - y1) / (y2 - y1) + x1
        hits = candidates[x[candidates] < crossing]
        inside[hits] ^= True
    return inside & ~np.isnan(x) & ~np.isnan(y)
