"""What a selection asks about the samples of a run: earlier ones first, then the candidates."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import cached_property
from itertools import chain
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lightly._kit.errors import BadInput
from lightly.data.datasource_files.prediction_files import write_wire_form
from lightly.data.datasource_files.prediction_tasks import TaskSchema
from lightly.data.made_tasks import PRETAGGING_TASK
from lightly.data.selection_plan.inputs import Column, TaskPredictions
from lightly.embedding.vectors import normalize_vectors
from lightly.selection import Objects
from lightly.worker.options import ObjectFrequency
from lightly.worker.report.facts import LIGHTLY_FIELDS
from lightly.worker.runs.candidates import Candidates
from lightly.worker.runs.datapool import Datapool
from lightly.worker.runs.name_list import NameList
from lightly.worker.runs.scoring import Scores, compute_scores
from lightly.worker.sources.annotations import Annotations

#: Metadata that the worker itself has measured begin with this.
OWN_PREFIX = "lightly."
_ROWS_AT_ONCE = 1_024
EmbedObjects = Callable[[str, Sequence[str]], Objects]
OpenQueries = Callable[[str, str], NDArray[np.float32]]
ReadDatapoolMetadata = Callable[[str], Sequence[object]]


class RunInputs:
    """The samples of a run, as `lightly.data.selection_plan.inputs.SelectionInputs` has them.

    Args:
        datapool: What was selected in earlier runs; the first samples.
        candidates: What can be selected; the samples behind them.
        annotations: Metadata and predictions of both.
        normalizes: Whether embeddings are scaled to length 1.
        matrix_path: Where the embeddings of all samples are put.
        embed_objects: Returns the objects of a task in the samples of these names.
        open_queries: Returns embeddings of another dataset's tag.
        read_datapool_metadata: Returns what was measured of earlier samples, by its name.
        known_scores: Active-learning scores that need not be computed, by task.
        object_frequency: How the objects of pretagging are counted.
    """

    def __init__(
        self,
        datapool: Datapool,
        candidates: Candidates,
        annotations: Annotations,
        *,
        normalizes: bool,
        matrix_path: Path,
        embed_objects: EmbedObjects,
        open_queries: OpenQueries,
        read_datapool_metadata: ReadDatapoolMetadata,
        known_scores: Mapping[str, Scores] | None = None,
        object_frequency: ObjectFrequency | None = None,
    ) -> None:
        self._datapool = datapool
        self._candidates = candidates
        self._annotations = annotations
        self._normalizes = normalizes
        self._matrix_path = matrix_path
        self._embed_objects = embed_objects
        self._open_queries = open_queries
        self._read_datapool_metadata = read_datapool_metadata
        self._scores: dict[str, Scores] = dict(known_scores or {})
        self._object_frequency = object_frequency or ObjectFrequency()

    @property
    def n_samples(self) -> int:
        """How many samples there are."""
        return len(self._datapool) + len(self._candidates)

    @cached_property
    def names(self) -> NameList:
        """The file name of each sample."""
        return NameList(chain(self._datapool.names, self._candidates.iterate_names()))

    def read_names(self) -> Sequence[str]:
        """Return the file name of each sample."""
        return self.names

    @cached_property
    def embeddings(self) -> NDArray[np.float32]:
        """One embedding per sample, float32 of shape (n, d), memory-mapped."""
        own = self._candidates.embeddings
        if not len(self._datapool) and not self._normalizes:
            return own
        if not self.n_samples:
            return np.empty((0, own.shape[1]), np.float32)
        shape = (self.n_samples, own.shape[1])
        matrix = np.memmap(self._matrix_path, np.float32, "w+", shape=shape)
        start = len(self._datapool)
        matrix[:start] = self._scale(self._datapool.embeddings)
        for first in range(0, len(own), _ROWS_AT_ONCE):
            rows = own[first : first + _ROWS_AT_ONCE]
            matrix[start + first : start + first + len(rows)] = self._scale(rows)
        return matrix

    def open_embeddings(self) -> NDArray[np.float32]:
        """Return one embedding per sample."""
        return self.embeddings

    def open_objects(self, task: str) -> Objects:
        """Return the embeddings of the objects that a task predicted."""
        self._find_task(task)
        found = self._embed_objects(task, self.names)
        if not self._normalizes:
            return found
        vectors = self._scale(np.asarray(found.embeddings, np.float32))
        return Objects(vectors, owners=found.owners, n_samples=found.n_samples)

    def open_queries(self, dataset_id: str, tag_name: str) -> NDArray[np.float32]:
        """Return the embeddings of a tag of a dataset."""
        return self._scale(self._open_queries(dataset_id, tag_name))

    def read_scores(self, task: str, score: str) -> Column:
        """Return an active-learning score; it is missing where there are no predictions."""
        scores = self.compute_task_scores(task)
        if score not in scores:
            known = ", ".join(scores)
            raise BadInput(
                f"The task {task[:60]!r} has no score {score[:60]!r}. Known are: {known}."
            )
        is_known = (self._annotations.has_predictions(task, name) for name in self.names)
        return Column(scores[score], ~np.fromiter(is_known, np.bool_, count=self.n_samples))

    def compute_task_scores(self, task: str) -> Scores:
        """Return all scores of a task."""
        if task not in self._scores:
            images = (self._annotations.find_predictions(task, name) for name in self.names)
            frequency = self._object_frequency if task == PRETAGGING_TASK else ObjectFrequency()
            self._scores[task] = compute_scores(self._find_task(task), images, frequency)
        return self._scores[task]

    def read_metadata(self, key: str) -> Sequence[object]:
        """Return the value of each sample at a key; None where there is none."""
        if key.startswith(OWN_PREFIX):
            return self._read_own_metadata(key.removeprefix(OWN_PREFIX))
        known = [entry.path for entry in self._annotations.metadata_schema]
        if key not in known:
            listed = ", ".join(known[:20]) or "none"
            raise BadInput(
                f"The metadata schema has no path {key[:80]!r}. It has: {listed}. Metadata that "
                f"every image has are {', '.join(OWN_PREFIX + name for name in LIGHTLY_FIELDS)}."
            )
        return [self._annotations.find_metadata_values(name)[key] for name in self.names]

    def iterate_datapool_metadata(self) -> Iterator[tuple[str, Mapping[str, object]]]:
        """Yield the name of each earlier sample and what was measured of it."""
        columns = {
            field: self._read_datapool_metadata(name) for name, field in LIGHTLY_FIELDS.items()
        }
        for place, name in enumerate(self._datapool.names):
            measured = {field: values[place] for field, values in columns.items()}
            yield name, {field: value for field, value in measured.items() if value is not None}

    def read_predictions(self, task: str) -> TaskPredictions:
        """Return the predictions of a task."""
        schema = self._find_task(task)
        categories = [(one["id"], one["name"]) for one in schema.categories]
        return TaskPredictions(categories, self._iterate_predictions(task, schema))

    def _iterate_predictions(
        self, task: str, schema: TaskSchema
    ) -> Iterator[tuple[int, Sequence[Mapping[str, Any]]]]:
        for position, name in enumerate(self.names):
            found = self._annotations.find_predictions(task, name)
            # An image in which nothing was found is known to have none.
            if found or self._annotations.has_predictions(task, name):
                yield position, write_wire_form(found, task, schema.task_type)

    def _read_own_metadata(self, name: str) -> Sequence[object]:
        if name not in LIGHTLY_FIELDS:
            known = ", ".join(OWN_PREFIX + field for field in LIGHTLY_FIELDS)
            raise BadInput(
                f"There is no metadata {(OWN_PREFIX + name)[:80]!r}. Known are: {known}."
            )
        earlier = self._read_datapool_metadata(name) if len(self._datapool) else []
        records = (record for _, record in self._candidates.iterate(columns=("metadata",)))
        field = LIGHTLY_FIELDS[name]
        return [*earlier, *((record.metadata or {}).get(field) for record in records)]

    def _find_task(self, task: str) -> TaskSchema:
        if task not in self._annotations.tasks:
            known = ", ".join(self._annotations.tasks) or "none"
            raise BadInput(f"There is no prediction task {task[:80]!r}. There are: {known}.")
        return self._annotations.tasks[task]

    def _scale(self, rows: NDArray[np.float32]) -> NDArray[np.float32]:
        return normalize_vectors(rows) if self._normalizes else rows
