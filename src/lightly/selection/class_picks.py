"""BALANCE alone on class numbers: one decision between classes per pick, whatever N.

Samples of a class are alike, so the first of each class stands for all. What a sample of class k
takes off the cross-entropy, t_k (ln (s_k + 1) - ln s_k) beside what all candidates have in common,
changes for the picked class only, and for all classes at once that are still absent.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence

import numpy as np

from lightly.selection.embeddings import Float64Array, IndexArray

# Below it a class counts as absent from a mix; 1 sample is above it in any smaller selection.
MOST_SAMPLES = 1_000_000_000


class ClassPicks:
    """Proposes the best candidate of one BALANCE on class numbers, again and again.

    Args:
        groups: Column of the target of each candidate; one more for those without a class.
        shares: Target per column.
        sums: Returns the selected samples per column.
        sign: 1 to approach the target, -1 to leave it.
        smallest_share: Share that an absent class counts as.
        choose: Decides between candidates that float64 cannot tell apart.
        taken: Rows that were picked before.
    """

    def __init__(
        self,
        groups: IndexArray,
        shares: Float64Array,
        sums: Callable[[], Float64Array],
        *,
        sign: float,
        smallest_share: float,
        choose: Callable[[IndexArray], int],
        taken: Sequence[int] = (),
    ) -> None:
        self._groups, self._shares, self._sums = groups, shares, sums
        self._sign, self._choose = sign, choose
        self._smallest_log = math.log(smallest_share)
        n_groups = len(shares) + 1
        self._queues = _queue_rows(groups, n_groups, taken)
        self._places = [0] * n_groups
        self._total = float(sums().sum())
        largest_log = math.log(len(groups) + self._total + 2.0) - self._smallest_log
        self._slack = 2.0 * (n_groups + 32) * 2.0**-52 * largest_log
        # Gains of one more sample per group, times the sign; minus infinity once none is left.
        self._values = np.zeros(n_groups)
        for group, queue in enumerate(self._queues):
            self._value(group, has_left=bool(len(queue)))
        self._find_absent()
        self._proposed: int | None = None

    def next_row(self) -> int | None:
        """Return the best candidate's row; None if none is left."""
        self._value_absent()
        values = self._values
        best = int(values.argmax())
        highest = values.item(best)
        if highest == -math.inf:
            return None
        contenders = (values >= highest - self._slack).nonzero()[0]
        self._proposed = self._first(best) if len(contenders) == 1 else self._decide(contenders)
        return self._proposed

    def accept(self) -> None:
        """Take note that the proposed row was picked and added to the sums."""
        if self._proposed is None:
            return
        group = int(self._groups[self._proposed])
        self._places[group] += 1
        self._value(group, has_left=self._places[group] < len(self._queues[group]))
        if group < len(self._shares):
            self._total += 1.0
            if self._sums().item(group) == 1.0:
                self._find_absent()

    def _first(self, group: int) -> int:
        return int(self._queues[group][self._places[group]])

    def _decide(self, contenders: IndexArray) -> int:
        rows = np.sort([self._first(int(group)) for group in contenders])
        has_class = contenders < len(self._shares)
        if has_class.all():
            shares, sums = self._shares[contenders], self._sums()[contenders]
            # Classes in equal standing are the usual case of a tie, and need no digits.
            if (shares == shares[0]).all() and ((sums == sums[0]).all() or shares[0] == 0):
                return int(rows[0])
        return self._choose(rows)

    def _value(self, group: int, *, has_left: bool) -> None:
        """Note what one more sample of a present class takes off, if there is one."""
        value = 0.0
        if group < len(self._shares):
            present, share = self._sums().item(group), self._shares.item(group)
            if present > 0 and share > 0:
                value = share * (math.log(present + 1.0) - math.log(present))
        self._values[group] = self._sign * value if has_left else -math.inf

    def _find_absent(self) -> None:
        """Note which classes are absent and have candidates: they change with every pick."""
        is_absent = (self._shares > 0) & (self._sums() == 0)
        self._absent = np.flatnonzero(is_absent & (self._values[:-1] > -np.inf))
        self._absent_shares = self._sign * self._shares[self._absent]
        self._present_share = float(self._shares[self._sums() > 0].sum())

    def _value_absent(self) -> None:
        if self._absent.size:
            gain = -math.log(self._total + 1.0) - self._smallest_log
            self._values[self._absent] = self._absent_shares * gain
        if self._total > 0 and self._values.item(-1) > -math.inf:
            # Without a class, the shares of all present classes stay larger than they would.
            kept = math.log(self._total + 1.0) - math.log(self._total)
            self._values[-1] = self._sign * self._present_share * kept


def _queue_rows(groups: IndexArray, n_groups: int, taken: Sequence[int]) -> list[IndexArray]:
    """Return the rows of each group, ascending, without those that were taken."""
    # Short integers are sorted by counting, in linear time.
    narrow = groups.astype(np.uint16) if n_groups < 1 << 16 else groups
    order = np.argsort(narrow, kind="stable")
    if len(taken):
        is_free = np.ones(len(groups), dtype=np.bool_)
        is_free[np.asarray(taken)] = False
        order = order[is_free[order]]
    ends = np.cumsum(np.bincount(groups[order], minlength=n_groups))
    return np.split(order, ends[:-1])
