"""The picks are those of `lightly-mundig`, wherever its rounding cannot decide.

Its sums are float32. So where picks part, the products of both must be equal to five digits; from
there on the selections are different ones and nothing is compared.
"""

from __future__ import annotations

import numpy as np
import pytest
from lightly_mundig import Selection

from lightly.selection import (
    Balance,
    Diversity,
    Objects,
    Similarity,
    Typicality,
    Weights,
    select,
)
from tests.unit.selection.greedy_model import score_candidates

N_SAMPLES, N_PICKS, N_CLASSES = 40, 15, 4
SAME_WITHIN = 1e-5
SEEDS = range(12)


def make_embeddings(rng):
    return rng.normal(size=(N_SAMPLES, 6)).astype(np.float32)


def make_diversity(rng):
    return Diversity(make_embeddings(rng), strength=rng.choice([1.0, 2.0, 0.5]))


def make_weights(rng):
    return Weights(
        (rng.random(N_SAMPLES) + 0.1).astype(np.float32), strength=rng.choice([1.0, -0.5])
    )


def make_balance(rng):
    rows = rng.dirichlet(np.full(N_CLASSES, 0.3), size=N_SAMPLES).astype(np.float32)
    target = rng.dirichlet(np.full(N_CLASSES, 3.0))
    return Balance(rows, target={k: float(share) for k, share in enumerate(target)})


def make_typicality(rng):
    return Typicality(make_embeddings(rng), n_neighbours=5)


def make_similarity(rng):
    return Similarity(make_embeddings(rng), make_embeddings(rng)[:3])


def make_objects(rng, kind):
    owners = np.sort(rng.integers(0, N_SAMPLES, size=2 * N_SAMPLES))
    rows = rng.normal(size=(len(owners), 5)).astype(np.float32)
    objects = Objects(rows, owners=owners, n_samples=N_SAMPLES)
    if kind is Similarity:
        return Similarity(objects, rows[:3] + np.float32(0.25))
    return kind(objects)


MAKERS = {
    "diversity": [make_diversity],
    "weights": [make_weights],
    "balance": [make_balance],
    "typicality": [make_typicality],
    "similarity": [make_similarity],
    "object diversity": [lambda rng: make_objects(rng, Diversity)],
    "object typicality": [lambda rng: make_objects(rng, Typicality)],
    "object similarity": [lambda rng: make_objects(rng, Similarity)],
    "diversity x weights": [make_diversity, make_weights],
    "diversity x balance": [make_diversity, make_balance],
    "two weights": [make_weights, make_weights],
    "object diversity x weights": [lambda rng: make_objects(rng, Diversity), make_weights],
    "everything": [make_diversity, make_weights, make_balance, make_typicality],
}


def pick_with_reference(strategies, preselected):
    selection = Selection()
    for strategy in strategies:
        add_strategy(selection, strategy)
    total = len(preselected) + N_PICKS
    picks = selection.run_selection(list(preselected), N_SAMPLES, total)
    return picks[len(preselected) :]


def add_strategy(selection, strategy):
    if isinstance(strategy, Weights):
        selection.add_weighting_strategy(strategy.values, strategy.strength)
    elif isinstance(strategy, Balance):
        target = [strategy.target[k] for k in range(N_CLASSES)]
        selection.add_balancing_strategy(strategy.classes, target, strategy.strength)
    elif isinstance(strategy.embeddings, Objects):
        add_object_strategy(selection, strategy)
    elif isinstance(strategy, Diversity):
        selection.add_diversifying_strategy(strategy.embeddings, strategy.strength)
    else:
        selection.add_weighting_strategy(derive_values(strategy), strategy.strength)


def derive_values(strategy):
    """Return the reference library's own values of similarity or typicality."""
    import lightly_mundig

    if isinstance(strategy, Similarity):
        values = lightly_mundig.Similarity(strategy.embeddings).calculate_similarity(
            strategy.queries
        )
    else:
        typicality = lightly_mundig.Typicality(strategy.embeddings)
        values = typicality.calculate_typicality(strategy.n_neighbours)
    return np.array(values, dtype=np.float32)


def add_object_strategy(selection, strategy):
    objects = strategy.embeddings
    own = [np.flatnonzero(objects.owners == sample).tolist() for sample in range(N_SAMPLES)]
    if isinstance(strategy, Diversity):
        selection.add_subpart_diversifying_strategy(objects.embeddings, own, strategy.strength)
    elif isinstance(strategy, Typicality):
        selection.add_subpart_typicality_strategy(
            objects.embeddings, own, strategy.strength, strategy.n_neighbours
        )
    else:
        selection.add_subpart_similarity_strategy(
            objects.embeddings, strategy.queries, own, strategy.strength
        )


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize("name", MAKERS)
def test_picks_are_those_of_the_reference_library(name, seed):
    rng = np.random.default_rng(seed)
    strategies = [make(rng) for make in MAKERS[name]]
    preselected = rng.choice(N_SAMPLES, size=seed % 3, replace=False).tolist()

    ours = select(n_samples=N_PICKS, strategies=strategies, preselected=preselected)

    theirs = pick_with_reference(strategies, preselected)
    for place, (our, their) in enumerate(zip(ours.indices.tolist(), theirs, strict=True)):
        if our != their:
            scores = score_candidates(strategies, preselected, theirs[:place])
            assert scores[our] == pytest.approx(scores[their], abs=SAME_WITHIN)
            return


@pytest.mark.parametrize("n_neighbours", [2, 20])
def test_typicality_values_are_those_of_the_reference_library(n_neighbours, embeddings):
    import lightly_mundig

    result = select(n_samples=None, strategies=[Typicality(embeddings, n_neighbours=n_neighbours)])

    theirs = np.array(lightly_mundig.Typicality(embeddings).calculate_typicality(n_neighbours))
    assert result.gains[:, 0] == pytest.approx(theirs[result.indices], abs=1e-5)


def test_similarity_values_are_those_of_the_reference_library(embeddings):
    import lightly_mundig

    queries = embeddings[:7] * np.float32(0.5)
    result = select(n_samples=None, strategies=[Similarity(embeddings, queries)])

    theirs = np.array(lightly_mundig.Similarity(embeddings).calculate_similarity(queries))
    assert result.gains[:, 0] == pytest.approx(theirs[result.indices], abs=1e-5)


def test_minimum_distance_stops_where_the_reference_library_stops():
    vectors = np.random.default_rng(1).normal(size=(60, 3)).astype(np.float32)
    selection = Selection()
    selection.add_diversifying_strategy(vectors, 1.0, 1.25)

    result = select(n_samples=60, strategies=[Diversity(vectors, min_distance=1.25)])

    assert result.indices.tolist() == selection.run_selection([], 60, 60)
    assert result.stop_reason == "min_distance"


def test_asking_for_too_many_is_not_padded_as_the_reference_library_does():
    vectors = np.arange(4, dtype=np.float32)[:, None]

    result = select(n_samples=6, strategies=[Diversity(vectors)])

    assert sorted(result.indices.tolist()) == [0, 1, 2, 3]


def test_a_common_offset_costs_no_separation_as_it_does_in_the_reference_library():
    rng = np.random.default_rng(0)
    vectors = (1000 + 0.01 * rng.normal(size=(2_000, 16))).astype(np.float32)
    selection = Selection()
    selection.add_diversifying_strategy(vectors, 1.0)

    result = select(n_samples=200, strategies=[Diversity(vectors)])

    theirs = selection.run_selection([], 2_000, 200)
    assert separate(vectors, result.indices) > 1.5 * separate(vectors, theirs)


def separate(vectors, picks):
    chosen = vectors[picks].astype(np.float64)
    distances = np.linalg.norm(chosen[:, None] - chosen[None], axis=2)
    return distances[np.triu_indices(len(chosen), 1)].min()
