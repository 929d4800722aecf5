"""Data large enough for pools, rounds and chunks as they are shipped."""

from __future__ import annotations

import numpy as np
import pytest

from lightly.selection import Diversity, Weights, select


def pick_farthest(embeddings, n_picks):
    """Farthest-point traversal with float64 direct differences, one coordinate after another."""
    rows = embeddings.astype(np.float64)
    nearest = np.full(len(rows), np.inf)
    picks = [0]
    distances = [np.inf]
    for _ in range(n_picks - 1):
        total = np.zeros(len(rows))
        for column in rows.T:
            total += (column - column[picks[-1]]) ** 2
        np.minimum(nearest, total, out=nearest)
        nearest[picks] = -np.inf
        picks.append(int(nearest.argmax()))
        distances.append(np.sqrt(nearest[picks[-1]]))
    return picks, distances


def make_clusters(rng):
    centres = rng.normal(size=(40, 24))
    rows = centres[rng.integers(0, 40, size=8_000)] + 0.2 * rng.normal(size=(8_000, 24))
    return rows / np.linalg.norm(rows, axis=1, keepdims=True)


DATA = {
    "clusters": make_clusters,
    "uniform": lambda rng: rng.normal(size=(8_000, 24)),
    "grid full of ties": lambda rng: rng.integers(0, 2, size=(8_000, 14)),
    "offset of 1000": lambda rng: 1000 + 0.01 * rng.normal(size=(8_000, 24)),
    "heavy tails": lambda rng: rng.standard_cauchy(size=(8_000, 24)),
}


@pytest.mark.parametrize("kind", DATA)
def test_many_picks_equal_plain_greedy(kind):
    embeddings = DATA[kind](np.random.default_rng(3)).astype(np.float32)

    result = select(n_samples=600, strategies=[Diversity(embeddings)])

    picks, distances = pick_farthest(embeddings, 600)
    assert result.indices.tolist() == picks
    assert result.distances.tolist() == distances


def test_large_offset_keeps_the_separation_of_exact_greedy():
    rng = np.random.default_rng(0)
    embeddings = (1000 + 0.01 * rng.normal(size=(2_000, 16))).astype(np.float32)

    result = select(n_samples=200, strategies=[Diversity(embeddings)])

    assert result.distances[1:].min() > 0.04


def test_every_pick_of_a_large_mixture_has_the_largest_product():
    rng = np.random.default_rng(5)
    embeddings, weights = rng.normal(size=(5_000, 16)).astype(np.float32), rng.random(5_000) + 0.1

    result = select(n_samples=200, strategies=[Diversity(embeddings), Weights(weights)])

    rows = embeddings.astype(np.float64)
    nearest = np.full(len(rows), np.inf)
    members = np.empty((0, 0))
    for place, pick in enumerate(result.indices):
        chosen = result.indices[:place]
        if place > 1:
            members = ((rows[chosen][:, None] - rows[chosen][None]) ** 2).sum(axis=2)
            np.fill_diagonal(members, np.inf)
        spread = members.min(axis=1).sum() if place > 1 else 0.0
        diversity = spread + nearest if place else np.ones(len(rows))
        scores = np.log(diversity) + np.log(weights[chosen].sum() + weights)
        scores[chosen] = -np.inf
        assert scores[pick] >= scores.max() - 1e-12
        np.minimum(nearest, ((rows - rows[pick]) ** 2).sum(axis=1), out=nearest)
        nearest[pick] = 1e-300


@pytest.mark.long
@pytest.mark.parametrize("kind", DATA)
def test_thousands_of_picks_equal_plain_greedy(kind):
    embeddings = DATA[kind](np.random.default_rng(4)).astype(np.float32)

    result = select(n_samples=None, strategies=[Diversity(embeddings)])

    assert result.indices.tolist() == pick_farthest(embeddings, len(embeddings))[0]
