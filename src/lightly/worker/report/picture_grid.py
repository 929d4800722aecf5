"""Pictures in rows and columns, with their names above them."""

from __future__ import annotations

import io
from collections.abc import Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from PIL import Image

#: Part of a cell that its name and the room beside it take.
_TITLE_HEIGHT, _GAP = 0.12, 0.04


def draw_picture_grid(
    figure: Figure,
    area: tuple[float, float, float, float],
    cells: Sequence[tuple[bytes, str] | None],
    *,
    n_columns: int,
    n_rows: int,
) -> None:
    """Draw encoded pictures with their titles.

    All of them share one pair of axes: to make a pair for each takes longer than to draw a picture.

    Args:
        figure: Takes them.
        area: Left, bottom, width and height of the grid as parts of the figure.
        cells: Picture and title of each cell, row by row; None leaves a cell empty.
        n_columns: Cells in a row.
        n_rows: Rows that share the height, whether there is something in them or not.
    """
    axes = figure.add_axes(area)
    axes.axis("off")
    axes.set(xlim=(0, n_columns), ylim=(n_rows, 0), autoscale_on=False)
    width, height = figure.get_size_inches() * area[2:]
    # Of a cell: how many of its heights its width is.
    ratio = (width / n_columns) / (height / n_rows)
    for number, cell in enumerate(cells):
        if cell is not None:
            row, column = divmod(number, n_columns)
            _draw_picture(axes, column, row, cell, ratio)


def _draw_picture(
    axes: Axes, left: int, top: int, picture: tuple[bytes, str], cell_ratio: float
) -> None:
    with Image.open(io.BytesIO(picture[0])) as image:
        pixels = np.asarray(image.convert("RGB"))
    height, width = pixels.shape[:2]
    # As wide as the cell allows, or as high.
    span = min(1 - _GAP, (1 - _TITLE_HEIGHT - _GAP) * width / (height * cell_ratio))
    rise = span * height / width * cell_ratio
    x, y = left + (1 - span) / 2, top + _TITLE_HEIGHT
    axes.imshow(pixels, extent=(x, x + span, y + rise, y), aspect="auto")
    axes.text(left + 0.5, y - 0.02, picture[1], fontsize=6, ha="center", va="bottom")
