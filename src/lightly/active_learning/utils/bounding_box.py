"""`BoundingBox`: where an object is in an image."""

from __future__ import annotations

from typing import Self

from lightly._kit.errors import BadInput


class BoundingBox:
    """A box with sides along the image's, in shares of the image's width and height.

    Attributes:
        x0: Left side, 0 to 1.
        y0: Upper side, 0 to 1.
        x1: Right side, above x0.
        y1: Lower side, above y0.

    Args:
        x0: See the attributes, also for the other three.
        y0: As above.
        x1: As above.
        y1: As above.
        clip_values: Whether to move sides that lie outside of the image onto its border.

    Raises:
        ValueError: If a value is outside of 0 to 1 and is not to be moved, or the box is empty.

    Examples:
        >>> BoundingBox(0.25, 0.5, 1.5, 1.0).width
        0.75
        >>> BoundingBox.from_x_y_w_h(0.25, 0.5, 0.5, 0.25)
        BoundingBox(0.25, 0.5, 0.75, 0.75)
    """

    def __init__(
        self, x0: float, y0: float, x1: float, y1: float, clip_values: bool = True
    ) -> None:
        if clip_values:
            x0, y0, x1, y1 = (min(max(value, 0), 1) for value in (x0, y0, x1, y1))
        self.x0, self.y0, self.x1, self.y1 = x0, y0, x1, y1
        if not all(0 <= value <= 1 for value in (x0, y0, x1, y1)):
            raise BadInput(f"The sides of a box are shares of the image, 0 to 1. Got {self}.")
        if not (x0 < x1 and y0 < y1):
            raise BadInput(f"A box needs x0 below x1 and y0 below y1. Got {self}.")

    def __repr__(self) -> str:
        return f"BoundingBox({self.x0}, {self.y0}, {self.x1}, {self.y1})"

    @classmethod
    def from_x_y_w_h(cls, x: float, y: float, w: float, h: float) -> Self:
        """Make a box of its upper left corner, width and height.

        Args:
            x: Left side as a share of the image's width.
            y: Upper side as a share of the image's height.
            w: Width, as for x.
            h: Height, as for y.
        """
        return cls(x, y, x + w, y + h)

    @classmethod
    def from_yolo_label(cls, x_center: float, y_center: float, w: float, h: float) -> Self:
        """Make a box of its centre, width and height, as a line of a YOLO label file has them."""
        return cls(x_center - w / 2, y_center - h / 2, x_center + w / 2, y_center + h / 2)

    @property
    def width(self) -> float:
        """Width as a share of the image's."""
        return self.x1 - self.x0

    @property
    def height(self) -> float:
        """Height as a share of the image's."""
        return self.y1 - self.y0

    @property
    def area(self) -> float:
        """Area as a share of the image's."""
        return self.width * self.height
