"""Scores of models that classify every pixel."""

import numpy as np
import pytest

from lightly.active_learning.scorers import ScorerClassification, ScorerSemanticSegmentation
from lightly.active_learning.scorers import semantic_segmentation as module


def draw_images(*shapes):
    generator = np.random.default_rng(0)
    return [generator.dirichlet(np.ones(shape[2]), shape[:2]) for shape in shapes]


def test_scores_are_the_means_over_the_pixels():
    images = draw_images((5, 4, 3), (2, 7, 6))

    scores = ScorerSemanticSegmentation(images).calculate_scores()

    for name in ScorerSemanticSegmentation.score_names():
        expected = [
            ScorerClassification(image.reshape(-1, image.shape[2])).calculate_scores()[name].mean()
            for image in images
        ]
        np.testing.assert_allclose(scores[name], expected, atol=1e-12)


def test_blocks_do_not_change_the_scores(monkeypatch):
    images = draw_images((9, 11, 4))
    whole = ScorerSemanticSegmentation(images).calculate_scores()

    monkeypatch.setattr(module, "_BLOCK_VALUES", 20)
    in_blocks = ScorerSemanticSegmentation(images).calculate_scores()

    for name, values in whole.items():
        np.testing.assert_allclose(in_blocks[name], values, atol=1e-12)


def test_a_generator_is_read_one_image_at_a_time_and_only_once():
    alive = []

    def generate():
        for image in draw_images((2, 2, 2), (2, 2, 2), (2, 2, 2)):
            alive.append(len(alive))
            yield image

    scorer = ScorerSemanticSegmentation(generate())
    first, second = scorer.calculate_scores(), scorer.calculate_scores()

    assert alive == [0, 1, 2]
    assert first["uncertainty_margin"].tolist() == second["uncertainty_margin"].tolist()


@pytest.mark.parametrize("shape", [(3, 4), (0, 4, 2), (2, 2, 2, 2)])
def test_other_shapes_are_refused(shape):
    with pytest.raises(ValueError, match="semantic segmentation"):
        ScorerSemanticSegmentation([np.zeros(shape)]).calculate_scores()
