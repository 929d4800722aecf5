"""Scores of models that find keypoints."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
from numpy.typing import NDArray

from lightly.active_learning.scorers.scorer import Scorer
from lightly.active_learning.utils.keypoint_predictions import KeypointPrediction

_MEAN = "mean_uncertainty"


class ScorerKeypointDetection(Scorer):
    """How unsure a model is of the keypoints in an image.

    `mean_uncertainty` is 1 - the mean over the objects of the mean confidence of their keypoints;
    0 for an image without.

    Attributes:
        model_output: One `KeypointPrediction` per image.

    Args:
        model_output: See the attributes.
    """

    model_output: list[KeypointPrediction]

    def __init__(self, model_output: Iterable[KeypointPrediction]) -> None:
        super().__init__(list(model_output))

    @classmethod
    def score_names(cls) -> list[str]:
        """Return the names of all scores that `calculate_scores` gives."""
        return [_MEAN]

    def calculate_scores(self) -> dict[str, NDArray[np.float64]]:
        """Return the score, one value per image."""
        values = [_score_image(prediction) for prediction in self.model_output]
        return {_MEAN: np.array(values, np.float64)}


def _score_image(prediction: KeypointPrediction) -> float:
    confidences = [
        instance.get_confidences() for instance in prediction.keypoint_instance_predictions
    ]
    means = [np.mean(values) for values in confidences if values]
    return float(1 - np.mean(means)) if means else 0.0
