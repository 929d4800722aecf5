"""Which pick stands for which sample, and how coverage grows, against plain float64 loops."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lightly.selection import (
    Diversity,
    InvalidSelectionInput,
    SelectionCancelled,
    Similarity,
    Threshold,
    Weights,
    explain_selection,
    measure_coverage_curve,
    measure_pick_distances,
    nearest_picks,
    select,
)
from lightly.selection.coverage_curve import draw_picks
from tests.unit.selection.greedy_model import distance2
from tests.unit.selection.test_against_model import (
    configurations,
    make_diversity,
    make_vectors,
    make_weights,
    property_test,
)
from tests.unit.selection.tuning import tuned

LINE = np.array([[0.0], [1.0], [5.0], [7.0]], dtype=np.float32)
BLOCKS = st.sampled_from([1, 3, 512])
TILES = st.sampled_from([1, 4, 4_096])


def find_nearest_plainly(embeddings, sample, selected):
    """Return the earliest nearest of some samples, and how far it is."""
    found = [(distance2(embeddings[sample], embeddings[i]), i) for i in selected]
    nearest2, nearest = min(found, key=lambda pair: pair[0], default=(math.inf, -1))
    return nearest, math.sqrt(nearest2)


def explain_plainly(embeddings, preselected, picks):
    selected = [*dict.fromkeys(preselected), *picks]
    n_before = len(selected) - len(picks)
    earlier = [
        find_nearest_plainly(embeddings, pick, selected[: n_before + place])
        for place, pick in enumerate(picks)
    ]
    nearest = [
        (i, 0.0) if i in selected else find_nearest_plainly(embeddings, i, selected)
        for i in range(len(embeddings))
    ]
    return earlier, nearest


def pairs(indices, distances):
    return list(zip(indices.tolist(), distances.tolist(), strict=True))


@pytest.fixture
def small_blocks(monkeypatch):
    monkeypatch.setattr(nearest_picks, "_BLOCK_PICKS", 4)
    monkeypatch.setattr(nearest_picks, "_TILE_ROWS", 7)


@property_test(150)
@given(configurations([make_diversity, make_weights], at_most=2), st.data(), BLOCKS, TILES)
def test_explanations_are_those_of_plain_float64_loops(configuration, data, block, tile):
    n_samples = configuration["strategies"][0].n_samples
    embeddings = make_vectors(data.draw, n_samples)
    result = select(**configuration)

    with pytest.MonkeyPatch.context() as patch, tuned({"chunk_rows": 5, "chunk_bytes": 1}):
        patch.setattr(nearest_picks, "_BLOCK_PICKS", block)
        patch.setattr(nearest_picks, "_TILE_ROWS", tile)
        found = explain_selection(result, embeddings)

    earlier, nearest = explain_plainly(
        embeddings, configuration["preselected"].tolist(), result.indices.tolist()
    )
    assert pairs(found.earlier, found.earlier_distances) == earlier
    assert pairs(found.nearest, found.distances) == nearest
    assert measure_pick_distances(result, embeddings).tolist() == found.earlier_distances.tolist()


def test_picks_and_gains_are_those_of_the_result(embeddings, weights):
    strategies = [Weights(weights), Diversity(embeddings)]
    result = select(n_samples=20, strategies=strategies, preselected=[7])

    found = explain_selection(result)

    assert found.indices.tolist() == result.indices.tolist()
    assert found.gains.tolist() == result.gains.tolist()
    # The strategy measured the same distances on its way.
    assert found.earlier_distances.tolist() == result.distances.tolist()
    assert found.earlier.tolist() == result.strategies[1].nearest.tolist()


def test_equal_distances_go_to_the_earliest_pick():
    result = select(n_samples=2, strategies=[Weights([0, 1, 0, 2, 0])])

    found = explain_selection(result, [[0.0], [1.0], [2.0], [3.0], [2.0]])

    assert result.indices.tolist() == [3, 1]
    assert found.nearest.tolist() == [1, 1, 3, 3, 3]


def test_the_first_embeddings_of_a_strategy_are_the_default():
    strategies = [Weights([4, 3, 2, 1]), Similarity(LINE, [[0.0]], strength=0.0)]

    found = explain_selection(select(n_samples=1, strategies=strategies))

    assert found.distances.tolist() == [0.0, 1.0, 5.0, 7.0]


@pytest.mark.parametrize(
    ("embeddings", "message"),
    [(None, "Give the embeddings"), (LINE[:3], "the 4 samples"), ([[np.nan]] * 4, "sample 0")],
)
def test_missing_embeddings_are_refused(embeddings, message):
    result = select(n_samples=1, strategies=[Weights([1, 2, 3, 4])])

    for explain in (explain_selection, measure_coverage_curve, measure_pick_distances):
        with pytest.raises(InvalidSelectionInput, match=message):
            explain(result, embeddings)


def test_nothing_selected_explains_nothing():
    result = select(n_samples=0, strategies=[Diversity(LINE)])

    found = explain_selection(result)

    assert found.nearest.tolist() == [-1] * 4
    assert found.distances.tolist() == [math.inf] * 4
    assert found.earlier.size == measure_coverage_curve(result).radius.size == 0


@pytest.mark.parametrize(
    "work", [explain_selection, measure_coverage_curve, measure_pick_distances]
)
def test_progress_reaches_its_end_and_cancelling_ends_the_work(work, embeddings, small_blocks):
    result = select(n_samples=30, strategies=[Diversity(embeddings)])
    beats = []

    work(result, progress=lambda done, total: beats.append((done, total)))

    assert beats == sorted(beats)
    assert beats[-1][0] == beats[-1][1] > 0
    with pytest.raises(SelectionCancelled):
        work(result, should_cancel=lambda: True)


def measure_plainly(embeddings, measured, selected):
    distances = [find_nearest_plainly(embeddings, i, selected)[1] for i in measured]
    return max(distances), sum(distances) / len(distances)


@pytest.mark.parametrize("preselected", [[], [7, 40]])
def test_curves_are_those_of_plain_float64_loops(preselected, embeddings, small_blocks):
    result = select(n_samples=40, strategies=[Diversity(embeddings)], preselected=preselected)

    found = measure_coverage_curve(result, n_draws=2, n_points=5, n_measured=50)

    candidates = result.source.candidates
    measured = candidates[np.arange(50) * len(candidates) // 50]
    assert found.counts.tolist() == [1, 3, 6, 16, 40]
    orders = [result.indices, *draw_picks(candidates, 40, 2, 0)]
    radii = [found.radius, *found.random_radius]
    means = [found.mean_distance, *found.random_mean_distance]
    for order, radius, mean in zip(orders, radii, means, strict=True):
        expected = [
            measure_plainly(embeddings, measured, [*preselected, *order[:k].tolist()])
            for k in found.counts
        ]
        assert radius.tolist() == [one for one, _ in expected]
        assert mean.tolist() == pytest.approx([one for _, one in expected], rel=1e-14)
    assert (found.n_measured, found.n_candidates) == (50, len(candidates))


def test_the_end_of_a_curve_is_the_reported_coverage(embeddings):
    result = select(n_samples=40, strategies=[Diversity(embeddings)])

    found = measure_coverage_curve(result)

    reported = result.strategies[0].coverage
    assert found.radius[-1] == reported.radius
    assert found.mean_distance[-1] == pytest.approx(reported.mean_distance, rel=1e-14)
    assert found.counts[[0, -1]].tolist() == [1, 40]


def test_diversity_covers_better_than_random(embeddings):
    result = select(n_samples=40, strategies=[Diversity(embeddings)])

    found = measure_coverage_curve(result)

    assert found.random_radius.shape == (5, len(found.counts))
    assert found.radius[-1] < found.random_radius[:, -1].min()


def test_random_picks_are_candidates_before_thresholds_each_once(embeddings, weights):
    passes = Threshold(weights, threshold=0.5, operation="BIGGER")
    strategies = [Diversity(embeddings), passes]
    result = select(
        n_samples=20, strategies=strategies, candidates=np.arange(100, 200), preselected=[120]
    )

    [first, second] = draw_picks(result.source.candidates, 99, 2, seed=4)

    assert sorted(first) == sorted(second) == [i for i in range(100, 200) if i != 120]
    assert first.tolist() != second.tolist()
    assert measure_coverage_curve(result).n_candidates == 99


def test_random_picks_are_the_same_everywhere():
    [drawn] = draw_picks(np.arange(1_000), 5, 1, seed=0)

    assert drawn.tolist() == [855, 921, 269, 11, 850]


@pytest.mark.parametrize("more", [{"n_draws": -1}, {"n_points": 0}, {"n_measured": 0}])
def test_too_small_numbers_are_refused(more):
    result = select(n_samples=2, strategies=[Diversity(LINE)])

    with pytest.raises(InvalidSelectionInput, match="t least"):
        measure_coverage_curve(result, **more)


def test_equal_samples_are_explained_without_comparing_all_pairs(monkeypatch):
    n_measured = []
    measure = nearest_picks._Tile._measure

    def count(tile, rows, places, picks):
        n_measured.append(len(rows))
        measure(tile, rows, places, picks)

    monkeypatch.setattr(nearest_picks._Tile, "_measure", count)
    embeddings = np.ones((3_000, 4), dtype=np.float32)
    result = select(n_samples=1_000, strategies=[Diversity(embeddings)])

    found = explain_selection(result)

    assert (found.nearest[result.indices[-1] + 1 :] == 0).all()
    assert sum(n_measured) <= 2 * 4_000
