"""Runs that go straight from embeddings to picks tell what all other runs would."""

from __future__ import annotations

from contextlib import nullcontext

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lightly.selection import Diversity, InvalidSelectionInput, SelectionState, select, short_runs
from tests.unit.selection.plain_picks import KINDS, make_vectors
from tests.unit.selection.tuning import tuned, without_kernels

DENSE = {"ns_to_pack": 0, "ns_to_pack_large": 0}
DIRECT = {"ns_to_pack": 10**12, "ns_to_pack_large": 10**12, "direct_picks_alone": 1_000}
CALLED = {"progress": lambda *_: None}


@settings(max_examples=120, deadline=None)
@given(st.data())
def test_a_short_run_tells_what_any_other_would(data):
    rng = np.random.default_rng(data.draw(st.integers(0, 2**32 - 1)))
    shape = (data.draw(st.integers(6, 150)), data.draw(st.sampled_from([1, 3, 17, 40, 90])))
    vectors = make_vectors(data.draw(st.sampled_from(KINDS)), rng, shape)
    far = float(np.abs(vectors).max()) * data.draw(st.sampled_from([0.0, 0.1, 1.0]))
    strategy = Diversity(vectors, min_distance=data.draw(st.sampled_from([None, far])))
    count = data.draw(st.sampled_from([None, 1, 2, 7, 40, shape[0], shape[0] + 3]))
    sizes = data.draw(st.sampled_from([DENSE, DIRECT]))
    few = {"few_direct_picks": data.draw(st.sampled_from([0, 64])), "measured_rows": 5}
    # Whoever wants to know how far a run is takes the longer way.
    expected = select(n_samples=count, strategies=[strategy], **CALLED)
    other = expected.strategies[0]

    with tuned({**sizes, **few}), without_kernels() if data.draw(st.booleans()) else nullcontext():
        result = select(n_samples=count, strategies=[strategy])
        report = result.strategies[0]
        assert report.coverage == other.coverage

    assert result.indices.tolist() == expected.indices.tolist()
    assert result.distances.tolist() == expected.distances.tolist()
    assert result.gains.tolist() == expected.gains.tolist()
    assert report.nearest.tolist() == other.nearest.tolist()
    assert (report.kind, report.min_distance) == (other.kind, other.min_distance)
    for name in ("stop_reason", "n_wanted", "n_preselected", "n_candidates", "n_eligible", "seed"):
        assert getattr(result, name) == getattr(expected, name)
    assert result.save_state().to_bytes() == expected.save_state().to_bytes()


@pytest.mark.parametrize("sizes", [DENSE, DIRECT])
def test_ordinary_runs_are_short(sizes, embeddings, monkeypatch):
    expected = select(n_samples=9, strategies=[Diversity(embeddings)], **CALLED)
    monkeypatch.setattr("lightly.selection.engine._work", lambda *_: pytest.fail("a long run"))

    with tuned(sizes):
        result = select(n_samples=9, strategies=[Diversity(embeddings)])

    assert result.indices.tolist() == expected.indices.tolist()


@pytest.mark.parametrize("sizes", [DENSE, DIRECT])
@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
def test_what_is_not_finite_is_named(sizes, value, embeddings):
    embeddings[17, 3] = value

    with tuned(sizes), pytest.raises(InvalidSelectionInput, match="sample 17"):
        select(n_samples=9, strategies=[Diversity(embeddings)])


def test_a_run_whose_values_are_too_close_is_left_to_others(embeddings):
    rows = np.round(embeddings)
    expected = select(n_samples=60, strategies=[Diversity(rows)], **CALLED)

    with tuned({**DIRECT, "most_near": 1}):
        assert short_runs.run_shortly(Diversity(rows), 60) is None
        result = select(n_samples=60, strategies=[Diversity(rows)])

    assert result.indices.tolist() == expected.indices.tolist()


def test_a_short_run_is_resumed_by_a_longer_one(embeddings):
    state = select(n_samples=20, strategies=[Diversity(embeddings)]).save_state()

    resumed = select(
        n_samples=50,
        strategies=[Diversity(embeddings)],
        resume=SelectionState.from_bytes(state.to_bytes()),
    )

    whole = select(n_samples=50, strategies=[Diversity(embeddings)])
    assert resumed.indices.tolist() == whole.indices.tolist()
    assert resumed.distances.tolist() == whole.distances.tolist()
