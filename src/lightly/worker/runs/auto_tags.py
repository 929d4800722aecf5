"""Automatic tags: what the class head of the shipped model sees, as predictions of a task.

The head is applied to embeddings, which the run has anyway: of its own images from the one pass
over them, of earlier samples from the dataset. So no file is read or decoded again.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Iterator, Sequence
from functools import cache

import numpy as np
from numpy.typing import NDArray

from lightly._kit.atomic_files import write_atomic
from lightly.active_learning.scorers.classification import UNCERTAINTIES, ScorerClassification
from lightly.api.client_base import make_path
from lightly.api.dataset_samples import DatasetSamples
from lightly.data.datasource_files.prediction_files import Prediction, write_wire_form
from lightly.data.datasource_files.prediction_tasks import TaskSchema, make_schema
from lightly.data.made_tasks import AUTO_TAGS_TASK
from lightly.embedding.class_head import ClassHead, choose_tags, open_class_head
from lightly.embedding.concepts import load_vocabulary
from lightly.embedding.registry import EmbeddingModel, UnusableModel
from lightly.embedding.vectors import Vectors
from lightly.worker.errors import RunRefused
from lightly.worker.runs.annotating import list_needed_tasks
from lightly.worker.runs.candidates import Candidates
from lightly.worker.runs.context import RunContext
from lightly.worker.runs.datapool import Datapool
from lightly.worker.runs.scoring import Scores
from lightly.worker.sources.annotations import Annotations

log = logging.getLogger("lightly.worker")

#: Vectors of the model are some 17 long; those of length 1 were normalised and tell no classes.
_UNIT_TOLERANCE = 1e-3


@cache
def make_tag_schema() -> TaskSchema:
    """Return the schema of the task: the classes of the shipped model."""
    return make_schema("classification", load_vocabulary().class_names)


def wants_auto_tags(context: RunContext) -> bool:
    """Tell whether a run makes tags: its selection names their task, or the worker always does."""
    needed = AUTO_TAGS_TASK in list_needed_tasks(context.options.selection)
    # What a user's own embeddings mean, no class head knows.
    return needed or (context.settings.makes_auto_tags and not context.options.embeddings_file)


def check_auto_tags(context: RunContext, model: EmbeddingModel) -> None:
    """Raise `RunRefused` if tags are wanted of a model that has no known classes.

    A worker that makes tags for every run leaves them out then, unless the selection needs them.
    """
    if not wants_auto_tags(context):
        return
    if context.options.embeddings_file:
        raise RunRefused(
            f"The selection needs the task {AUTO_TAGS_TASK!r}, which is made from embeddings of "
            "the shipped model. Leave worker_config.embeddings out."
        )
    try:
        open_class_head(model)
    except UnusableModel as error:
        if AUTO_TAGS_TASK in list_needed_tasks(context.options.selection):
            raise RunRefused(
                f"The selection needs the task {AUTO_TAGS_TASK!r}: {error} Leave "
                "worker_config.checkpoint out."
            ) from error
        log.warning("No tags are made: %s", error)


class AutoTags:
    """The tags of a run's images and of earlier samples.

    Args:
        context: Of the run.
        model: What the run embeds with.
        annotations: Takes the tags as predictions.
    """

    def __init__(
        self, context: RunContext, model: EmbeddingModel, annotations: Annotations
    ) -> None:
        self._context = context
        self._annotations = annotations
        self._head: ClassHead | None = None
        if wants_auto_tags(context):
            try:
                self._head = open_class_head(model)
            except UnusableModel:
                log.info("The model has no known classes, so there are no tags.")

    def add(self, datapool: Datapool, candidates: Candidates) -> dict[str, Scores]:
        """Add the tags to the predictions of the run; return their active-learning scores.

        Args:
            datapool: Earlier samples.
            candidates: The run's own images.

        Returns:
            By task, one value per sample, earlier ones first; empty if no tags are made.
        """
        if self._head is None:
            return {}
        self._is_first_time()
        scores: dict[str, list[NDArray[np.float64]]] = {name: [] for name in UNCERTAINTIES}
        earlier = datapool.embeddings
        if _are_normalised(earlier):
            log.warning("Embeddings of earlier samples are normalised, so these have no tags.")
            earlier = np.zeros_like(earlier)
        for names, vectors in (
            (datapool.names, earlier),
            (candidates.iterate_names(), candidates.embeddings),
        ):
            tags = self._tag(self._head, vectors, scores)
            self._annotations.add_predictions(
                AUTO_TAGS_TASK, make_tag_schema(), zip(names, tags, strict=True)
            )
        return {AUTO_TAGS_TASK: {name: _join(found) for name, found in scores.items()}}

    def upload_of_datapool(self, datapool: Datapool) -> None:
        """Store the tags of earlier samples, if they come from runs that made none."""
        if self._head is None or not len(datapool) or not self._is_first_time():
            return
        wanted = set(datapool.names)
        samples = DatasetSamples(self._context.link.transport, self._context.claim.dataset_id)
        items = (
            (sample_id, self._list_wire_tags(name))
            for page in samples.iterate_identities()
            for sample_id, name in page
            if name in wanted
        )
        for _ in samples.update_predictions(items):
            self._context.lease.check()
        log.info("Stored the tags of %d samples of earlier runs.", len(datapool))

    def _tag(
        self,
        head: ClassHead,
        vectors: Vectors,
        scores: dict[str, list[NDArray[np.float64]]],
    ) -> Iterator[list[Prediction]]:
        for shares in head.iterate(vectors):
            self._context.lease.check()
            for name, values in ScorerClassification(shares).calculate_scores().items():
                scores[name].append(np.asarray(values, np.float64))
            for row in shares:
                yield [{"category_id": id_, "score": score} for id_, score in choose_tags(row)]

    def _list_wire_tags(self, name: str) -> list[dict[str, object]]:
        tags = self._annotations.find_predictions(AUTO_TAGS_TASK, name)
        return write_wire_form(tags, AUTO_TAGS_TASK, make_tag_schema().task_type)

    def _is_first_time(self) -> bool:
        """Tell whether the dataset had no tags before the run; the same for every attempt here."""
        path = self._context.folder.path("had_tags.json")
        if not path.exists():
            place = ("v1", "datasets", self._context.claim.dataset_id, "predictions", "tasks")
            answer = self._context.link.transport.get(make_path(*place))
            known = [schema["name"] for schema in answer["schemas"]]
            write_atomic(path, json.dumps(AUTO_TAGS_TASK in known).encode())
        return not json.loads(path.read_text())


def _are_normalised(vectors: Vectors) -> bool:
    if not len(vectors):
        return False
    lengths = np.linalg.norm(np.asarray(vectors[:100], np.float64), axis=1)
    return bool((np.abs(lengths - 1) < _UNIT_TOLERANCE).all())


def _join(pieces: Sequence[NDArray[np.float64]]) -> NDArray[np.float64]:
    return np.concatenate([np.empty(0), *pieces])
