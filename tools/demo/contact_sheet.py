"""The picture that shows at one glance what was chosen and what it stands for."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from PIL import Image, ImageDraw

from tools.demo.drawing import (
    BLUE,
    CARD,
    GREEN,
    MUTED,
    PAPER,
    RED,
    Fact,
    draw_facts,
    draw_text,
    fill_rounded,
    load_tile,
    measure_text,
    rounded_mask,
    save_png,
)

WIDTH_PX = 1840
_MARGIN_PX = 48
_TEXT_PX = 20

# More tiles make a picture that no viewer opens gladly; the rest is named by its number.
MAX_CHOSEN = 240
MAX_LEFT_OUT = 600

_LABEL_COLOURS = {"blurred": RED}


@dataclass(frozen=True)
class Grid:
    """How tiles of one section are laid out, in pixels."""

    columns: int
    side: int
    gap: int
    caption: int

    def height_for(self, count: int) -> int:
        """Return the height that `count` tiles take."""
        rows = -(-count // self.columns)
        return rows * (self.side + self.caption + self.gap)

    def place_of(self, number: int, top: int) -> tuple[int, int]:
        """Return the upper left corner of one tile."""
        row, column = divmod(number, self.columns)
        return (
            _MARGIN_PX + column * (self.side + self.gap),
            top + row * (self.side + self.caption + self.gap),
        )


CHOSEN_GRID = Grid(columns=16, side=96, gap=13, caption=0)
LEFT_OUT_GRID = Grid(columns=22, side=66, gap=13, caption=18)


@dataclass(frozen=True)
class LeftOut:
    """One picture that was not chosen.

    Attributes:
        path: File.
        number: Number of its nearest chosen picture as printed on the sheet, from 1.
        distance: Distance to that one.
        label: Short word on the tile, may be empty.
    """

    path: Path
    number: int
    distance: float
    label: str


def draw_contact_sheet(
    chosen_paths: Sequence[Path],
    left_out_paths: Sequence[Path],
    out_png: Path,
    *,
    title: str,
    facts: Sequence[Fact],
    nearest: Sequence[tuple[int, float]],
    subtitle: str = "",
    labels: Mapping[Path, str] | None = None,
) -> None:
    """Draw chosen pictures above, left-out pictures with their nearest chosen one below.

    Args:
        chosen_paths: In the order in which they are numbered.
        left_out_paths: All others; they are drawn in the order of their nearest chosen picture.
        out_png: File to write.
        title: Headline.
        facts: Numbers below the headline, at most five.
        nearest: For each left-out picture the index of its nearest one in `chosen_paths` and the
            distance to it.
        subtitle: One line below the headline.
        labels: Short words to print on some tiles, such as `blurred`.

    Raises:
        ValueError: If `nearest` and `left_out_paths` differ in length.
    """
    words = labels or {}
    left_out = [
        LeftOut(path, index + 1, distance, words.get(path, ""))
        for path, (index, distance) in zip(left_out_paths, nearest, strict=True)
    ]
    left_out.sort(key=lambda item: (item.number, item.distance, item.path.as_posix()))
    shown_chosen, shown_left_out = chosen_paths[:MAX_CHOSEN], left_out[:MAX_LEFT_OUT]

    canvas = Image.new("RGB", (WIDTH_PX, _sheet_height(shown_chosen, shown_left_out, facts)), PAPER)
    top = _draw_headline(canvas, title, subtitle, facts)
    heading = f"Chosen: {len(chosen_paths)}"
    top = _draw_heading(canvas, top, heading, _name_rest(chosen_paths, shown_chosen), GREEN)
    for number, path in enumerate(shown_chosen, start=1):
        _draw_chosen(canvas, CHOSEN_GRID.place_of(number - 1, top), number, path, words.get(path))
    top += CHOSEN_GRID.height_for(len(shown_chosen)) + 26
    heading = f"Left out: {len(left_out)}"
    remark = "Below each: number of the nearest chosen image and the distance to it."
    remark += _name_rest(left_out, shown_left_out)
    top = _draw_heading(canvas, top, heading, remark, MUTED)
    for number, item in enumerate(shown_left_out):
        _draw_left_out(canvas, LEFT_OUT_GRID.place_of(number, top), item)
    save_png(canvas, out_png)


def _sheet_height(
    chosen: Sequence[Path], left_out: Sequence[LeftOut], facts: Sequence[Fact]
) -> int:
    headline = 148 + (134 if facts else 0)
    sections = 2 * 56 + 26 + CHOSEN_GRID.height_for(len(chosen))
    return headline + sections + LEFT_OUT_GRID.height_for(len(left_out)) + 30


def _name_rest(all_items: Sequence[object], shown: Sequence[object]) -> str:
    rest = len(all_items) - len(shown)
    return f" {rest} more are not drawn." if rest else ""


def _draw_headline(canvas: Image.Image, title: str, subtitle: str, facts: Sequence[Fact]) -> int:
    """Draw title, subtitle and facts; return where the next section starts."""
    draw = ImageDraw.Draw(canvas)
    draw_text(draw, (_MARGIN_PX, 40), title, size_px=40, is_bold=True)
    draw_text(draw, (_MARGIN_PX, 96), subtitle, size_px=_TEXT_PX, colour=MUTED)
    height = draw_facts(canvas, (_MARGIN_PX, 138), WIDTH_PX - 2 * _MARGIN_PX, list(facts))
    return 148 + (height + 16 if height else 0)


def _draw_heading(canvas: Image.Image, top: int, text: str, remark: str, colour: str) -> int:
    """Draw the heading of a section with a coloured dot; return where its tiles start."""
    draw = ImageDraw.Draw(canvas)
    fill_rounded(canvas, (_MARGIN_PX, top + 16, _MARGIN_PX + 16, top + 32), radius=8, colour=colour)
    left = _MARGIN_PX + 28
    draw_text(draw, (left, top + 8), text, size_px=26, is_bold=True)
    left += round(measure_text(text, 26)) + 20
    draw_text(draw, (left, top + 13), remark.strip(), size_px=_TEXT_PX - 1, colour=MUTED)
    return top + 56


def _draw_chosen(
    canvas: Image.Image, place: tuple[int, int], number: int, path: Path, label: str | None
) -> None:
    side, (left, top) = CHOSEN_GRID.side, place
    frame = 3
    outer = (left - frame, top - frame, left + side + frame, top + side + frame)
    fill_rounded(canvas, outer, radius=12, colour=GREEN)
    canvas.paste(load_tile(path, side, padding_px=5), place, rounded_mask(side, side, 9))
    _draw_badge(canvas, (left - frame, top - frame), str(number), GREEN, size_px=14)
    if label:
        _draw_label(canvas, (left + 4, top + side - 20), label)


def _draw_left_out(canvas: Image.Image, place: tuple[int, int], item: LeftOut) -> None:
    side, (left, top) = LEFT_OUT_GRID.side, place
    canvas.paste(load_tile(item.path, side, padding_px=3), place, rounded_mask(side, side, 8))
    draw = ImageDraw.Draw(canvas)
    number, distance = f"#{item.number}", f"{item.distance:.2f}"
    baseline = top + side + 15
    draw_text(draw, (left + 2, baseline), number, size_px=14, colour=GREEN, anchor="ls")
    draw_text(draw, (left + side - 2, baseline), distance, size_px=14, colour=MUTED, anchor="rs")
    if item.label:
        _draw_label(canvas, (left + 2, top + side - 17), item.label)


def _draw_badge(
    canvas: Image.Image, place: tuple[int, int], text: str, colour: str, *, size_px: int
) -> None:
    """Draw a number on a coloured pill."""
    width = max(round(measure_text(text, size_px)) + 12, 22)
    left, top = place
    fill_rounded(canvas, (left, top, left + width, top + 20), radius=10, colour=colour)
    draw_text(
        ImageDraw.Draw(canvas),
        (left + width / 2, top + 10),
        text,
        size_px=size_px,
        colour=CARD,
        anchor="mm",
        is_bold=True,
    )


def _draw_label(canvas: Image.Image, place: tuple[int, int], text: str) -> None:
    """Draw a short word on the picture."""
    left, top = place
    width = round(measure_text(text, 11)) + 8
    colour = _LABEL_COLOURS.get(text, BLUE)
    fill_rounded(canvas, (left, top, left + width, top + 15), radius=5, colour=colour)
    draw_text(
        ImageDraw.Draw(canvas),
        (left + width / 2, top + 7),
        text,
        size_px=11,
        colour=CARD,
        anchor="mm",
    )
