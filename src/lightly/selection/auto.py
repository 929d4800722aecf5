"""AUTO: the default for whoever wants good samples and has no strategy in mind."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import ArrayLike

from lightly.selection.diversity import DiversityObjective, DiversityReport
from lightly.selection.embeddings import EmbeddingSpace, IndexArray
from lightly.selection.errors import InvalidSelectionInput
from lightly.selection.places import Places, find_places, measure_reach
from lightly.selection.representatives import pick_representatives
from lightly.selection.strategy import Run, Strategy

# With fewer examined samples per selected one there is little left to represent.
SAMPLES_PER_REPRESENTATIVE = 4
# Above this share of distinct samples the report does not speak of redundancy.
_MOSTLY_DISTINCT = 0.9


@dataclass(frozen=True, eq=False)
class Auto(Strategy):
    """Good samples without parameters, from balanced and from redundant, long-tailed data alike.

    Samples within a small radius of each other share a place, and a sample weighs one over the
    number of samples at its place: duplicates and bursts count once, rare things as much as common
    ones. Picks are representatives first: each lowers the weighted sum of distances of all samples
    to their nearest selected one by as much as possible. Once one in four examined samples is
    selected, or nothing is left to gain, picks are the farthest from the selection, as those of
    ``Diversity``.

    It stands alone, or with ``Threshold`` and with strategies of strength 0 that only stop. Picks
    do not depend on how many are asked for: a picks and then b more are a + b picks, whether the
    first a are resumed from or preselected.

    Cost: M^2 d + 20 M n for representatives, M = min(N, 4,096), and P M d for P preselected
    samples; then as ``Diversity``. Memory: 4 M^2 bytes, 64 MB at most, beyond that of
    ``Diversity``. Of more than 4,096 samples a fixed random subset is examined and represented.

    Picks are the same on every machine, for any number of threads and memory layout:
    representatives are found in integer arithmetic, on coordinates rounded to about a
    five-thousandth of their spread; ties go to the lowest index.

    Args:
        embeddings: Shape ``[N, d]``, float32 at best; may be a memory map.

    Example:
        >>> burst = [[0.0, 0.1 * k] for k in range(8)]
        >>> picks = select(n_samples=3, strategies=[Auto([*burst, [9.0, 0.0], [0.0, 9.0]])])
        >>> sorted(picks.indices.tolist())
        [3, 8, 9]
    """

    embeddings: ArrayLike
    strength: float = field(default=1.0, init=False)

    @property
    def n_samples(self) -> int:
        """Number of samples with an embedding."""
        return len(np.asarray(self.embeddings))

    def begin(self, run: Run) -> AutoObjective:
        """Check the embeddings and return the strategy at work."""
        if run.is_mixture:
            raise InvalidSelectionInput(
                "AUTO decides on its own what to pick: combine it only with THRESHOLD and with "
                "strategies of strength 0, or leave it out."
            )
        space = EmbeddingSpace({"embeddings": self.embeddings}, pulse=run.pulse)
        return AutoObjective(space, run)


@dataclass(frozen=True, kw_only=True)
class Crowding:
    """How redundant samples are.

    Attributes:
        n_examined: Samples that were compared with each other.
        n_distinct: How many different things they show, duplicates counted once.
        n_crowded: How many of them have another one at the same place.
        largest_crowd: Most samples at one place.
        place_radius: Distance within which samples share a place.
    """

    n_examined: int
    n_distinct: float
    n_crowded: int
    largest_crowd: int
    place_radius: float


@dataclass(frozen=True, kw_only=True, eq=False)
class AutoReport(DiversityReport):
    """What AUTO saw and did; gains are squared distances, 0 for a first pick.

    Attributes:
        crowding: How redundant the samples are.
        n_representatives: Picks that stand for places; they come first.
        n_farthest: Picks that are the farthest from the selection; they come last.
        reason: All this in plain words.
    """

    crowding: Crowding
    n_representatives: int
    n_farthest: int
    reason: str


_NOTHING = Crowding(n_examined=0, n_distinct=0.0, n_crowded=0, largest_crowd=0, place_radius=0.0)


class AutoObjective(DiversityObjective):
    """AUTO at work: it knows its first picks from the start, and goes on as DIVERSITY."""

    def __init__(self, space: EmbeddingSpace, run: Run) -> None:
        super().__init__(space, run, strength=1.0, min_distance=None)
        self._planned = np.empty(0, dtype=np.int64)
        self._crowding = _NOTHING
        known = np.union1d(run.samples, run.preselected)
        if len(known):
            places = find_places(space, known, run.pulse)
            self._planned = _plan(space, places, run)
            self._crowding = _summarize(places)

    def planned_rows(self) -> IndexArray:
        """Return the candidates to pick first, in order, from the first pick of the run on."""
        return self._planned

    def report(self) -> AutoReport:
        """Return the report after the last pick."""
        worked = super().report()
        n_picks = len(worked.distances)
        n_representatives = min(n_picks, len(self._planned))
        n_farthest = n_picks - n_representatives
        return AutoReport(
            kind="AUTO",
            strength=worked.strength,
            gains=worked.gains,
            distances=worked.distances,
            nearest=worked.nearest,
            min_distance=worked.min_distance,
            late_coverage=worked.late_coverage,
            crowding=self._crowding,
            n_representatives=n_representatives,
            n_farthest=n_farthest,
            reason=_explain(self._crowding, n_representatives, n_farthest),
        )


def _plan(space: EmbeddingSpace, places: Places, run: Run) -> IndexArray:
    """Return rows of representatives in order of picks."""
    n_most = len(places.samples) // SAMPLES_PER_REPRESENTATIVE - len(run.preselected)
    n_most = min(run.n_wanted, max(0, n_most))
    if n_most == 0:
        return np.empty(0, dtype=np.int64)
    picks = pick_representatives(
        places,
        reach=measure_reach(space, places, run.preselected, run.pulse),
        may_pick=np.isin(places.samples, run.samples, assume_unique=True),
        n_most=n_most,
        pulse=run.pulse,
    )
    return np.searchsorted(run.samples, places.samples[picks])


def _summarize(places: Places) -> Crowding:
    return Crowding(
        n_examined=len(places.samples),
        n_distinct=places.n_distinct,
        n_crowded=int(np.count_nonzero(places.crowd > 1)),
        largest_crowd=int(places.crowd.max()),
        place_radius=places.radius,
    )


def _explain(crowding: Crowding, n_representatives: int, n_farthest: int) -> str:
    """Return sentences for people."""
    n_examined = crowding.n_examined
    if n_examined == 0:
        return "There was nothing to pick from."
    parts = []
    if crowding.n_distinct >= _MOSTLY_DISTINCT * n_examined:
        parts.append(
            f"The {n_examined:,} samples examined are nearly all different: they count alike."
        )
    else:
        parts.append(
            f"Of {n_examined:,} samples examined, {crowding.n_crowded:,} have a near-duplicate, up "
            f"to {crowding.largest_crowd:,} of one thing; together they show about "
            f"{round(crowding.n_distinct):,} different things. So each thing counts once, however "
            "often it was seen."
        )
    if n_representatives:
        parts.append(
            f"The first {n_representatives:,} picks represent them: each leaves the samples as "
            "near as possible to a pick."
        )
    if n_farthest:
        parts.append(
            f"The last {n_farthest:,} picks are the samples farthest from what was picked before, "
            "because enough representatives were selected."
        )
    return " ".join(parts)
