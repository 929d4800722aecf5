"""Approximate neighbours are those in the nearest cells, and as many as the report says."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from unittest.mock import patch

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lightly.selection import (
    InvalidSelectionInput,
    Representative,
    cell_search,
    cells,
    measure_coverage,
    select,
)
from lightly.selection.cell_search import CellSearch
from lightly.selection.cells import lay_cells
from lightly.selection.embeddings import EmbeddingSpace
from lightly.selection.progress import Pulse
from tests.unit.selection.pair_model import measure_distances
from tests.unit.selection.test_near_duplicates import searches
from tests.unit.selection.tuning import without_kernels


@contextmanager
def small_sizes(**sizes: float) -> Iterator[None]:
    """Let few samples be put into cells too, and try out and check few of them."""
    with ExitStack() as stack:
        stack.enter_context(patch.object(cells, "FEWEST_SAMPLES", 2))
        for name, size in sizes.items():
            stack.enter_context(patch.object(cell_search, f"_{name.upper()}", size))
        yield


def make_clusters(n_samples: int, n_dims: int = 12) -> np.ndarray:
    rng = np.random.default_rng(5)
    centres = rng.normal(size=(20, n_dims))
    spread = rng.uniform(0.05, 0.3, size=20)
    cluster = rng.integers(0, 20, size=n_samples)
    noise = rng.normal(size=(n_samples, n_dims)) * spread[cluster][:, None]
    return (centres[cluster] + noise).astype(np.float32)


def find_in_cells(rows, k, n_looked_into):
    """Return distances to the K nearest in the nearest cells, plainly."""
    space = EmbeddingSpace({"embeddings": rows}, pulse=Pulse(0))
    laid = lay_cells(space, np.arange(len(rows)), Pulse(0))
    points, centres = laid.grid.round(rows).astype(int).tolist(), laid.centres.astype(int).tolist()
    cell_of = np.empty(len(rows), dtype=int)
    cell_of[laid.order] = np.repeat(np.arange(len(centres)), laid.sizes)
    distances = measure_distances(rows)
    found = []
    for row, point in enumerate(points):
        far = [sum((a - b) ** 2 for a, b in zip(point, c, strict=True)) for c in centres]
        assert far[cell_of[row]] == min(far)
        near = np.flatnonzero(np.array(far) <= sorted(far)[n_looked_into - 1])
        others = np.flatnonzero(np.isin(cell_of, near))
        if len(others) <= k:
            others = np.arange(len(rows))
        found.append(np.sort(distances[row, others[others != row]])[:k].tolist())
    return found


@settings(deadline=None)
@given(
    search=searches(),
    has_loops=st.booleans(),
    k=st.integers(1, 9),
    at_once=st.integers(1, 500),
    share=st.sampled_from([0.01, 0.3, 1.0]),
)
def test_neighbours_are_the_nearest_in_the_nearest_cells(search, has_loops, k, at_once, share):
    rows = search[0]
    if len(rows) <= k:
        rows = np.resize(rows, (k + 1, rows.shape[1]))

    with ExitStack() as stack:
        if not has_loops:
            stack.enter_context(without_kernels())
        stack.enter_context(small_sizes(scores_at_once=at_once, most_looked_into=share))
        space = EmbeddingSpace({"embeddings": rows}, pulse=Pulse(0))
        laid = lay_cells(space, np.arange(len(rows)), Pulse(0))
        found = CellSearch(laid, k, Pulse(0))
        tiles = list(found.find())
        expected = find_in_cells(rows, k, found.n_looked_into)

    distances = np.empty((len(rows), k))
    numbers = np.empty((len(rows), k), dtype=int)
    for tile in tiles:
        distances[tile.rows], numbers[tile.rows] = tile.distances, tile.numbers
    assert distances.tolist() == expected
    measured = np.take_along_axis(measure_distances(rows), numbers, axis=1)
    assert measured.tolist() == expected
    assert all(row not in some and len(set(some)) == k for row, some in enumerate(numbers.tolist()))


def test_the_stated_recall_is_that_of_the_samples_that_were_checked_and_close_to_that_of_all():
    rows = make_clusters(4_000)
    with small_sizes(tried=500, checked=500, most_looked_into=0.04):
        space = EmbeddingSpace({"embeddings": rows}, pulse=Pulse(0))
        search = CellSearch(lay_cells(space, np.arange(len(rows)), Pulse(0)), 10, Pulse(0))
        distances = np.empty((len(rows), 10))
        for tile in search.find():
            distances[tile.rows] = tile.distances
        stated = search.measure_recall(distances)

    all_distances = measure_distances(rows)
    np.fill_diagonal(all_distances, np.inf)
    bars = np.partition(all_distances, 9, axis=1)[:, 9:10]
    recalls = (distances <= bars).mean(axis=1)
    assert 0.5 < recalls.mean() < 0.99
    assert stated.n_samples == 500
    assert abs(stated.share - recalls.mean()) < 4 * recalls.std() / np.sqrt(500)


def test_as_many_cells_are_looked_into_as_hold_nine_in_ten_neighbours():
    rows = make_clusters(4_000)

    with small_sizes(tried=500, checked=500, most_looked_into=1.0):
        [report] = select(
            n_samples=5, strategies=[Representative(rows, n_neighbours=10, graph="approximate")]
        ).strategies

    assert 0.88 < report.recall < 0.96
    assert report.n_recall_samples == 500


def test_approximate_picks_do_not_depend_on_threads_layout_or_loops():
    rows = make_clusters(3_000)
    runs = []
    with small_sizes(tried=200, checked=200, scores_at_once=20_000):
        for threads, form, has_loops in ((1, "C", True), (3, "F", True), (2, "C", False)):
            with ExitStack() as stack:
                if not has_loops:
                    stack.enter_context(without_kernels())
                strategies = [Representative(np.asarray(rows, order=form), graph="approximate")]
                runs.append(select(n_samples=300, strategies=strategies, threads=threads))

    facts = [
        (
            run.indices.tolist(),
            run.gains.tolist(),
            run.strategies[0].recall,
            run.strategies[0].total,
        )
        for run in runs
    ]
    assert facts[0] == facts[1] == facts[2]
    assert 0.5 < facts[0][2] < 1


def test_approximate_picks_stand_for_samples_nearly_as_well_as_exact_ones():
    rows = make_clusters(6_000)

    with small_sizes(tried=200, checked=200):
        picks = [
            select(n_samples=300, strategies=[Representative(rows, graph=graph)]).indices
            for graph in ("exact", "approximate")
        ]

    exact, approximate = (measure_coverage(rows, some).mean_distance for some in picks)
    assert picks[0].tolist() != picks[1].tolist()
    assert approximate < 1.01 * exact


def test_of_few_samples_all_neighbours_are_found():
    rows = make_clusters(1_000)
    runs = [
        select(n_samples=50, strategies=[Representative(rows, graph=graph)])
        for graph in ("exact", "approximate")
    ]

    assert runs[0].indices.tolist() == runs[1].indices.tolist()
    assert (runs[1].strategies[0].recall, runs[1].strategies[0].n_recall_samples) == (1.0, 0)


def test_other_graphs_are_refused_by_name():
    with pytest.raises(InvalidSelectionInput, match=r"'exact' or 'approximate'\. Got 'hnsw'"):
        select(n_samples=1, strategies=[Representative([[0.0], [1.0]], graph="hnsw")])
