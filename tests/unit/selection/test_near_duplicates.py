"""Groups of near-duplicates are those of the plain rule, whatever finds them."""

from __future__ import annotations

from contextlib import ExitStack
from unittest.mock import patch

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lightly.selection import (
    InvalidSelectionInput,
    SelectionCancelled,
    find_near_duplicates,
    near_duplicates,
    near_pairs,
)
from tests.unit.selection.pair_model import (
    group_in_stars,
    group_transitively,
    measure_distances,
)
from tests.unit.selection.tuning import without_kernels

MODELS = {"transitive": group_transitively, "star": group_in_stars}
SMALL = [
    (near_duplicates, "BLOCK_ROWS", 37),
    (near_duplicates, "BATCH_ROWS", 11),
    (near_duplicates, "STAR_ROWS", 23),
    (near_duplicates, "_OWN_ROWS", 5),
    (near_pairs, "_OWN_ROWS", 7),
    (near_pairs, "_TILE_COLUMNS", 9),
    (near_pairs, "_MEASURED_PAIRS", 13),
]


@st.composite
def searches(draw):
    """Rows full of ties, copies, offsets or extreme magnitudes, and a distance that they have."""
    generator = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    n_rows, n_dims = draw(st.integers(1, 120)), draw(st.integers(1, 20))
    kind = draw(st.sampled_from(["smooth", "grid", "offset", "copies", "huge", "tiny", "tails"]))
    rows = generator.normal(size=(n_rows, n_dims))
    if kind == "grid":
        rows = generator.integers(0, 3, size=(n_rows, n_dims))
    if kind == "offset":
        rows = 1000 + 0.01 * rows
    if kind == "copies":
        rows = rows[generator.integers(0, 1 + n_rows // 4, size=n_rows)]
    if kind == "tails":
        rows *= np.exp(3 * generator.normal(size=(n_rows, 1)))
    rows = (rows * {"huge": 1e30, "tiny": 1e-30}.get(kind, 1.0)).astype(np.float32)
    distances = np.sort(measure_distances(rows), axis=None)
    place = int(draw(st.floats(0, 0.3)) * (len(distances) - 1))
    return rows, float(distances[place])


@pytest.mark.parametrize("rule", MODELS)
@given(
    search=searches(), has_loops=st.booleans(), is_small=st.booleans(), threads=st.integers(1, 2)
)
def test_groups_are_those_of_the_plain_rule(rule, search, has_loops, is_small, threads):
    rows, distance = search

    with ExitStack() as stack:
        if not has_loops:
            stack.enter_context(without_kernels())
        for module, name, value in SMALL if is_small else []:
            stack.enter_context(patch.object(module, name, value))
        found = find_near_duplicates(rows, distance, rule=rule, threads=threads)

    assert found.leaders.tolist() == MODELS[rule](rows, distance)


@pytest.mark.parametrize("rule", MODELS)
@pytest.mark.parametrize("layout", ["float64", "reversed", "column-major"])
def test_groups_do_not_depend_on_how_rows_lie_in_memory(rule, layout, embeddings):
    lain = {
        "float64": embeddings.astype(np.float64),
        "reversed": np.ascontiguousarray(embeddings[::-1])[::-1],
        "column-major": np.asfortranarray(embeddings),
    }[layout]

    found = find_near_duplicates(lain, 2.5, rule=rule)

    assert found.leaders.tolist() == MODELS[rule](embeddings, 2.5)
    assert found.n_groups > 3


@pytest.mark.parametrize("rule", MODELS)
def test_samples_that_are_no_candidates_connect_nothing(rule):
    line = np.array([[0.0], [1.0], [2.0], [2.5]], dtype=np.float32)

    found = find_near_duplicates(line, 1.0, rule=rule, candidates=[0, 2, 3])

    assert found.leaders.tolist() == [0, -1, 2, 2]
    assert found.sizes.tolist() == [1, 0, 2, 2]
    assert (found.n_groups, found.n_grouped, found.largest) == (1, 2, 2)


def test_groups_are_listed_largest_first_and_ties_by_their_first_member():
    line = np.array([[9.0], [0.0], [5.0], [0.1], [5.1], [9.1], [0.2], [7.0]], dtype=np.float32)

    groups = find_near_duplicates(line, 0.5).list_groups()

    assert [group.tolist() for group in groups] == [[1, 3, 6], [0, 5], [2, 4]]
    assert len(find_near_duplicates(line, 0.5).list_groups(1)) == 1


@pytest.mark.parametrize("rule", MODELS)
def test_progress_grows_to_the_number_of_samples(rule, embeddings, monkeypatch):
    for module, name, value in SMALL:
        monkeypatch.setattr(module, name, value)
    seen = []

    find_near_duplicates(embeddings, 1.0, rule=rule, progress=lambda *at: seen.append(at))

    done = [at[0] for at in seen]
    assert done == sorted(done)
    assert len(set(done)) > 5
    assert seen[-1] == (300, 300)


@pytest.mark.parametrize("rule", MODELS)
def test_a_search_can_be_cancelled(rule, embeddings):
    with pytest.raises(SelectionCancelled):
        find_near_duplicates(embeddings, 1.0, rule=rule, should_cancel=lambda: True)


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"max_distance": -1.0}, "largest distance"),
        ({"max_distance": float("nan")}, "largest distance"),
        ({"rule": "clique"}, "'transitive' or 'star'"),
        ({"embeddings": [[0.0], [float("nan")]]}, "sample 1"),
        ({"candidates": [7]}, "candidates"),
        ({"threads": 0}, "threads"),
    ],
)
def test_what_makes_no_sense_is_refused_by_name(changes, words):
    asked = {"embeddings": [[0.0], [1.0]], "max_distance": 1.0, **changes}

    with pytest.raises(InvalidSelectionInput, match=words):
        find_near_duplicates(**asked)


@pytest.mark.parametrize("rule", MODELS)
def test_nothing_has_no_groups(rule):
    found = find_near_duplicates(np.empty((0, 3), dtype=np.float32), 1.0, rule=rule)

    assert (found.leaders.size, found.n_groups, found.largest) == (0, 0, 0)
    assert found.list_groups() == []
