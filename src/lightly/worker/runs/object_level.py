"""Selection of objects in place of images, as `object_level.task_name` of configurations V0 and V2.

Every object of a task is a sample of its own: what is chosen become crops in the crop dataset, and
the images that they are part of become samples of the dataset. Objects that the crop dataset has
already count as selected; only objects of new images can be chosen.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from lightly._kit.errors import BadInput
from lightly.api.dataset_samples import DatasetSamples
from lightly.data.datasource_files.names import name_crop
from lightly.data.datasource_files.prediction_files import Prediction, write_wire_form
from lightly.data.selection_plan.inputs import Column, TaskPredictions
from lightly.data.selection_plan.planning import plan_selection, read_selection
from lightly.selection import Objects, SelectionCancelled, select
from lightly.worker.errors import RunRefused
from lightly.worker.runs.context import RunContext
from lightly.worker.runs.crop_datasets import find_crop_dataset
from lightly.worker.runs.pick_distances import add_pick_distances
from lightly.worker.runs.scoring import Scores, compute_scores
from lightly.worker.runs.selecting import ObjectPicks, Selection
from lightly.worker.runs.selection_inputs import RunInputs
from lightly.worker.sources.annotations import Annotations


@dataclass(frozen=True, eq=False)
class ObjectSamples:
    """The objects of a task, image after image.

    Attributes:
        task: The task.
        names: What the crop of each object is called.
        predictions: What was predicted of each.
        owners: Position of each object's image among all samples, ascending.
        embeddings: Shape (n, d).
    """

    task: str
    names: list[str]
    predictions: list[Prediction]
    owners: NDArray[np.int64]
    embeddings: NDArray[np.float32]

    def __len__(self) -> int:
        """Return how many there are."""
        return len(self.names)


def collect_objects(
    task: str, found: Objects, annotations: Annotations, names: Sequence[str], image_format: str
) -> ObjectSamples:
    """Return the objects of a task in the order of their images.

    Args:
        task: The task.
        found: Their embeddings; of some images they may be missing.
        annotations: Has the predictions.
        names: File name of each sample.
        image_format: Of crops.
    """
    owners = np.asarray(found.owners, np.int64)
    order = np.argsort(owners, kind="stable")
    crops: list[str] = []
    predictions: list[Prediction] = []
    for owner in np.unique(owners):
        name = names[owner]
        for place, one in enumerate(annotations.find_predictions(task, name)):
            if one.get("bbox") is not None:
                crops.append(name_crop(task, name, place, image_format))
                predictions.append(one)
    vectors = np.asarray(found.embeddings, np.float32)[order]
    return ObjectSamples(task, crops, predictions, owners[order], vectors)


class ObjectInputs:
    """Objects as a selection sees samples, `lightly.data.selection_plan.inputs.SelectionInputs`.

    Args:
        objects: The samples.
        images: The images that they are part of.
        annotations: Has the schema of the task.
    """

    def __init__(self, objects: ObjectSamples, images: RunInputs, annotations: Annotations) -> None:
        self._objects = objects
        self._images = images
        self._schema = annotations.tasks[objects.task]
        self._scores: Scores | None = None

    @property
    def n_samples(self) -> int:
        """How many objects there are."""
        return len(self._objects)

    def read_names(self) -> Sequence[str]:
        """Return the name of each object's crop."""
        return self._objects.names

    def open_embeddings(self) -> NDArray[np.float32]:
        """Return one embedding per object."""
        return self._objects.embeddings

    def open_objects(self, task: str) -> Objects:
        """Raise `BadInput`: samples have no objects here, they are objects."""
        raise BadInput(
            f"The samples are objects already, so they have none of the task {task[:60]!r}. Leave "
            "'task' out of the input."
        )

    def open_queries(self, dataset_id: str, tag_name: str) -> NDArray[np.float32]:
        """Return the embeddings of a tag of a dataset."""
        return self._images.open_queries(dataset_id, tag_name)

    def read_scores(self, task: str, score: str) -> Column:
        """Return an active-learning score of each object."""
        self._check_task(task)
        if self._scores is None:
            singles = ([one] for one in self._objects.predictions)
            self._scores = compute_scores(self._schema, singles)
        if score not in self._scores:
            known = ", ".join(self._scores)
            raise BadInput(
                f"The task {task[:60]!r} has no score {score[:60]!r}. Known are: {known}."
            )
        return Column(self._scores[score], np.zeros(self.n_samples, np.bool_))

    def read_metadata(self, key: str) -> Sequence[object]:
        """Raise `BadInput`: what is known of an image does not hold for an object in it."""
        raise BadInput(
            f"The samples are objects, and metadata such as {key[:60]!r} are of images. Use "
            "embeddings or predictions, or leave worker_config.object_level out."
        )

    def read_predictions(self, task: str) -> TaskPredictions:
        """Return one prediction per object."""
        self._check_task(task)
        categories = [(one["id"], one["name"]) for one in self._schema.categories]
        rows = write_wire_form(self._objects.predictions, task, self._schema.task_type)
        return TaskPredictions(categories, ((place, [row]) for place, row in enumerate(rows)))

    def _check_task(self, task: str) -> None:
        if task != self._objects.task:
            raise BadInput(
                f"The samples are objects of the task {self._objects.task[:60]!r}, so predictions "
                f"of the task {task[:60]!r} say nothing of them. Name the same task."
            )


def select_objects(
    context: RunContext,
    inputs: RunInputs,
    annotations: Annotations,
    *,
    n_earlier: int,
    crop_dataset_name: str,
) -> Selection:
    """Choose among the objects of new images.

    Args:
        context: Of the run.
        inputs: The images.
        annotations: The predictions.
        n_earlier: How many images were selected in earlier runs; they come first.
        crop_dataset_name: Where objects that were selected in earlier runs are.

    Raises:
        InvalidConfiguration, BadInput: If the selection asks for what objects do not have.
    """
    task = context.options.object_task
    if context.options.sequence_length > 1:
        raise RunRefused(
            "Objects are selected one by one, so they make no sequences. Leave "
            "worker_config.selected_sequence_length or worker_config.object_level out."
        )
    found = inputs.open_objects(task)
    objects = collect_objects(task, found, annotations, inputs.names, context.options.image_format)
    known = _list_known(context, crop_dataset_name) if n_earlier else frozenset()
    is_known = np.array([name in known for name in objects.names], np.bool_)
    is_new = objects.owners >= n_earlier
    candidates = np.flatnonzero(is_new)
    plan = plan_selection(
        read_selection(dict(context.options.selection)),
        ObjectInputs(objects, inputs, annotations),
        n_candidates=len(candidates),
    )

    def should_cancel() -> bool:
        return context.lease.shall_end

    try:
        result = select(
            n_samples=plan.n_samples,
            strategies=plan.strategies,
            preselected=np.flatnonzero(is_known & ~is_new),
            candidates=candidates,
            progress=context.lease.report_progress,
            should_cancel=should_cancel,
        )
        result = add_pick_distances(result, lambda: objects.embeddings, should_cancel=should_cancel)
    except SelectionCancelled:
        context.lease.check()
        raise
    images, distances = _list_images(objects.owners[result.indices], result.distances)
    picked = ObjectPicks(
        names=frozenset(objects.names[place] for place in result.indices),
        n_candidates=len(candidates),
        embeddings=objects.embeddings,
        distances=distances,
    )
    return Selection(images - n_earlier, result, plan, n_earlier, objects=picked)


def _list_known(context: RunContext, name: str) -> frozenset[str]:
    dataset_id = find_crop_dataset(context, name)
    if dataset_id is None:
        return frozenset()
    samples = DatasetSamples(context.link.transport, dataset_id)
    return frozenset(name for page in samples.iterate_names() for name in page)


def _list_images(
    owners: NDArray[np.int64], distances: NDArray[np.float64]
) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """Return the images of picks, each once in the order of its first pick, with its distance."""
    first: dict[int, float] = {}
    for owner, distance in zip(owners.tolist(), distances.tolist(), strict=True):
        first.setdefault(owner, distance)
    return np.array(list(first), np.int64), np.array(list(first.values()), np.float64)
