"""Few picks, made by one matrix-vector product each, are those of the rule."""

from __future__ import annotations

import pickle

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lightly.selection import Diversity, SelectionCancelled, measure_coverage, select
from lightly.selection.embeddings import EmbeddingSpace, find_direct_error
from lightly.selection.nearest import NearestSelected
from lightly.selection.progress import Pulse
from tests.unit.selection.plain_picks import KINDS, make_vectors, pick_plainly
from tests.unit.selection.tuning import tuned, without_kernels

DIRECT = {
    "ns_to_pack": 10**12,
    "direct_picks_large": 1_000,
    "direct_picks_alone": 1_000,
}
OTHERWISE = {
    "ns_to_pack": 0,
    "direct_picks_large": 0,
    "direct_picks_alone": 0,
    "quick_products": 0,
}
#: Coordinates this extreme are scaled first, and then measured otherwise.
SCALED_KINDS = {"tiny", "huge"}


@settings(max_examples=200, deadline=None)
@given(st.data())
def test_direct_picks_are_those_of_the_plain_rule(data):
    rng = np.random.default_rng(data.draw(st.integers(0, 2**32 - 1)))
    shape = (data.draw(st.integers(6, 200)), data.draw(st.integers(1, 70)))
    vectors = make_vectors(data.draw(st.sampled_from(KINDS)), rng, shape)
    n_before = data.draw(st.integers(0, 5))
    preselected = rng.permutation(shape[0])[:n_before].tolist()
    far = float(np.abs(vectors).max()) * data.draw(st.sampled_from([0.0, 0.0, 0.1, 1.0]))
    n_picks = data.draw(st.integers(1, shape[0]))
    expected = pick_plainly(vectors, n_picks, preselected, far)
    near = data.draw(st.sampled_from([1, 3, 256]))

    with tuned({**DIRECT, "most_near": near, "dense_products": 3 * vectors.size}):
        result = select(
            n_samples=n_picks,
            strategies=[Diversity(vectors, min_distance=far)],
            preselected=preselected,
        )

    assert result.indices.tolist() == expected[0]
    assert result.distances.tolist() == expected[1]


@pytest.mark.parametrize("share", [0.3, 0.9])
@pytest.mark.parametrize("has_loops", [True, False])
@pytest.mark.parametrize("kind", KINDS)
def test_reports_do_not_tell_how_picks_were_made(kind, has_loops, share):
    vectors = make_vectors(kind, np.random.default_rng(1), (1_500, 24))
    candidates = np.random.default_rng(2).random(1_500) < share
    given_ = {"strategies": [Diversity(vectors)], "preselected": [3, 3, 700]}
    with tuned(OTHERWISE):
        expected = select(n_samples=60, candidates=candidates, **given_)
        other = expected.strategies[0].coverage

    with tuned(DIRECT):
        if has_loops:
            result = select(n_samples=60, candidates=candidates, **given_)
        else:
            with without_kernels():
                result = select(n_samples=60, candidates=candidates, **given_)
        report = result.strategies[0]
        assert report.coverage == other

    assert result.indices.tolist() == expected.indices.tolist()
    assert result.distances.tolist() == expected.distances.tolist()
    assert report.nearest.tolist() == expected.strategies[0].nearest.tolist()


@pytest.mark.parametrize("kind", [kind for kind in KINDS if kind not in SCALED_KINDS])
def test_float32_distances_are_off_by_no_more_than_is_claimed(kind):
    vectors = make_vectors(kind, np.random.default_rng(2), (200, 33))
    space = EmbeddingSpace({"embeddings": vectors}, pulse=Pulse(0))
    assert space.scale == 1.0
    lengths2 = np.einsum("ij,ij->i", vectors, vectors)
    rough = (vectors @ (vectors[7] * np.float32(-2)) + lengths2[7]) + lengths2

    exact = space.measure_exactly(np.arange(200), np.full(200, 7))

    assert np.abs(rough - exact).max() <= find_direct_error(33, float(lengths2.max()))


@pytest.mark.parametrize("layout", [np.asfortranarray, np.float64, lambda rows: rows[::2]])
def test_memory_layout_changes_nothing(layout):
    vectors = make_vectors("normal", np.random.default_rng(3), (900, 20))
    stored = layout(vectors)

    with tuned(DIRECT):
        result = select(n_samples=30, strategies=[Diversity(stored)])

    assert result.indices.tolist() == pick_plainly(np.float32(stored), 30)[0]


def test_short_runs_need_no_pool(monkeypatch):
    vectors = make_vectors("unit", np.random.default_rng(3), (6_000, 128))
    expected = pick_plainly(vectors, 15)[0]
    radius = measure_coverage(vectors, expected).radius
    monkeypatch.setattr(NearestSelected, "open_pool", lambda *_: pytest.fail("a pool"))

    result = select(n_samples=15, strategies=[Diversity(vectors)])

    assert result.indices.tolist() == expected
    assert result.strategies[0].coverage.radius == radius


@pytest.mark.parametrize("n_picks", [1, 10])
def test_coverage_of_a_short_run_is_measured_when_it_is_read(n_picks):
    vectors = make_vectors("unit", np.random.default_rng(4), (2_000, 16))
    with tuned(DIRECT):
        result = select(n_samples=n_picks, strategies=[Diversity(vectors)])
        sent = pickle.loads(pickle.dumps(result.strategies[0]))

    assert sent.coverage == result.strategies[0].coverage
    assert sent.coverage.radius == measure_coverage(vectors, result.indices).radius


def test_a_resumed_run_continues_directly():
    vectors = make_vectors("duplicates", np.random.default_rng(5), (400, 8))
    with tuned(DIRECT):
        state = select(n_samples=20, strategies=[Diversity(vectors)]).save_state()

        result = select(n_samples=90, strategies=[Diversity(vectors)], resume=state)

    assert result.indices.tolist() == pick_plainly(vectors, 90)[0]


def test_direct_picks_are_reported_and_can_be_cancelled():
    vectors = make_vectors("unit", np.random.default_rng(6), (600, 8))
    seen = []

    with (
        tuned({**DIRECT, "dense_products": 10 * vectors.size}),
        pytest.raises(SelectionCancelled) as cancelled,
    ):
        select(
            n_samples=200,
            strategies=[Diversity(vectors)],
            progress=lambda n_picked, _: seen.append(n_picked),
            should_cancel=lambda: len(seen) > 5,
        )

    n_picked = len(cancelled.value.save_state().indices)
    assert 0 < n_picked < 200
    assert seen[-1] == n_picked
