"""Outlier scores are those of the plain formula, whatever measures them."""

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
    neighbours,
    score_outliers,
)
from lightly.selection.embeddings import EmbeddingSpace
from lightly.selection.progress import Pulse
from tests.unit.selection.pair_model import measure_distances, score_by_mean
from tests.unit.selection.test_near_duplicates import searches
from tests.unit.selection.tuning import without_kernels


@given(search=searches(), has_loops=st.booleans(), tile=st.integers(1, 600), k=st.integers(1, 30))
def test_scores_are_those_of_the_plain_formula(search, has_loops, tile, k):
    rows = search[0]
    if len(rows) < 2:
        rows = np.repeat(rows, 2, axis=0)

    with ExitStack() as stack:
        if not has_loops:
            stack.enter_context(without_kernels())
        stack.enter_context(patch.object(neighbours, "_TILE_ROWS", tile))
        stack.enter_context(patch.object(neighbours, "_GROUP_ROWS", 1 + tile // 4))
        found = score_outliers(rows, n_neighbours=k, threads=1 + tile % 2)

    assert found.scores.tolist() == score_by_mean(rows, k)
    assert found.n_neighbours == min(k, len(rows) - 1)


@given(search=searches(), has_loops=st.booleans())
def test_neighbours_are_where_their_distances_say(search, has_loops):
    rows = search[0]
    if len(rows) < 7:
        rows = np.repeat(rows, 7, axis=0)
    space = EmbeddingSpace({"embeddings": rows}, pulse=Pulse(0))

    with ExitStack() as stack:
        if not has_loops:
            stack.enter_context(without_kernels())
        stack.enter_context(patch.object(neighbours, "_GROUP_ROWS", 4))
        tiles = list(neighbours.find_neighbours(space, np.arange(len(rows)), 6, Pulse(0)))

    order = np.argsort(np.concatenate([tile.rows for tile in tiles]))
    distances, numbers = (
        np.concatenate([getattr(tile, name) for tile in tiles])[order]
        for name in ("distances", "numbers")
    )
    all_distances = measure_distances(rows)
    np.fill_diagonal(all_distances, np.inf)
    np.testing.assert_array_equal(np.take_along_axis(all_distances, numbers, 1), distances)
    np.testing.assert_array_equal(np.sort(all_distances, axis=1)[:, :6], distances)
    assert all(len(set(row)) == 6 for row in numbers.tolist())


def test_samples_that_are_no_candidates_have_no_score_and_are_no_neighbours():
    line = np.array([[0.0], [1.0], [2.0], [2.5]], dtype=np.float32)

    found = score_outliers(line, n_neighbours=1, candidates=[0, 2, 3])

    np.testing.assert_array_equal(found.scores, [2.0, np.nan, 0.5, 0.5])
    assert found.rank().tolist() == [0, 2, 3]
    assert found.rank(1).tolist() == [0]


def test_progress_grows_to_the_number_of_samples(embeddings, monkeypatch):
    monkeypatch.setattr(neighbours, "_TILE_ROWS", 10)
    seen = []

    score_outliers(embeddings, progress=lambda *at: seen.append(at))

    assert [at[0] for at in seen] == [0, 80, 160, 240, 300]
    assert {at[1] for at in seen} == {300}


def test_scoring_can_be_cancelled(embeddings):
    with pytest.raises(SelectionCancelled):
        score_outliers(embeddings, should_cancel=lambda: True)


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"n_neighbours": 0}, "at least 1"),
        ({"n_neighbours": 1.5}, "integer"),
        ({"candidates": [1]}, "at least 2"),
        ({"embeddings": [[0.0], [float("inf")]]}, "sample 1"),
    ],
)
def test_what_makes_no_sense_is_refused_by_name(changes, words):
    asked = {"embeddings": [[0.0], [1.0]], **changes}

    with pytest.raises(InvalidSelectionInput, match=words):
        score_outliers(**asked)
