"""DIVERSITY: samples far from each other."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import KW_ONLY, dataclass, field
from decimal import Decimal

import numpy as np
from numpy.typing import ArrayLike, NDArray

from lightly.selection.coverage import Coverage, LateCoverage, cover_candidates
from lightly.selection.direct_picks import is_brief
from lightly.selection.embeddings import EmbeddingSpace, Float64Array, IndexArray
from lightly.selection.member_spread import MemberSpread
from lightly.selection.nearest import NearestSelected, Pool
from lightly.selection.object_diversity import ObjectDiversityObjective
from lightly.selection.objects import Objects, ObjectTable, count_samples
from lightly.selection.pool_picks import PoolPicks
from lightly.selection.portable_math import SMALLEST_OBJECTIVE, take_log
from lightly.selection.strategy import (
    Objective,
    Run,
    StopReason,
    Strategy,
    StrategyReport,
    check_limit,
    check_strength,
)


@dataclass(frozen=True, eq=False)
class Diversity(Strategy):
    """Prefer samples far from the selection, and optionally stop when none is far enough.

    Phi(S + c) = A(S) + d(c, S)^2, where d is the Euclidean distance to the nearest member of S and
    A(S) the sum over members of the squared distance to their nearest other member. Alone this is
    farthest-point traversal from the first candidate: covering radius and separation within a
    factor of two of the best possible (Gonzalez, 1985). It keeps outliers by design.

    Args:
        embeddings: Shape ``[N, d]``, float32 at best; a memory map is read piece by piece. With
            ``Objects``, d^2 is the mean over c's objects of the squared distance to the nearest
            object of S, A(S) is over objects, and Phi of a sample without objects is 0.
        strength: Exponent of Phi; negative prefers samples near the selection, 0 only stops.
        min_distance: The run stops when the next pick would be nearer than this to the selection.
            Alone it yields a maximal separated set: deduplication when the count is unlimited.
    """

    embeddings: ArrayLike | Objects
    _: KW_ONLY
    strength: float = 1.0
    min_distance: float | None = None

    @property
    def n_samples(self) -> int:
        """Number of samples that the embeddings are for."""
        return count_samples(self.embeddings)

    def begin(self, run: Run) -> DiversityObjective | ObjectDiversityObjective:
        """Check the embeddings and return the strategy at work."""
        strength = check_strength(self.strength, "DIVERSITY")
        min_distance = check_limit(self.min_distance, "The minimum distance of DIVERSITY")
        if isinstance(self.embeddings, Objects):
            table = ObjectTable(self.embeddings)
            return ObjectDiversityObjective(
                table,
                table.open_space(run.pulse),
                run,
                strength=strength,
                min_distance=min_distance,
            )
        shape = np.shape(self.embeddings)
        n_picks = len(run.preselected) + run.n_wanted
        is_few = len(shape) == 2 and is_brief(len(run.samples), shape[1], n_picks)
        space = EmbeddingSpace(
            {"embeddings": self.embeddings},
            pulse=run.pulse,
            is_brief=is_few and not run.is_mixture,
        )
        return DiversityObjective(space, run, strength=strength, min_distance=min_distance)


@dataclass(frozen=True, kw_only=True, eq=False)
class DiversityReport(StrategyReport):
    """What DIVERSITY saw and did; gains are squared distances, 0 for a first pick.

    Attributes:
        distances: Distance of each pick to what was selected before it; infinite for a first pick.
        nearest: Position in the input of the nearest sample selected before; -1 for a first pick.
        min_distance: The stopping condition, if any.
        late_coverage: What ``coverage`` comes from. After a run of a few picks, or on a few
            megabytes, it is measured when it is first asked for, and reads the embeddings again,
            which must be as they were.
    """

    distances: Float64Array
    nearest: IndexArray
    min_distance: float | None
    late_coverage: LateCoverage = field(repr=False)

    @property
    def coverage(self) -> Coverage:
        """How well the selection covers the candidates."""
        return self.late_coverage.value


class DiversityObjective(Objective):
    """DIVERSITY at work."""

    def __init__(
        self, space: EmbeddingSpace, run: Run, *, strength: float, min_distance: float | None
    ) -> None:
        super().__init__(strength)
        capacity = len(run.preselected) + run.n_wanted
        self.nearest = NearestSelected(space, run.samples, capacity=capacity, keep_codes=True)
        self._min_distance = min_distance
        self._pulse = run.pulse
        self._spread = MemberSpread(self.nearest, capacity=capacity) if run.is_mixture else None
        self._pool: Pool | None = None
        self._watches_all = False
        self._has_met_selection = False
        self._marked: tuple[float, float, float] | None = None
        self._distances2: list[float] = []
        self._neighbours: list[int] = []
        if self._spread is None:
            self.nearest.select_many(run.preselected)
        else:
            for sample in run.preselected:
                self._select(int(sample))

    def check_stop(self, row: int) -> StopReason | None:
        """Return why the run must end instead of picking ``row``, or None."""
        if self._min_distance is None or self.nearest.n_selected == 0:
            return None
        distance = math.sqrt(self._measure(row))
        return "min_distance" if distance < self._min_distance else None

    def add(self, row: int) -> None:
        """Add a picked candidate to the selection."""
        nearest = self.nearest
        distance2, neighbour = math.inf, -1
        if nearest.n_selected > 0:
            distance2 = self._measure(row)
            neighbour = int(nearest.selected[nearest.nearest[row]])
        self._distances2.append(distance2)
        self._neighbours.append(neighbour)
        nearest.retire(row)
        if self._pool is not None:
            self._pool.leave_out(row)
        # A sample that equals a selected one is no news to the candidates.
        if distance2 > 0.0 or self._spread is not None:
            self._select(int(nearest.samples[row]))
            self._follow_selection()

    @property
    def least_distance(self) -> float:
        """The next pick must be at least this far from the selection; 0 without a condition."""
        return self._min_distance or 0.0

    def note(self, picks: PoolPicks) -> None:
        """Take note of candidates that were picked and added to the selection elsewhere."""
        neighbours = self.nearest.all_selected[picks.neighbours]
        self._distances2 += picks.distances2.tolist()
        self._neighbours += np.where(picks.neighbours < 0, -1, neighbours).tolist()
        if self._spread is not None:
            self._spread.follow()

    def remember(self) -> dict[str, NDArray[np.generic]]:
        """Return the distance of each pick, and to which sample: measuring them costs n^2 d / 2."""
        return {
            "distances2": np.array(self._distances2),
            "neighbours": np.array(self._neighbours, dtype=np.int64),
        }

    def replay(self, rows: IndexArray, memory: Mapping[str, NDArray[np.generic]]) -> None:
        """Add the picks of an earlier run, without measuring them again where they were."""
        is_known = "distances2" in memory and len(memory["distances2"]) == len(rows)
        if self._spread is not None or not is_known:
            super().replay(rows, memory)
            return
        self._distances2 = memory["distances2"].tolist()
        self._neighbours = memory["neighbours"].tolist()
        self.nearest.upper[rows] = self.nearest.lower[rows] = -np.inf
        is_news = np.array(self._distances2) > 0.0
        self.nearest.select_many(self.nearest.samples[rows[is_news]])

    def release_pool(self) -> None:
        """Leave it to others to keep candidates up to date."""
        self._pool = None

    @property
    def mark_line(self) -> tuple[float, float, float] | None:
        """A(S) at the mark, and the least and the largest distance^2 of candidates, if any."""
        return self._marked

    @property
    def member_distances(self) -> Float64Array:
        """Squared distance of each selected sample to its nearest other, for mixtures."""
        return np.empty(0) if self._spread is None else self._spread.distances

    def report(self) -> DiversityReport:
        """Return the report after the last pick."""
        self._pool = None
        distances2 = np.array(self._distances2)
        return DiversityReport(
            kind="DIVERSITY",
            strength=self.strength,
            gains=np.where(np.isinf(distances2), 0.0, distances2),
            distances=np.sqrt(distances2),
            nearest=np.array(self._neighbours, dtype=np.int64),
            min_distance=self._min_distance,
            late_coverage=cover_candidates(self.nearest, self._pulse),
        )

    def bounds(self, rows: IndexArray) -> tuple[Float64Array, Float64Array]:
        """Return bounds of A(S) + d(c, S)^2; all equal while nothing is selected."""
        if self.nearest.n_selected == 0:
            neutral = np.ones(len(rows))
            return neutral, neutral
        low, high = self.nearest.interval(rows)
        unit = self.nearest.space.true_unit
        return self._total + low * unit, self._total + high * unit

    def signatures(self, rows: IndexArray) -> Float64Array:
        """Return the objective itself, clamped as in the product."""
        return np.maximum(self.bounds(rows)[0], SMALLEST_OBJECTIVE)[:, None]

    @property
    def groups(self) -> IndexArray | None:
        """Candidates are not known to be alike."""
        return None

    def are_exact(self, rows: IndexArray) -> NDArray[np.bool_]:
        """Return for which candidates A(S) + d(c, S)^2 has one possible value."""
        low, high = self.bounds(rows)
        return np.equal(low, high)

    def exact_log(self, row: int) -> Decimal:
        """Return ln Phi(S + c) of a candidate known exactly."""
        return take_log(float(self.bounds(np.array([row]))[0][0]))

    @property
    def has_bounded_growth(self) -> bool:
        """A(S) grows by the same amount for all candidates."""
        return True

    def growth(self) -> tuple[float, float]:
        """Return the least and the most that ln of a bound grew: it is monotone in d^2."""
        if self._marked is None:
            return (0.0, 0.0) if self.nearest.n_selected == 0 else (-math.inf, math.inf)
        before, low, high = self._marked
        if before == self._total:
            return 0.0, 0.0
        if min(before, self._total) + low < SMALLEST_OBJECTIVE:
            return -math.inf, math.inf
        ends = [math.log((self._total + end) / (before + end)) for end in (low, high)]
        return min(ends), max(ends)

    def mark(self) -> None:
        """Remember A(S) and the range of bounds, once there are any."""
        if self.nearest.n_selected == 0:
            self._marked = None
            return
        free = self.nearest.upper[self.nearest.list_free()]
        unit = self.nearest.space.true_unit
        low, high = (free.min() * unit, free.max() * unit) if free.size else (0.0, 0.0)
        self._marked = (self._total, float(low), float(high))

    def prepare(self) -> None:
        """Give every candidate a first finite bound once something is selected."""
        if self._has_met_selection or self.nearest.n_selected == 0:
            return
        self._has_met_selection = True
        for _ in self.nearest.meet_first_block():
            self._pulse.beat()
        self._follow_selection()

    def watch_all(self) -> None:
        """Keep every candidate up to date from now on."""
        self._watches_all = True

    def make_exact(self, rows: IndexArray) -> None:
        """Measure these candidates exactly."""
        if self.nearest.n_selected > 0:
            self.nearest.settle(rows[self.nearest.seen[rows] != self.nearest.n_selected])
            self.nearest.resolve(rows)

    def open_pool(self, rows: IndexArray, least: Float64Array) -> IndexArray:
        """Bring candidates up to date; return those that may still reach ``least``."""
        if self.nearest.n_selected == 0:
            return rows
        # A relative billionth covers the rounding of whoever computed ``least``.
        floor = (least * (1.0 - 1e-9) - self._total) / self.nearest.space.true_unit
        self._pool = self.nearest.open_pool(rows, floor)
        self._pool.catch_up()
        return self._pool.rows

    @property
    def needs_all(self) -> bool:
        """Whether an upper bound of the distance bounds the objective from the wrong side."""
        return self.strength < 0

    @property
    def _total(self) -> float:
        return 0.0 if self._spread is None else self._spread.total

    def _measure(self, row: int) -> float:
        return self.nearest.measure(row) * self.nearest.space.true_unit

    def _select(self, sample: int) -> None:
        self.nearest.select(sample)
        if self._spread is not None:
            self._spread.add_latest()

    def _follow_selection(self) -> None:
        if self._pool is not None:
            self._pool.account_latest()
        elif self._watches_all and self._has_met_selection:
            self._settle_all()

    def _settle_all(self) -> None:
        """Bring all candidates up to date, in a lasting pool if they fit into one."""
        free = self.nearest.list_free()
        if len(free) <= self.nearest.space.rows_per_chunk:
            self._pool = self.nearest.open_pool(free)
            self._pool.catch_up()
        else:
            self.nearest.settle(free)
