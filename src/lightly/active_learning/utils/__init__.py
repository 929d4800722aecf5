"""Predictions of models, in the form that scorers read."""

from lightly.active_learning.utils.bounding_box import BoundingBox
from lightly.active_learning.utils.keypoint_predictions import (
    KeypointInstancePrediction,
    KeypointPrediction,
)
from lightly.active_learning.utils.object_detection_output import ObjectDetectionOutput

__all__ = [
    "BoundingBox",
    "KeypointInstancePrediction",
    "KeypointPrediction",
    "ObjectDetectionOutput",
]
