"""Odd numbers give a defined result or a clear error, the same on every run and thread count."""

from __future__ import annotations

import numpy as np
import pytest
import threadpoolctl

from lightly.selection import (
    Balance,
    Diversity,
    InvalidSelectionInput,
    Objects,
    Similarity,
    Typicality,
    Weights,
    select,
)

N_SAMPLES = 60


def make_rows(kind):
    rng = np.random.default_rng(0)
    normal = rng.normal(size=(N_SAMPLES, 5))
    return {
        "zero vectors": np.zeros((N_SAMPLES, 5)),
        "some zero vectors": normal * (rng.random((N_SAMPLES, 1)) < 0.5),
        "identical": np.full((N_SAMPLES, 5), 0.1),
        "one dimension": normal[:, :1],
        "smallest": normal * 1e-45,
        "below float32": normal * 1e-308,
        "largest": np.clip(normal, -1, 1) * 3e38,
        "wide": normal * 10.0 ** rng.integers(-40, 38, size=(N_SAMPLES, 1)),
        "offset": 1e6 + normal,
        "one stands out": np.where(np.arange(N_SAMPLES)[:, None] == 7, 1e30, normal),
    }[kind].astype(np.float32)


def list_strategies(rows):
    codes = np.arange(len(rows)) % 3
    objects = Objects(rows, owners=np.arange(len(rows)) // 2, n_samples=len(rows))
    return {
        "diversity": [Diversity(rows)],
        "negative": [Diversity(rows, strength=-1.0)],
        "objects": [Diversity(objects)],
        "typicality": [Typicality(rows)],
        "similarity": [Similarity(rows, rows[:2])],
        "mixture": [Diversity(rows), Typicality(rows), Balance(codes, target="UNIFORM")],
    }


ROWS = ["zero vectors", "some zero vectors", "identical", "one dimension", "smallest"]
ROWS += ["below float32", "largest", "wide", "offset", "one stands out"]
NAMES = ["diversity", "negative", "objects", "typicality", "similarity", "mixture"]


@pytest.mark.parametrize("kind", ROWS)
@pytest.mark.parametrize("name", NAMES)
def test_every_sample_is_picked_once_however_odd_the_numbers(name, kind):
    result = select(n_samples=N_SAMPLES + 5, strategies=list_strategies(make_rows(kind))[name])

    assert sorted(result.indices.tolist()) == list(range(N_SAMPLES))
    assert result.stop_reason == "exhausted"
    assert np.isfinite(result.gains).all()


@pytest.mark.parametrize("kind", ROWS)
@pytest.mark.parametrize("name", NAMES)
def test_odd_numbers_give_the_same_on_any_threads_and_chunks(name, kind, hurry):
    usual = select(n_samples=20, strategies=list_strategies(make_rows(kind))[name])
    hurry()

    with threadpoolctl.threadpool_limits(2):
        other = select(n_samples=20, strategies=list_strategies(make_rows(kind))[name])

    assert other.indices.tolist() == usual.indices.tolist()
    assert other.gains.tolist() == usual.gains.tolist()


@pytest.mark.parametrize("name", NAMES)
def test_half_precision_is_what_its_values_are_in_full(name):
    rows = make_rows("one dimension").astype(np.float16)

    half = select(n_samples=20, strategies=list_strategies(rows)[name])
    full = select(n_samples=20, strategies=list_strategies(rows.astype(np.float32))[name])

    assert half.indices.tolist() == full.indices.tolist()


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
@pytest.mark.parametrize("name", NAMES)
def test_what_is_not_finite_names_the_sample(name, bad):
    rows = make_rows("offset")
    rows[11, 2] = bad

    with pytest.raises(InvalidSelectionInput, match="finite") as info:
        select(n_samples=3, strategies=list_strategies(rows)[name])

    assert info.value.context["sample"] == (5 if name == "objects" else 11)


@pytest.mark.parametrize("rows", [np.zeros((1, 1)), np.ones((1, 3)), np.full((1, 2), 1e-45)])
def test_one_sample_is_picked_by_distance(rows):
    result = select(n_samples=5, strategies=[Diversity(rows.astype(np.float32)), Weights([0.0])])

    assert result.indices.tolist() == [0]


def test_preselected_duplicates_count_once_in_every_strategy():
    rows, codes = make_rows("offset"), np.arange(N_SAMPLES) % 3
    strategies = [
        Diversity(rows),
        Weights(np.arange(60.0)),
        Balance(codes, target={0: 0.7, 1: 0.3}),
    ]

    once = select(n_samples=10, strategies=strategies, preselected=[4, 9])
    often = select(n_samples=10, strategies=strategies, preselected=[4, 9, 4, 4, 9])

    assert often.indices.tolist() == once.indices.tolist()
    assert often.strategies[1].total == once.strategies[1].total


@pytest.mark.parametrize("name", NAMES)
def test_no_pick_is_asked_for(name):
    result = select(n_samples=0, strategies=list_strategies(make_rows("offset"))[name])

    assert (result.indices.tolist(), result.stop_reason) == ([], "count")
