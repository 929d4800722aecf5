"""From predictions to scores: how much would a label of this sample teach the model?"""

from lightly.active_learning.scorers.classification import ScorerClassification
from lightly.active_learning.scorers.detection import ScorerObjectDetection
from lightly.active_learning.scorers.keypoint_detection import ScorerKeypointDetection
from lightly.active_learning.scorers.scorer import Scorer
from lightly.active_learning.scorers.semantic_segmentation import ScorerSemanticSegmentation

__all__ = [
    "Scorer",
    "ScorerClassification",
    "ScorerKeypointDetection",
    "ScorerObjectDetection",
    "ScorerSemanticSegmentation",
]
