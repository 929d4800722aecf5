"""DIVERSITY of objects: samples whose objects are far from those of the selection.

A sample's distance^2 to the selection is the mean over its objects of the squared distance to the
nearest object of a selected sample. Like every single one of them it can only fall, so lazy upper
bounds serve here too.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from decimal import Decimal

import numpy as np
from numpy.typing import NDArray

from lightly.selection.embeddings import EmbeddingSpace, Float64Array, IndexArray
from lightly.selection.member_spread import MemberSpread
from lightly.selection.nearest import NearestSelected
from lightly.selection.objects import ObjectTable, average_objects, spread_ranges
from lightly.selection.portable_math import SMALLEST_OBJECTIVE, take_log
from lightly.selection.strategy import Objective, Run, StopReason, StrategyReport


@dataclass(frozen=True, kw_only=True, eq=False)
class ObjectDiversityReport(StrategyReport):
    """What DIVERSITY of objects saw and did; gains are squared distances, 0 for a first pick.

    Attributes:
        distances: Of each pick to what was selected before it: the root of the mean over its
            objects of the squared distance to the nearest earlier object. Infinite for the first
            sample with objects, NaN for samples without.
        nearest: Position of the sample with the object that is nearest to any of the pick's
            objects; -1 where there is none.
        min_distance: The stopping condition, if any.
        n_without_objects: Candidates without objects.
    """

    distances: Float64Array
    nearest: IndexArray
    min_distance: float | None
    n_without_objects: int


class ObjectDiversityObjective(Objective):
    """DIVERSITY of objects at work."""

    def __init__(
        self,
        table: ObjectTable,
        space: EmbeddingSpace,
        run: Run,
        *,
        strength: float,
        min_distance: float | None,
    ) -> None:
        super().__init__(strength)
        self._table, self._samples, self._pulse = table, run.samples, run.pulse
        self._counts = table.count(run.samples)
        self._starts = np.cumsum(self._counts) - self._counts
        capacity = _count_most_selected(table, run, self._counts)
        objects = table.list_objects(run.samples)
        self._nearest = NearestSelected(space, objects, capacity=capacity)
        self._spread = MemberSpread(self._nearest, capacity=capacity) if run.is_mixture else None
        self._min_distance = min_distance
        self._is_free = np.ones(len(run.samples), dtype=np.bool_)
        self._watches_all = self._has_met_selection = False
        self._marked: tuple[float, float, float] | None = None
        self._distances2: list[float] = []
        self._neighbours: list[int] = []
        self._select(run.preselected)

    def check_stop(self, row: int) -> StopReason | None:
        """Return why the run must end instead of picking ``row``; never without objects."""
        if self._min_distance is None or self._is_neutral or not self._counts[row]:
            return None
        distance = math.sqrt(self._measure(row))
        return "min_distance" if distance < self._min_distance else None

    def add(self, row: int) -> None:
        """Add a picked candidate, with all of its objects, to the selection."""
        distance2, neighbour = math.nan, -1
        if self._counts[row]:
            distance2 = math.inf
            if not self._is_neutral:
                distance2, neighbour = self._measure(row), self._find_neighbour(row)
        self._distances2.append(distance2)
        self._neighbours.append(neighbour)
        self._is_free[row] = False
        for object_row in self._list_rows(np.array([row])):
            self._nearest.retire(int(object_row))
        self._select(self._samples[row : row + 1])
        if self._watches_all and self._has_met_selection:
            self._settle(np.flatnonzero(self._is_free))

    def report(self) -> ObjectDiversityReport:
        """Return the report after the last pick."""
        distances2 = np.array(self._distances2)
        return ObjectDiversityReport(
            kind="DIVERSITY",
            strength=self.strength,
            gains=np.where(np.isfinite(distances2), distances2, 0.0),
            distances=np.sqrt(distances2),
            nearest=np.array(self._neighbours, dtype=np.int64),
            min_distance=self._min_distance,
            n_without_objects=int(np.count_nonzero(self._counts == 0)),
        )

    def bounds(self, rows: IndexArray) -> tuple[Float64Array, Float64Array]:
        """Return bounds of A(S) + mean d^2; 0 for samples without objects."""
        has_objects = self._counts[rows] > 0
        if self._is_neutral:
            neutral = has_objects.astype(np.float64)
            return neutral, neutral
        low, high = self._bound_means(rows)
        least = self._least
        return (
            np.where(has_objects, np.maximum(self._total + low, least), 0.0),
            np.where(has_objects, np.maximum(self._total + high, least), 0.0),
        )

    def are_exact(self, rows: IndexArray) -> NDArray[np.bool_]:
        """Return for which candidates the objective has one possible value."""
        low, high = self.bounds(rows)
        return np.equal(low, high)

    def signatures(self, rows: IndexArray) -> Float64Array:
        """Return the objective itself, clamped as in the product."""
        return np.maximum(self.bounds(rows)[0], SMALLEST_OBJECTIVE)[:, None]

    def exact_log(self, row: int) -> Decimal:
        """Return ln Phi(S + c) of a candidate known exactly."""
        return take_log(float(self.bounds(np.array([row]))[0][0]))

    @property
    def groups(self) -> IndexArray | None:
        """Candidates are not known to be alike."""
        return None

    @property
    def has_bounded_growth(self) -> bool:
        """A(S) grows by the same amount for all candidates with objects."""
        return True

    @property
    def needs_all(self) -> bool:
        """Whether an upper bound of the distance bounds the objective from the wrong side."""
        return self.strength < 0

    def mark(self) -> None:
        """Remember A(S) and the range of bounds, once there are any."""
        self._marked = None
        free = np.flatnonzero(self._is_free & (self._counts > 0))
        if not self._is_neutral:
            means = self._bound_means(free)[1] if free.size else np.zeros(1)
            self._marked = (self._total, float(means.min()), float(means.max()))

    def growth(self) -> tuple[float, float]:
        """Return the least and the most that ln of a bound grew; nothing without objects."""
        if self._marked is None:
            return (0.0, 0.0) if self._is_neutral else (-math.inf, math.inf)
        before, low, high = self._marked
        if before == self._total:
            return 0.0, 0.0
        if min(before, self._total) + low < SMALLEST_OBJECTIVE:
            return -math.inf, math.inf
        ends = [math.log((self._total + end) / (before + end)) for end in (low, high)]
        return min(*ends, 0.0), max(*ends, 0.0)

    def prepare(self) -> None:
        """Give every object a first finite bound once something is selected."""
        if self._has_met_selection or self._is_neutral:
            return
        self._has_met_selection = True
        for _ in self._nearest.meet_first_block():
            self._pulse.beat()
        if self._watches_all:
            self._settle(np.flatnonzero(self._is_free))

    def watch_all(self) -> None:
        """Keep every candidate up to date from now on."""
        self._watches_all = True

    def make_exact(self, rows: IndexArray) -> None:
        """Measure these candidates exactly."""
        if not self._is_neutral:
            self._settle(rows)
            self._nearest.resolve(self._list_rows(rows))

    def open_pool(self, rows: IndexArray, least: Float64Array) -> IndexArray:  # noqa: ARG002  a mean reaches what some of its terms do not
        """Bring candidates up to date; all of them stay."""
        if not self._is_neutral:
            self._settle(rows)
        return rows

    @property
    def _is_neutral(self) -> bool:
        return self._nearest.n_selected == 0

    @property
    def _least(self) -> float:
        """Alone, A(S) is left out: objects without distance still rank before no objects."""
        return 2.0 * SMALLEST_OBJECTIVE if self._spread is None else 0.0

    @property
    def _total(self) -> float:
        return 0.0 if self._spread is None else self._spread.total

    def _select(self, samples: IndexArray) -> None:
        for chosen in self._table.list_objects(samples):
            self._nearest.select(int(chosen))
            if self._spread is not None:
                self._spread.add_latest()

    def _settle(self, rows: IndexArray) -> None:
        objects = self._list_rows(rows)
        self._nearest.settle(objects[self._nearest.seen[objects] != self._nearest.n_selected])

    def _list_rows(self, rows: IndexArray) -> IndexArray:
        """Return where the objects of candidates are kept."""
        return spread_ranges(self._starts[rows], self._counts[rows])

    def _bound_means(self, rows: IndexArray) -> tuple[Float64Array, Float64Array]:
        low, high = self._nearest.interval(self._list_rows(rows))
        unit, counts = self._nearest.space.true_unit, self._counts[rows]
        return average_objects(low * unit, counts), average_objects(high * unit, counts)

    def _measure(self, row: int) -> float:
        rows = np.array([row])
        self.make_exact(rows)
        return float(self._bound_means(rows)[0][0])

    def _find_neighbour(self, row: int) -> int:
        """Return the owner of the earlier object nearest to one of a measured candidate's."""
        objects = self._list_rows(np.array([row]))
        closest = objects[self._nearest.upper[objects].argmin()]
        return int(self._table.owners[self._nearest.selected[self._nearest.nearest[closest]]])


def _count_most_selected(table: ObjectTable, run: Run, counts: IndexArray) -> int:
    """Return the most objects that can become selected."""
    largest = np.sort(counts)[::-1][: run.n_wanted]
    return int(table.count(run.preselected).sum() + largest.sum())
