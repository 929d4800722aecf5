"""How many samples a selection adds."""

from __future__ import annotations

import numpy as np
import pytest

from lightly.server.embeddings.sampling_task import Material, count_new_samples


@pytest.mark.parametrize(
    ("n_samples", "n_candidates", "n_preselected", "expected"),
    [
        # no limit
        (None, 10, 3, None),
        # preselected samples count
        (5, 10, 3, 2),
        (3, 10, 3, 0),
        (1, 10, 3, 0),
        # a share of all, in decimal: 0.1 of 10 is 1, 0.29 of 100 is 29
        (0.1, 10, 0, 1),
        (0.29, 100, 0, 29),
        (0.99, 10, 3, 6),
        # at least one
        (0.001, 10, 0, 1),
        # one is no share
        (1.0, 10, 0, 1),
    ],
)
def test_the_target_counts_preselected_samples(n_samples, n_candidates, n_preselected, expected):
    material = Material(
        dataset=None,
        n_samples=n_candidates,
        query_tag_id="a" * 24,
        candidates=np.arange(n_candidates),
        preselected=np.arange(n_preselected),
    )

    assert count_new_samples(n_samples, material) == expected
