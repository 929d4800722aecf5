"""Distances of all vectors to some of them."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lightly.server.columns import similarity
from lightly.server.columns.similarity import measure_distances, order_by_distance


@given(
    seed=st.integers(0, 2**32 - 1),
    n_rows=st.integers(1, 60),
    dimension=st.integers(1, 9),
    offset=st.sampled_from([0.0, 1e3]),
)
@settings(max_examples=60, deadline=None)
def test_distances_are_those_to_the_nearest_example_whatever_the_chunks(
    seed, n_rows, dimension, offset
):
    generator = np.random.default_rng(seed)
    vectors = (generator.normal(size=(n_rows, dimension)) + offset).astype(np.float32)
    examples = generator.choice(n_rows, size=generator.integers(1, n_rows + 1), replace=False)
    wide = vectors.astype(np.float64)
    expected = np.linalg.norm(wide[:, None] - wide[None, examples], axis=2).min(axis=1)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(similarity, "CHUNK_ROWS", 7)
        found = measure_distances(vectors, examples)

    np.testing.assert_allclose(found, expected, atol=2e-3, rtol=1e-3)
    assert (found[examples] == 0).all()


def test_equal_distances_are_in_the_order_of_their_indices_and_those_without_a_vector_last():
    order = order_by_distance(np.array([2, 0, 1, 0], np.float32), 6)

    assert order.tolist() == [1, 3, 2, 0, 4, 5]
