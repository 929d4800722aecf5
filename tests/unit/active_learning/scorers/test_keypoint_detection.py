"""Scores of models that find keypoints."""

import pytest

from lightly.active_learning.scorers import ScorerKeypointDetection
from lightly.active_learning.utils import KeypointInstancePrediction, KeypointPrediction


def find(*objects):
    """Return a prediction with objects given by the confidences of their keypoints."""
    return KeypointPrediction(
        [
            KeypointInstancePrediction([value for c in confidences for value in (1, 2, c)])
            for confidences in objects
        ]
    )


@pytest.mark.parametrize(
    ("objects", "score"),
    [
        ([], 0),
        ([[]], 0),
        ([[0.9]], 0.1),
        # the mean of the objects' means, not of all keypoints
        ([[0.5, 0.7], [0.1]], 0.65),
    ],
)
def test_the_score_is_one_minus_the_mean_confidence(objects, score):
    scores = ScorerKeypointDetection([find(*objects)]).calculate_scores()

    assert list(scores) == ScorerKeypointDetection.score_names() == ["mean_uncertainty"]
    assert scores["mean_uncertainty"].tolist() == pytest.approx([score])
