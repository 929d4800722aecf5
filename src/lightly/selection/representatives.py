"""Picks that leave the least distance from any place to its nearest pick.

Facility location: each pick lowers the weighted sum of distances of all samples to their nearest
selected one by as much as any single sample can. Greedy picks come within 1 - 1/e of the largest
possible reduction (Nemhauser, Wolsey & Fisher, 1978), and a sample's reduction can only fall while
the selection grows, so that most need not be computed again (Minoux, 1978).
"""

from __future__ import annotations

import heapq

import numpy as np
from numpy.typing import NDArray

from lightly.selection.embeddings import Float64Array, IndexArray
from lightly.selection.places import FARTHEST, Places
from lightly.selection.progress import Pulse

_COLUMNS = 256
_PICKS_PER_BEAT = 16


def pick_representatives(
    places: Places, reach: Float64Array, may_pick: NDArray[np.bool_], n_most: int, pulse: Pulse
) -> IndexArray:
    """Return places in ``places.samples`` in order of picks; ties go to the lowest.

    All numbers are integers in float64, below 2**53: sums are exact in any order.

    Cost: M^2 for the first pick, then about 20 M per pick.

    Args:
        places: The M samples to represent and to pick from.
        reach: Distance of each to the nearest sample that is selected already, in grid units.
        may_pick: Which of them may be picked.
        n_most: Picks to make; fewer when nothing is left to gain.
        pulse: Beats every now and then.
    """
    weights, reach = places.weights, reach.copy()
    picks: list[int] = []
    if n_most > 0 and may_pick.any() and reach.min() == FARTHEST:
        first = _find_centre(places, weights, may_pick, pulse)
        np.minimum(reach, places.distances[first], out=reach)
        picks.append(first)
    gains = _measure_gains(places, weights, reach, pulse)
    queue = [(-float(gains[row]), row, len(picks)) for row in np.flatnonzero(may_pick).tolist()]
    heapq.heapify(queue)
    while queue and len(picks) < n_most:
        negative_gain, row, known_at = heapq.heappop(queue)
        if negative_gain == 0.0:
            break
        if known_at < len(picks):
            heapq.heappush(queue, (-_measure_gain(places, weights, reach, row), row, len(picks)))
            continue
        np.minimum(reach, places.distances[row], out=reach)
        picks.append(row)
        if len(picks) % _PICKS_PER_BEAT == 0:
            pulse.beat()
    return np.array(picks, dtype=np.int64)


def _find_centre(
    places: Places, weights: Float64Array, may_pick: NDArray[np.bool_], pulse: Pulse
) -> int:
    """Return the sample with the least weighted sum of distances to all."""
    nothing = np.full(len(weights), FARTHEST)
    gains = _measure_gains(places, weights, nothing, pulse)
    return int(np.where(may_pick, gains, -1.0).argmax())


def _measure_gains(
    places: Places, weights: Float64Array, reach: Float64Array, pulse: Pulse
) -> Float64Array:
    gains = np.empty(len(weights))
    for start in range(0, len(weights), _COLUMNS):
        pulse.beat()
        part = slice(start, start + _COLUMNS)
        gains[part] = np.maximum(reach - places.distances[part], 0.0) @ weights
    return gains


def _measure_gain(places: Places, weights: Float64Array, reach: Float64Array, row: int) -> float:
    return float(np.maximum(reach - places.distances[row], 0.0) @ weights)
