"""Reading label files in the YOLO format."""

from __future__ import annotations

from pathlib import Path

from lightly._kit.errors import BadInput
from lightly.active_learning.utils.bounding_box import BoundingBox

# Class and box; detectors add the score of what they have found.
_COLUMNS = frozenset({5, 6})


def read_yolo_label_file(
    filepath: str, padding: float, separator: str = " "
) -> tuple[list[int], list[BoundingBox]]:
    """Read the objects of one image.

    A line of the file is `class x_center y_center width height`, the last four in shares of the
    image's width or height. A score at the end of a line is passed over, as are empty lines.

    Args:
        filepath: The file.
        padding: Widen each box by this share of its own width and height.
        separator: What stands between the values; a blank is any white space.

    Returns:
        Class and box of each line. Boxes end at the border of the image.

    Raises:
        ValueError: If a line has another form, or the file is no text.
        FileNotFoundError: If there is no such file.
    """
    try:
        lines = Path(filepath).read_text(encoding="utf-8").splitlines()
    except UnicodeDecodeError:
        raise BadInput(f"{Path(filepath).name[:80]!r} is no text file.") from None
    labels, boxes = [], []
    for number, line in enumerate(lines, 1):
        parts = line.split() if separator == " " else line.strip().split(separator)
        if not line.strip():
            continue
        try:
            label, x, y, width, height = (float(part) for part in parts[:5])
            box = BoundingBox.from_yolo_label(x, y, width * (1 + padding), height * (1 + padding))
        except ValueError as error:
            reason = f" {error}" if isinstance(error, BadInput) else ""
            raise BadInput(_explain(filepath, number) + reason) from None
        if len(parts) not in _COLUMNS or label < 0 or not label.is_integer():
            raise BadInput(_explain(filepath, number))
        labels.append(int(label))
        boxes.append(box)
    return labels, boxes


def _explain(filepath: str, number: int) -> str:
    return (
        f"Line {number} of {Path(filepath).name[:80]!r} must be a class from 0 on and a box:"
        " class x_center y_center width height."
    )
