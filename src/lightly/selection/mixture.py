"""Several strategies at once: the candidate that makes the product of their objectives largest.

At every step the pick is the candidate c with the largest product of Phi_s(S + c)^strength_s over
strategies s, ties to the lowest index. It is computed as a sum of strength times logarithm and
decided in three stages, each only where the one before cannot decide:

1. upper bounds of all scores, from distances measured at some earlier time;
2. scores from measured distances, for the pool of candidates with the highest bounds;
3. 60-digit logarithms, for candidates whose scores are equal up to rounding.

A round brings its pool up to date and picks from it. Outside the pool a bound can only rise by
what the running sums grew; ``Objective.growth`` limits that for all candidates at once, in O(1).
Cost per round: O(N) operations and the pool's distances. A negative strength of DIVERSITY turns
its bounds around; then every candidate is measured at every pick, N d operations.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from lightly.selection.embeddings import Float64Array, IndexArray
from lightly.selection.exact_choice import choose_exactly
from lightly.selection.mixed_picks import open_mixed_picks
from lightly.selection.portable_math import SCREEN_MARGIN, SMALLEST_OBJECTIVE
from lightly.selection.ranking import take_top
from lightly.selection.strategy import KnownObjective, Objective

# So few candidates are all kept up to date: rounds would cost more than they save.
WHOLE_ROWS = 1_024
FIRST_POOL_ROWS = 512
_SMALLEST_POOL_ROWS, _LARGEST_POOL_ROWS = 64, 8_192
_FEW_PICKS, _MANY_PICKS = 16, 96
# Candidates made exact together when the best bound turns out to be loose.
_BATCH_ROWS = 64


class Mixture:
    """Proposes the candidate with the best product of objectives, again and again.

    Args:
        objectives: Strategies with a strength other than 0. Whoever owns them adds a picked row
            to each, then calls ``accept``.
        n_rows: Number of candidates.
        taken: Rows that were picked before, in order; their owner has added them.
    """

    def __init__(
        self, objectives: Sequence[Objective], n_rows: int, *, taken: Sequence[int] = ()
    ) -> None:
        self._objectives = objectives
        self._field = _open_field(objectives, n_rows)
        for row in taken:
            self._field.take(row)
        self._margin = SCREEN_MARGIN * sum(abs(o.strength) for o in objectives)
        self._pool = np.empty(0, dtype=np.int64)
        self._outside = math.inf
        self._proposed: int | None = None
        self._n_pool_rows = FIRST_POOL_ROWS
        self._n_picks_of_round = 0
        self._watches_all = n_rows <= WHOLE_ROWS or _gain_nothing_from_pools(objectives)
        self._many = None if self._watches_all else open_mixed_picks(objectives, self._margin)
        if self._watches_all:
            for objective in objectives:
                objective.watch_all()

    def next_row(self) -> int | None:
        """Return the best candidate's row; None if none is left."""
        for objective in self._objectives:
            objective.prepare()
        self._proposed = self._pick_from_pool()
        if self._proposed is None and not self._watches_all:
            self._open_pool()
            self._proposed = self._pick_from_pool()
        if self._proposed is None:
            self._proposed = self._pick_from_all()
        return self._proposed

    def pick_many(self, n_most: int) -> IndexArray:
        """Pick what can be picked fast, and add it to all objectives; often nothing.

        Only for when all objectives are this mixture's: it obeys a minimum distance by stopping
        before it.
        """
        picks = None if self._many is None else self._many.pick(n_most)
        if picks is None:
            return np.empty(0, dtype=np.int64)
        for row in picks.rows:
            self._field.take(int(row))
        self._pool = np.setdiff1d(self._pool, picks.rows, assume_unique=True)
        self._n_picks_of_round += len(picks.rows)
        return picks.rows

    def accept(self) -> None:
        """Take note that the proposed row was picked."""
        if self._proposed is not None:
            self._field.take(self._proposed)
            self._pool = self._pool[self._pool != self._proposed]
            self._n_picks_of_round += 1

    def _pick_from_all(self) -> int | None:
        rows = self._field.list_rows()
        return choose_exactly(self._objectives, self._contend(rows)[1]) if rows.size else None

    def _pick_from_pool(self) -> int | None:
        """Return the pool's best row if nothing outside the pool can be as good."""
        if not self._pool.size:
            return None
        best, contenders = self._contend(self._pool)
        if self._outside > -math.inf:
            reach = self._outside + self._bound_growth()
            # Each of three sums is off by less than the margin: this score, the bar, and the score
            # by which a row was let go for missing the bar.
            if best - reach <= 3.0 * self._margin:
                return None
        return choose_exactly(self._objectives, contenders)

    def _open_pool(self) -> None:
        """Choose the rows with the highest bounds and bring them up to date."""
        self._adapt_pool_size()
        free = self._field.list_rows()
        top = take_top(self._bound_scores(free), self._n_pool_rows)
        rows = free[top.rows]
        for objective in self._objectives:
            rows = objective.open_pool(rows, self._demand(objective, rows, top.bar))
        self._pool, self._outside = rows, top.bar
        for objective in self._objectives:
            objective.mark()
        if self._many is not None:
            self._many.open_pool(rows, top.bar)

    def _demand(self, objective: Objective, rows: IndexArray, bar: float) -> Float64Array:
        """Return the value of an objective that a row needs for its score to reach the bar."""
        others = self._bound_scores(rows) - _bound_score(objective, rows)
        # No objective comes near e**700, and a demand of at least that lets a row go, rightly.
        exponents = np.minimum((bar - others) / objective.strength, 700.0)
        return np.exp(exponents)

    def _adapt_pool_size(self) -> None:
        if self._n_picks_of_round < _FEW_PICKS:
            self._n_pool_rows = min(_LARGEST_POOL_ROWS, self._n_pool_rows * 2)
        elif self._n_picks_of_round > _MANY_PICKS:
            self._n_pool_rows = max(_SMALLEST_POOL_ROWS, self._n_pool_rows // 2)
        self._n_picks_of_round = 0

    def _bound_scores(self, rows: IndexArray) -> Float64Array:
        """Return upper bounds of the score, up to the margin."""
        scores = np.zeros(len(rows))
        for objective in self._objectives:
            scores += _bound_score(objective, rows)
        return scores

    def _secure_scores(self, rows: IndexArray) -> Float64Array:
        """Return lower bounds of the score, up to the margin."""
        scores = np.zeros(len(rows))
        for objective in self._objectives:
            low, high = objective.bounds(rows)
            scores += objective.strength * _take_logs(low if objective.strength > 0 else high)
        return scores

    def _bound_growth(self) -> float:
        """Return the most that a bound outside the pool rose since the round began."""
        total = 0.0
        for objective in self._objectives:
            least, most = objective.growth()
            total += objective.strength * (most if objective.strength > 0 else least)
        return total

    def _contend(self, rows: IndexArray) -> tuple[float, IndexArray]:
        """Return a score that the best row reaches, and all rows that may be the best, exact."""
        while True:
            high = self._bound_scores(rows)
            leaders = rows[high >= high.max() - 2.0 * self._margin]
            if self._are_exact(leaders).all():
                reached = float(self._secure_scores(leaders).max())
                contenders = rows[high >= reached - 2.0 * self._margin]
                if self._are_exact(contenders).all():
                    return reached, contenders
                leaders = contenders
            promising = rows[take_top(high, _BATCH_ROWS).rows]
            wanted = np.union1d(leaders, promising)
            for objective in self._objectives:
                objective.make_exact(wanted)

    def _are_exact(self, rows: IndexArray) -> NDArray[np.bool_]:
        exact = np.ones(len(rows), dtype=np.bool_)
        for objective in self._objectives:
            exact &= objective.are_exact(rows)
        return exact


class _FreeRows:
    """All rows that were not taken."""

    def __init__(self, n_rows: int) -> None:
        self._is_free = np.ones(n_rows, dtype=np.bool_)

    def list_rows(self) -> IndexArray:
        return np.flatnonzero(self._is_free)

    def take(self, row: int) -> None:
        self._is_free[row] = False


class _FirstOfGroups:
    """The first free row of each group, where rows of a group are alike in every respect."""

    def __init__(self, groups: IndexArray) -> None:
        self._groups = groups
        order = np.argsort(groups, kind="stable")
        starts = np.flatnonzero(np.diff(groups[order], prepend=-1))
        self._members = {
            int(groups[rows[0]]): iter(rows[1:]) for rows in np.split(order, starts[1:])
        }
        self._first = {int(groups[order[start]]): int(order[start]) for start in starts}

    def list_rows(self) -> IndexArray:
        return np.sort(np.fromiter(self._first.values(), dtype=np.int64, count=len(self._first)))

    def take(self, row: int) -> None:
        group = int(self._groups[row])
        following = next(self._members[group], None)
        if following is None:
            del self._first[group]
        else:
            self._first[group] = int(following)


def _open_field(objectives: Sequence[Objective], n_rows: int) -> _FreeRows | _FirstOfGroups:
    groups = objectives[0].groups if len(objectives) == 1 else None
    return _FreeRows(n_rows) if groups is None or not n_rows else _FirstOfGroups(groups)


def _gain_nothing_from_pools(objectives: Sequence[Objective]) -> bool:
    """Pools help where bounds outlast a pick, or where measuring is what costs."""
    if any(o.needs_all for o in objectives):
        return True
    is_known = all(isinstance(o, KnownObjective) for o in objectives)
    return is_known and not all(o.has_bounded_growth for o in objectives)


def _bound_score(objective: Objective, rows: IndexArray) -> Float64Array:
    low, high = objective.bounds(rows)
    return objective.strength * _take_logs(high if objective.strength > 0 else low)


def _take_logs(objectives: Float64Array) -> Float64Array:
    logs: Float64Array = np.log(np.maximum(objectives, SMALLEST_OBJECTIVE))
    return logs
