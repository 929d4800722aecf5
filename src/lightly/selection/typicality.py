"""TYPICALITY: samples in dense regions."""

from __future__ import annotations

import math
from dataclasses import KW_ONLY, dataclass

import numpy as np
from numpy.typing import ArrayLike

from lightly.selection.embeddings import EmbeddingSpace, Float64Array, IndexArray
from lightly.selection.errors import InvalidSelectionInput
from lightly.selection.neighbours import measure_neighbours
from lightly.selection.objects import (
    Objects,
    ObjectTable,
    PartValues,
    average_objects,
    count_samples,
)
from lightly.selection.portable_math import take_exp
from lightly.selection.progress import Pulse
from lightly.selection.strategy import Run, Strategy, check_limit, check_strength
from lightly.selection.values import SampleValues
from lightly.selection.weights import WeightsObjective

DEFAULT_NEIGHBOURS = 20
_FEWEST_NEIGHBOURS = 2


@dataclass(frozen=True, eq=False)
class Typicality(Strategy):
    """Prefer samples that have near neighbours.

    With D the mean of all distances of samples to their K nearest other samples, the value
    (1/K) * sum over neighbours j of exp(-d_ij / D) acts as in ``Weights``; it is 1 if all distances
    are 0. Samples are the candidates after thresholds and the preselected ones. The idea is that
    of Hacohen, Dekel & Weinshall (2022). Alone it stays in one dense cluster: combine it with
    ``Diversity``.

    With ``Objects`` all of this is about objects. A candidate is rated by the mean value of its
    objects, a selected sample adds the values of all of them, and Phi of a sample without is 0.

    Cost: N^2 d once, inside float32 matrix products, and N K exact evaluations: neighbours are
    exact. Memory: N K float64 and 16 MB.

    Args:
        embeddings: Shape ``[N, d]``, float32 at best; may be a memory map.
        n_neighbours: K, at least 2; at most N - 1 are used.
        strength: Exponent of the sum of values; negative prefers outliers.
        min_typicality: The run stops when the next pick's value is below this.
        max_sum: The run stops before a pick that would take the sum of values above this.
    """

    embeddings: ArrayLike | Objects
    _: KW_ONLY
    n_neighbours: int = DEFAULT_NEIGHBOURS
    strength: float = 1.0
    min_typicality: float | None = None
    max_sum: float | None = None

    @property
    def n_samples(self) -> int:
        """Number of samples that the embeddings are for."""
        return count_samples(self.embeddings)

    def begin(self, run: Run) -> WeightsObjective:
        """Measure typicalities and return the strategy at work."""
        strength = check_strength(self.strength, "TYPICALITY")
        min_value = check_limit(self.min_typicality, "The minimum typicality")
        max_sum = check_limit(self.max_sum, "The maximum sum of TYPICALITY")
        if self.n_neighbours < _FEWEST_NEIGHBOURS:
            raise InvalidSelectionInput(
                f"TYPICALITY needs at least {_FEWEST_NEIGHBOURS} nearest neighbours. "
                f"Got {self.n_neighbours}."
            )
        parts: PartValues | None = None
        if isinstance(self.embeddings, Objects):
            numbers, parts = self._rate_objects(self.embeddings, run)
        else:
            numbers = self._rate_samples(self.embeddings, run)
        return WeightsObjective(
            SampleValues(numbers, np.zeros(run.n_samples, dtype=np.bool_), None),
            run,
            kind="TYPICALITY",
            strength=strength,
            min_value=min_value,
            max_sum=max_sum,
            parts=parts,
        )

    def _rate_samples(self, embeddings: ArrayLike, run: Run) -> Float64Array:
        space = EmbeddingSpace({"embeddings": embeddings}, pulse=run.pulse)
        numbers = np.zeros(run.n_samples)
        if len(run.samples):
            measured = np.sort(np.concatenate([run.samples, run.preselected]))
            numbers[measured] = self._rate(space, measured, run.pulse)
        return numbers

    def _rate_objects(self, objects: Objects, run: Run) -> tuple[Float64Array, PartValues]:
        table = ObjectTable(objects)
        space = table.open_space(run.pulse)
        samples = np.sort(np.concatenate([run.samples, run.preselected]))
        measured = table.list_objects(samples)
        values = self._rate(space, measured, run.pulse) if len(run.samples) else np.empty(0)
        numbers = np.zeros(run.n_samples)
        if values.size:
            numbers[samples] = average_objects(values, table.count(samples))
        return numbers, table.add_up(measured[: len(values)], values)

    def _rate(self, space: EmbeddingSpace, measured: IndexArray, pulse: Pulse) -> Float64Array:
        n_neighbours = min(self.n_neighbours, len(measured) - 1)
        if n_neighbours < 1:
            raise InvalidSelectionInput(
                "TYPICALITY compares samples, or objects, with each other: it needs at least 2. "
                f"Got {len(measured)}."
            )
        return _rate(measure_neighbours(space, measured, n_neighbours, pulse))


def _rate(distances: Float64Array) -> Float64Array:
    """Return typicalities from distances to nearest neighbours, ascending per row."""
    mean = math.fsum(distances.ravel()) / distances.size
    if mean == 0.0:
        return np.ones(len(distances))
    # Accumulating is sequential by definition; a sum's order would be numpy's choice.
    sums = np.add.accumulate(take_exp(-distances / mean), axis=1)[:, -1]
    rates: Float64Array = sums / distances.shape[1]
    return rates
