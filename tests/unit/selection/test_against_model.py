"""Every strategy and every mixture picks what the plain model picks."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from lightly.selection import (
    Balance,
    Diversity,
    InvalidSelectionInput,
    Objects,
    Similarity,
    Threshold,
    Typicality,
    Weights,
    select,
)
from tests.unit.selection.greedy_model import TooFewToCompare, select_plainly, trace_distances
from tests.unit.selection.tuning import SMALL, tuned, without_kernels

STRENGTHS = st.sampled_from([1.0, 1.0, 1.0, -1.0, 0.5, 2.0, -0.5, 0.0, 3.0])
OPERATIONS = st.sampled_from(["SMALLER", "SMALLER_EQUAL", "BIGGER", "BIGGER_EQUAL"])
KINDS_OF_VECTORS = st.sampled_from(
    ["grid", "normal", "heavy tails", "offset 1000", "duplicates", "tenths", "tiny", "huge"]
)
#: Of values that are at most 1 each.
MAX_SUMS = st.none() | st.none() | st.floats(0.0, 20.0)
KINDS_OF_NUMBERS = st.sampled_from(["small integers", "uniform", "signed", "heavy tails"])
SIZES = st.fixed_dictionaries(
    {name: st.sampled_from(sorted({1, 2, 5, value})) for name, value in SMALL.items()}
    | {
        "cache_bytes": st.sampled_from([0, 100, 1 << 20]),
        "resident_bytes": st.sampled_from([0, 1 << 20]),
        "whole_rows": st.sampled_from([0, 1_000]),
        "ns_to_pack": st.sampled_from([0, 10**9]),
        "dense_bytes": st.sampled_from([0, 1 << 20]),
        "dense_worth_bytes": st.sampled_from([1, 1 << 20]),
    }
)


def make_vectors(draw, n_samples):
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    shape = (n_samples, draw(st.integers(1, 8)))
    normal = rng.normal(size=shape)
    vectors = {
        "grid": rng.integers(0, 3, size=shape),
        "normal": normal,
        "heavy tails": rng.standard_cauchy(size=shape) ** 3,
        "offset 1000": 1000 + 0.01 * normal,
        "duplicates": normal[rng.integers(0, n_samples, size=n_samples) // 4],
        "tenths": rng.integers(-2, 3, size=shape) * 0.1,
        "tiny": normal * 1e-42,
        "huge": normal * 1e37,
    }[draw(KINDS_OF_VECTORS)]
    return np.clip(vectors, -3e38, 3e38).astype(np.float32)


def make_numbers(draw, n_samples):
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    return {
        "small integers": rng.integers(0, 4, size=n_samples).astype(np.float64),
        "uniform": rng.random(n_samples),
        "signed": rng.normal(size=n_samples),
        "heavy tails": rng.pareto(1.0, size=n_samples),
    }[draw(KINDS_OF_NUMBERS)]


def make_diversity(draw, n_samples):
    vectors = make_vectors(draw, n_samples)
    reach = float(np.abs(vectors).max())
    share = draw(st.none() | st.floats(0.0, 1.0))
    return Diversity(
        vectors,
        strength=draw(STRENGTHS),
        min_distance=None if share is None else share * reach,
    )


def make_weights(draw, n_samples):
    numbers = make_numbers(draw, n_samples)
    share = draw(st.none() | st.none() | st.floats(0.0, 1.0))
    return Weights(
        numbers,
        strength=draw(STRENGTHS),
        max_sum=None if share is None else share * float(np.abs(numbers).sum()),
    )


def make_similarity(draw, n_samples):
    vectors = make_vectors(draw, n_samples)
    queries = vectors[draw(st.lists(st.integers(0, n_samples - 1), min_size=1, max_size=4))]
    return Similarity(
        vectors, queries * np.float32(0.5), strength=draw(STRENGTHS), max_sum=draw(MAX_SUMS)
    )


def make_typicality(draw, n_samples):
    return Typicality(
        make_vectors(draw, n_samples),
        n_neighbours=draw(st.integers(2, 8)),
        strength=draw(STRENGTHS),
        min_typicality=draw(st.none() | st.floats(0.0, 1.0)),
        max_sum=draw(MAX_SUMS),
    )


def make_objects(draw, n_samples):
    """Return a strategy on objects; some samples have none."""
    n_objects = draw(st.integers(3, 2 * n_samples))
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    owners = rng.integers(0, n_samples, size=n_objects)
    maker = draw(st.sampled_from([make_diversity, make_similarity, make_typicality]))
    strategy = maker(draw, n_objects)
    objects = Objects(strategy.embeddings, owners=owners, n_samples=n_samples)
    return dataclasses.replace(strategy, embeddings=objects)


def make_balance(draw, n_samples):
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    n_classes = draw(st.integers(1, 5))
    classes = {
        "numbers": np.append(rng.integers(-1, n_classes, size=n_samples - 1), n_classes - 1),
        "probabilities": rng.random((n_samples, n_classes)),
        "counts": rng.integers(0, 3, size=(n_samples, n_classes)),
        "one-hot": np.eye(n_classes)[rng.integers(0, n_classes, size=n_samples)],
    }[draw(st.sampled_from(["numbers", "probabilities", "counts", "one-hot"]))]
    shares = st.sampled_from([0.0, 0.1, 0.2, 0.25, 0.5, 1.0])
    named = st.dictionaries(st.integers(0, n_classes - 1), shares, min_size=1)
    target = draw(st.sampled_from(["UNIFORM", "INPUT"]) | named)
    return Balance(classes, target=target, strength=draw(STRENGTHS))


def make_threshold(draw, n_samples):
    return Threshold(make_numbers(draw, n_samples), threshold=1.0, operation=draw(OPERATIONS))


@st.composite
def configurations(draw, makers, *, at_most=3):
    """Return the arguments of one selection."""
    n_samples = draw(st.integers(3, 40))
    chosen = draw(st.lists(st.sampled_from(makers), min_size=1, max_size=at_most))
    positions = st.integers(0, n_samples - 1)
    return {
        "n_samples": draw(st.sampled_from([None, -1, 0, 1, 3, 8, n_samples, n_samples + 3])),
        "strategies": [make(draw, n_samples) for make in chosen],
        "preselected": np.array(draw(st.lists(positions, max_size=5)), dtype=np.int64),
    }


def check(configuration, sizes):
    try:
        picks, stop_reason = select_plainly(**configuration)
    except TooFewToCompare:
        with pytest.raises(InvalidSelectionInput, match="at least 2"):
            select(**configuration)
        return
    with tuned(sizes):
        result = select(**configuration)

    assert result.indices.tolist() == picks
    assert result.stop_reason == stop_reason
    for strategy, report in zip(configuration["strategies"], result.strategies, strict=True):
        if isinstance(strategy, Diversity) and not isinstance(strategy.embeddings, Objects):
            check_distances(strategy.embeddings, report, configuration["preselected"], picks)


def check_distances(embeddings, report, preselected, picks):
    expected = trace_distances(embeddings, preselected, picks)
    assert report.distances.tolist() == [distance for distance, _ in expected]
    assert report.nearest.tolist() == [neighbour for _, neighbour in expected]


def property_test(n_examples):
    """A property that the default profile runs often enough to find real faults."""
    return settings(
        max_examples=n_examples, deadline=None, suppress_health_check=[HealthCheck.too_slow]
    )


MEASURED = [make_diversity, make_weights]
EVERY = [*MEASURED, make_balance, make_similarity, make_typicality, make_objects, make_threshold]


@property_test(150)
@given(configurations([make_diversity], at_most=1), SIZES)
def test_diversity_alone_picks_as_the_model(configuration, sizes):
    check(configuration, sizes)


@property_test(40)
@given(configurations([make_weights], at_most=1), SIZES)
def test_weights_alone_pick_as_the_model(configuration, sizes):
    check(configuration, sizes)


@property_test(40)
@given(configurations([make_balance], at_most=1), SIZES)
def test_balance_alone_picks_as_the_model(configuration, sizes):
    check(configuration, sizes)


@property_test(150)
@given(configurations(MEASURED), SIZES)
def test_products_of_diversity_and_weights_pick_as_the_model(configuration, sizes):
    check(configuration, sizes)


@property_test(80)
@given(configurations([*MEASURED, make_threshold]), SIZES)
def test_thresholds_filter_before_everything_as_in_the_model(configuration, sizes):
    check(configuration, sizes)


@property_test(40)
@given(configurations([make_diversity, make_balance], at_most=2), SIZES)
def test_products_with_balance_pick_as_the_model(configuration, sizes):
    check(configuration, sizes)


@property_test(50)
@given(configurations([make_similarity, make_diversity]), SIZES)
def test_products_with_similarity_pick_as_the_model(configuration, sizes):
    check(configuration, sizes)


@property_test(40)
@given(configurations([make_diversity], at_most=2), SIZES, st.data())
def test_products_with_typicality_pick_as_the_model(configuration, sizes, data):
    strategies = configuration["strategies"]
    strategies.append(make_typicality(data.draw, strategies[0].n_samples))
    n_selected = len(set(configuration["preselected"].tolist()))
    if strategies[0].n_samples - n_selected < 2:
        configuration["preselected"] = configuration["preselected"][:1]

    check(configuration, sizes)


@property_test(60)
@given(configurations([make_objects], at_most=1), SIZES)
def test_strategies_on_objects_pick_as_the_model(configuration, sizes):
    check(configuration, sizes)


@property_test(40)
@given(configurations([make_objects, make_weights, make_diversity]), SIZES)
def test_products_with_objects_pick_as_the_model(configuration, sizes):
    check(configuration, sizes)


@pytest.mark.long
@property_test(2_000)
@given(configurations(EVERY, at_most=4), SIZES)
def test_all_mixtures_pick_as_the_model(configuration, sizes):
    check(configuration, sizes)


@pytest.mark.long
@property_test(1_000)
@given(configurations([make_diversity, make_diversity, make_weights, make_typicality]), SIZES)
def test_products_of_matrices_pick_as_the_model(configuration, sizes):
    # Elsewhere compiled loops are used, on machines that have them.
    with without_kernels():
        check(configuration, sizes)
