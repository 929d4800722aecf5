"""Tiles and crops that a configuration asks for."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lightly.worker.runs.auto_tasks import add_auto_tasks, cut_tiles
from lightly.worker.sources.annotations import Annotations


@given(
    width=st.integers(1, 5000),
    height=st.integers(1, 5000),
    n_rows=st.integers(1, 6),
    n_cols=st.integers(1, 6),
    overlap=st.floats(0, 0.9),
)
def test_tiles_cover_the_image_from_edge_to_edge(
    width: int, height: int, n_rows: int, n_cols: int, overlap: float
) -> None:
    tiles = cut_tiles(width, height, n_rows, n_cols, overlap)
    assert len(tiles) == n_rows * n_cols
    assert tiles[0][:2] == [0.0, 0.0]
    left, top, tile_width, tile_height = tiles[-1]
    assert left + tile_width == pytest.approx(width)
    assert top + tile_height == pytest.approx(height)


def test_neighbours_share_the_asked_part_of_a_tile() -> None:
    first, second = cut_tiles(150, 100, 1, 2, 0.5)
    assert first[0] + first[2] - second[0] == pytest.approx(0.5 * first[2])


def test_every_image_gets_the_boxes_of_every_task(tmp_path: Path) -> None:
    annotations = Annotations(tmp_path / "a.sqlite")
    tasks = [
        {"type": "TILING", "name": "tiles", "numRows": 1, "numCols": 2},
        {"type": "CROP", "name": "middle", "bboxs": [[0.25, 0.25, 0.75, 0.75]]},
    ]
    add_auto_tasks(annotations, tasks, [("a.jpg", 40, 20), ("b.jpg", 8, 8)])
    assert len(annotations.find_predictions("tiles", "b.jpg")) == 2
    (crop,) = annotations.find_predictions("middle", "a.jpg")
    assert crop == {"category_id": 0, "bbox": [10.0, 5.0, 20.0, 10.0], "score": 1.0}
    assert annotations.tasks["tiles"].names == {0: "tile"}
    annotations.close()
