"""Two plots of a pick: covering radius while it grows, and where its items lie."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw

from tools.demo.coverage import (
    RANDOM_PICKS,
    RadiusCurves,
    Vectors,
    project_to_plane,
    trace_curves,
)
from tools.demo.drawing import (
    CARD,
    GREEN,
    INK,
    LINE,
    MUTED,
    ORANGE,
    ORANGE_SOFT,
    PAPER,
    SMOOTHING,
    Point,
    draw_text,
    fill_rounded,
    measure_text,
    save_png,
)

_SIZE_PX = (1840, 860)
_MARGIN_PX = 48
_PANEL_TOP_PX = 130
_PANEL_WIDTH_PX = 860
_PANEL_HEIGHT_PX = 680
# Room inside a panel for its heading above, tick labels left and below.
_INSET_PX = (84, 108, 36, 78)
_LEFT_OUT_COLOUR = "#aab4c4"


@dataclass(frozen=True)
class Axes:
    """Maps data to pixels inside a box.

    Attributes:
        box: `(left, top, right, bottom)` in pixels.
        x_range: Smallest and largest x.
        y_range: Smallest and largest y.
    """

    box: tuple[float, float, float, float]
    x_range: tuple[float, float]
    y_range: tuple[float, float]

    def place(self, x: float, y: float) -> Point:
        """Return the pixel of a point; y grows upwards."""
        left, top, right, bottom = self.box
        x_share = (x - self.x_range[0]) / (self.x_range[1] - self.x_range[0])
        y_share = (y - self.y_range[0]) / (self.y_range[1] - self.y_range[0])
        return left + x_share * (right - left), bottom - y_share * (bottom - top)


class SmoothLayer:
    """Collects shapes at several times the size and puts them on the canvas with smooth edges."""

    def __init__(self, canvas: Image.Image) -> None:
        self._canvas = canvas
        size = (canvas.width * SMOOTHING, canvas.height * SMOOTHING)
        self._mask = Image.new("L", size, 0)
        self._draw = ImageDraw.Draw(self._mask)

    def line(self, points: Sequence[Point], width: float) -> None:
        """Add a line through the points."""
        self._draw.line(self._enlarge(points), 255, round(width * SMOOTHING), joint="curve")

    def polygon(self, points: Sequence[Point]) -> None:
        """Add a filled polygon."""
        self._draw.polygon(self._enlarge(points), 255)

    def dot(self, place: Point, radius: float) -> None:
        """Add a disc."""
        self._draw.circle(self._enlarge([place])[0], radius * SMOOTHING, 255)

    def paint(self, colour: str, opacity: float = 1.0) -> None:
        """Put everything on the canvas in one colour."""
        mask = self._mask.resize(self._canvas.size, Image.Resampling.BOX)
        self._canvas.paste(colour, (0, 0), mask.point(lambda value: round(value * opacity)))

    def _enlarge(self, points: Sequence[Point]) -> list[Point]:
        return [(x * SMOOTHING, y * SMOOTHING) for x, y in points]


def draw_coverage_plot(
    vectors: Vectors,
    order: Sequence[int],
    out_png: Path,
    *,
    title: str,
    repeats: int = RANDOM_PICKS,
    seed: int = 0,
) -> None:
    """Draw the covering radius of the growing pick against random picks, and a map of all items.

    Args:
        vectors: float32 of shape (n, d), the embeddings of all items.
        order: Rows of the pick, in the order in which it grows, at least two.
        out_png: File to write.
        title: Headline.
        repeats: Number of random picks.
        seed: Of the random picks.
    """
    canvas = Image.new("RGB", _SIZE_PX, PAPER)
    draw_text(ImageDraw.Draw(canvas), (_MARGIN_PX, 40), title, size_px=40, is_bold=True)
    curves = trace_curves(vectors, order, repeats=repeats, seed=seed)
    draw_curves(canvas, _MARGIN_PX, curves)
    right = _SIZE_PX[0] - _MARGIN_PX - _PANEL_WIDTH_PX
    draw_map(canvas, right, project_to_plane(vectors), order)
    save_png(canvas, out_png)


def draw_curves(canvas: Image.Image, left: int, curves: RadiusCurves) -> None:
    """Draw the left panel: radius against k."""
    box = _draw_panel(canvas, left, "Covering radius while the subset grows")
    mean = curves.random.mean(axis=0)
    low, high = curves.random.min(axis=0), curves.random.max(axis=0)
    smallest = min(float(curves.pick.min()), float(low.min()))
    largest = max(float(curves.pick.max()), float(high.max()))
    y_ticks = choose_ticks(smallest, largest)
    size = len(curves.pick)
    axes = Axes(box, (1, max(size, 2)), (y_ticks[0], y_ticks[-1]))
    _draw_grid(canvas, axes, choose_ticks(0, size), y_ticks)

    steps = range(1, size + 1)
    band = [axes.place(k, y) for k, y in zip(steps, high, strict=True)]
    band += reversed([axes.place(k, y) for k, y in zip(steps, low, strict=True)])
    _paint_polygon(canvas, band, ORANGE_SOFT)
    for values, colour in ((mean, ORANGE), (curves.pick, GREEN)):
        layer = SmoothLayer(canvas)
        layer.line([axes.place(k, y) for k, y in zip(steps, values, strict=True)], 3.5)
        layer.paint(colour)
    entries = (
        (GREEN, f"this pick: {curves.pick[-1]:.3f}"),
        (ORANGE, f"random, mean of {len(curves.random)}: {mean[-1]:.3f} (band: all of them)"),
    )
    _draw_legend(canvas, left, entries)
    x_label = "number of chosen images"
    place = ((box[0] + box[2]) / 2, box[3] + 56)
    draw_text(ImageDraw.Draw(canvas), place, x_label, size_px=18, colour=MUTED, anchor="ms")


def draw_map(
    canvas: Image.Image, left: int, plane: NDArray[np.float32], order: Sequence[int]
) -> None:
    """Draw the right panel: all items in the plane of their two main components."""
    box = _draw_panel(canvas, left, "Where the chosen images lie")
    axes = Axes(box, _span(plane[:, 0]), _span(plane[:, 1]))
    chosen = set(order)
    rest = SmoothLayer(canvas)
    halo, dots = SmoothLayer(canvas), SmoothLayer(canvas)
    for row, (x, y) in enumerate(plane):
        place = axes.place(float(x), float(y))
        if row in chosen:
            halo.dot(place, 8.0)
            dots.dot(place, 6.0)
        else:
            rest.dot(place, 4.5)
    rest.paint(_LEFT_OUT_COLOUR, 0.75)
    halo.paint(CARD)
    dots.paint(GREEN)
    entries = (
        (GREEN, f"chosen: {len(chosen)}"),
        (_LEFT_OUT_COLOUR, f"left out: {len(plane) - len(chosen)}"),
    )
    _draw_legend(canvas, left, entries)
    remark = "the two main components of all embeddings: most of the distance is not visible here"
    place = ((box[0] + box[2]) / 2, box[3] + 56)
    draw_text(ImageDraw.Draw(canvas), place, remark, size_px=18, colour=MUTED, anchor="ms")


def choose_ticks(low: float, high: float, *, wanted: int = 6) -> list[float]:
    """Return at least two round numbers that enclose a range.

    >>> choose_ticks(0.0, 100.0)
    [0.0, 20.0, 40.0, 60.0, 80.0, 100.0]
    """
    # A flat curve still needs a scale.
    width = max(high - low, 0.05)
    magnitude = 10.0 ** math.floor(math.log10(width / (wanted - 1)))
    factors = (1.0, 2.0, 2.5, 5.0, 10.0)
    step = next(f * magnitude for f in factors if f * magnitude * (wanted - 1) >= width * 0.999)
    first, last = math.floor(round(low / step, 6)), math.ceil(round(high / step, 6))
    last = max(last, first + 1)
    return [round(number * step, 6) for number in range(first, last + 1)]


def _span(values: NDArray[np.float32]) -> tuple[float, float]:
    low, high = float(values.min()), float(values.max())
    return (low, high) if high > low else (low - 1.0, high + 1.0)


def _draw_panel(canvas: Image.Image, left: int, heading: str) -> tuple[float, float, float, float]:
    """Draw a card with a heading and return the box for the data."""
    right, bottom = left + _PANEL_WIDTH_PX, _PANEL_TOP_PX + _PANEL_HEIGHT_PX
    fill_rounded(canvas, (left, _PANEL_TOP_PX, right, bottom), radius=14, colour=CARD)
    place = (left + 28, _PANEL_TOP_PX + 22)
    draw_text(ImageDraw.Draw(canvas), place, heading, size_px=24, is_bold=True)
    inset = _INSET_PX
    return (
        left + inset[0],
        _PANEL_TOP_PX + inset[1],
        right - inset[2],
        bottom - inset[3],
    )


def _draw_grid(
    canvas: Image.Image, axes: Axes, x_ticks: Sequence[float], y_ticks: Sequence[float]
) -> None:
    draw = ImageDraw.Draw(canvas)
    left, _, right, bottom = axes.box
    for tick in y_ticks:
        y = axes.place(axes.x_range[0], tick)[1]
        draw.line((left, y, right, y), fill=LINE, width=1)
        draw_text(draw, (left - 12, y), f"{tick:g}", size_px=17, colour=MUTED, anchor="rm")
    for tick in x_ticks:
        if not axes.x_range[0] <= tick <= axes.x_range[1]:
            continue
        x = axes.place(tick, axes.y_range[0])[0]
        draw.line((x, bottom, x, bottom + 6), fill=MUTED, width=1)
        draw_text(draw, (x, bottom + 28), f"{tick:g}", size_px=17, colour=MUTED, anchor="ms")


def _paint_polygon(canvas: Image.Image, points: Sequence[Point], colour: str) -> None:
    layer = SmoothLayer(canvas)
    layer.polygon(points)
    layer.paint(colour)


def _draw_legend(canvas: Image.Image, left: int, entries: Sequence[tuple[str, str]]) -> None:
    """Draw coloured dots with their meaning in one line below the heading."""
    draw = ImageDraw.Draw(canvas)
    x, y = left + 28, _PANEL_TOP_PX + 62
    for colour, text in entries:
        fill_rounded(canvas, (x, y + 3, x + 14, y + 17), radius=7, colour=colour)
        draw_text(draw, (x + 22, y), text, size_px=18, colour=INK)
        x += round(measure_text(text, 18)) + 56
