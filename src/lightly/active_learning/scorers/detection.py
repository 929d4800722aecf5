"""Scores of object detectors."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from numbers import Real
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lightly._kit.errors import BadInput
from lightly.active_learning.scorers.classification import UNCERTAINTIES, ScorerClassification
from lightly.active_learning.scorers.scorer import Scorer
from lightly.active_learning.utils.object_detection_output import ObjectDetectionOutput

#: What each further object of a class adds, and the lowest frequency score.
FREQUENCY_PENALTY, MIN_SCORE = 0.25, 0.9
_DEFAULTS = {"frequency_penalty": FREQUENCY_PENALTY, "min_score": MIN_SCORE}
_FREQUENCY, _OBJECTNESS = "object_frequency", "objectness_least_confidence"


class ScorerObjectDetection(Scorer):
    """How many objects there are in an image, and how unsure a detector is of them.

    - `object_frequency`: sum over the classes of 1 + `frequency_penalty` * (count - 1), then mapped
      linearly from its range over all images to `min_score`..1. It compares images with each
      other: it is no count of objects.
    - `objectness_least_confidence`: 1 - mean of the objects' scores; 0 without objects.
    - the three uncertainties of `ScorerClassification`: the highest of the objects; 0 without.

    Attributes:
        model_output: One `ObjectDetectionOutput` per image.
        config: The two numbers in use.

    Args:
        model_output: See the attributes.
        config: Other values for `frequency_penalty` (0.25) and `min_score` (0.9), each 0 to 1.

    Raises:
        KeyError: If `config` has another key.
        ValueError: If a value of `config` is no number from 0 to 1.
    """

    model_output: list[ObjectDetectionOutput]

    def __init__(
        self,
        model_output: Iterable[ObjectDetectionOutput],
        config: Mapping[str, float] | None = None,
    ) -> None:
        super().__init__(list(model_output))
        self.config = _read_config(config)

    @classmethod
    def score_names(cls) -> list[str]:
        """Return the names of all scores that `calculate_scores` gives."""
        return [_FREQUENCY, _OBJECTNESS, *UNCERTAINTIES]

    def calculate_scores(self) -> dict[str, NDArray[np.float64]]:
        """Return the five scores, one value per image."""
        images = self.model_output
        return {
            _FREQUENCY: _score_frequency(images, **self.config),
            _OBJECTNESS: np.array(
                [1 - np.mean(image.scores) if len(image.scores) else 0.0 for image in images],
                np.float64,
            ),
            **_score_uncertainty(images),
        }


def _read_config(config: Mapping[str, float] | None) -> dict[str, float]:
    if config is not None and not isinstance(config, Mapping):
        raise BadInput(f"The scorer's config must be a dictionary, got {type(config).__name__}.")
    for key, value in (config or {}).items():
        if key not in _DEFAULTS:
            raise KeyError(f"The scorer has no setting {key[:40]!r}, only {', '.join(_DEFAULTS)}.")
        if not isinstance(value, Real) or not 0 <= value <= 1:
            raise BadInput(f"{key} must be a number from 0 to 1, got {ascii(value)[:40]}.")
    return {**_DEFAULTS, **(config or {})}


def _score_frequency(
    images: Sequence[ObjectDetectionOutput], frequency_penalty: float, min_score: float
) -> NDArray[np.float64]:
    numbers = np.repeat(np.arange(len(images)), [len(image.labels) for image in images])
    labels = np.array([label for image in images for label in image.labels], np.int64)
    pairs, counts = np.unique(np.stack([numbers, labels]), axis=1, return_counts=True)
    values = np.bincount(pairs[0], 1 + frequency_penalty * (counts - 1), minlength=len(images))
    return scale_frequencies(values.astype(np.float64), min_score)


def scale_frequencies(
    values: NDArray[np.float64], min_score: float = MIN_SCORE
) -> NDArray[np.float64]:
    """Return values mapped linearly from their range to `min_score`..1; all 1 if they are equal."""
    if values.size == 0 or values.min() == values.max():
        return np.ones(len(values))
    return np.interp(values, [values.min(), values.max()], [min_score, 1.0])


def _score_uncertainty(images: Sequence[ObjectDetectionOutput]) -> dict[str, NDArray[np.float64]]:
    """Return the highest uncertainties of the objects in every image."""
    highest = {name: np.zeros(len(images)) for name in UNCERTAINTIES}
    # Usually all objects have the same number of classes: one array for all of them.
    rows: dict[int, tuple[list[int], list[Any]]] = defaultdict(lambda: ([], []))
    for number, image in enumerate(images):
        for probabilities in image.class_probabilities:
            numbers, predictions = rows[len(probabilities)]
            numbers.append(number)
            predictions.append(probabilities)
    for numbers, predictions in rows.values():
        for name, values in ScorerClassification(predictions).calculate_scores().items():
            np.maximum.at(highest[name], numbers, values)
    return highest
