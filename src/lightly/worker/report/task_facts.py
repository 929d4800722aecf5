"""What a report is made of, per prediction task."""

from __future__ import annotations

from array import array
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lightly.data.datasource_files.prediction_files import Prediction
from lightly.data.datasource_files.prediction_tasks import TaskSchema, TaskType
from lightly.worker.runs.scoring import Scores


@dataclass(frozen=True, kw_only=True, eq=False)
class TaskFacts:
    """The predictions of a task for all samples of a run, one row per prediction.

    Attributes:
        name: Of the task.
        task_type: As files spell it.
        categories: Names by id.
        samples: Which sample a prediction is about, int32 of shape (m,), ascending.
        category_ids: Its category, int64 of shape (m,).
        confidences: Its score, float32 of shape (m,).
        scores: Active-learning scores, one value per sample.
        sets: Positions of samples by name of the set.
        examples: File name and predictions of some selected images that have boxes.
    """

    name: str
    task_type: TaskType
    categories: Mapping[int, str]
    samples: NDArray[np.int32]
    category_ids: NDArray[np.int64]
    confidences: NDArray[np.float32]
    scores: Scores
    sets: Mapping[str, NDArray[np.int64]]
    examples: Sequence[tuple[str, Sequence[Prediction]]] = field(default=())

    @property
    def has_boxes(self) -> bool:
        """Whether predictions say where objects are."""
        return self.task_type in {"object-detection", "instance-segmentation", "keypoint-detection"}

    def choose(self, places: NDArray[np.int64], n_samples: int) -> NDArray[np.bool_]:
        """Return which predictions are about some samples.

        Args:
            places: The samples.
            n_samples: How many samples there are.
        """
        is_wanted = np.zeros(n_samples, np.bool_)
        is_wanted[places] = True
        found: NDArray[np.bool_] = is_wanted[self.samples]
        return found


def gather_task(
    name: str,
    schema: TaskSchema,
    images: Iterable[Sequence[Prediction]],
    scores: Scores,
    sets: Mapping[str, NDArray[np.int64]],
    examples: Sequence[tuple[str, Sequence[Prediction]]],
) -> TaskFacts:
    """Return the facts of a task.

    Args:
        name: Of the task.
        schema: Its schema.
        images: The predictions for each sample, in the order of the run's samples.
        scores: Active-learning scores.
        sets: Positions of samples by name of the set.
        examples: See `TaskFacts`.
    """
    samples, ids, confidences = array("i"), array("q"), array("f")
    for place, found in enumerate(images):
        for prediction in found:
            samples.append(place)
            ids.append(prediction["category_id"])
            confidences.append(_tell_confidence(prediction))
    return TaskFacts(
        name=name,
        task_type=schema.task_type,
        categories=dict(schema.names),
        samples=np.frombuffer(samples, np.int32),
        category_ids=np.frombuffer(ids, np.int64),
        confidences=np.frombuffer(confidences, np.float32),
        scores=scores,
        sets=sets,
        examples=examples,
    )


def _tell_confidence(prediction: Mapping[str, Any]) -> float:
    return float(prediction.get("score", 0.0))
