"""What all pictures of the demo are drawn with: colours, type, rounded tiles."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from pathlib import Path

from PIL import Image, ImageDraw, ImageFont

from lightly._kit.errors import LightlyError
from lightly.media.images import decode_image, read_bytes

PAPER = "#f4f6f9"
CARD = "#ffffff"
INK = "#17202e"
MUTED = "#667085"
LINE = "#dfe3ea"
GREEN = "#12a150"
GREEN_SOFT = "#d9f4e4"
ORANGE = "#e2762a"
ORANGE_SOFT = "#fbe3d0"
BLUE = "#3b6fd8"
RED = "#cf3a3a"

# Curves are drawn this many times larger and averaged down: Pillow has no smooth edges.
SMOOTHING = 4

Font = ImageFont.FreeTypeFont | ImageFont.ImageFont
Point = tuple[float, float]


@dataclass(frozen=True)
class Fact:
    """One number of a headline: a label, the value in large type, a remark below it.

    Attributes:
        label: What it is.
        value: The number, ready to be printed.
        remark: What to compare it with.
        is_good: Draw the value in green.
    """

    label: str
    value: str
    remark: str = ""
    is_good: bool = False


@cache
def load_font(size_px: int, *, is_plain: bool = True) -> Font:
    """Return the font that comes with Pillow; for other than plain text DejaVu where it is found.

    Pillow's own font looks the same on every machine but knows little beyond ASCII.
    """
    if not is_plain:
        try:
            return ImageFont.truetype("DejaVuSans.ttf", round(size_px * 0.9))
        except OSError:
            pass
    return ImageFont.load_default(size_px)


def font_for(text: str, size_px: int) -> Font:
    """Return a font that can draw the text."""
    return load_font(size_px, is_plain=text.isascii())


def draw_text(
    draw: ImageDraw.ImageDraw,
    place: Point,
    text: str,
    *,
    size_px: int,
    colour: str = INK,
    anchor: str = "la",
    is_bold: bool = False,
) -> None:
    """Draw one line; bold is a thin outline, since Pillow's own font has one weight."""
    draw.text(
        place,
        text,
        fill=colour,
        font=font_for(text, size_px),
        anchor=anchor,
        stroke_width=size_px / 48 if is_bold else 0,
    )


def measure_text(text: str, size_px: int) -> float:
    """Return the width of one line in pixels."""
    return float(font_for(text, size_px).getlength(text))


@cache
def rounded_mask(width: int, height: int, radius: int) -> Image.Image:
    """Return a mask of a rounded rectangle with smooth corners."""
    large = (width * SMOOTHING, height * SMOOTHING)
    mask = Image.new("L", large, 0)
    box = (0, 0, large[0] - 1, large[1] - 1)
    ImageDraw.Draw(mask).rounded_rectangle(box, radius * SMOOTHING, fill=255)
    return mask.resize((width, height), Image.Resampling.BOX)


def fill_rounded(
    canvas: Image.Image,
    box: tuple[int, int, int, int],
    *,
    radius: int,
    colour: str,
    opacity: float = 1.0,
) -> None:
    """Fill a rounded rectangle `(left, top, right, bottom)`."""
    left, top, right, bottom = box
    mask = rounded_mask(right - left, bottom - top, radius)
    if opacity < 1.0:
        mask = mask.point(lambda value: round(value * opacity))
    canvas.paste(colour, (left, top), mask)


def load_tile(path: Path, side_px: int, *, padding_px: int) -> Image.Image:
    """Return a square white tile with the whole picture in it.

    Any mode and any name is fine; a file that is no picture gives a tile with a cross.
    """
    tile = Image.new("RGB", (side_px, side_px), CARD)
    inner = side_px - 2 * padding_px
    try:
        picture = Image.fromarray(decode_image(read_bytes(path)).pixels)
    except (LightlyError, OSError):
        draw = ImageDraw.Draw(tile)
        low, high = side_px * 0.3, side_px * 0.7
        draw.line((low, low, high, high), fill=RED, width=3)
        draw.line((low, high, high, low), fill=RED, width=3)
        return tile
    scale = min(inner / picture.width, inner / picture.height)
    # Tiny pictures are not blown up beyond twice their size: that would only show their pixels.
    scale = min(scale, 2.0)
    size = (max(1, round(picture.width * scale)), max(1, round(picture.height * scale)))
    picture = picture.resize(size, Image.Resampling.LANCZOS, reducing_gap=3.0)
    tile.paste(picture, ((side_px - size[0]) // 2, (side_px - size[1]) // 2))
    return tile


def draw_facts(canvas: Image.Image, place: tuple[int, int], width: int, facts: list[Fact]) -> int:
    """Draw the facts as cards side by side and return the height that they take."""
    gap, height = 16, 118
    card_width = (width - gap * (len(facts) - 1)) // max(len(facts), 1)
    draw = ImageDraw.Draw(canvas)
    for number, fact in enumerate(facts):
        left, top = place[0] + number * (card_width + gap), place[1]
        fill_rounded(canvas, (left, top, left + card_width, top + height), radius=14, colour=CARD)
        colour = GREEN if fact.is_good else INK
        draw_text(draw, (left + 20, top + 16), fact.label, size_px=17, colour=MUTED)
        draw_text(draw, (left + 20, top + 40), fact.value, size_px=36, colour=colour, is_bold=True)
        draw_text(draw, (left + 20, top + 86), fact.remark, size_px=16, colour=MUTED)
    return height if facts else 0


def save_png(canvas: Image.Image, path: Path) -> None:
    """Save next to the target first, so that a reader never sees half a picture."""
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_name(f".{path.name}.partial")
    canvas.save(partial, "PNG", optimize=True)
    partial.replace(path)
