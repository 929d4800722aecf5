"""REPRESENTATIVE: samples that stand for the others."""

from __future__ import annotations

import math
from dataclasses import KW_ONLY, dataclass
from decimal import Decimal
from typing import Literal, get_args

import numpy as np
from numpy.typing import ArrayLike

from lightly.selection.embeddings import EmbeddingSpace, Float64Array, IndexArray
from lightly.selection.errors import InvalidSelectionInput
from lightly.selection.kernels.loading import get_loaded_kernels, load_more_kernels
from lightly.selection.neighbour_graph import NeighbourGraph, build_graph
from lightly.selection.portable_math import SMALLEST_OBJECTIVE, take_log
from lightly.selection.ranking import TopRows, take_top
from lightly.selection.strategy import (
    KnownObjective,
    Run,
    StopReason,
    Strategy,
    StrategyReport,
    check_strength,
)

GraphKind = Literal["exact", "approximate"]

DEFAULT_NEIGHBOURS, MOST_NEIGHBOURS = 32, 250
# Candidates whose gain is looked at until no other can be ahead.
POOL_ROWS = 4_096
_TAKEN = -1


@dataclass(frozen=True, eq=False)
class Representative(Strategy):
    """Prefer samples that many others are near to and that nothing selected stands for yet.

    Phi(S + c) = sum over samples i of r_i - d(i, S + c), where r_i is the distance of i to its K-th
    nearest other sample, copies counted once, and d the distance to the nearest of its K nearest
    that is selected, or r_i if none is; 0 for a selected one. Samples are the candidates after
    thresholds and the preselected ones. This is facility location on the graph of neighbours:
    monotone and submodular, so that greedy picks reach at least 1 - 1/e of the best possible sum
    (Nemhauser, Wolsey & Fisher, 1978). A sample far from all others is picked once its own distance
    outweighs what a pick among many saves; ``Diversity`` picks it at once.

    Distances in Phi are rounded to about 2^-31 of the largest r_i and summed as integers, so that
    picks are the same on every machine. Copies of a selected sample add nothing and come last.

    Where fewer than about N / K samples are selected, some have no selected neighbour, and how far
    they are from the selection does not count; the report says how many. Raise K then.

    With ``graph="approximate"`` neighbours of 50,000 samples or more are looked for in the nearest
    of C = sqrt(M) cells of k-means only: in as many as hold nine in ten of the neighbours of
    some samples, an eighth of the cells at most. Phi is then that of the neighbours that were
    found. The report says how many of the true neighbours of other random samples these are.

    Cost: M^2 d once for exact neighbours of M samples; M C d and, for p cells, M^2 d p / C for
    approximate ones. Then about K log M per pick (Minoux, 1978); in mixtures K^2. Memory: 16 K
    bytes per sample.

    Args:
        embeddings: Shape ``[N, d]``, float32 at best; may be a memory map.
        n_neighbours: K, 2 to 250; at most one less than there are different samples is used.
        strength: Exponent of Phi; negative prefers samples that stand for few.
        graph: ``exact`` or ``approximate`` neighbours. The same picks on every machine either way.

    Example:
        >>> import numpy as np
        >>> from lightly.selection import Representative, select
        >>> line = np.array([[0.0], [1.0], [2.0], [10.0], [11.0]], dtype=np.float32)
        >>> select(n_samples=2, strategies=[Representative(line, n_neighbours=2)]).indices
        array([3, 1])
    """

    embeddings: ArrayLike
    _: KW_ONLY
    n_neighbours: int = DEFAULT_NEIGHBOURS
    strength: float = 1.0
    graph: GraphKind = "exact"

    @property
    def n_samples(self) -> int:
        """Number of samples with an embedding."""
        return len(np.asarray(self.embeddings))

    def begin(self, run: Run) -> RepresentativeObjective:
        """Find neighbours and return the strategy at work."""
        strength = check_strength(self.strength, "REPRESENTATIVE")
        is_whole = isinstance(self.n_neighbours, (int, np.integer))
        if not is_whole or not 2 <= self.n_neighbours <= MOST_NEIGHBOURS:
            raise InvalidSelectionInput(
                f"REPRESENTATIVE takes 2 to {MOST_NEIGHBOURS} nearest neighbours. "
                f"Got {self.n_neighbours!r}."
            )
        if self.graph not in get_args(GraphKind):
            raise InvalidSelectionInput(
                "The graph of REPRESENTATIVE must be 'exact' or 'approximate'. "
                f"Got {str(self.graph)[:40]!r}."
            )
        space = EmbeddingSpace({"embeddings": self.embeddings}, pulse=run.pulse)
        return RepresentativeObjective(
            space, run, self.n_neighbours, strength, is_exact=self.graph == "exact"
        )


@dataclass(frozen=True, kw_only=True, eq=False)
class RepresentativeReport(StrategyReport):
    """What REPRESENTATIVE saw and did; gains are how much each pick lowered the sum of distances.

    Attributes:
        n_neighbours: How many neighbours were looked at.
        recall: Share of the true neighbours among them: 1.0 if all were looked for, else measured
            on random samples.
        n_recall_samples: On how many; 0 if neighbours are exact.
        n_represented: Samples that are selected or have a selected one among their neighbours.
        n_distinct: Different samples among those looked at.
        total: Phi at the end.
        share_of_total: Of the largest Phi possible, that of selecting everything.
    """

    n_neighbours: int
    recall: float
    n_recall_samples: int
    n_represented: int
    n_distinct: int
    total: float
    share_of_total: float


@dataclass(frozen=True, eq=False)
class GainPool:
    """Candidates whose gains are measured again when they are asked for.

    Attributes:
        rows: Which they are, ascending.
        bounds: Most that each of them may gain; negative for those that are taken.
        known_at: How many picks there were when that was measured.
    """

    rows: IndexArray
    bounds: IndexArray
    known_at: IndexArray


class RepresentativeObjective(KnownObjective):
    """REPRESENTATIVE at work.

    Alone, gains are computed when they are asked for. In mixtures those of all candidates are kept
    up to date.
    """

    def __init__(
        self,
        space: EmbeddingSpace,
        run: Run,
        n_neighbours: int,
        strength: float,
        *,
        is_exact: bool = True,
    ) -> None:
        super().__init__(strength)
        known = np.union1d(run.samples, run.preselected).astype(np.int64)
        self._graph: NeighbourGraph | None = None
        self._spots = np.empty(0, dtype=np.int64)
        self._reach = np.empty(0, dtype=np.int64)
        self._total = self._marked = 0
        self._picked: list[int] = []
        self._gains: IndexArray | None = None
        if not len(known):
            return
        graph = self._graph = build_graph(space, known, n_neighbours, run.pulse, is_exact=is_exact)
        self._spots = graph.spot_of[np.searchsorted(known, run.samples)]
        self._reach = graph.reach.copy()
        for sample in run.preselected:
            self._take(int(graph.spot_of[np.searchsorted(known, sample)]))

    def check_stop(self, row: int) -> StopReason | None:  # noqa: ARG002  nothing stops it
        """Never end the run."""
        return None

    def add(self, row: int) -> None:
        """Add a picked candidate to the selection."""
        self._picked.append(self._take(int(self._spots[row])))

    def measure_gain(self, row: int) -> int:
        """Return how much a candidate would raise Phi now."""
        return self._measure_spot(int(self._spots[row]))

    def bound_gains(self) -> IndexArray:
        """Return how much each candidate would raise Phi now."""
        if self._graph is None:
            return np.empty(0, dtype=np.int64)
        gains: IndexArray = self._keep_gains()[self._spots]
        return gains

    def report(self) -> RepresentativeReport:
        """Return the report after the last pick."""
        graph = self._graph
        if graph is None:
            return RepresentativeReport(
                kind="REPRESENTATIVE", strength=self.strength, gains=np.empty(0), n_neighbours=0,
                recall=1.0, n_recall_samples=0, n_represented=0, n_distinct=0, total=0.0,
                share_of_total=1.0,
            )  # fmt: skip
        most = int(graph.reach @ graph.weights)
        return RepresentativeReport(
            kind="REPRESENTATIVE",
            strength=self.strength,
            gains=np.ldexp(np.array(self._picked, dtype=np.float64), -graph.exponent),
            n_neighbours=graph.n_neighbours,
            recall=graph.recall.share,
            n_recall_samples=graph.recall.n_samples,
            n_represented=int(graph.weights[self._reach < graph.reach].sum()),
            n_distinct=graph.n_spots,
            total=math.ldexp(self._total, -graph.exponent),
            share_of_total=self._total / most if most else 1.0,
        )

    def bounds(self, rows: IndexArray) -> tuple[Float64Array, Float64Array]:
        """Return Phi(S + c), a whole number in units of the graph."""
        if self._graph is None:
            return np.zeros(len(rows)), np.zeros(len(rows))
        sums = (self._total + self._keep_gains()[self._spots[rows]]).astype(np.float64)
        return sums, sums

    def signatures(self, rows: IndexArray) -> Float64Array:
        """Return Phi itself, clamped as in the product."""
        sums: Float64Array = np.maximum(self.bounds(rows)[0], SMALLEST_OBJECTIVE)
        return sums[:, None]

    def exact_log(self, row: int) -> Decimal:
        """Return ln Phi(S + c)."""
        return take_log(float(self.bounds(np.array([row]))[0][0]))

    @property
    def has_bounded_growth(self) -> bool:
        """Phi of no candidate grows by more than Phi of the selection did."""
        return True

    def mark(self) -> None:
        """Remember Phi(S)."""
        self._marked = self._total

    def growth(self) -> tuple[float, float]:
        """Return the least and the most that ln Phi(S + c) grew: by what Phi(S) grew at most."""
        if self._marked == self._total:
            return 0.0, 0.0
        if self._marked == 0:
            return 0.0, math.inf
        return 0.0, math.log(self._total / self._marked)

    def _take(self, spot: int) -> int:
        """Select a spot; return how much that raised Phi."""
        graph = self._graph
        if graph is None:
            return 0
        if self._gains is None and get_loaded_kernels() is not None:
            gain = int(load_more_kernels("gains").take_spot(spot, *self._gain_arrays(graph)))
            self._total += gain
            return gain
        followers, distances = graph.followers.find(spot)
        spots = np.append(followers, np.int32(spot)).astype(np.int64)
        nearer = np.append(distances, np.int32(0)).astype(np.int64)
        before = self._reach[spots]
        is_nearer = nearer < before
        spots, nearer, before = spots[is_nearer], nearer[is_nearer], before[is_nearer]
        gain = int((before - nearer) @ graph.weights[spots])
        if self._gains is not None:
            self._lower_gains(graph, spots, before, nearer)
        self._reach[spots] = nearer
        self._total += gain
        return gain

    def _lower_gains(
        self, graph: NeighbourGraph, spots: IndexArray, before: IndexArray, now: IndexArray
    ) -> None:
        """Take from neighbours what they can no longer do for spots that something is nearer to."""
        gains = self._keep_gains()
        gains[spots] -= (before - now) * graph.weights[spots]
        for spot, old, new in zip(spots.tolist(), before.tolist(), now.tolist(), strict=True):
            part = graph.list_neighbours(spot)
            distances = graph.distances[part].astype(np.int64)
            lost = np.maximum(old - distances, 0) - np.maximum(new - distances, 0)
            gains[graph.numbers[part]] -= lost * graph.weights[spot]

    def _measure_spot(self, spot: int) -> int:
        graph = self._graph
        if graph is None:
            return 0
        followers, distances = graph.followers.find(spot)
        lowered = np.maximum(self._reach[followers] - distances, 0)
        own = int(self._reach[spot]) * int(graph.weights[spot])
        return own + int(lowered @ graph.weights[followers])

    def _keep_gains(self) -> IndexArray:
        """Return the gain of every spot, kept up to date from the first time on."""
        graph = self._graph
        if self._gains is None and graph is not None:
            owners = np.repeat(np.arange(graph.n_spots), np.diff(graph.starts))
            lowered = np.maximum(self._reach[owners] - graph.distances, 0) * graph.weights[owners]
            # Whole numbers below 2**53: these sums are exact.
            sums = np.bincount(graph.numbers, weights=lowered, minlength=graph.n_spots)
            self._gains = sums.astype(np.int64) + self._reach * graph.weights
        return self._gains if self._gains is not None else np.empty(0, dtype=np.int64)

    def find_best(self, pool: GainPool, n_picks: int, least: int) -> int:
        """Return the place in a pool of the row with the largest gain, the first of equals.

        Args:
            pool: Rows and what they may gain, brought up to date as far as that is needed.
            n_picks: Picks so far.
            least: The row may be any whose bound is below this, if it has the highest bound.

        Returns:
            The place.
        """
        graph = self._graph
        if graph is not None and get_loaded_kernels() is not None:
            arrays = self._gain_arrays(graph)
            find = load_more_kernels("gains").find_best
            pools = pool.rows, pool.bounds, pool.known_at
            return int(find(*pools, n_picks, least, self._spots, *arrays))
        while True:
            place = int(pool.bounds.argmax())
            if pool.bounds[place] < least or pool.known_at[place] == n_picks:
                return place
            pool.bounds[place] = self.measure_gain(int(pool.rows[place]))
            pool.known_at[place] = n_picks

    def _gain_arrays(self, graph: NeighbourGraph) -> tuple[np.ndarray, ...]:
        followers = graph.followers
        lists = followers.starts, followers.numbers, followers.distances
        return (*lists, self._reach, graph.weights)

    def release_gains(self) -> None:
        """Leave gains to `measure_gain` from now on."""
        self._gains = None


class LazyFirst:
    """Proposes the candidate with the largest gain, measuring few of them again.

    A gain can only fall while the selection grows, so that one known from before is a bound.

    Args:
        objective: Whose gains; its owner adds a picked row before it calls ``accept``.
        taken: Rows that were picked before.
    """

    def __init__(self, objective: RepresentativeObjective, taken: list[int]) -> None:
        self._objective = objective
        self._bounds = objective.bound_gains()
        objective.release_gains()
        self._is_free = np.ones(len(self._bounds), dtype=np.bool_)
        self._is_free[taken] = False
        self._known_at = np.zeros(len(self._bounds), dtype=np.int64)
        self._n_picks = 0
        self._proposed: int | None = None
        self._top = TopRows(np.empty(0, dtype=np.int64), np.inf, -1)
        self._pool = GainPool(self._top.rows, self._top.rows, self._top.rows)

    def next_row(self) -> int | None:
        """Return the row with the largest gain, the first of equals; None if none is left."""
        while True:
            self._proposed = self._find_best()
            if self._proposed is not None:
                return int(self._pool.rows[self._proposed])
            if not self._fill():
                return None

    def accept(self) -> None:
        """Take note that the proposed row was picked."""
        if self._proposed is not None:
            self._is_free[self._pool.rows[self._proposed]] = False
            self._pool.bounds[self._proposed] = _TAKEN
            self._n_picks += 1

    def _find_best(self) -> int | None:
        """Return the place of the best of the pool, if nothing outside can be ahead of it."""
        pool = self._pool
        if not pool.rows.size:
            return None
        least = 0 if self._top.bar == -np.inf else int(self._top.bar)
        place = self._objective.find_best(pool, self._n_picks, least)
        bound, row = int(pool.bounds[place]), int(pool.rows[place])
        is_best = bound != _TAKEN and self._top.is_ahead(float(bound), row)
        return place if is_best else None

    def _fill(self) -> bool:
        """Take the candidates with the highest bounds into the pool."""
        old = self._pool
        self._bounds[old.rows], self._known_at[old.rows] = old.bounds, old.known_at
        values = np.where(self._is_free, self._bounds, -np.inf)
        self._top = take_top(values.astype(np.float64), POOL_ROWS)
        rows = self._top.rows
        self._pool = GainPool(rows, self._bounds[rows], self._known_at[rows])
        return bool(rows.size)
