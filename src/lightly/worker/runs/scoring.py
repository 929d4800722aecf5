"""COMPUTING_ACTIVE_LEARNING_SCORES: how much would a label of each image teach the model?

The formulas are those of `lightly.active_learning.scorers` (selection specification, section 10),
applied to predictions as they lie in files. An image without predictions scores 0.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lightly.active_learning.scorers.classification import UNCERTAINTIES, ScorerClassification
from lightly.active_learning.scorers.detection import scale_frequencies
from lightly.data.datasource_files.prediction_files import PER_KEYPOINT, Prediction
from lightly.data.datasource_files.prediction_tasks import TaskSchema
from lightly.worker.options import ObjectFrequency

Scores = dict[str, NDArray[np.float64]]

_OBJECTNESS, _FREQUENCY = "objectness_least_confidence", "object_frequency"
_KEYPOINTS = "mean_uncertainty"
_USUAL_FREQUENCY = ObjectFrequency()
#: Rows of probabilities that are scored at once.
_ROWS_PER_CHUNK = 100_000


def list_score_names(task_type: str) -> tuple[str, ...]:
    """Return the names of the scores that predictions of a type give."""
    if task_type == "keypoint-detection":
        return (_KEYPOINTS,)
    if task_type in {"classification", "semantic-segmentation"}:
        return tuple(UNCERTAINTIES)
    return (_FREQUENCY, _OBJECTNESS, *UNCERTAINTIES)


def fill_probabilities(prediction: Prediction, schema: TaskSchema) -> NDArray[np.float64]:
    """Return a probability for each category, in the order of their ids.

    Without probabilities the category of the prediction has its score, and the others share the
    rest.
    """
    given = prediction.get("probabilities")
    if given is not None:
        return np.asarray(given, np.float64)
    count, score = len(schema.names), float(prediction["score"])
    if count == 1:
        return np.array([score])
    row = np.full(count, (1 - score) / (count - 1))
    row[sorted(schema.names).index(prediction["category_id"])] = score
    return row


def compute_scores(
    schema: TaskSchema,
    images: Iterable[Sequence[Prediction]],
    frequency: ObjectFrequency = _USUAL_FREQUENCY,
) -> Scores:
    """Return each score of a task, one value per image, in their order.

    Args:
        schema: Of the task.
        images: The predictions of each image.
        frequency: How objects are counted.
    """
    if schema.task_type == "keypoint-detection":
        return {_KEYPOINTS: np.array([_score_keypoints(found) for found in images], np.float64)}
    takes_mean = schema.task_type == "semantic-segmentation"
    rows = _Rows(schema, takes_mean=takes_mean)
    frequencies: list[float] = []
    objectness: list[float] = []
    for number, found in enumerate(images):
        rows.add(number, found)
        counts = Counter(one["category_id"] for one in found)
        frequencies.append(sum(1 + frequency.penalty * (count - 1) for count in counts.values()))
        objectness.append(1 - _mean([one["score"] for one in found]) if found else 0.0)
    scores = rows.finish(len(frequencies))
    if schema.task_type in {"object-detection", "instance-segmentation"}:
        scores[_FREQUENCY] = scale_frequencies(
            np.array(frequencies, np.float64), frequency.min_score
        )
        scores[_OBJECTNESS] = np.array(objectness, np.float64)
    return {name: scores[name] for name in list_score_names(schema.task_type)}


@dataclass
class _Rows:
    """Probabilities that wait to be scored, and what the images have scored so far."""

    schema: TaskSchema
    takes_mean: bool
    numbers: list[int] = field(default_factory=list)
    weights: list[float] = field(default_factory=list)
    rows: list[NDArray[np.float64]] = field(default_factory=list)
    done: list[tuple[NDArray[np.int64], NDArray[np.float64], Mapping[str, Any]]] = field(
        default_factory=list
    )

    def add(self, number: int, found: Sequence[Prediction]) -> None:
        """Take the predictions of one image."""
        for one in found:
            self.numbers.append(number)
            # The run lengths of a mask take turns, beginning outside of it.
            self.weights.append(float(sum(one.get("segmentation", (0, 1))[1::2])))
            self.rows.append(fill_probabilities(one, self.schema))
        if len(self.rows) >= _ROWS_PER_CHUNK:
            self._score()

    def finish(self, n_images: int) -> Scores:
        """Return the highest score of the predictions of each image, or their weighted mean."""
        self._score()
        scores: Scores = {name: np.zeros(n_images) for name in UNCERTAINTIES}
        weights = np.zeros(n_images)
        for numbers, shares, values in self.done:
            np.add.at(weights, numbers, shares)
            for name in UNCERTAINTIES:
                if self.takes_mean:
                    np.add.at(scores[name], numbers, shares * values[name])
                else:
                    np.maximum.at(scores[name], numbers, values[name])
        if self.takes_mean:
            scores = {
                name: np.divide(values, weights, out=np.zeros(n_images), where=weights > 0)
                for name, values in scores.items()
            }
        return scores

    def _score(self) -> None:
        if not self.rows:
            return
        values = ScorerClassification(np.array(self.rows)).calculate_scores()
        self.done.append((np.array(self.numbers), np.array(self.weights), values))
        self.numbers.clear()
        self.weights.clear()
        self.rows.clear()


def _score_keypoints(found: Sequence[Prediction]) -> float:
    if not found:
        return 0.0
    return 1 - _mean([_mean(one["keypoints"][2::PER_KEYPOINT]) for one in found])


def _mean(values: Sequence[float]) -> float:
    return float(np.mean(values)) if len(values) else 0.0
