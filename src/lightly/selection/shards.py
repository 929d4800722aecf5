"""DIVERSITY in two rounds: shards first, wherever they are, then what they found.

Of what every shard picked the first ones are kept, down to one radius common to all: a net of
everything, with as many samples from a shard as it has to show.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import FIRST_COMPLETED, Executor, Future, wait
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import ArrayLike, NDArray

from lightly.selection.diversity import Diversity, DiversityReport
from lightly.selection.embeddings import Float32Array, Float64Array, IndexArray
from lightly.selection.engine import select
from lightly.selection.errors import InvalidSelectionInput, SelectionCancelled
from lightly.selection.progress import ReportProgress, ShouldCancel
from lightly.selection.row_source import RowSource, as_matrix
from lightly.selection.samples import read_positions


@dataclass(frozen=True, eq=False)
class ShardSpec:
    """One shard, ready to be sent elsewhere.

    Attributes:
        number: Which one it is.
        positions: Of its samples in the input, ascending.
        rows: Their embeddings, or a source of all embeddings to read them from.
        preselected: Embeddings of what is selected already, or positions in the source.
        n_samples: Most picks.
    """

    number: int
    positions: IndexArray
    rows: Float32Array | RowSource
    preselected: Float32Array | IndexArray
    n_samples: int


@dataclass(frozen=True, eq=False)
class ShardPicks:
    """What a shard found.

    Attributes:
        number: Which shard.
        positions: Of its picks in the input, in pick order.
        distances: Of each pick to those before it; they fall.
        radius: Largest distance of a sample of the shard to its nearest pick.
    """

    number: int
    positions: IndexArray
    distances: Float64Array
    radius: float


@dataclass(frozen=True, eq=False)
class ShardNet:
    """What shards have kept: a net of all candidates.

    Attributes:
        kept: Positions in the input, ascending.
        n_shards: How many shards there were.
        radius: No candidate is farther than this from what was kept.
    """

    kept: IndexArray
    n_shards: int
    radius: float


class ShardRunner(Protocol):
    """Runs shards and yields what they found, in any order."""

    def __call__(
        self, specs: Iterable[ShardSpec], run: Callable[[ShardSpec], ShardPicks]
    ) -> Iterator[ShardPicks]:
        """Run all of them."""


@dataclass(frozen=True, kw_only=True, eq=False)
class ShardedSelection:
    """Picks of two rounds, and how good they are at least.

    Attributes:
        indices: Positions of the picks in the input, in pick order, without preselected.
        distances: Of each pick to what was selected before it; infinite for a first pick.
        n_shards: How many there were.
        n_kept: Samples that were kept of all shards' picks: the second round picked from these.
        common_radius: No sample is farther than this from those that were kept.
        radius_bound: No sample is farther from the picks than this.
        best_radius_bound: No selection of so many samples, preselected ones left aside, has a
            smaller radius; 0 where nothing is known.
    """

    indices: IndexArray
    distances: Float64Array
    n_shards: int
    n_kept: int
    common_radius: float
    radius_bound: float
    best_radius_bound: float


def select_in_shards(
    embeddings: ArrayLike | RowSource,
    n_samples: int,
    *,
    shards: int,
    preselected: ArrayLike = (),
    seed: int = 0,
    runner: ShardRunner | None = None,
    progress: ReportProgress | None = None,
    should_cancel: ShouldCancel | None = None,
) -> ShardedSelection:
    """Choose samples far from each other, in shards that know nothing of each other.

    Samples are dealt to shards at random, and every shard picks ``n_samples`` as by ``Diversity``.
    Let r be the largest covering radius of a shard. Of each shard the picks are kept that were at
    least r away from those before them: no sample of it is farther than r from these. Of all that
    were kept, ``n_samples`` are picked as by ``Diversity``.

    The covering radius is at most four times the best possible: r is at most twice the best one,
    for the picks of a shard and its farthest sample are n + 1 samples that far apart; in the second
    round a sample that was kept ends up within twice the best one for the same reason; and every
    other sample is within r of one that was kept. The same two rounds, with a common count in place
    of the radius: Malkomes et al. (2015). Picks depend on ``shards`` and ``seed``, and on nothing
    else: not on where and in which order shards are run.

    Cost: that of ``Diversity`` on N / L samples per shard, and on those that were kept, at most
    n L. With shards of no more than ``n_samples`` samples everything is kept.

    Args:
        embeddings: Shape ``[N, d]``, or a source of rows, which other processes then open by
            themselves.
        n_samples: How many to pick.
        shards: L, how many shards to make.
        preselected: Positions that are selected from the start; every shard is told.
        seed: By which samples are dealt to shards.
        runner: What runs shards, for example ``run_on(executor)``; one after the other if None.
        progress: Called with (shards done, all shards) and, at the end, once more.
        should_cancel: Asked between shards and during the second round.

    Raises:
        InvalidSelectionInput: If a value breaks a rule.
        SelectionCancelled: If ``should_cancel`` said so.

    Example:
        >>> import numpy as np
        >>> from lightly.selection import select_in_shards
        >>> line = np.arange(1_000, dtype=np.float32)[:, None]
        >>> found = select_in_shards(line, 11, shards=4)
        >>> bool(found.radius_bound <= 4 * 50)
        True
    """
    matrix = as_matrix(embeddings)  # type: ignore[arg-type]  # a source reads like an array
    _check_numbers(matrix, n_samples, shards)
    selected = read_positions(preselected, len(matrix), "preselected samples")
    net = find_net(
        embeddings,
        n_samples,
        shards=shards,
        candidates=np.arange(len(matrix)),
        preselected=selected,
        seed=seed,
        runner=runner,
        progress=progress,
        should_cancel=should_cancel,
    )
    members = np.concatenate([selected, net.kept])
    result = select(
        n_samples=n_samples,
        strategies=[Diversity(np.asarray(matrix[members], dtype=np.float32))],
        preselected=np.arange(len(selected)),
        should_cancel=should_cancel,
    )
    if progress is not None:
        progress(net.n_shards, net.n_shards)
    return ShardedSelection(
        indices=members[result.indices],
        distances=result.distances,
        n_shards=net.n_shards,
        n_kept=len(net.kept),
        common_radius=net.radius,
        radius_bound=net.radius + _read_radius(result.strategies[0]),
        best_radius_bound=0.0 if len(selected) else net.radius / 2.0,
    )


def find_net(
    embeddings: ArrayLike | RowSource,
    n_samples: int,
    *,
    shards: int,
    candidates: IndexArray,
    preselected: IndexArray,
    seed: int = 0,
    runner: ShardRunner | None = None,
    progress: ReportProgress | None = None,
    should_cancel: ShouldCancel | None = None,
) -> ShardNet:
    """Let shards pick, and keep what is needed of it: the first round of `select_in_shards`.

    Args:
        embeddings: As there, and so are the others.
        n_samples: Most picks of a shard.
        shards: How many to make.
        candidates: Positions that may be picked, ascending.
        preselected: Positions that are selected from the start.
        seed: By which candidates are dealt to shards.
        runner: What runs shards.
        progress: Called with (shards done, all shards).
        should_cancel: Asked between shards.

    Raises:
        InvalidSelectionInput: If a value breaks a rule.
        SelectionCancelled: If ``should_cancel`` said so.
    """
    matrix = as_matrix(embeddings)  # type: ignore[arg-type]  # a source reads like an array
    _check_numbers(matrix, n_samples, shards)
    is_source = isinstance(embeddings, RowSource)
    earlier = preselected if is_source else np.asarray(matrix[preselected], dtype=np.float32)
    dealt = deal(np.setdiff1d(candidates, preselected), shards, seed)
    found: dict[int, ShardPicks] = {}

    def make(number: int) -> ShardSpec:
        positions = dealt[number]
        rows = embeddings if is_source else np.asarray(matrix[positions], dtype=np.float32)
        return ShardSpec(number, positions, rows, earlier, n_samples)  # type: ignore[arg-type]  # one or the other

    run_all = runner or _run_in_turn
    for picks in run_all((make(number) for number in range(len(dealt))), pick_shard):
        found[picks.number] = picks
        if progress is not None:
            progress(len(found), len(dealt))
        if should_cancel is not None and should_cancel():
            raise SelectionCancelled
    radius = max((picks.radius for picks in found.values()), default=0.0)
    return ShardNet(_keep(found.values(), radius), len(dealt), radius)


def _keep(found: Iterable[ShardPicks], radius: float) -> IndexArray:
    """Return the picks of all shards that were at least a radius away from those before them."""
    nothing = np.empty(0, dtype=np.int64)
    return np.sort(
        np.concatenate([nothing, *(one.positions[one.distances >= radius] for one in found)])
    )


def pick_shard(spec: ShardSpec) -> ShardPicks:
    """Pick in one shard; may run in another process, on one thread."""
    matrix = _read_rows(spec)
    n_earlier = len(spec.preselected)
    result = select(
        n_samples=spec.n_samples,
        strategies=[Diversity(matrix)],
        preselected=np.arange(n_earlier),
        threads=1,
    )
    radius = _read_radius(result.strategies[0])
    positions = spec.positions[result.indices - n_earlier]
    return ShardPicks(spec.number, positions, result.distances, radius)


def _read_rows(spec: ShardSpec) -> Float32Array:
    """Return what is selected already, then the samples of the shard."""
    parts = [spec.preselected, spec.rows]
    if isinstance(spec.rows, RowSource):
        wanted = np.asarray(spec.preselected, dtype=np.int64), spec.positions
        parts = [spec.rows[rows] for rows in wanted]  # type: ignore[misc]  # whatever the file holds
    return np.concatenate([np.asarray(part, dtype=np.float32) for part in parts])


def deal(samples: IndexArray, n_shards: int, seed: int) -> list[IndexArray]:
    """Return samples dealt to shards at random, the same in every release and on every machine."""
    keys = np.random.PCG64(np.random.SeedSequence([seed])).random_raw(len(samples))
    order = samples[np.argsort(keys, kind="stable")]
    return [np.sort(part) for part in np.array_split(order, n_shards) if len(part)]


def run_on(executor: Executor, n_parallel: int = 2) -> ShardRunner:
    """Return what runs shards on an executor: threads, processes, or a cluster.

    Args:
        executor: Takes the shards.
        n_parallel: Shards that are under way at the same time; their rows are in memory.
    """

    def run_all(
        specs: Iterable[ShardSpec], run: Callable[[ShardSpec], ShardPicks]
    ) -> Iterator[ShardPicks]:
        remaining = iter(specs)
        running: set[Future[ShardPicks]] = set()
        try:
            while True:
                while len(running) < n_parallel and (spec := next(remaining, None)) is not None:
                    running.add(executor.submit(run, spec))
                if not running:
                    return
                done, running = wait(running, return_when=FIRST_COMPLETED)
                for future in done:
                    yield future.result()
        finally:
            for future in running:
                future.cancel()

    return run_all


def _run_in_turn(
    specs: Iterable[ShardSpec], run: Callable[[ShardSpec], ShardPicks]
) -> Iterator[ShardPicks]:
    return map(run, specs)


def _check_numbers(matrix: NDArray[np.generic], n_samples: int, shards: int) -> None:
    if matrix.ndim != 2:
        raise InvalidSelectionInput(
            "The embeddings must have shape [samples, dimensions] with at least one dimension. "
            f"Got shape {matrix.shape}."
        )
    for name, number in (("samples", n_samples), ("shards", shards)):
        is_whole = isinstance(number, (int, np.integer)) and not isinstance(number, bool)
        if not is_whole or number < 1:
            raise InvalidSelectionInput(
                f"The number of {name} must be an integer of at least 1. Got {str(number)[:40]!r}."
            )
    if len(matrix) < 1:
        raise InvalidSelectionInput("There are no samples to make shards of.")


def _read_radius(report: object) -> float:
    if not isinstance(report, DiversityReport):
        return math.inf
    return report.coverage.radius
