"""What all formats have in common: images, each with predictions, and the categories of these."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field

from lightly._kit.errors import BadInput
from lightly.data.datasource_files.prediction_files import Prediction
from lightly.data.datasource_files.prediction_tasks import TaskSchema, TaskType


@dataclass(frozen=True)
class AnnotatedImage:
    """One image and what is on it.

    Attributes:
        name: Relative to the folder of the images.
        width: In pixels; None if the format does not say.
        height: In pixels; None if the format does not say.
        predictions: With the keys of prediction files.
    """

    name: str
    width: int | None
    height: int | None
    predictions: list[Prediction]


@dataclass(frozen=True)
class Annotations:
    """The content of one source.

    Attributes:
        schema: Task type and categories.
        images: Read one after another while they are asked for, once.
        skipped: What has no place in a prediction file, by reason; complete when all images have
            been read.
    """

    schema: TaskSchema
    images: Iterable[AnnotatedImage]
    skipped: Counter[str] = field(default_factory=Counter)


def require_type(
    wanted: TaskType | None, supported: tuple[TaskType, ...], format_name: str
) -> TaskType | None:
    """Return the task type that is wanted, if a format has it.

    Raises:
        BadInput: If it has not.
    """
    if wanted is not None and wanted not in supported:
        raise BadInput(
            f"{format_name} has no annotations of type {wanted!r}; it has {', '.join(supported)}."
        )
    return wanted


def require_size(image: AnnotatedImage) -> tuple[int, int]:
    """Return width and height of an image.

    Raises:
        BadInput: If nobody knows.
    """
    if not image.width or not image.height:
        raise BadInput(
            f"The size of the image {image.name[:80]!r} is not known, and this format needs it: "
            "say where the images are."
        )
    return image.width, image.height


def fit_box(bbox: Iterable[float]) -> list[float]:
    """Return a box without what lies left of or above the image: prediction files have none.

    >>> fit_box([-2, 5, 10, 10])
    [0.0, 5.0, 8.0, 10.0]
    """
    x, y, width, height = (float(number) for number in bbox)
    left, top = max(x, 0.0), max(y, 0.0)
    if (left, top) == (x, y):
        return [x, y, max(width, 0.0), max(height, 0.0)]
    return [left, top, max(x + width - left, 0.0), max(y + height - top, 0.0)]
