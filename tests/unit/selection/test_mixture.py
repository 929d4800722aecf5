"""Products of objectives: boundaries, clamping and exact ties."""

from __future__ import annotations

from itertools import permutations

import numpy as np
import pytest

from lightly.selection import Balance, Diversity, Similarity, Typicality, Weights, select


@pytest.mark.parametrize("w0", [0.5, 1.0, 7.0])
@pytest.mark.parametrize(("nudge", "winner"), [(0.99999, 1), (1.00001, 2)])
def test_diversity_times_weights_turns_at_the_derived_distance(w0, nudge, winner):
    # From the origin with weight w0: A at distance 1 weighs 1, B at distance x weighs 2, and B wins
    # if and only if x^2 > (w0 + 1) / (w0 + 2).
    x = nudge * np.sqrt((w0 + 1) / (w0 + 2))
    vectors = np.array([[0, 0], [1, 0], [0, x]], dtype=np.float32)

    result = select(
        n_samples=1, strategies=[Diversity(vectors), Weights([w0, 1.0, 2.0])], preselected=[0]
    )

    assert result.indices.tolist() == [winner]


def test_objectives_are_of_the_whole_selection():
    # S = {0, 1} at distance 3: A = 18. Then 18 + 4 with sum 10 + 5 beats 18 + 9 with sum 10 + 2,
    # although 4 * 5 would beat 9 * 2 by a different margin and 4 * 1 would not.
    vectors = np.array([[0, 0], [3, 0], [0, 2], [0, 3]], dtype=np.float32)
    weights = [5.0, 5.0, 5.0, 2.0]

    result = select(
        n_samples=1, strategies=[Diversity(vectors), Weights(weights)], preselected=[0, 1]
    )

    assert (18 + 4) * 15 > (18 + 9) * 12
    assert result.indices.tolist() == [2]


def test_strength_is_an_exponent():
    vectors = np.array([[0, 0], [3, 0], [0, 2], [0, 3]], dtype=np.float32)
    strategies = [Diversity(vectors, strength=2.0), Weights([5.0, 5.0, 5.0, 2.0])]

    result = select(n_samples=1, strategies=strategies, preselected=[0, 1])

    assert (18 + 4) ** 2 * 15 < (18 + 9) ** 2 * 12
    assert result.indices.tolist() == [3]


def test_strength_zero_removes_the_objective(embeddings, weights):
    alone = select(n_samples=40, strategies=[Diversity(embeddings)])

    beside = select(n_samples=40, strategies=[Diversity(embeddings), Weights(weights, strength=0)])

    assert beside.indices.tolist() == alone.indices.tolist()
    assert beside.gains[:, 1].tolist() == weights[alone.indices].tolist()


def test_values_times_a_constant_change_nothing(embeddings, weights):
    straight = select(n_samples=60, strategies=[Diversity(embeddings), Weights(weights)])

    scaled = select(n_samples=60, strategies=[Diversity(embeddings * 4), Weights(weights * 0.125)])

    assert scaled.indices.tolist() == straight.indices.tolist()


def test_sums_of_zero_and_below_rank_last():
    vectors = np.array([[0], [50], [1], [20]], dtype=np.float32)

    result = select(n_samples=4, strategies=[Diversity(vectors), Weights([0.0, -5.0, 0.0, 3.0])])

    # The one positive weight comes first; then the sum is 3, so only -5 makes it negative.
    assert result.indices.tolist() == [3, 0, 2, 1]


@pytest.mark.parametrize("pairs", list(permutations([(3, 4), (2, 6), (12, 1), (1, 12)])))
def test_equal_products_of_different_factors_go_to_the_lowest_index(pairs):
    # The logarithms of the factors do not sum to the same float64 number.
    first, second = zip(*pairs, strict=True)

    result = select(n_samples=1, strategies=[Weights(first), Weights(second)])

    assert result.indices.tolist() == [0]


def test_products_that_differ_beyond_float64_are_told_apart():
    above = np.nextafter(3.0, 4.0)

    result = select(n_samples=1, strategies=[Weights([3.0, above]), Weights([7.0, 7.0])])

    assert result.indices.tolist() == [1]


@pytest.mark.parametrize("strength", [1e9, -1e9, 1e-9])
def test_extreme_strengths_give_defined_picks(strength, embeddings, weights):
    result = select(
        n_samples=20, strategies=[Diversity(embeddings, strength=strength), Weights(weights)]
    )

    assert len(set(result.indices.tolist())) == 20


def test_huge_strength_decides_alone(embeddings, weights):
    alone = select(n_samples=20, strategies=[Weights(weights)])

    result = select(
        n_samples=20, strategies=[Diversity(embeddings), Weights(weights, strength=1e9)]
    )

    assert result.indices.tolist() == alone.indices.tolist()


@pytest.mark.parametrize("hurried", [False, True])
def test_all_strategies_together_with_few_candidates_left(hurried, embeddings, weights, hurry):
    if hurried:
        hurry()
    strategies = [
        Diversity(embeddings),
        Weights(weights, strength=-0.5),
        Balance(np.arange(300) % 7, target="UNIFORM"),
        Typicality(embeddings),
        Similarity(embeddings, embeddings[:3]),
    ]

    result = select(n_samples=None, strategies=strategies)

    assert sorted(result.indices.tolist()) == list(range(300))
    assert result.stop_reason == "exhausted"
