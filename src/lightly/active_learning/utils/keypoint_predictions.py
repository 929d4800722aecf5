"""Keypoints that a model has found in one image."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from numbers import Integral, Real
from typing import Any, Self

from lightly._kit.errors import BadInput

_VALUES_PER_KEYPOINT = 3


class KeypointInstancePrediction:
    """The keypoints of one object, such as the joints of a person.

    Attributes:
        keypoints: x, y and confidence of the first keypoint, then of the second, and so on.
        category_id: Class of the object; -1 if there is none.
        score: How sure the model is of the object; -1 if it does not say.

    Args:
        keypoints: See the attributes.
        category_id: As above.
        score: As above.

    Raises:
        ValueError: If there are not three values per keypoint, a confidence is not from 0 to 1, or
            `category_id` or `score` is no number.

    Example:
        >>> KeypointInstancePrediction([10, 20, 0.9, 30, 40, 0.5]).get_confidences()
        [0.9, 0.5]
    """

    def __init__(
        self, keypoints: Sequence[float], category_id: int = -1, score: float = -1.0
    ) -> None:
        self.keypoints = keypoints
        self.category_id = category_id
        self.score = score
        self._check()

    @classmethod
    def from_dict(cls, dict_: Mapping[str, Any]) -> Self:
        """Make an instance of an entry of a prediction file.

        Args:
            dict_: With the keys `keypoints`, `category_id` and `score`.

        Raises:
            KeyError: If a key is missing.
        """
        return cls(dict_["keypoints"], dict_["category_id"], dict_["score"])

    def get_confidences(self) -> list[float]:
        """Return the confidence of every keypoint."""
        return list(self.keypoints[_VALUES_PER_KEYPOINT - 1 :: _VALUES_PER_KEYPOINT])

    def _check(self) -> None:
        if len(self.keypoints) % _VALUES_PER_KEYPOINT != 0:
            raise BadInput("Keypoints must be x, y, confidence, x, y, confidence and so on.")
        if not all(0 <= confidence <= 1 for confidence in self.get_confidences()):
            raise BadInput("Confidences of keypoints must be from 0 to 1.")
        if not isinstance(self.category_id, Integral):
            raise BadInput(
                f"category_id must be a whole number, got {ascii(self.category_id)[:40]}."
            )
        if not isinstance(self.score, Real):
            raise BadInput(f"score must be a number, got {ascii(self.score)[:40]}.")


class KeypointPrediction:
    """All objects with keypoints of one image.

    Attributes:
        keypoint_instance_predictions: One entry per object.

    Args:
        keypoint_instance_predictions: See the attributes.

    Example:
        >>> text = '[{"keypoints": [10, 20, 0.9], "category_id": 0, "score": 0.8}]'
        >>> len(KeypointPrediction.from_json_string(text).keypoint_instance_predictions)
        1
    """

    def __init__(self, keypoint_instance_predictions: Sequence[KeypointInstancePrediction]) -> None:
        self.keypoint_instance_predictions = keypoint_instance_predictions

    @classmethod
    def from_dicts(cls, dicts: Sequence[Mapping[str, Any]]) -> Self:
        """Make a prediction of entries as `KeypointInstancePrediction.from_dict` reads them."""
        return cls([KeypointInstancePrediction.from_dict(entry) for entry in dicts])

    @classmethod
    def from_json_string(cls, json_string: str) -> Self:
        """Make a prediction of JSON text with a list of such entries.

        Raises:
            ValueError: If the text is no JSON or not a list of objects.
        """
        entries = json.loads(json_string)
        if not isinstance(entries, list) or not all(isinstance(entry, dict) for entry in entries):
            raise BadInput("A keypoint prediction must be a JSON list of objects.")
        return cls.from_dicts(entries)
