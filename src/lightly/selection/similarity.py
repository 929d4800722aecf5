"""SIMILARITY: samples near a set of queries."""

from __future__ import annotations

import math
from dataclasses import KW_ONLY, dataclass

import numpy as np
from numpy.typing import ArrayLike

from lightly.selection.embeddings import EmbeddingSpace, Float64Array, IndexArray
from lightly.selection.errors import InvalidSelectionInput
from lightly.selection.nearest import NearestSelected
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

    Cost: N Q d once, inside float32 matrix products, and one exact evaluation per sample: nearest
    queries are exact.

    Args:
        embeddings: Shape ``[N, d]``, float32 at best; may be a memory map.
        queries: Shape ``[Q, d]``, Q >= 1.
        strength: Exponent of the sum of values; negative prefers samples far from all queries.
        max_sum: The run stops before a pick that would take the sum of values above this.
    """

    embeddings: ArrayLike
    queries: ArrayLike
    _: KW_ONLY
    strength: float = 1.0
    max_sum: float | None = None

    @property
    def n_samples(self) -> int:
        """Number of samples with an embedding."""
        return len(np.asarray(self.embeddings))

    def begin(self, run: Run) -> WeightsObjective:
        """Measure similarities and return the strategy at work."""
        strength = check_strength(self.strength, "SIMILARITY")
        measured = np.concatenate([run.samples, run.preselected])
        distances = _measure_to_queries(self.embeddings, self.queries, measured, run.pulse)
        mean = math.fsum(distances[: len(run.samples)]) / max(1, len(run.samples))
        numbers = np.zeros(run.n_samples)
        numbers[measured] = take_exp(-distances / mean) if mean > 0 else 1.0
        return WeightsObjective(
            SampleValues(numbers, np.zeros(run.n_samples, dtype=np.bool_), None),
            run,
            kind="SIMILARITY",
            strength=strength,
            max_sum=check_limit(self.max_sum, "The maximum sum of SIMILARITY"),
        )


def _measure_to_queries(
    embeddings: ArrayLike, queries: ArrayLike, samples: IndexArray, pulse: Pulse
) -> Float64Array:
    """Return the exact distance of each sample to its nearest query."""
    if not len(np.asarray(queries)):
        raise InvalidSelectionInput("SIMILARITY needs at least one query. Got none.")
    space = EmbeddingSpace({"embeddings": embeddings, "query embeddings": queries}, pulse=pulse)
    first = len(np.asarray(embeddings))
    nearest = NearestSelected(space, samples, capacity=space.n_rows - first)
    for query in range(first, space.n_rows):
        nearest.select(query)
    rows = np.arange(len(samples))
    step = space.rows_per_chunk
    for start in range(0, len(samples), step):
        pulse.beat()
        nearest.settle(rows[start : start + step])
    nearest.resolve(rows)
    distances: Float64Array = np.sqrt(nearest.upper * space.true_unit)
    return distances
