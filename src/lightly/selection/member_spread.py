"""The diversity objective of a selection: how far its members are from each other."""

from __future__ import annotations

import numpy as np

from lightly.selection.embeddings import Float64Array
from lightly.selection.nearest import NearestSelected

# Members per piece when their screened form has to be read again.
_PIECE = 4096


class MemberSpread:
    """Sum over members of the squared distance to their nearest other member.

    Known as remote pseudo-forest dispersion (Chandra & Halldorsson, 2001). Each addition costs one
    product with all members and exact evaluations only where the screen cannot decide.

    Attributes:
        total: A(S), in true units, summed in order of selection; 0 for fewer than two members.
    """

    def __init__(self, nearest: NearestSelected, *, capacity: int) -> None:
        self._nearest = nearest
        self._distances = np.full(capacity, np.inf)
        self.total = 0.0

    def add_latest(self) -> None:
        """Account for the sample that was selected last."""
        nearest = self._nearest
        latest = nearest.n_selected - 1
        if latest == 0:
            return
        low, high = self._screen(latest)
        known = self._distances[:latest]
        open_members = np.flatnonzero((low < known) | (low <= high.min()))
        exact = nearest.space.measure_exactly(
            nearest.selected[open_members], np.full(len(open_members), nearest.selected[latest])
        )
        known[open_members] = np.minimum(known[open_members], exact)
        self._distances[latest] = exact.min()
        # Accumulating is sequential by definition; a sum's order would be numpy's choice.
        sums = np.add.accumulate(self._distances[: latest + 1])
        self.total = float(sums[-1]) * nearest.space.true_unit

    @property
    def distances(self) -> Float64Array:
        """Squared distance of each member to its nearest other, and room for those to come."""
        return self._distances

    def follow(self) -> None:
        """Sum up again after members were accounted for elsewhere."""
        n_members = self._nearest.n_selected
        if n_members > 1:
            sums = np.add.accumulate(self._distances[:n_members])
            self.total = float(sums[-1]) * self._nearest.space.true_unit

    def _screen(self, latest: int) -> tuple[Float64Array, Float64Array]:
        nearest, space = self._nearest, self._nearest.space
        points, lengths = space.screen_points(nearest.selected[latest:])
        low = np.empty(latest)
        for start in range(0, latest, _PIECE):
            stop = min(start + _PIECE, latest)
            low[start:stop] = nearest.pivots(start, stop) @ points[0]
        low += space.offsets(lengths)[0]
        return low, low + space.screen_widths(lengths, nearest.pivot_lengths(slice(0, latest)))
