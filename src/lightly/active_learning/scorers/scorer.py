"""What all scorers share."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray


class Scorer:
    """Turns the predictions of a model into scores; the base of all scorers, also of your own.

    Attributes:
        model_output: The predictions, one per sample.

    Args:
        model_output: See the attributes.
    """

    def __init__(self, model_output: Any) -> None:
        self.model_output = model_output

    def calculate_scores(self) -> dict[str, NDArray[np.float64]]:
        """Return for every score its values, one per sample, in the order of the predictions.

        A higher value means that a label of the sample is worth more.
        """
        raise NotImplementedError

    @classmethod
    def score_names(cls) -> list[str]:
        """Return the names of all scores that `calculate_scores` gives."""
        raise NotImplementedError
