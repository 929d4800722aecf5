"""DIVERSITY: farthest points, the stop at a minimum distance, and refused embeddings."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lightly.selection import Diversity, InvalidSelectionInput, Weights, select
from lightly.selection.embeddings import EmbeddingSpace
from lightly.selection.progress import Pulse

LINE = np.array([[0.0], [1.0], [2.0], [10.0], [10.5]], dtype=np.float32)


def test_the_first_candidate_comes_first_and_the_farthest_next():
    result = select(n_samples=3, strategies=[Diversity(LINE)])

    assert result.indices.tolist() == [0, 4, 2]
    assert result.distances.tolist() == [np.inf, 10.5, 2.0]
    assert result.gains[:, 0].tolist() == [0.0, 110.25, 4.0]


def test_ties_go_to_the_lowest_index():
    rays = np.array([[0, 0], [1, 0], [0, 1], [2, 0], [-2, 0], [0, 2]], dtype=np.float32)

    result = select(n_samples=6, strategies=[Diversity(rays)])

    assert result.indices.tolist() == [0, 3, 4, 5, 1, 2]


def test_nearest_is_the_earliest_of_equally_near_picks():
    cross = np.array([[1, 0], [-1, 0], [0, 0]], dtype=np.float32)

    result = select(n_samples=3, strategies=[Diversity(cross)])

    assert result.strategies[0].nearest.tolist() == [-1, 0, 0]


def test_negative_strength_stays_near():
    result = select(n_samples=4, strategies=[Diversity(LINE, strength=-1.0)])

    assert result.indices.tolist() == [0, 1, 2, 3]


@pytest.mark.parametrize(
    ("min_distance", "picks", "reason"),
    [
        (8.5, [0, 4], "min_distance"),
        # equality is kept
        (2.0, [0, 4, 2], "min_distance"),
        (2.0001, [0, 4], "min_distance"),
        (0.0, [0, 4, 2, 1, 3], "exhausted"),
        # the first pick is always kept
        (100.0, [0], "min_distance"),
    ],
)
def test_minimum_distance_stops_the_run(min_distance, picks, reason):
    result = select(n_samples=None, strategies=[Diversity(LINE, min_distance=min_distance)])

    assert result.indices.tolist() == picks
    assert result.stop_reason == reason


def test_preselected_pairs_are_not_tested_for_minimum_distance():
    result = select(
        n_samples=None, strategies=[Diversity(LINE, min_distance=5.0)], preselected=[0, 1]
    )

    assert result.indices.tolist() == [4]


def test_minimum_distance_ends_a_run_of_weights_at_strength_zero():
    watch = Diversity(LINE, strength=0.0, min_distance=1.0)

    result = select(n_samples=None, strategies=[Weights([5, 4, 3, 2, 1]), watch])

    assert result.indices.tolist() == [0, 1, 2, 3]
    assert result.stop_reason == "min_distance"
    assert result.distances.tolist() == [np.inf, 1.0, 1.0, 8.0]


def test_any_of_several_spaces_stops_the_run():
    here = Diversity(LINE, min_distance=0.1)
    there = Diversity(LINE[::-1].copy(), min_distance=6.0)

    result = select(n_samples=None, strategies=[here, there])

    assert result.stop_reason == "min_distance"
    assert result.strategies[1].distances[1:].min() >= 6.0


def test_deduplication_leaves_a_maximal_separated_set():
    rng = np.random.default_rng(0)
    vectors = rng.random((500, 2)).astype(np.float32)

    result = select(n_samples=-1, strategies=[Diversity(vectors, min_distance=0.1)])

    kept = vectors[result.indices].astype(np.float64)
    apart = np.sqrt(((kept[:, None] - kept[None]) ** 2).sum(axis=2))
    np.fill_diagonal(apart, np.inf)
    nearest = np.sqrt(((vectors[:, None].astype(np.float64) - kept[None]) ** 2).sum(axis=2))
    assert apart.min() >= 0.1
    assert nearest.min(axis=1).max() < 0.1


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_non_finite_values_are_refused_naming_the_sample(bad, dtype):
    vectors = np.zeros((10_000, 300), dtype=dtype)
    vectors[9_876, 299] = bad

    with pytest.raises(InvalidSelectionInput, match="sample 9876") as refusal:
        select(n_samples=1, strategies=[Diversity(vectors)])

    assert refusal.value.context == {"sample": 9876}


def test_float64_values_beyond_float32_are_refused_naming_the_sample():
    with pytest.raises(InvalidSelectionInput, match="sample 1 "):
        select(n_samples=1, strategies=[Diversity(np.array([[0.0], [1e39]]))])


@pytest.mark.parametrize(
    "vectors",
    [
        np.zeros(3, dtype=np.float32),
        np.zeros((3, 0), dtype=np.float32),
        np.zeros((3, 2, 2), dtype=np.float32),
        np.zeros((3, 2), dtype=np.complex64),
        np.array([["a"], ["b"]]),
    ],
)
def test_embeddings_of_another_shape_or_type_are_refused(vectors):
    with pytest.raises(InvalidSelectionInput, match="embeddings"):
        select(n_samples=1, strategies=[Diversity(vectors)])


def test_negative_minimum_distance_is_refused():
    with pytest.raises(InvalidSelectionInput, match="minimum distance"):
        select(n_samples=1, strategies=[Diversity(LINE, min_distance=-0.1)])


@settings(max_examples=200, deadline=None)
@given(
    seed=st.integers(0, 2**32 - 1),
    n_dims=st.sampled_from([1, 2, 3, 17, 300]),
    offset=st.sampled_from([0.0, 1e3, -1e6]),
    magnitude=st.integers(-44, 37),
    n_outliers=st.integers(0, 2),
)
def test_screened_bounds_always_hold_the_exact_distance(
    seed, n_dims, offset, magnitude, n_outliers
):
    rng = np.random.default_rng(seed)
    vectors = (offset + rng.normal(size=(20, n_dims))) * 10.0**magnitude
    vectors[:n_outliers] *= 1e4
    vectors = np.clip(vectors, -3e38, 3e38).astype(np.float32)
    space = EmbeddingSpace({"embeddings": vectors}, pulse=Pulse(0))
    samples = np.arange(20)

    points, lengths = space.screen_points(samples)
    low = points @ space.turn_into_pivots(points).T + space.offsets(lengths)[:, None]
    high = low + space.screen_widths(lengths[:, None], lengths)

    left, right = (axis.ravel() for axis in np.meshgrid(samples, samples, indexing="ij"))
    exact = space.measure_exactly(left, right).reshape(20, 20)
    assert (low <= exact).all()
    assert (exact <= high).all()


def test_screening_is_sharp_enough_to_be_of_use():
    vectors = np.random.default_rng(0).normal(size=(50, 128)).astype(np.float32)
    space = EmbeddingSpace({"embeddings": vectors}, pulse=Pulse(0))

    points, lengths = space.screen_points(np.arange(50))

    assert space.screen_widths(lengths, lengths).max() < 1e-3 * (lengths**2).min()
    assert points.dtype == np.float32
