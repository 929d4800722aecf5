"""Scores of classifiers.

Source: B. Settles, "Active Learning Literature Survey", University of Wisconsin-Madison, Computer
Sciences Technical Report 1648 (2009), section 3.1.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lightly._kit.errors import BadInput
from lightly.active_learning.scorers.scorer import Scorer

LEAST_CONFIDENCE = "uncertainty_least_confidence"
MARGIN = "uncertainty_margin"
ENTROPY = "uncertainty_entropy"
UNCERTAINTIES = (LEAST_CONFIDENCE, MARGIN, ENTROPY)


class ScorerClassification(Scorer):
    """How unsure a classifier is.

    With p1 and p2 the highest and second highest of the C class probabilities:

    - `uncertainty_least_confidence` = (1 - p1) / (1 - 1/C)
    - `uncertainty_margin` = 1 - (p1 - p2)
    - `uncertainty_entropy` = - sum of p log p, divided by log C

    so that each is 0 where the model is sure and 1 where it sees all classes as equal.

    Attributes:
        model_output: Probabilities of shape (n, C), C of 2 or more.

    Args:
        model_output: Probabilities of shape (n, C). One column p of a binary classifier stands for
            (p, 1 - p).

    Raises:
        ValueError: If it has not two dimensions, or no column.

    Example:
        >>> scores = ScorerClassification([[0.5, 0.5], [1.0, 0.0]]).calculate_scores()
        >>> scores["uncertainty_margin"].tolist()
        [1.0, 0.0]
    """

    model_output: NDArray[np.float64]

    def __init__(self, model_output: NDArray[Any] | Sequence[Sequence[float]]) -> None:
        super().__init__(self.ensure_valid_model_output(np.asarray(model_output)))

    def ensure_valid_model_output(self, model_output: NDArray[Any]) -> NDArray[np.float64]:
        """Return probabilities of shape (n, C) with C of 2 or more.

        Args:
            model_output: As given by the user.

        Raises:
            ValueError: See the class.
        """
        if model_output.size == 0 and model_output.ndim == 1:
            model_output = model_output.reshape(0, 2)
        if model_output.ndim != 2:
            raise BadInput(
                "Predictions of a classifier must have the shape (samples, classes), got"
                f" {model_output.shape}."
            )
        if model_output.shape[1] == 0:
            raise BadInput("Predictions of a classifier must have at least one class.")
        probabilities = model_output.astype(np.float64)
        if probabilities.shape[1] == 1:
            probabilities = np.hstack([probabilities, 1 - probabilities])
        return probabilities

    @classmethod
    def score_names(cls) -> list[str]:
        """Return the names of all scores that `calculate_scores` gives."""
        return list(UNCERTAINTIES)

    def calculate_scores(self, normalize_to_0_1: bool = True) -> dict[str, NDArray[np.float64]]:
        """Return the three uncertainties, one value per sample. What is not a number becomes 0.

        Args:
            normalize_to_0_1: Whether to scale as in the formulas of the class. Otherwise the least
                confidence is 1 - p1 and the entropy is in bits.
        """
        # A partition finds the two largest in linear time; columns stay in rows of one sample.
        largest = np.partition(self.model_output, -2, axis=1)[:, -2:]
        with np.errstate(invalid="ignore"):
            # p log p tends to 0 with p. A negative p has no logarithm and makes its row a NaN.
            bits = self.model_output * np.log2(
                np.where(self.model_output == 0, 1, self.model_output)
            )
        scores = {
            LEAST_CONFIDENCE: 1 - largest[:, 1],
            MARGIN: 1 - (largest[:, 1] - largest[:, 0]),
            ENTROPY: 0 - bits.sum(axis=1),
        }
        if normalize_to_0_1:
            scores = self.normalize_scores_0_1(scores)
        return {name: np.nan_to_num(values, nan=0.0) for name, values in scores.items()}

    def normalize_scores_0_1(
        self, scores: Mapping[str, NDArray[np.float64]]
    ) -> dict[str, NDArray[np.float64]]:
        """Scale scores so that a sure model has 0 and an unsure one 1, and clip to that.

        Args:
            scores: Values by name.

        Raises:
            KeyError: If a name is none of `score_names`.
        """
        n_classes = self.model_output.shape[1]
        highest = {LEAST_CONFIDENCE: 1 - 1 / n_classes, MARGIN: 1.0, ENTROPY: np.log2(n_classes)}
        return {name: np.clip(values / highest[name], 0, 1) for name, values in scores.items()}
