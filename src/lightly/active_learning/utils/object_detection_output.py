"""`ObjectDetectionOutput`: what a detector has found in one image."""

from __future__ import annotations

from collections.abc import Sequence
from numbers import Integral
from typing import Self

from lightly._kit.errors import BadInput
from lightly.active_learning.utils.bounding_box import BoundingBox

#: A model that only ever saw one class still tells it from "something else".
_FEWEST_CLASSES = 2


class ObjectDetectionOutput:
    """The objects that a detector has found in one image.

    Attributes:
        boxes: Where they are.
        object_probabilities: How sure the model is that there is an object at all.
        class_probabilities: For each object one probability per class.
        labels: For each object its most probable class, the first of equals.
        scores: Object probability times the probability of that class.

    Args:
        boxes: See the attributes.
        object_probabilities: As many as boxes, each 0 to 1.
        class_probabilities: As many lists as boxes.

    Raises:
        ValueError: If the lengths differ.

    Example:
        >>> box = BoundingBox(0, 0, 0.5, 0.5)
        >>> output = ObjectDetectionOutput([box], [0.5], [[0.25, 0.75]])
        >>> output.labels, output.scores
        ([1], [0.375])
    """

    def __init__(
        self,
        boxes: Sequence[BoundingBox],
        object_probabilities: Sequence[float],
        class_probabilities: Sequence[Sequence[float]],
    ) -> None:
        _check_lengths(len(boxes), len(object_probabilities), len(class_probabilities))
        self.boxes = boxes
        self.object_probabilities = object_probabilities
        self.class_probabilities = class_probabilities
        self.labels = [max(range(len(row)), key=row.__getitem__) for row in class_probabilities]
        self.scores = [
            probability * max(row)
            for probability, row in zip(object_probabilities, class_probabilities, strict=True)
        ]

    @classmethod
    def from_scores(
        cls, boxes: Sequence[BoundingBox], scores: Sequence[float], labels: Sequence[int]
    ) -> Self:
        """Make an output of a detector that gives one score and one class per object.

        Such a score s of class k stands for the probabilities p_k = s and (1 - s) / (C - 1) for
        every other class. The number of classes C follows from the highest label.

        Args:
            boxes: Where the objects are.
            scores: As many, each 0 to 1.
            labels: As many classes, counted from 0.

        Raises:
            ValueError: If the lengths differ or a value is outside of its range.

        Example:
            >>> box = BoundingBox(0, 0, 0.5, 0.5)
            >>> ObjectDetectionOutput.from_scores([box], [0.5], [2]).class_probabilities
            [[0.25, 0.25, 0.5]]
        """
        _check_lengths(len(boxes), len(scores), len(labels))
        if any(not 0 <= score <= 1 for score in scores):
            raise BadInput("Scores must be numbers from 0 to 1.")
        if any(not isinstance(label, Integral) or label < 0 for label in labels):
            raise BadInput("Labels must be whole numbers from 0 on.")
        n_classes = max([*(int(label) + 1 for label in labels), _FEWEST_CLASSES])
        output = cls(
            boxes,
            scores,
            [_spread(score, label, n_classes) for score, label in zip(scores, labels, strict=True)],
        )
        output.labels = [int(label) for label in labels]
        output.scores = list(scores)
        return output


def _check_lengths(n_boxes: int, n_objects: int, n_classes: int) -> None:
    if not n_boxes == n_objects == n_classes:
        raise BadInput(
            "There must be as many boxes as probabilities or scores, and as many classes. Got"
            f" {n_boxes}, {n_objects} and {n_classes}."
        )


def _spread(score: float, label: int, n_classes: int) -> list[float]:
    row = [(1 - score) / (n_classes - 1)] * n_classes
    row[label] = score
    return row
