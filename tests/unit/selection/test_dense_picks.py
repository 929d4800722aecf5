"""The first picks of a run, made with all distances at hand, are those of the rule."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lightly.selection import Diversity, SelectionCancelled, dense_picks, select
from lightly.selection.embeddings import EmbeddingSpace
from lightly.selection.kernels.loading import load_kernels
from lightly.selection.nearest import NearestSelected
from lightly.selection.progress import Pulse
from tests.unit.selection.plain_picks import KINDS, make_vectors, pick_plainly
from tests.unit.selection.tuning import tuned, without_kernels

# No picks are dense; all are; the first few are.
POOLS = {"ns_to_pack": 0, "direct_picks_large": 0, "dense_bytes": 0}
DENSE = {**POOLS, "dense_bytes": 1 << 30, "fewest_dense_picks": 1_000}
BOTH = {**DENSE, "dense_worth_bytes": 1, "fewest_dense_picks": 7}


@pytest.fixture(autouse=True)
def _loops():
    if load_kernels() is None:
        pytest.skip("this processor does not run the compiled loops")


def pick(vectors, n_picks, sizes, **more):
    with tuned(sizes):
        return select(n_samples=n_picks, strategies=[Diversity(vectors)], **more)


@settings(max_examples=150, deadline=None)
@given(st.data())
def test_dense_picks_are_those_of_the_plain_rule(data):
    rng = np.random.default_rng(data.draw(st.integers(0, 2**32 - 1)))
    shape = (data.draw(st.integers(1, 200)), data.draw(st.integers(1, 70)))
    kind = data.draw(st.sampled_from(["normal", "one far away"] if shape[0] < 6 else KINDS))
    vectors = make_vectors("normal" if shape[0] < 6 else kind, rng, shape)
    n_before = data.draw(st.integers(0, min(5, shape[0])))
    preselected = rng.permutation(shape[0])[:n_before].tolist()
    far = float(np.abs(vectors).max()) * data.draw(st.sampled_from([0.0, 0.0, 0.1, 1.0]))
    n_picks = data.draw(st.integers(1, shape[0]))
    expected = pick_plainly(vectors, n_picks, preselected, far)

    with tuned({**data.draw(st.sampled_from([DENSE, BOTH])), "dense_products": 3 * vectors.size}):
        result = select(
            n_samples=n_picks,
            strategies=[Diversity(vectors, min_distance=far)],
            preselected=preselected,
        )

    assert result.indices.tolist() == expected[0]
    assert result.distances.tolist() == expected[1]


@pytest.mark.parametrize("sizes", [DENSE, BOTH])
@pytest.mark.parametrize("kind", KINDS)
def test_reports_do_not_tell_how_picks_were_made(kind, sizes):
    vectors = make_vectors(kind, np.random.default_rng(1), (1_500, 24))
    candidates = np.arange(1_500) % 7 > 0
    more = {"preselected": [3, 3, 700], "candidates": candidates}
    expected = pick(vectors, 200, POOLS, **more)

    result = pick(vectors, 200, sizes, **more)

    assert result.indices.tolist() == expected.indices.tolist()
    assert result.distances.tolist() == expected.distances.tolist()
    report, other = result.strategies[0], expected.strategies[0]
    assert report.nearest.tolist() == other.nearest.tolist()
    assert report.coverage == other.coverage


@pytest.mark.parametrize("kind", KINDS)
def test_bounds_hold_what_they_bound(kind):
    vectors = make_vectors(kind, np.random.default_rng(2), (300, 33))
    space = EmbeddingSpace({"embeddings": vectors}, pulse=Pulse(0))
    nearest = NearestSelected(space, np.arange(300), capacity=40)
    nearest.select_many(np.array([7]))
    nearest.retire(7)
    opened = dense_picks.open_dense_picks(nearest)
    if opened is None:
        assert space.scale != 1.0
        return

    rows = opened.pick(30, 0.0).rows

    free = np.setdiff1d(np.arange(300), [7, *rows])
    # Picks that equal a selected sample are not selected: they are at no distance.
    chosen = np.array([7, *rows])
    exact = np.array([space.measure_exactly(np.full(31, row), chosen) for row in free])
    assert (nearest.lower[free] <= exact.min(axis=1)).all()
    assert (exact.min(axis=1) <= nearest.upper[free]).all()
    nearest.resolve(free)
    assert nearest.upper[free].tolist() == exact.min(axis=1).tolist()
    assert (nearest.seen == nearest.n_selected).all()


def test_short_runs_need_no_pool(monkeypatch):
    vectors = make_vectors("unit", np.random.default_rng(3), (1_000, 32))
    monkeypatch.setattr(NearestSelected, "open_pool", lambda *_: pytest.fail("a pool"))

    result = select(n_samples=100, strategies=[Diversity(vectors)])

    assert result.indices.tolist() == pick_plainly(vectors, 100)[0]


def test_long_runs_on_large_data_go_on_in_pools(monkeypatch):
    vectors = make_vectors("unit", np.random.default_rng(3), (2_000, 8))
    n_dense = []
    original = dense_picks.DensePicks.pick

    def count(self, *arguments):
        picks = original(self, *arguments)
        n_dense.append(len(picks.rows))
        return picks

    monkeypatch.setattr(dense_picks.DensePicks, "pick", count)

    result = pick(vectors, 300, BOTH)

    assert sum(n_dense) == 6
    assert result.indices.tolist() == pick_plainly(vectors, 300)[0]


def test_without_loops_nothing_is_dense():
    vectors = make_vectors("unit", np.random.default_rng(4), (500, 8))
    with without_kernels():
        nearest = NearestSelected(
            EmbeddingSpace({"embeddings": vectors}, pulse=Pulse(0)), np.arange(500), capacity=9
        )
        nearest.select(0)

        assert dense_picks.open_dense_picks(nearest) is None


@pytest.mark.parametrize("n_first", [1, 30, 100])
def test_a_resumed_run_continues_densely(n_first):
    vectors = make_vectors("duplicates", np.random.default_rng(5), (400, 8))
    state = pick(vectors, n_first, DENSE).save_state()

    result = pick(vectors, 250, BOTH, resume=state)

    assert result.indices.tolist() == pick_plainly(vectors, 250)[0]


def test_dense_picks_are_reported_and_can_be_cancelled():
    vectors = make_vectors("unit", np.random.default_rng(6), (600, 8))
    seen = []

    with pytest.raises(SelectionCancelled) as cancelled:
        pick(
            vectors,
            200,
            {**DENSE, "dense_products": 10 * vectors.size},
            progress=lambda n_picked, _: seen.append(n_picked),
            should_cancel=lambda: len(seen) > 5,
        )

    n_picked = len(cancelled.value.save_state().indices)
    assert 0 < n_picked < 200
    assert seen[-1] == n_picked
