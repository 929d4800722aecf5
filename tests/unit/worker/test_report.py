"""The report of a run: the contract's JSON and the PDF."""

from __future__ import annotations

import io
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from lightly.worker.report import distances as distances_module
from lightly.worker.report.content import find_pairs, make_report
from lightly.worker.report.distances import choose_evenly, find_nearest
from lightly.worker.report.facts import (
    RunFacts,
    SelectionFacts,
    VideoSizes,
    VideoTimeline,
    pick_at_random,
)
from lightly.worker.report.maps import project_neighbourhoods, project_pca
from lightly.worker.report.pdf import ReportPages, write_pdf
from lightly.worker.runs.excluded import InputCounts

N, N_PICKS = 40, 6


@pytest.fixture
def found() -> SelectionFacts:
    """A selection with numbers and categories, and a datapool."""
    generator = np.random.default_rng(1)
    return SelectionFacts(
        embeddings=generator.normal(size=(N, 8)).astype(np.float32),
        datapool=generator.normal(size=(3, 8)).astype(np.float32),
        picks=np.array([7, 3, 21, 0, 39, 12]),
        random=pick_at_random(N, N_PICKS),
        names={place: f"images/{place}.jpg" for place in range(N)},
        numbers={
            "luminance": generator.random(N) * 100,
            "speed": np.where(np.arange(N) % 5 == 0, np.nan, np.arange(N)),
        },
        categories={"weather": [["sun", "rain", None][place % 3] for place in range(N)]},
    )


@pytest.fixture
def run() -> RunFacts:
    """A run of a moment."""
    return RunFacts(
        run_id="r" * 24,
        run_url="http://server/runs/1",
        dataset_id="d" * 24,
        dataset_name="streets",
        dataset_url="http://server/datasets/1",
        started_s=100.0,
        ended_s=130.5,
        counts=InputCounts(N + 4, N, 2, 1, 1, 0),
        engine_version="1",
    )


def test_sizes_are_those_of_the_run(run: RunFacts, found: SelectionFacts) -> None:
    report = make_report(run, found)["generalInformation"]
    assert report["datasetInformation"]["datasetSizes"] == {
        "nInput": 44,
        "nCorrupt": 2,
        "nDuplicate": 1,
        "nRemoved": 34,
        "nSelected": 6,
        "nPreselectedDatapool": 3,
        "nSelectedWithDatapool": 9,
    }
    assert report["runInformation"]["totalProcessingTimeS"] == 30.5


def test_a_run_on_videos_has_sizes_of_videos_too(run: RunFacts, found: SelectionFacts) -> None:
    videos = VideoSizes(InputCounts(9, 5, 2, 1, 1, 0), n_selected=3, n_datapool=2, n_together=4)
    report = make_report(replace(run, videos=videos), found)["generalInformation"]
    assert report["datasetInformation"]["datasetSizes"]["nSelected"] == 6
    assert report["datasetInformation"]["videoLevelSizes"] == {
        "nInput": 9,
        "nCorrupt": 2,
        "nDuplicate": 1,
        "nRemoved": 2,
        "nSelected": 3,
        "nPreselectedDatapool": 2,
        "nSelectedWithDatapool": 4,
    }
    assert (
        "videoLevelSizes" not in make_report(run, found)["generalInformation"]["datasetInformation"]
    )


def test_metadata_are_sorted_by_kind(run: RunFacts, found: SelectionFacts) -> None:
    metadata = make_report(run, found)["datasetAnalysis"]["metadataInformation"]
    assert list(metadata["lightlyNumeric"]) == ["luminance"]
    assert sum(metadata["customNumeric"]["speed"]["input"]["counts"]) == N - N // 5
    assert set(metadata["customCategorical"]["weather"]["selected"]["counts"]) <= {"sun", "rain"}


def test_the_cover_of_the_selection_is_the_distance_to_its_nearest_pick(
    run: RunFacts, found: SelectionFacts
) -> None:
    information = make_report(run, found)["datasetAnalysis"]["embeddingInformation"]
    gaps = found.embeddings[:, None].astype(float) - found.embeddings[found.picks][None]
    expected = np.sqrt((gaps**2).sum(axis=2)).min(axis=1)
    metrics = information["distanceToCoverInput"]["selected"]["metrics"]
    assert metrics["max"] == pytest.approx(expected.max(), rel=1e-6)
    assert metrics["mean"] == pytest.approx(expected.mean(), rel=1e-6)
    assert set(information["distanceToCoverInput"]) >= {"random", "selectedWithDatapool"}


def test_pairs_are_a_pick_and_its_nearest_removed_image(found: SelectionFacts) -> None:
    removed = [place for place in range(N) if place not in found.picks]
    for pick, other, distance in find_pairs(found):
        gaps = found.embeddings[removed].astype(float) - found.embeddings[pick]
        lengths = np.sqrt((gaps**2).sum(axis=1))
        assert other == removed[int(lengths.argmin())]
        assert distance == pytest.approx(lengths.min())


def test_as_many_pairs_are_shown_as_a_run_asks_for(found: SelectionFacts) -> None:
    assert [len(find_pairs(replace(found, n_pairs=count))) for count in (0, 2, 99)] == [0, 2, 6]


@pytest.mark.parametrize("n_picks", [0, N])
def test_nothing_and_everything_selected_have_a_report(
    run: RunFacts, found: SelectionFacts, n_picks: int
) -> None:
    picks = np.arange(n_picks)
    facts = SelectionFacts(**{**vars(found), "picks": picks, "random": picks})
    report = make_report(run, facts)
    assert report["generalInformation"]["selectedAndRemovedImageExamples"] == []


def test_a_vector_is_not_its_own_neighbour() -> None:
    rows = np.array([[0.0], [1.0], [5.0]], np.float32)
    nearest, distances = find_nearest(rows, rows, own=np.arange(3))
    assert nearest.tolist() == [1, 0, 1]
    assert distances.tolist() == [1.0, 1.0, 4.0]


def test_one_vector_has_no_neighbour() -> None:
    rows = np.zeros((1, 2), np.float32)
    nearest, distances = find_nearest(rows, rows, own=np.arange(1))
    assert nearest.tolist() == [-1]
    assert np.isnan(distances).all()


def test_positions_are_spread_over_everything() -> None:
    assert choose_evenly(100, 4).tolist() == [0, 25, 50, 75]
    assert choose_evenly(3, 10).tolist() == [0, 1, 2]
    assert choose_evenly(0, 10).tolist() == []


def test_a_projection_has_one_sign_everywhere() -> None:
    rows = np.random.default_rng(0).normal(size=(20, 5)).astype(np.float32)
    points = project_pca(rows)
    np.testing.assert_allclose(np.abs(project_pca(rows[::-1].copy())[::-1]), np.abs(points))
    assert (points[np.abs(points).argmax(axis=0), [0, 1]] > 0).all()


@pytest.mark.parametrize("shape", [(60, 5), (20, 60), (3, 3)])
def test_a_projection_is_that_of_singular_vectors(shape: tuple[int, int]) -> None:
    rows = np.random.default_rng(1).normal(size=shape).astype(np.float32)
    left, values, _ = np.linalg.svd(rows - rows.mean(axis=0, dtype=np.float64))
    expected = np.abs(left[:, :2] * values[:2])
    np.testing.assert_allclose(np.abs(project_pca(rows)), expected, atol=1e-5)


@pytest.mark.parametrize("count", [0, 1, 2])
def test_few_vectors_have_a_map(count: int) -> None:
    assert project_pca(np.ones((count, 3), np.float32)).shape == (count, 2)


@pytest.mark.parametrize(
    ("timeline", "n_pages"),
    [((), 6), ([VideoTimeline(f"{n}.mp4", 100, [n, 99]) for n in range(50)], 7)],
)
def test_the_pdf_is_written_whole(
    tmp_path: Path,
    run: RunFacts,
    found: SelectionFacts,
    timeline: list[VideoTimeline],
    n_pages: int,
) -> None:
    content: dict[str, Any] = make_report(run, found)
    buffer = io.BytesIO()
    Image.new("RGB", (16, 8), "red").save(buffer, "WEBP")
    picture = (buffer.getvalue(), "größe/very/long/name" * 5)
    pages = ReportPages(
        content=content,
        facts=[("dataset", "streets"), ("selected", "6 of 40")],
        curve={
            "counts": np.array([1, 6]),
            "radius": np.array([3.0, 2.0]),
            "random_radius": np.array([[3.5, 2.5]]),
        },
        pictures=[picture] * 5,
        pairs=[(picture, picture, 0.5)],
        excluded=[("a/b.jpg", "corrupt", "The file is empty.")],
        timeline=timeline,
    )
    path = tmp_path / "report.pdf"
    write_pdf(path, pages)
    data = path.read_bytes()
    assert data.startswith(b"%PDF-")
    assert data.count(b"/Type /Page ") == n_pages


def test_nearest_vectors_are_found_across_tiles_and_among_some(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(distances_module, "_TILE", 7)
    monkeypatch.setattr(distances_module, "_BLOCK", 5)
    vectors = np.random.default_rng(0).normal(size=(60, 4)).astype(np.float32)
    rows = np.arange(0, 60, 2)
    gaps = np.linalg.norm(vectors[rows, None].astype(float) - vectors, axis=2)
    gaps[np.arange(len(rows)), rows] = np.inf
    nearest, distances = find_nearest(vectors[rows], vectors, own=rows)
    assert nearest.tolist() == gaps.argmin(axis=1).tolist()
    assert np.allclose(distances, gaps.min(axis=1))
    among = np.arange(1, 60, 2)
    nearest, _ = find_nearest(vectors[rows], vectors, among=among)
    assert nearest.tolist() == among[gaps[:, among].argmin(axis=1)].tolist()


def test_maps_by_neighbourhood_keep_groups_together_and_are_the_same_each_time() -> None:
    generator = np.random.default_rng(0)
    groups = np.arange(600) % 4
    vectors = generator.normal(size=(600, 16)) + 8 * generator.normal(size=(4, 16))[groups]
    rows = vectors.astype(np.float32)
    rows[8] = rows[4]
    start = project_pca(rows)
    points = project_neighbourhoods(rows, start)
    nearest, _ = find_nearest(points.astype(np.float32), points.astype(np.float32),
                              own=np.arange(600))  # fmt: skip
    assert (groups[nearest] == groups).mean() > 0.99
    assert points.tolist() == project_neighbourhoods(rows, start).tolist()
