"""Samples selected by their objects."""

from __future__ import annotations

import math

import numpy as np
import pytest

from lightly.selection import (
    Diversity,
    InvalidSelectionInput,
    Objects,
    Similarity,
    Typicality,
    Weights,
    select,
)


def on_a_line(positions):
    """Return objects at positions per sample."""
    owners = [sample for sample, own in enumerate(positions) for _ in own]
    places = [[float(place)] for own in positions for place in own]
    return Objects(np.array(places, np.float32), owners=owners, n_samples=len(positions))


def test_distance_is_the_root_of_the_mean_over_objects():
    # Objects at 2 and 10 are as far as one at sqrt(52).
    result = select(
        n_samples=1, strategies=[Diversity(on_a_line([[0], [2, 10], [7.2]]))], preselected=[0]
    )

    assert result.indices.tolist() == [1]
    assert result.distances.tolist() == [math.sqrt(52)]


@pytest.mark.parametrize(("single", "winner"), [(7.211, 1), (7.2112, 2)])
def test_two_objects_against_one_turns_at_their_mean(single, winner):
    result = select(
        n_samples=1, strategies=[Diversity(on_a_line([[0], [2, 10], [single]]))], preselected=[0]
    )

    assert result.indices.tolist() == [winner]


def test_a_chosen_sample_contributes_all_of_its_objects():
    result = select(n_samples=2, strategies=[Diversity(on_a_line([[0, 100], [99], [50]]))])

    assert result.indices.tolist() == [0, 2]


def test_samples_without_objects_come_last_even_as_first_pick():
    result = select(n_samples=None, strategies=[Diversity(on_a_line([[], [1], [], [1]]))])

    assert result.indices.tolist() == [1, 3, 0, 2]
    assert result.strategies[0].n_without_objects == 2
    assert result.strategies[0].nearest.tolist() == [-1, 1, -1, -1]


def test_samples_without_objects_never_stop_by_distance():
    strategies = [Diversity(on_a_line([[1], [], [9]]), min_distance=5.0)]

    result = select(n_samples=None, strategies=strategies)

    assert result.indices.tolist() == [0, 2, 1]
    assert result.stop_reason == "exhausted"


def test_minimum_distance_is_tested_on_the_root_of_the_mean():
    objects = on_a_line([[0], [2, 10]])
    edge = math.sqrt(52)

    kept = select(
        n_samples=None, strategies=[Diversity(objects, min_distance=edge)], preselected=[0]
    )
    refused = select(
        n_samples=None,
        strategies=[Diversity(objects, min_distance=math.nextafter(edge, 9))],
        preselected=[0],
    )

    assert kept.indices.tolist() == [1]
    assert refused.stop_reason == "min_distance"


def test_objects_of_one_sample_are_neighbours_of_each_other():
    # A(S) = 18 from the two objects of sample 0, so (18 + 4) * 15 beats (18 + 9) * 12.
    vectors = np.array([[0, 0], [3, 0], [0, 2], [0, 3]], np.float32)
    objects = Objects(vectors, owners=[0, 0, 1, 2], n_samples=3)

    result = select(
        n_samples=1,
        strategies=[Diversity(objects), Weights([10.0, 5.0, 2.0])],
        preselected=[0],
    )

    assert result.indices.tolist() == [1]


def test_similarity_ranks_by_the_best_object_and_adds_all():
    objects = on_a_line([[0.5, 9], [0.6, 0.6, 0.6], []])
    strategy = Similarity(objects, [[0.0]])

    result = select(n_samples=3, strategies=[strategy])

    distances = np.array([0.5, 9, 0.6, 0.6, 0.6])
    values = np.exp(-distances / distances.mean())
    assert result.indices.tolist() == [0, 1, 2]
    assert result.gains[:, 0] == pytest.approx([values[:2].sum(), 3 * values[2], 0.0])


def test_typicality_ranks_by_the_mean_of_objects():
    objects = on_a_line([[0, 100], [1, 2], [3], []])

    result = select(n_samples=4, strategies=[Typicality(objects, n_neighbours=2)])

    assert result.indices.tolist() == [1, 2, 0, 3]


def test_samples_without_objects_never_stop_by_typicality():
    objects = on_a_line([[0], [1], []])

    result = select(n_samples=None, strategies=[Typicality(objects, min_typicality=0.1)])

    assert sorted(result.indices.tolist()) == [0, 1, 2]


def test_samples_without_objects_are_counted():
    objects = on_a_line([[0], [], [1], [], [2]])
    strategies = [Diversity(objects), Typicality(objects), Similarity(objects, [[0.0]])]

    reports = select(n_samples=1, strategies=strategies, preselected=[1]).strategies

    counts = [reports[0].n_without_objects, *(report.n_missing for report in reports[1:])]
    assert counts == [1, 1, 1]


def test_no_sample_has_objects():
    objects = Objects(np.empty((0, 3), np.float32), owners=[], n_samples=3)

    result = select(n_samples=2, strategies=[Diversity(objects)])

    assert result.indices.tolist() == [0, 1]


@pytest.mark.parametrize(
    ("owners", "message"),
    [([0], "one integer per object"), ([0, 3], "from 0 to 2"), ([0, -1], "Got -1")],
)
def test_unusable_owners_are_refused(owners, message):
    objects = Objects([[1.0], [2.0]], owners=owners, n_samples=3)

    with pytest.raises(InvalidSelectionInput, match=message):
        select(n_samples=1, strategies=[Diversity(objects)])


@pytest.mark.parametrize("make", [Diversity, Typicality, lambda o: Similarity(o, [[0.0]])])
def test_a_value_that_is_not_finite_names_the_sample(make):
    objects = Objects([[1.0], [np.nan], [2.0]], owners=[0, 2, 2], n_samples=3)

    with pytest.raises(InvalidSelectionInput, match="object 1, which belongs to sample 2") as info:
        select(n_samples=1, strategies=[make(objects)])

    assert info.value.context["sample"] == 2


def test_order_of_objects_of_other_samples_changes_nothing(embeddings):
    owners = np.random.default_rng(3).integers(0, 100, size=len(embeddings))
    order = np.argsort(owners, kind="stable")

    mixed = Objects(embeddings, owners=owners, n_samples=100)
    sorted_ = Objects(embeddings[order], owners=owners[order], n_samples=100)

    first = select(n_samples=50, strategies=[Diversity(mixed)])
    second = select(n_samples=50, strategies=[Diversity(sorted_)])
    assert first.indices.tolist() == second.indices.tolist()
    assert first.distances.tolist() == second.distances.tolist()


@pytest.mark.parametrize("strength", [1.0, -1.0])
def test_one_object_per_sample_is_the_sample_itself(strength, embeddings):
    objects = Objects(embeddings, owners=np.arange(len(embeddings)), n_samples=len(embeddings))

    plain = select(n_samples=60, strategies=[Diversity(embeddings, strength=strength)])
    by_objects = select(n_samples=60, strategies=[Diversity(objects, strength=strength)])

    assert by_objects.indices.tolist() == plain.indices.tolist()
    assert by_objects.distances.tolist() == plain.distances.tolist()


def test_selecting_in_two_runs_equals_one_run(embeddings):
    owners = np.random.default_rng(4).integers(0, 100, size=len(embeddings))
    strategies = [
        Diversity(Objects(embeddings, owners=owners, n_samples=100)),
        Weights(np.random.default_rng(5).random(100)),
    ]

    together = select(n_samples=50, strategies=strategies)
    first = select(n_samples=20, strategies=strategies)
    second = select(n_samples=30, strategies=strategies, preselected=first.indices)

    assert [*first.indices, *second.indices] == together.indices.tolist()
