"""Picks of mixtures that compiled loops make are those of the general way."""

from __future__ import annotations

import numpy as np
import pytest

from lightly.selection import Diversity, Typicality, Weights, mixture, select

N_SAMPLES = 2_000


def make_rows(kind):
    rng = np.random.default_rng(0)
    return {
        "normal": rng.normal(size=(N_SAMPLES, 12)),
        "grid": rng.integers(0, 3, size=(N_SAMPLES, 6)),
        "clusters": rng.normal(size=(20, 9))[rng.integers(0, 20, size=N_SAMPLES)]
        + 0.05 * rng.normal(size=(N_SAMPLES, 9)),
        "duplicates": np.repeat(rng.normal(size=(N_SAMPLES // 4, 5)), 4, axis=0),
        "tiny": rng.normal(size=(N_SAMPLES, 4)) * 1e-30,
    }[kind].astype(np.float32)


def make_strategies(kind, mix):
    rng, rows = np.random.default_rng(1), make_rows(kind)
    random = rng.random(N_SAMPLES)
    return {
        "weights": [Diversity(rows), Weights(random)],
        "powers": [Diversity(rows, strength=0.5), Weights(random, strength=-2.0)],
        "two weights": [Diversity(rows), Weights(random), Weights(rng.random(N_SAMPLES))],
        "integers": [Diversity(rows), Weights(rng.integers(0, 3, size=N_SAMPLES))],
        "signed": [Diversity(rows), Weights(random - 0.5)],
        "typicality": [Diversity(rows), Typicality(rows)],
        "distance": [Diversity(rows, min_distance=float(np.std(rows))), Weights(random)],
        "columns": [Diversity(np.asfortranarray(rows)), Weights(random)],
    }[mix]


MIXES = ["weights", "powers", "two weights", "integers", "signed", "typicality", "distance"]
MIXES += ["columns"]


@pytest.mark.parametrize("kind", ["normal", "grid", "clusters", "duplicates", "tiny"])
@pytest.mark.parametrize("mix", MIXES)
def test_picks_are_those_of_the_general_way(mix, kind, monkeypatch):
    preselected = [7, 3, 7] if mix == "weights" else []
    fast = select(n_samples=250, strategies=make_strategies(kind, mix), preselected=preselected)
    monkeypatch.setattr(mixture, "open_mixed_picks", lambda *_: None)

    usual = select(n_samples=250, strategies=make_strategies(kind, mix), preselected=preselected)

    assert fast.indices.tolist() == usual.indices.tolist()
    assert fast.gains.tolist() == usual.gains.tolist()
    assert fast.distances.tolist() == usual.distances.tolist()
    assert fast.stop_reason == usual.stop_reason


def test_cancelling_is_heard_during_fast_picks():
    answers = iter([False] * 20)

    with pytest.raises(Exception, match="cancel"):
        select(
            n_samples=N_SAMPLES,
            strategies=make_strategies("normal", "weights"),
            should_cancel=lambda: next(answers, True),
        )
