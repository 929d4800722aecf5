"""Scores of models that classify every pixel."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lightly._kit.errors import BadInput
from lightly.active_learning.scorers.classification import UNCERTAINTIES, ScorerClassification
from lightly.active_learning.scorers.scorer import Scorer

#: Probabilities that are scored at once: bounds memory to some 100 MB whatever the image size.
_BLOCK_VALUES = 1 << 22


class ScorerSemanticSegmentation(Scorer):
    """How unsure a model is of an image's pixels: the pixels' mean of each uncertainty.

    The uncertainties are those of `ScorerClassification`.

    Attributes:
        model_output: As given.

    Args:
        model_output: One array per image with probabilities of shape (w, h, C); the sizes may
            differ. A generator is read one image at a time, so that not all need be in memory.

    Example:
        >>> unsure, sure = np.full((4, 3, 2), 0.5), np.tile([1.0, 0.0], (4, 3, 1))
        >>> scorer = ScorerSemanticSegmentation(image for image in (unsure, sure))
        >>> scorer.calculate_scores()["uncertainty_entropy"].tolist()
        [1.0, 0.0]
    """

    def __init__(self, model_output: Iterable[NDArray[Any]]) -> None:
        super().__init__(model_output)
        self._scores: dict[str, NDArray[np.float64]] | None = None

    @classmethod
    def score_names(cls) -> list[str]:
        """Return the names of all scores that `calculate_scores` gives."""
        return list(UNCERTAINTIES)

    def calculate_scores(self) -> dict[str, NDArray[np.float64]]:
        """Return the three uncertainties, one value per image.

        Raises:
            ValueError: If an image has not three dimensions.
        """
        # A generator can be read once only.
        if self._scores is None:
            rows = [_score_image(np.asarray(image)) for image in self.model_output]
            self._scores = {
                name: np.array([row[name] for row in rows], np.float64) for name in UNCERTAINTIES
            }
        return dict(self._scores)


def _score_image(image: NDArray[Any]) -> dict[str, float]:
    if image.ndim != 3 or image.size == 0:
        raise BadInput(
            "A prediction of semantic segmentation must have the shape (width, height, classes),"
            f" got {image.shape}."
        )
    pixels = image.reshape(-1, image.shape[2])
    n_at_once = max(1, _BLOCK_VALUES // pixels.shape[1])
    sums = dict.fromkeys(UNCERTAINTIES, 0.0)
    for start in range(0, len(pixels), n_at_once):
        scorer = ScorerClassification(pixels[start : start + n_at_once])
        for name, values in scorer.calculate_scores().items():
            sums[name] += float(values.sum())
    return {name: total / len(pixels) for name, total in sums.items()}
