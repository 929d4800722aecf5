"""Tasks that a configuration asks the worker to make up: tiles and fixed crops of every image."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from lightly.data.datasource_files.prediction_files import Prediction
from lightly.data.datasource_files.prediction_tasks import TaskSchema, make_schema
from lightly.worker.sources.annotations import Annotations

_TILING = "TILING"
_KIND = {"TILING": "tile", "CROP": "crop"}


def add_auto_tasks(
    annotations: Annotations,
    tasks: Sequence[Mapping[str, Any]],
    images: Iterable[tuple[str, int, int]],
) -> None:
    """Add the boxes of made-up tasks to the predictions.

    Args:
        annotations: Takes them.
        tasks: As in the configuration.
        images: Name, width and height of every image.
    """
    if not tasks:
        return
    sizes = list(images)
    for task in tasks:
        schema: TaskSchema = make_schema("object-detection", [_KIND[task["type"]]])
        annotations.add_predictions(task["name"], schema, _make_boxes(task, sizes))


def _make_boxes(
    task: Mapping[str, Any], sizes: Iterable[tuple[str, int, int]]
) -> Iterator[tuple[str, list[Prediction]]]:
    for name, width, height in sizes:
        if task["type"] == _TILING:
            boxes = cut_tiles(
                width, height, task["numRows"], task["numCols"], task.get("overlap") or 0.0
            )
        else:
            boxes = [scale_box(box, width, height) for box in task["bboxs"]]
        yield name, [{"category_id": 0, "bbox": box, "score": 1.0} for box in boxes]


def cut_tiles(
    width: int, height: int, n_rows: int, n_cols: int, overlap: float
) -> list[list[float]]:
    """Return boxes `[x, y, width, height]` of tiles that cover an image, row by row.

    Args:
        width: Of the image in pixels.
        height: Of the image in pixels.
        n_rows: How many rows of tiles.
        n_cols: How many tiles in a row.
        overlap: Share of a tile that it has in common with the next one.

    >>> cut_tiles(30, 10, 1, 2, 0.5)
    [[0.0, 0.0, 20.0, 10.0], [10.0, 0.0, 20.0, 10.0]]
    """
    tile_width = width / (n_cols - (n_cols - 1) * overlap)
    tile_height = height / (n_rows - (n_rows - 1) * overlap)
    return [
        [
            col * tile_width * (1 - overlap),
            row * tile_height * (1 - overlap),
            tile_width,
            tile_height,
        ]
        for row in range(n_rows)
        for col in range(n_cols)
    ]


def scale_box(box: Sequence[float], width: int, height: int) -> list[float]:
    """Return a box of shares `[left, top, right, bottom]` as `[x, y, width, height]` in pixels.

    >>> scale_box([0.5, 0.0, 1.0, 0.25], 200, 100)
    [100.0, 0.0, 100.0, 25.0]
    """
    left, top, right, bottom = box
    return [left * width, top * height, (right - left) * width, (bottom - top) * height]
