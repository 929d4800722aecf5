"""The strategies of a request as the engine takes them, with their data."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from lightly.selection import (
    Auto,
    Balance,
    Diversity,
    Random,
    Representative,
    Similarity,
    Strategy,
    Threshold,
    Typicality,
    Weights,
)
from lightly.server.embeddings.task_inputs import require_vectors
from lightly.server.jobs.task import Task, TaskFailed
from lightly.server.selections import requests
from lightly.server.selections.material import FileNames, Material
from lightly.server.selections.sample_values import read_classes, read_numbers
from lightly.server.selections.watch import JobWatch
from lightly.server.tags.masks import read_indices
from lightly.server.tags.repository import find_tag
from lightly.server.tags.scores import read_scores


@dataclass
class StrategyMaker:
    """Makes strategies over the first `n_samples` samples of a dataset.

    Args:
        task: The attempt at the job.
        material: Samples of the selection.
        vectors: A vector per sample; None if no strategy needs one.
        class_names: Names of classes by place of the strategy, filled while strategies are made.
    """

    task: Task
    material: Material
    vectors: NDArray[np.float32] | None
    class_names: dict[int, Sequence[str]] = field(default_factory=dict)

    @property
    def n_samples(self) -> int:
        """How many samples strategies are over."""
        return self.material.n_samples if self.vectors is None else len(self.vectors)

    def make(self, wanted: requests.AnyStrategy, place: int) -> Strategy | Threshold:
        """Return a strategy with its data.

        Raises:
            TaskFailed: If data that it needs is gone or does not fit.
        """
        if isinstance(wanted, requests.RandomStrategy):
            material = self.material
            names = FileNames(self.task.database, material.dataset.key, self.n_samples)
            return Weights(Random(names, seed=wanted.seed), strength=wanted.strength)
        if isinstance(wanted, requests.WeightsStrategy):
            numbers, is_missing = self._read_numbers(wanted.score_type, wanted.metadata_key)
            return Weights(
                numbers,
                missing=is_missing,
                strength=wanted.strength,
                max_sum=wanted.max_sum,
                min_sum=wanted.min_sum,
            )
        if isinstance(wanted, requests.ThresholdStrategy):
            numbers, is_missing = self._read_numbers(wanted.score_type, wanted.metadata_key)
            return Threshold(
                numbers,
                missing=is_missing,
                threshold=wanted.threshold,
                operation=wanted.operation,
            )
        if isinstance(wanted, requests.BalanceStrategy):
            return self._make_balance(wanted, place)
        return self._make_by_distance(wanted)

    def _make_by_distance(self, wanted: requests.StrategyByDistance) -> Strategy:
        if self.vectors is None:
            raise TaskFailed("The selection needs an embedding and has none.")
        if isinstance(wanted, requests.AutoStrategy):
            return Auto(self.vectors)
        if isinstance(wanted, requests.DiversityStrategy):
            return Diversity(
                self.vectors, strength=wanted.strength, min_distance=wanted.min_distance
            )
        if isinstance(wanted, requests.TypicalityStrategy):
            return Typicality(
                self.vectors,
                n_neighbours=wanted.n_neighbors,
                strength=wanted.strength,
                min_typicality=wanted.min_typicality,
                max_sum=wanted.max_sum,
            )
        if isinstance(wanted, requests.RepresentativeStrategy):
            return Representative(
                self.vectors,
                n_neighbours=wanted.n_neighbors,
                strength=wanted.strength,
                graph="exact" if wanted.graph == "EXACT" else "approximate",
            )
        queries = self._read_queries(wanted.tag_id)
        return Similarity(self.vectors, queries, strength=wanted.strength, max_sum=wanted.max_sum)

    def _make_balance(self, wanted: requests.BalanceStrategy, place: int) -> Balance:
        material = self.material
        codes, names = read_classes(
            self.task.database,
            material.dataset.key,
            self.n_samples,
            wanted.metadata_key,
            self._begin_reading(),
        )
        self.class_names[place] = names
        if wanted.distribution != "TARGET":
            return Balance(codes, target=wanted.distribution, strength=wanted.strength)
        places = {name: code for code, name in enumerate(names)}
        target = wanted.target or {}
        unknown = [name for name in target if name not in places]
        if unknown:
            raise TaskFailed(
                f"No sample has the class '{unknown[0][:80]}' of the target in its metadata "
                f"'{wanted.metadata_key[:80]}'."
            )
        shares = {places[name]: share for name, share in target.items()}
        return Balance(codes, target=shares, strength=wanted.strength)

    def _read_numbers(
        self, score_type: str | None, metadata_key: str | None
    ) -> tuple[NDArray[np.float64], NDArray[np.bool_]]:
        if metadata_key is not None:
            key = self.material.dataset.key
            note = self._begin_reading()
            return read_numbers(self.task.database, key, self.n_samples, metadata_key, note)
        with self.task.database.read() as connection:
            scores = read_scores(connection, self.material.query_tag_id, str(score_type))
        values, is_missing = self.material.align(scores)
        return values[: self.n_samples], is_missing[: self.n_samples]

    def _begin_reading(self) -> Callable[[int, int], None]:
        return JobWatch(self.task).begin("READING")

    def _read_queries(self, tag_id: str) -> NDArray[np.float32]:
        with self.task.database.read() as connection:
            tag = find_tag(connection, self.material.dataset.key, tag_id)
        if tag is None:
            raise TaskFailed("The tag of SIMILARITY was deleted.")
        indices = read_indices(tag)
        vectors = require_vectors(self.task, self.material)
        if not len(indices):
            raise TaskFailed(f"The tag '{tag.name[:80]}' of SIMILARITY has no samples.")
        if indices[-1] >= len(vectors):
            raise TaskFailed(f"The tag '{tag.name[:80]}' has samples without a vector.")
        queries: NDArray[np.float32] = vectors[indices]
        return queries
