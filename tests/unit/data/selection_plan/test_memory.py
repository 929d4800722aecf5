"""What a selection takes is told before it begins: T38."""

from __future__ import annotations

import tracemalloc

import numpy as np
import pytest

from lightly._kit.errors import BadInput
from lightly.data.selection_plan import memory
from lightly.data.selection_plan.memory import (
    BUFFER_BYTES,
    check_memory,
    measure_free_memory,
    plan_memory,
)
from lightly.selection import Balance, Diversity, Similarity, Strategy, Weights, select

RNG = np.random.default_rng(5)


def make(kind: str, count: int, dim: int) -> list[Strategy]:
    vectors = RNG.normal(size=(count, dim)).astype(np.float32)
    classes = RNG.integers(0, 8, count)
    made: dict[str, list[Strategy]] = {
        "DIVERSITY": [Diversity(vectors)],
        "WEIGHTS": [Weights(RNG.random(count))],
        "SIMILARITY": [Similarity(vectors, vectors[:50])],
        "BALANCE": [Balance(classes, target={0: 0.5})],
        "shares": [Balance(np.eye(8)[classes], target={0: 0.5})],
    }
    return made[kind]


@pytest.mark.parametrize(
    ("kind", "count", "dim", "n_picks"),
    [
        ("DIVERSITY", 150_000, 16, 50),
        ("DIVERSITY", 4_000, 512, 500),
        ("WEIGHTS", 300_000, 1, 1_000),
        ("SIMILARITY", 100_000, 16, 100),
        ("BALANCE", 200_000, 1, 100),
        ("shares", 50_000, 1, 50),
    ],
)
def test_a_selection_takes_no_more_than_was_planned(
    kind: str, count: int, dim: int, n_picks: int
) -> None:
    strategies = make(kind, count, dim)
    planned = plan_memory(strategies, n_picks)
    tracemalloc.start()
    select(n_samples=n_picks, strategies=strategies)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak <= planned


def test_the_plan_grows_with_samples_picks_and_dimensions() -> None:
    plans = [
        plan_memory(make("DIVERSITY", count, dim), n_picks)
        for count, dim, n_picks in (
            (1_000, 8, 10),
            (2_000, 8, 10),
            (2_000, 16, 10),
            (2_000, 16, 20),
        )
    ]
    assert plans == sorted(set(plans))


def test_no_more_is_picked_than_there_is() -> None:
    strategies = make("DIVERSITY", 100, 4)
    assert plan_memory(strategies, 10**12) == plan_memory(strategies, None)
    assert plan_memory(strategies, None) == plan_memory(strategies, 100)


def test_a_selection_that_does_not_fit_is_refused_with_both_numbers() -> None:
    # A map of zeros takes no memory, whatever its shape.
    vectors = np.broadcast_to(np.float32(0), (50_000_000, 1_280))
    with pytest.raises(BadInput, match=r"1000 of 50000000 samples may take 70\.\d GB .* 8\.0 GB"):
        check_memory([Diversity(vectors)], 1_000, free_bytes=8 * 10**9)
    check_memory([Diversity(vectors)], 1_000, free_bytes=80 * 10**9)


def test_a_limit_of_the_container_counts(tmp_path, monkeypatch: pytest.MonkeyPatch) -> None:
    everything = measure_free_memory()
    assert everything > BUFFER_BYTES // 100
    monkeypatch.setattr(memory, "_SYSTEM", tmp_path / "nowhere")
    assert measure_free_memory() > BUFFER_BYTES // 100
    for name, text in (
        ("memory.max", "3000"),
        ("memory.current", "2500"),
        ("memory.stat", "anon 7\ninactive_file 100\n"),
    ):
        (tmp_path / name).write_text(text)
    monkeypatch.setattr(memory, "_GROUP", tmp_path)
    assert measure_free_memory() == 600
