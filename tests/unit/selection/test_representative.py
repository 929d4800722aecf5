"""REPRESENTATIVE picks what its rule says, alone, mixed, from preselected samples, and resumed."""

from __future__ import annotations

import json
from contextlib import ExitStack
from unittest.mock import patch

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lightly.selection import (
    Balance,
    Diversity,
    InvalidSelectionInput,
    Representative,
    SelectionState,
    Threshold,
    Weights,
    measure_coverage,
    neighbour_graph,
    representative,
    select,
)
from lightly.selection.embeddings import EmbeddingSpace
from lightly.selection.neighbour_graph import find_spots
from lightly.selection.progress import Pulse
from tests.unit.selection.greedy_model import select_plainly
from tests.unit.selection.tuning import SMALL, tuned, without_kernels


@st.composite
def vectors(draw, least=1):
    generator = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    n_rows, n_dims = draw(st.integers(least, 40)), draw(st.integers(1, 6))
    rows = generator.normal(size=(n_rows, n_dims))
    kind = draw(st.sampled_from(["smooth", "grid", "copies", "offset", "huge"]))
    if kind == "grid":
        rows = generator.integers(0, 3, size=(n_rows, n_dims))
    if kind == "copies":
        rows = rows[generator.integers(0, 1 + n_rows // 3, size=n_rows)]
    if kind == "offset":
        rows = 1000 + 0.01 * rows
    return (rows * (1e25 if kind == "huge" else 1)).astype(np.float32)


@st.composite
def configurations(draw):
    """One strategy or several, with candidates, preselected samples and thresholds."""
    rows = draw(vectors(least=3))
    n_rows = len(rows)
    generator = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    strength = draw(st.sampled_from([1.0, 1.0, 2.0, -1.0, 0.0]))
    k = draw(st.integers(2, 12))
    strategies = [Representative(rows, n_neighbours=k, strength=strength)]
    others = [
        Diversity(rows, min_distance=draw(st.sampled_from([None, 0.5]))),
        Weights(generator.integers(1, 5, size=n_rows).astype(float), strength=0.5),
        Balance(generator.integers(0, 3, size=n_rows), target="UNIFORM"),
        Threshold(generator.random(n_rows), threshold=0.2, operation="BIGGER"),
    ]
    strategies += draw(st.lists(st.sampled_from(others), max_size=2, unique_by=type))
    return {
        "strategies": strategies,
        "n_samples": draw(st.integers(0, n_rows)),
        "preselected": draw(st.lists(st.integers(0, n_rows - 1), max_size=3)),
        "candidates": draw(
            st.none() | st.just(np.flatnonzero(generator.random(n_rows) < 0.7).tolist())
        ),
    }


@settings(deadline=None)
@given(
    configuration=configurations(),
    is_small=st.booleans(),
    has_loops=st.booleans(),
    pool_rows=st.integers(1, 50),
)
def test_picks_are_those_of_the_plain_rule(configuration, is_small, has_loops, pool_rows):
    with ExitStack() as stack:
        if not has_loops:
            stack.enter_context(without_kernels())
        if is_small:
            stack.enter_context(tuned(SMALL))
        stack.enter_context(patch.object(representative, "POOL_ROWS", pool_rows))
        result = select(**configuration)

    assert (result.indices.tolist(), result.stop_reason) == select_plainly(**configuration)


@settings(deadline=None)
@given(rows=vectors(), first=st.integers(0, 40), k=st.integers(2, 9))
def test_a_run_goes_on_as_if_never_interrupted(rows, first, k):
    strategies = [Representative(rows, n_neighbours=k)]
    first = min(first, len(rows))

    begun = select(n_samples=first, strategies=strategies).save_state().to_bytes()
    resumed = select(n_samples=None, strategies=strategies, resume=SelectionState.from_bytes(begun))

    whole = select(n_samples=None, strategies=strategies)
    assert resumed.indices.tolist() == whole.indices.tolist()
    assert resumed.gains.tolist() == whole.gains.tolist()
    assert resumed.strategies[0].total == whole.strategies[0].total


def test_copies_of_a_pick_come_last_and_add_nothing():
    rows = np.array([[0.0], [5.0], [5.0], [9.0], [5.0], [6.0]], dtype=np.float32)

    result = select(n_samples=None, strategies=[Representative(rows, n_neighbours=2)])

    assert result.indices.tolist()[0] == 1
    assert result.indices.tolist()[-2:] == [2, 4]
    assert result.gains[-2:, 0].tolist() == [0.0, 0.0]
    assert result.strategies[0].n_distinct == 4


def test_samples_are_nearer_to_these_picks_than_to_the_farthest_ones():
    rows = np.random.default_rng(4).normal(size=(2_000, 8)).astype(np.float32)

    standing = select(n_samples=200, strategies=[Representative(rows)])
    farthest = select(n_samples=200, strategies=[Diversity(rows)])

    covers = [measure_coverage(rows, one.indices) for one in (standing, farthest)]
    assert covers[0].mean_distance < 0.95 * covers[1].mean_distance
    assert covers[0].radius > covers[1].radius


def test_the_report_says_how_many_are_represented():
    line = np.array([[0.0], [1.0], [2.0], [50.0], [51.0], [52.0]], dtype=np.float32)

    [report] = select(
        n_samples=1, strategies=[Representative(line, n_neighbours=3)], preselected=[1]
    ).strategies

    assert (report.kind, report.n_neighbours, report.recall) == ("REPRESENTATIVE", 3, 1.0)
    assert report.n_represented == 6
    assert 0.9 < report.share_of_total < 1
    assert json.dumps(report.total)


def test_nothing_to_pick_from_is_no_error():
    result = select(n_samples=3, strategies=[Representative([[0.0], [1.0]])], candidates=[])

    assert (result.indices.tolist(), result.stop_reason) == ([], "no_candidates")


@pytest.mark.parametrize("n_neighbours", [1, 251, 2.5])
def test_numbers_of_neighbours_that_make_no_sense_are_refused(n_neighbours):
    with pytest.raises(InvalidSelectionInput, match="2 to 250"):
        select(n_samples=1, strategies=[Representative([[0.0], [1.0]], n_neighbours=n_neighbours)])


@given(rows=vectors(), has_collisions=st.booleans())
def test_equal_vectors_share_a_spot_and_others_do_not(rows, has_collisions):
    rows[rows == 0] *= -1
    space = EmbeddingSpace({"embeddings": rows}, pulse=Pulse(0))

    with ExitStack() as stack:
        if has_collisions:
            nothing = patch.object(neighbour_graph, "_HASH_MASK", np.uint64(1))
            stack.enter_context(nothing)
        spots = find_spots(space, np.arange(len(rows)), Pulse(0)).tolist()

    numbers: dict[tuple[float, ...], int] = {}
    assert spots == [numbers.setdefault(tuple(row), len(numbers)) for row in rows.tolist()]
