"""Coverage numbers agree with slow and obvious ones."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as npst

from tools.demo.coverage import (
    compare_with_random,
    measure_coverage,
    order_farthest_first,
    project_to_plane,
    trace_curves,
    trace_radius,
)

# Coordinates that float32 holds exactly, so that a reference in float64 gives the same.
COORDINATES = st.integers(-50, 50).map(float)


@st.composite
def vectors_and_subset(draw):
    rows = draw(st.integers(1, 12))
    columns = draw(st.integers(1, 4))
    vectors = draw(npst.arrays(np.float32, (rows, columns), elements=COORDINATES))
    chosen = draw(st.lists(st.integers(0, rows - 1), min_size=1, max_size=rows, unique=True))
    return vectors, chosen


def reference_distances(vectors, chosen):
    return [min(float(np.linalg.norm(row - vectors[c])) for c in chosen) for row in vectors]


@given(vectors_and_subset())
def test_distances_are_those_to_the_nearest_chosen_row(case):
    vectors, chosen = case

    coverage = measure_coverage(vectors, chosen)

    expected = reference_distances(vectors, chosen)
    assert coverage.distances == pytest.approx(expected, abs=1e-4)
    assert coverage.radius == pytest.approx(max(expected), abs=1e-4)
    assert coverage.mean == pytest.approx(sum(expected) / len(expected), abs=1e-4)


@given(vectors_and_subset())
def test_the_nearest_row_is_at_the_given_distance(case):
    vectors, chosen = case

    coverage = measure_coverage(vectors, chosen)

    for row, (position, distance) in enumerate(
        zip(coverage.nearest, coverage.distances, strict=True)
    ):
        there = np.linalg.norm(vectors[row] - vectors[chosen[position]])
        assert distance == pytest.approx(float(there), abs=1e-4)


@given(vectors_and_subset())
def test_chosen_rows_are_covered_by_themselves(case):
    vectors, chosen = case

    coverage = measure_coverage(vectors, chosen)

    assert coverage.nearest[chosen].tolist() == list(range(len(chosen)))
    assert not coverage.distances[chosen].any()


def test_an_empty_subset_is_refused():
    with pytest.raises(ValueError, match="at least one row"):
        measure_coverage(np.zeros((3, 2), np.float32), [])


@given(vectors_and_subset())
def test_ordering_keeps_exactly_the_chosen_rows(case):
    vectors, chosen = case

    assert sorted(order_farthest_first(vectors, chosen)) == sorted(chosen)


@given(vectors_and_subset())
def test_every_next_row_is_the_farthest_of_the_remaining_ones(case):
    vectors, chosen = case

    order = order_farthest_first(vectors, chosen)

    for position in range(1, len(order)):
        gaps = [
            min(float(np.linalg.norm(vectors[row] - vectors[other])) for other in order[:position])
            for row in order[position:]
        ]
        assert gaps[0] == pytest.approx(max(gaps), abs=1e-4)


@given(vectors_and_subset())
def test_the_traced_radius_is_that_of_every_beginning(case):
    vectors, chosen = case

    radii = trace_radius(vectors, chosen)

    expected = [
        max(reference_distances(vectors, chosen[:size])) for size in range(1, len(chosen) + 1)
    ]
    assert radii == pytest.approx(expected, abs=1e-4)


def test_the_curves_end_where_the_comparison_stands():
    vectors = np.random.default_rng(1).normal(size=(60, 8)).astype(np.float32)
    order = list(range(10))

    curves = trace_curves(vectors, order, repeats=5, seed=3)
    comparison = compare_with_random(vectors, order, repeats=5, seed=3)

    assert curves.pick[-1] == pytest.approx(comparison.pick.radius, abs=1e-4)
    assert curves.random[:, -1] == pytest.approx(comparison.random_radii, abs=1e-4)


def test_the_same_seed_gives_the_same_random_picks():
    vectors = np.random.default_rng(1).normal(size=(60, 8)).astype(np.float32)

    first, second = (compare_with_random(vectors, [0, 1, 2], seed=5) for _ in range(2))

    assert first.random_radii.tolist() == second.random_radii.tolist()


@settings(max_examples=30)
@given(npst.arrays(np.float32, st.tuples(st.integers(2, 20), st.just(5)), elements=COORDINATES))
def test_the_plane_holds_the_two_largest_variances(vectors):
    plane = project_to_plane(vectors)

    centred = vectors.astype(np.float64) - vectors.mean(axis=0, dtype=np.float64)
    largest = np.linalg.svd(centred, compute_uv=False)[:2]
    spread = np.sqrt((plane.astype(np.float64) ** 2).sum(axis=0))
    assert spread == pytest.approx(largest, abs=1e-2, rel=1e-4)


def test_the_input_is_not_changed():
    vectors = np.random.default_rng(1).normal(size=(30, 4)).astype(np.float32)
    before = vectors.copy()

    order = order_farthest_first(vectors, [3, 1, 2])
    compare_with_random(vectors, order)
    project_to_plane(vectors)

    assert np.array_equal(vectors, before)
