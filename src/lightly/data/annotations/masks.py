"""Masks of the formats: polygons, and COCO's run lengths, which go column by column."""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from lightly._kit.errors import BadInput
from lightly.data.datasource_files.run_lengths import decode_mask, encode_mask

if TYPE_CHECKING:
    from numpy.typing import NDArray

#: Largest image whose polygons are drawn: more than any camera takes.
MAX_DRAWN_PIXELS = 500_000_000
#: Corners beyond this many times the image's size are a mistake, and would take memory to draw.
_REACH = 4
_LEAST_CORNERS = 3


def draw_polygons(
    polygons: Sequence[Sequence[float]], width: int, height: int
) -> NDArray[np.bool_]:
    """Return the mask of polygons, drawn exactly as COCO's own tools do.

    Args:
        polygons: Each x1, y1, x2, y2, ... in pixels. Parts that overlap are filled once.
        width: Of the image.
        height: Of the image.

    Raises:
        BadInput: If a polygon has no area to have, or lies far outside of the image.
    """
    from pycocotools import mask as coco  # noqa: PLC0415  loads with its first use

    check_drawn_size(width, height)
    for polygon in polygons:
        _check_polygon(polygon, max(width, height))
    shapes = [list(map(float, one)) for one in polygons]
    drawn = coco.merge(coco.frPyObjects(shapes, height, width))
    # Not unpacked by the library, which relies on behaviour that numpy is about to drop.
    return decode_coco_counts(drawn["counts"].decode(), width, height)


def check_drawn_size(width: int, height: int) -> None:
    """Raise `BadInput` unless an image is one that masks are drawn for."""
    if not 0 < width * height <= MAX_DRAWN_PIXELS or width < 0:
        raise BadInput(
            f"An image must have 1 to {MAX_DRAWN_PIXELS} pixels, got {width} x {height}."
        )


def _check_polygon(polygon: Sequence[float], side: int) -> None:
    if len(polygon) % 2 or len(polygon) < 2 * _LEAST_CORNERS:
        raise BadInput(
            f"A polygon must be x and y of three corners or more, got {len(polygon)} numbers."
        )
    if not all(math.isfinite(value) and abs(value) <= _REACH * side for value in polygon):
        raise BadInput("A polygon must lie on its image, it has corners far outside.")


def draw_box(bbox: Sequence[float], width: int, height: int) -> NDArray[np.bool_]:
    """Return the mask of a box x, y, width, height."""
    x, y, w, h = bbox
    return draw_polygons([[x, y, x + w, y, x + w, y + h, x, y + h]], width, height)


def trace_polygons(mask: NDArray[np.bool_]) -> list[list[float]]:
    """Return polygons around the parts of a mask, holes filled; nothing for an empty mask.

    They go through the middle of the outermost pixels, so a mask drawn from them is about half a
    pixel smaller at its right and lower ends.
    """
    import cv2  # noqa: PLC0415  loads with its first use

    found, _ = cv2.findContours(mask.astype(np.uint8), cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_SIMPLE)
    polygons = []
    for contour in found:
        points = contour.reshape(-1, 2).astype(float) + 0.5
        if len(points) < _LEAST_CORNERS:
            # One or two pixels, or a line of them: draw around them.
            (left, top), (right, bottom) = points.min(axis=0) - 0.5, points.max(axis=0) + 0.5
            points = np.array([[left, top], [right, top], [right, bottom], [left, bottom]])
        polygons.append([float(value) for value in points.ravel()])
    return polygons


def link_polygons(polygons: Sequence[Sequence[float]]) -> list[float]:
    """Return one polygon that goes around several, by lines without width between them.

    For formats that have one polygon for each object.
    """
    start = list(polygons[0][:2])
    linked: list[float] = []
    for polygon in polygons:
        linked += [*polygon, *polygon[:2]]
        if polygon is not polygons[0]:
            linked += start
    return linked if len(polygons) > 1 else list(polygons[0])


def find_box(mask: NDArray[np.bool_]) -> list[float]:
    """Return the box around a mask; all zeros for an empty one."""
    rows, columns = np.flatnonzero(mask.any(axis=1)), np.flatnonzero(mask.any(axis=0))
    if not rows.size:
        return [0.0, 0.0, 0.0, 0.0]
    left, top = int(columns[0]), int(rows[0])
    return [
        float(left),
        float(top),
        float(int(columns[-1]) - left + 1),
        float(int(rows[-1]) - top + 1),
    ]


def encode_coco_counts(run_lengths: Sequence[int], width: int, height: int) -> list[int]:
    """Return COCO's counts, column by column, of a mask given row by row."""
    return encode_mask(decode_mask(run_lengths, width, height).T)


def decode_coco_counts(counts: Sequence[int] | str, width: int, height: int) -> NDArray[np.bool_]:
    """Return the mask of shape (height, width) of COCO's counts.

    Args:
        counts: A list, or COCO's compressed text.
        width: Of the image.
        height: Of the image.

    Raises:
        BadInput: If they do not cover the image, or the text is none.
    """
    check_drawn_size(width, height)
    lengths = _unpack_counts(counts) if isinstance(counts, str) else counts
    # Transposed: columns of the image are the rows of what COCO counts.
    return decode_mask(lengths, height, width).T


def _unpack_counts(text: str) -> list[int]:
    """Return the numbers in COCO's compressed text.

    Each is written in groups of five bits, smallest first, as characters from `0` on; the sixth
    bit says that more follow. From the third on they are differences to the one before the last.
    Written here because the library's own reader trusts what it reads.
    """
    lengths: list[int] = []
    value, shift = 0, 0
    for character in text:
        bits = ord(character) - 48
        if not 0 <= bits < 64 or shift > 60:
            raise BadInput("The text of a compressed COCO mask has characters that it cannot have.")
        value |= (bits & 31) << shift
        shift += 5
        if bits & 32:
            continue
        if bits & 16:
            value -= 1 << shift
        lengths.append(value + lengths[-2] if len(lengths) > 2 else value)
        value, shift = 0, 0
    if shift:
        raise BadInput("The text of a compressed COCO mask is cut off.")
    return lengths


def list_corners(points: Sequence[Sequence[float]]) -> list[float]:
    """Return x and y of points one after another."""
    return [float(value) for value in itertools.chain.from_iterable(points)]
