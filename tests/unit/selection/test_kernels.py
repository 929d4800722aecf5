"""The compiled loops, matrix products and any number of threads pick what the rule says."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lightly.selection import Diversity, InvalidSelectionInput, Weights, measure_coverage, select
from lightly.selection.codes import Codec
from lightly.selection.embeddings import EmbeddingSpace
from lightly.selection.kernels.loading import load_kernels
from lightly.selection.progress import Pulse
from lightly.selection.threads import run_in_threads, use_threads
from tests.unit.selection.plain_picks import KINDS, make_vectors, pick_plainly
from tests.unit.selection.tuning import SMALL, tuned, without_kernels

SIZES = st.fixed_dictionaries(
    {
        "batch_bytes": st.sampled_from([1, 40, 1 << 18]),
        "thread_products": st.sampled_from([1, 50, 1 << 30]),
        "dense_bytes": st.sampled_from([0, 0, 1 << 20]),
        "dense_worth_bytes": st.sampled_from([1, 1_000, 1 << 20]),
        "first_picks": st.sampled_from([1, 3, 128]),
        "picks_per_beat": st.sampled_from([1, 7, 256]),
        "chunk_bytes": st.sampled_from([1, 1 << 22]),
        "resident_bytes": st.sampled_from([0, 1 << 20]),
        "pool_rows": st.sampled_from([1, 6, 40]),
        "fewest_pool_rows": st.sampled_from([1, 3]),
    }
)


@settings(max_examples=60, deadline=None)
@given(st.data())
def test_any_way_of_measuring_picks_as_the_plain_rule(data):
    rng = np.random.default_rng(data.draw(st.integers(0, 2**32 - 1)))
    shape = (data.draw(st.integers(8, 160)), data.draw(st.integers(1, 40)))
    vectors = make_vectors(data.draw(st.sampled_from(KINDS)), rng, shape)
    preselected = rng.permutation(shape[0])[: data.draw(st.sampled_from([0, 0, 1, 5]))].tolist()
    far = float(np.abs(vectors).max()) * data.draw(st.sampled_from([0.0, 0.0, 0.1, 1.0]))
    n_picks = data.draw(st.integers(1, shape[0]))
    expected = pick_plainly(vectors, n_picks, preselected, far)

    with tuned({**SMALL, **data.draw(SIZES)}):
        result = select(
            n_samples=n_picks,
            strategies=[Diversity(vectors, min_distance=far)],
            preselected=preselected,
            threads=data.draw(st.integers(1, 3)),
        )

    assert result.indices.tolist() == expected[0]
    assert result.distances.tolist() == expected[1]


@pytest.mark.parametrize("kind", KINDS)
def test_loops_and_products_agree_on_everything_they_report(kind):
    vectors = make_vectors(kind, np.random.default_rng(1), (2_000, 24))
    strategies = [Diversity(vectors)]
    with without_kernels():
        expected = select(n_samples=400, strategies=strategies)

    result = select(n_samples=400, strategies=strategies)

    assert result.indices.tolist() == expected.indices.tolist()
    assert result.distances.tolist() == expected.distances.tolist()
    report, other = result.strategies[0], expected.strategies[0]
    assert report.nearest.tolist() == other.nearest.tolist()
    assert report.coverage == other.coverage


@pytest.mark.parametrize("kind", ["normal", "grid", "huge", "one far away"])
def test_mixtures_agree_with_and_without_loops(kind):
    rng = np.random.default_rng(2)
    strategies = [Diversity(make_vectors(kind, rng, (800, 9))), Weights(rng.random(800))]
    with without_kernels():
        expected = select(n_samples=80, strategies=strategies)

    result = select(n_samples=80, strategies=strategies)

    assert result.indices.tolist() == expected.indices.tolist()


LAYOUTS = {
    "float64": lambda rows: rows.astype(np.float64),
    "columns first": np.asfortranarray,
    "every other row": lambda rows: np.repeat(rows, 2, axis=0)[::2],
    "reversed columns": lambda rows: np.ascontiguousarray(rows[:, ::-1])[:, ::-1],
    "other byte order": lambda rows: rows.astype(">f4"),
    "read-only": lambda rows: rows.copy(),
    "unaligned": lambda rows: (
        np.frombuffer(b"\0" + rows.tobytes(), np.uint8)[1:].view("<f4").reshape(rows.shape)
    ),
}


@pytest.mark.parametrize("layout", LAYOUTS)
def test_memory_layout_changes_nothing(layout):
    vectors = make_vectors("normal", np.random.default_rng(3), (1_500, 20))
    expected = select(n_samples=300, strategies=[Diversity(vectors)])
    stored = LAYOUTS[layout](vectors)
    if layout == "read-only":
        stored.setflags(write=False)

    result = select(n_samples=300, strategies=[Diversity(stored)])

    assert result.indices.tolist() == expected.indices.tolist()
    assert result.distances.tolist() == expected.distances.tolist()


def test_half_precision_equals_its_float32_values():
    halves = np.random.default_rng(4).normal(size=(1_000, 16)).astype(np.float16)

    result = select(n_samples=200, strategies=[Diversity(halves)])

    other = select(n_samples=200, strategies=[Diversity(halves.astype(np.float32))])
    assert result.indices.tolist() == other.indices.tolist()


def test_memory_map_equals_the_array(tmp_path):
    vectors = make_vectors("unit", np.random.default_rng(5), (1_000, 16))
    np.save(tmp_path / "vectors.npy", vectors)
    mapped = np.load(tmp_path / "vectors.npy", mmap_mode="r")

    result = select(n_samples=200, strategies=[Diversity(mapped)])

    assert result.indices.tolist() == pick_plainly(vectors, 200)[0]


@pytest.mark.parametrize("n_threads", [1, 2, 5])
def test_number_of_threads_changes_nothing(n_threads):
    vectors = make_vectors("unit", np.random.default_rng(6), (6_000, 24))

    with tuned({"resident_bytes": 0, "thread_products": 1_000, "chunk_bytes": 1 << 14}):
        result = select(n_samples=500, strategies=[Diversity(vectors)], threads=n_threads)

    assert result.indices.tolist() == pick_plainly(vectors, 500)[0]


@pytest.mark.parametrize("threads", [0, -1, True, 1.5])
def test_number_of_threads_that_is_none_is_refused(threads):
    with pytest.raises(InvalidSelectionInput, match="number of threads"):
        select(n_samples=1, strategies=[Diversity(np.eye(3))], threads=threads)


def test_environment_sets_the_number_of_threads(monkeypatch):
    monkeypatch.setenv("LIGHTLY_SELECTION_THREADS", "many")

    with pytest.raises(InvalidSelectionInput, match="LIGHTLY_SELECTION_THREADS"):
        select(n_samples=1, strategies=[Diversity(np.eye(3))])


def test_every_part_of_some_work_is_done_once():
    done = []

    with use_threads(3):
        run_in_threads(done.append, list(range(100)))

    assert sorted(done) == list(range(100))


@pytest.mark.parametrize("failing", range(3))
def test_failure_of_a_part_is_raised(failing):
    def work(part):
        if part == failing:
            raise ValueError(part)

    with use_threads(2), pytest.raises(ValueError, match=str(failing)):
        run_in_threads(work, [0, 1, 2])


@settings(max_examples=60, deadline=None)
@given(st.sampled_from(KINDS), st.integers(1, 60), st.integers(0, 2**32 - 1))
def test_codes_are_as_near_to_their_rows_as_they_claim(kind, n_dims, seed):
    kernels = load_kernels()
    if kernels is None:
        pytest.skip("this processor has no instruction for 8-bit products")
    vectors = make_vectors(kind, np.random.default_rng(seed), (40, n_dims))
    space = EmbeddingSpace({"embeddings": vectors}, pulse=Pulse(0))
    codec = Codec(space, kernels)

    coded = codec.encode(np.arange(40))

    codes = coded.codes[:, :n_dims].astype(np.float64) - 128
    rows = vectors.astype(np.float64) * space.scale - space.shift
    off = np.sqrt(((rows - codec.step * codes) ** 2).sum(axis=1))
    assert (off <= coded.errors).all()
    assert coded.lengths2.tolist() == (codes**2).sum(axis=1).astype(int).tolist()
    assert (coded.codes[:, n_dims:] == 128).all()


def test_coverage_agrees_with_and_without_loops():
    vectors = make_vectors("unit", np.random.default_rng(7), (3_000, 24))
    picks = np.arange(0, 3_000, 40)

    with without_kernels():
        expected = measure_coverage(vectors, picks)

    assert measure_coverage(vectors, picks) == expected
