"""SIMILARITY and TYPICALITY: their values, stops and refusals."""

from __future__ import annotations

import numpy as np
import pytest

from lightly.selection import InvalidSelectionInput, Similarity, Typicality, select

LINE = np.array([[0.0], [1.0], [3.0], [10.0]], dtype=np.float32)


def test_similarity_falls_with_the_distance_to_the_nearest_query():
    result = select(n_samples=4, strategies=[Similarity(LINE, [[3.5], [-1.0]])])

    # distances 1, 2, 0.5, 6.5 with mean 2.5
    assert result.indices.tolist() == [2, 0, 1, 3]
    assert result.gains[:, 0] == pytest.approx(np.exp(-np.array([0.5, 1.0, 2.0, 6.5]) / 2.5))


def test_mean_distance_to_queries_is_over_candidates():
    result = select(n_samples=2, strategies=[Similarity(LINE, [[0.0]])], candidates=[1, 2])

    assert result.gains[:, 0] == pytest.approx(np.exp(-np.array([1.0, 3.0]) / 2.0))


def test_samples_equal_to_queries_all_have_value_one():
    result = select(n_samples=2, strategies=[Similarity(LINE[[1, 1]], LINE[1:2])])

    assert result.gains[:, 0].tolist() == [1.0, 1.0]


def test_negative_similarity_pushes_away():
    result = select(n_samples=1, strategies=[Similarity(LINE, [[0.0]], strength=-1.0)])

    assert result.indices.tolist() == [3]


@pytest.mark.parametrize(
    ("queries", "message"),
    [
        (np.empty((0, 1)), "at least one query"),
        ([[1.0, 2.0]], "as many dimensions"),
        ([[0.0], [np.nan]], "query embeddings of sample 1"),
    ],
)
def test_unusable_queries_are_refused(queries, message):
    with pytest.raises(InvalidSelectionInput, match=message):
        select(n_samples=1, strategies=[Similarity(LINE, queries)])


def test_typicality_is_the_mean_nearness_of_neighbours():
    result = select(n_samples=4, strategies=[Typicality(LINE, n_neighbours=2)])

    # two nearest: 0: 1, 3; 1: 1, 2; 3: 2, 3; 10: 7, 9, with mean 28 / 8
    distances = np.array([[1, 2], [1, 3], [2, 3], [7, 9]])
    assert result.indices.tolist() == [1, 0, 2, 3]
    assert result.gains[:, 0] == pytest.approx(np.exp(-distances / 3.5).mean(axis=1))


def test_neighbours_are_capped_at_all_other_samples():
    few = select(n_samples=4, strategies=[Typicality(LINE, n_neighbours=3)])

    many = select(n_samples=4, strategies=[Typicality(LINE, n_neighbours=50)])

    assert many.gains.tolist() == few.gains.tolist()


def test_typicality_of_duplicates_is_one():
    result = select(n_samples=3, strategies=[Typicality(np.ones((3, 2), dtype=np.float32))])

    assert result.gains[:, 0].tolist() == [1.0, 1.0, 1.0]


def make_cloud(rng):
    return rng.normal(size=(120, 6))


def make_sphere(rng):
    """A centre and samples that are equally far from it but for the rounding to float32."""
    directions = rng.normal(size=(120, 6))
    directions[0] = 0.0
    return directions / np.maximum(np.linalg.norm(directions, axis=1, keepdims=True), 1e-9)


@pytest.mark.parametrize("make", [make_cloud, make_sphere])
def test_typicality_is_exact(make, hurry):
    vectors = make(np.random.default_rng(0)).astype(np.float32)
    apart = np.sqrt(((vectors[:, None].astype(np.float64) - vectors[None]) ** 2).sum(axis=2))
    np.fill_diagonal(apart, np.inf)
    near = np.sort(apart, axis=1)[:, :20]
    expected = np.exp(-near / near.mean()).mean(axis=1)
    hurry(neighbour_columns=60)

    result = select(n_samples=120, strategies=[Typicality(vectors)])

    assert result.gains[:, 0] == pytest.approx(np.sort(expected)[::-1], rel=1e-12, abs=0.0)
    assert result.indices.tolist() == np.argsort(-expected).tolist()


def test_minimum_typicality_stops_the_run():
    result = select(
        n_samples=None, strategies=[Typicality(LINE, n_neighbours=2, min_typicality=0.5)]
    )

    assert result.indices.tolist() == [1, 0]
    assert result.stop_reason == "min_typicality"


@pytest.mark.parametrize(
    ("vectors", "n_neighbours", "message"),
    [(LINE, 1, "at least 2 nearest"), (LINE[:1], 5, "needs at least 2")],
)
def test_too_little_for_typicality_is_refused(vectors, n_neighbours, message):
    with pytest.raises(InvalidSelectionInput, match=message):
        select(n_samples=1, strategies=[Typicality(vectors, n_neighbours=n_neighbours)])
