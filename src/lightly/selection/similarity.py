"""SIMILARITY: samples near a set of queries."""

from __future__ import annotations

import math
from dataclasses import KW_ONLY, dataclass

import numpy as np
from numpy.typing import ArrayLike

from lightly.selection.embeddings import EmbeddingSpace, Float64Array, IndexArray
from lightly.selection.errors import InvalidSelectionInput
from lightly.selection.nearest import NearestSelected
from lightly.selection.objects import Objects, ObjectTable, PartValues, count_samples
from lightly.selection.portable_math import take_exp
from lightly.selection.progress import Pulse
from lightly.selection.strategy import Run, Strategy, check_limit, check_strength
from lightly.selection.values import SampleValues
from lightly.selection.weights import WeightsObjective


@dataclass(frozen=True, eq=False)
class Similarity(Strategy):
    """Prefer samples whose nearest query is near.

    With d_i the Euclidean distance of candidate i to its nearest query and D the mean of d over all
    candidates, the value exp(-d_i / D) acts as in ``Weights``; it is 1 if all distances are 0.

    With ``Objects``, d and D are of objects. A candidate is rated by the highest value of its
    objects, a selected sample adds the values of all of them, and Phi of a sample without is 0.

    Cost: N Q d once, inside float32 matrix products, and one exact evaluation per sample: nearest
    queries are exact.

    Args:
        embeddings: Shape ``[N, d]``, float32 at best; may be a memory map.
        queries: Shape ``[Q, d]``, Q >= 1.
        strength: Exponent of the sum of values; negative prefers samples far from all queries.
        max_sum: The run stops before a pick that would take the sum of values above this.
    """

    embeddings: ArrayLike | Objects
    queries: ArrayLike
    _: KW_ONLY
    strength: float = 1.0
    max_sum: float | None = None

    @property
    def n_samples(self) -> int:
        """Number of samples that the embeddings are for."""
        return count_samples(self.embeddings)

    def begin(self, run: Run) -> WeightsObjective:
        """Measure similarities and return the strategy at work."""
        strength = check_strength(self.strength, "SIMILARITY")
        max_sum = check_limit(self.max_sum, "The maximum sum of SIMILARITY")
        parts: PartValues | None = None
        if isinstance(self.embeddings, Objects):
            numbers, parts = self._rate_objects(self.embeddings, run)
        else:
            numbers = self._rate_samples(self.embeddings, run)
        return WeightsObjective(
            SampleValues(numbers, np.zeros(run.n_samples, dtype=np.bool_), None),
            run,
            kind="SIMILARITY",
            strength=strength,
            max_sum=max_sum,
            parts=parts,
        )

    def _rate_samples(self, embeddings: ArrayLike, run: Run) -> Float64Array:
        space, n_rows = _open_space(embeddings, self.queries, "embeddings", run.pulse)
        numbers = np.zeros(run.n_samples)
        measured = np.concatenate([run.samples, run.preselected])
        numbers[measured] = _rate(space, n_rows, measured, len(run.samples), run.pulse)
        return numbers

    def _rate_objects(self, objects: Objects, run: Run) -> tuple[Float64Array, PartValues]:
        table = ObjectTable(objects)
        try:
            space, n_rows = _open_space(
                objects.embeddings, self.queries, "object embeddings", run.pulse
            )
        except InvalidSelectionInput as error:
            raise table.name_owner(error) from error
        samples = np.concatenate([run.samples, run.preselected])
        measured, n_own = table.list_objects(samples), int(table.count(run.samples).sum())
        values = _rate(space, n_rows, measured, n_own, run.pulse)
        numbers = np.zeros(run.n_samples)
        np.maximum.at(numbers, table.owners[measured], values)
        return numbers, table.add_up(measured, values)


def _open_space(
    rows: ArrayLike, queries: ArrayLike, name: str, pulse: Pulse
) -> tuple[EmbeddingSpace, int]:
    """Return the space of rows and, after them, queries; and the number of rows."""
    if not len(np.asarray(queries)):
        raise InvalidSelectionInput("SIMILARITY needs at least one query. Got none.")
    space = EmbeddingSpace({name: rows, "query embeddings": queries}, pulse=pulse)
    return space, len(np.asarray(rows))


def _rate(
    space: EmbeddingSpace, first_query: int, rows: IndexArray, n_averaged: int, pulse: Pulse
) -> Float64Array:
    """Return exp(-d / D) of rows, with D over the first of them."""
    distances = _measure_to_queries(space, first_query, rows, pulse)
    mean = math.fsum(distances[:n_averaged]) / max(1, n_averaged)
    return take_exp(-distances / mean) if mean > 0 else np.ones(len(rows))


def _measure_to_queries(
    space: EmbeddingSpace, first_query: int, rows: IndexArray, pulse: Pulse
) -> Float64Array:
    """Return the exact distance of each row to its nearest query."""
    nearest = NearestSelected(space, rows, capacity=space.n_rows - first_query)
    for query in range(first_query, space.n_rows):
        nearest.select(query)
    places = np.arange(len(rows))
    step = space.rows_per_chunk
    for start in range(0, len(rows), step):
        pulse.beat()
        nearest.settle(places[start : start + step])
    nearest.resolve(places)
    distances: Float64Array = np.sqrt(nearest.upper * space.true_unit)
    return distances
