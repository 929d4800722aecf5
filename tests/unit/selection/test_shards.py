"""Two rounds of shards: as good as promised, the same wherever shards run."""

from __future__ import annotations

import pickle
from concurrent.futures import Future, ThreadPoolExecutor

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lightly.data.large_selection import EmbeddingFile
from lightly.selection import (
    Diversity,
    InvalidSelectionInput,
    SelectionCancelled,
    measure_coverage,
    run_on,
    select,
    select_in_shards,
)
from lightly.selection.shards import deal

ROWS = np.random.default_rng(6).normal(size=(600, 5)).astype(np.float32)


@st.composite
def inputs(draw):
    generator = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    n_rows = draw(st.integers(1, 80))
    rows = generator.normal(size=(n_rows, draw(st.integers(1, 4))))
    if draw(st.booleans()):
        rows = np.rint(rows)
    return rows.astype(np.float32), draw(st.integers(1, 20)), draw(st.integers(1, 8))


@given(given_=inputs())
def test_the_radius_is_within_its_bounds_and_four_times_the_best(given_):
    rows, n_samples, shards = given_

    found = select_in_shards(rows, n_samples, shards=shards)

    radius = measure_coverage(rows, found.indices).radius
    slack = 1 + 1e-9
    assert len(set(found.indices.tolist())) == min(n_samples, len(rows))
    assert radius <= found.radius_bound * slack
    assert found.best_radius_bound <= radius * slack
    # One greedy run is within twice the best radius.
    whole = select(n_samples=n_samples, strategies=[Diversity(rows)])
    best_at_most = whole.strategies[0].coverage.radius
    assert radius <= 4 * best_at_most * slack
    assert found.best_radius_bound <= best_at_most * slack


@given(given_=inputs())
def test_no_more_is_kept_than_shards_can_pick_and_all_of_small_shards(given_):
    rows, n_samples, shards = given_

    found = select_in_shards(rows, n_samples, shards=shards)
    everything = select_in_shards(rows, len(rows), shards=shards)

    assert found.n_kept <= n_samples * found.n_shards
    assert everything.n_kept == len(rows)
    assert everything.common_radius == 0.0


class Elsewhere:
    """An executor that sends everything, as a cluster does."""

    def submit(self, run, spec):
        run, spec = pickle.loads(pickle.dumps((run, spec)))
        future: Future = Future()
        future.set_result(pickle.loads(pickle.dumps(run(spec))))
        return future


def run_backwards(specs, run):
    return iter([run(spec) for spec in reversed(list(specs))])


def test_picks_do_not_depend_on_where_and_in_which_order_shards_run():
    expected = select_in_shards(ROWS, 30, shards=5)

    with ThreadPoolExecutor(3) as threads:
        for runner in (run_on(threads, 4), run_on(threads, 1), run_on(Elsewhere()), run_backwards):
            found = select_in_shards(ROWS, 30, shards=5, runner=runner)
            assert found.indices.tolist() == expected.indices.tolist()
            assert found.distances.tolist() == expected.distances.tolist()


def test_one_shard_picks_what_a_single_run_picks():
    found = select_in_shards(ROWS, 40, shards=1)

    # What is kept is in the order of the input, so the first pick is the same.
    whole = select(n_samples=40, strategies=[Diversity(ROWS)])
    assert found.indices.tolist() == whole.indices.tolist()


def test_preselected_samples_are_known_to_every_shard():
    earlier = select(n_samples=20, strategies=[Diversity(ROWS)]).indices

    found = select_in_shards(ROWS, 20, shards=4, preselected=earlier)

    both = np.concatenate([earlier, found.indices])
    assert len(set(both.tolist())) == 40
    single = select(n_samples=20, strategies=[Diversity(ROWS)], preselected=earlier)
    assert measure_coverage(ROWS, both).radius <= 1.15 * single.strategies[0].coverage.radius
    assert found.distances.max() < np.inf


def test_shards_of_a_file_are_read_where_they_run(tmp_path):
    np.save(tmp_path / "rows.npy", ROWS)

    file = EmbeddingFile(tmp_path / "rows.npy")
    found = select_in_shards(file, 30, shards=5, runner=run_on(Elsewhere()))

    expected = select_in_shards(ROWS, 30, shards=5)
    assert found.indices.tolist() == expected.indices.tolist()


def test_every_sample_is_dealt_to_one_shard_and_the_seed_decides_to_which():
    samples = np.arange(100)

    dealt = deal(samples, 7, seed=1)

    assert sorted(np.concatenate(dealt).tolist()) == samples.tolist()
    assert {len(part) for part in dealt} == {14, 15}
    assert [part.tolist() for part in deal(samples, 7, seed=1)] == [p.tolist() for p in dealt]
    assert [part.tolist() for part in deal(samples, 7, seed=2)] != [p.tolist() for p in dealt]


def test_progress_counts_shards_and_a_run_can_be_cancelled():
    seen = []

    select_in_shards(ROWS, 30, shards=3, progress=lambda *at: seen.append(at))

    assert seen == [(1, 3), (2, 3), (3, 3), (3, 3)]
    with pytest.raises(SelectionCancelled):
        select_in_shards(ROWS, 30, shards=3, should_cancel=lambda: True)


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"n_samples": 0}, "number of samples"),
        ({"shards": 0}, "number of shards"),
        ({"shards": 1.5}, "number of shards"),
        ({"embeddings": [1.0, 2.0]}, "shape"),
        ({"embeddings": np.empty((0, 2))}, "no samples"),
        ({"embeddings": [[0.0], [np.nan]]}, "not a finite"),
        ({"preselected": [9]}, "preselected"),
    ],
)
def test_what_makes_no_sense_is_refused_by_name(changes, words):
    asked = {"embeddings": [[0.0], [1.0]], "n_samples": 1, "shards": 1, **changes}

    with pytest.raises(InvalidSelectionInput, match=words):
        select_in_shards(**asked)
