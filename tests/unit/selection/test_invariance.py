"""What must not change the picks: layout, type, chunks, threads, order, other people's work."""

from __future__ import annotations

import numpy as np
import pytest
import threadpoolctl

from lightly.selection import (
    Balance,
    Diversity,
    Random,
    Similarity,
    Threshold,
    Typicality,
    Weights,
    engine,
    select,
)


def store_in_columns(rows, folder):
    return np.asfortranarray(rows)


def leave_gaps(rows, folder):
    wide = np.zeros((2 * len(rows), 2 * rows.shape[1]), dtype=np.float32)
    wide[::2, ::2] = rows
    return wide[::2, ::2]


def reverse_twice(rows, folder):
    return np.ascontiguousarray(rows[::-1, ::-1])[::-1, ::-1]


def map_from_disk(rows, folder):
    np.save(folder / "rows.npy", rows)
    return np.load(folder / "rows.npy", mmap_mode="r")


def widen(rows, folder):
    return rows.astype(np.float64)


def list_numbers(rows, folder):
    return rows.tolist()


LAYOUTS = [store_in_columns, leave_gaps, reverse_twice, map_from_disk, widen, list_numbers]


def make_mixture(embeddings, weights):
    classes = np.arange(len(weights)) % 5
    return {
        "diversity": [Diversity(embeddings)],
        "dissimilarity": [Diversity(embeddings, strength=-1.0)],
        "weights": [Weights(weights)],
        "random": [Weights(Random([f"{i}.jpg" for i in range(len(weights))], seed=3))],
        "balance": [Balance(classes, target="UNIFORM")],
        "typicality": [Typicality(embeddings)],
        "similarity": [Similarity(embeddings, np.asarray(embeddings)[:5])],
        "everything": [
            Diversity(embeddings),
            Weights(weights, strength=0.5),
            Balance(classes, target={0: 0.5}),
            Typicality(embeddings, n_neighbours=5),
            Similarity(embeddings, np.asarray(embeddings)[:5], strength=-1.0),
            Threshold(weights, threshold=0.15, operation="BIGGER"),
        ],
    }


MIXTURES = ["diversity", "dissimilarity", "weights", "random", "balance", "typicality"]
MIXTURES += ["similarity", "everything"]


@pytest.mark.parametrize("arrange", LAYOUTS)
@pytest.mark.parametrize("name", ["diversity", "everything"])
def test_layout_and_type_of_embeddings_change_nothing(name, arrange, embeddings, weights, tmp_path):
    usual = select(n_samples=60, strategies=make_mixture(embeddings, weights)[name])
    arranged = arrange(embeddings, tmp_path)

    unusual = select(n_samples=60, strategies=make_mixture(arranged, weights)[name])

    assert unusual.indices.tolist() == usual.indices.tolist()
    assert unusual.gains.tolist() == usual.gains.tolist()


@pytest.mark.parametrize("name", MIXTURES)
def test_the_same_input_gives_the_same_result_twice(name, embeddings, weights):
    first = select(n_samples=60, strategies=make_mixture(embeddings, weights)[name])

    second = select(n_samples=60, strategies=make_mixture(embeddings, weights)[name])

    assert first.indices.tolist() == second.indices.tolist()
    assert first.gains.tolist() == second.gains.tolist()


@pytest.mark.parametrize("name", MIXTURES)
def test_sizes_of_pools_and_chunks_change_nothing(name, embeddings, weights, hurry):
    usual = select(n_samples=60, strategies=make_mixture(embeddings, weights)[name])
    hurry()

    hurried = select(n_samples=60, strategies=make_mixture(embeddings, weights)[name])

    assert hurried.indices.tolist() == usual.indices.tolist()
    assert hurried.gains.tolist() == usual.gains.tolist()
    assert hurried.distances.tolist() == pytest.approx(usual.distances.tolist(), nan_ok=True)


@pytest.mark.parametrize("name", MIXTURES)
def test_input_is_never_modified(name, embeddings, weights):
    embeddings.setflags(write=False)
    weights.setflags(write=False)

    result = select(n_samples=60, strategies=make_mixture(embeddings, weights)[name])

    assert len(set(result.indices.tolist())) == 60


@pytest.mark.parametrize("name", ["diversity", "weights", "everything"])
def test_permuting_samples_permutes_the_picks(name, embeddings, weights):
    order = np.random.default_rng(1).permutation(len(weights))
    # Class numbers go along; the first pick of diversity alone is a matter of order.
    classes = np.arange(len(weights)) % 5
    options = {
        "diversity": lambda e, _, __: [Diversity(e)],
        "weights": lambda _, w, __: [Weights(w)],
        "everything": lambda e, w, c: [
            Diversity(e),
            Weights(w),
            Balance(c, target={0: 0.3}),
            Typicality(e),
            Similarity(e, embeddings[:5]),
        ],
    }[name]
    straight = select(
        n_samples=50, strategies=options(embeddings, weights, classes), preselected=[17]
    )

    permuted = select(
        n_samples=50,
        strategies=options(embeddings[order], weights[order], classes[order]),
        preselected=np.flatnonzero(order == 17),
    )

    assert order[permuted.indices].tolist() == straight.indices.tolist()


def test_order_of_strategies_changes_nothing(embeddings, weights):
    strategies = make_mixture(embeddings, weights)["everything"]

    forwards = select(n_samples=80, strategies=strategies)
    backwards = select(n_samples=80, strategies=strategies[::-1])

    assert forwards.indices.tolist() == backwards.indices.tolist()
    assert forwards.gains.tolist() == backwards.gains[:, ::-1].tolist()


@pytest.mark.parametrize("n_threads", [1, 2, 3])
def test_number_of_blas_threads_changes_nothing(n_threads, monkeypatch):
    rng = np.random.default_rng(2)
    embeddings = rng.normal(size=(3_000, 64)).astype(np.float32)
    usual = select(n_samples=200, strategies=[Diversity(embeddings)])
    monkeypatch.setattr(
        engine,
        "hold_blas_to_one_thread",
        lambda: threadpoolctl.threadpool_limits(n_threads, user_api="blas"),
    )

    other = select(n_samples=200, strategies=[Diversity(embeddings)])

    assert other.indices.tolist() == usual.indices.tolist()
    assert other.distances.tolist() == usual.distances.tolist()


@pytest.mark.parametrize("name", ["diversity", "weights", "balance", "everything"])
def test_selecting_in_two_runs_equals_one_run(name, embeddings, weights):
    strategies = make_mixture(embeddings, weights)[name]
    # Typicality and similarity are relative to what is offered, so only picks in one go compare.
    if name == "everything":
        strategies = [s for s in strategies if not isinstance(s, Typicality | Similarity)]
    together = select(n_samples=50, strategies=strategies)

    first = select(n_samples=20, strategies=strategies)
    second = select(n_samples=30, strategies=strategies, preselected=first.indices)

    assert np.concatenate([first.indices, second.indices]).tolist() == together.indices.tolist()


@pytest.mark.parametrize("name", ["diversity", "weights", "balance", "everything"])
def test_fewer_picks_are_a_prefix_of_more(name, embeddings, weights):
    strategies = make_mixture(embeddings, weights)[name]

    few = select(n_samples=10, strategies=strategies)
    many = select(n_samples=40, strategies=strategies)

    assert many.indices[:10].tolist() == few.indices.tolist()
