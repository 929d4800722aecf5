"""Saving the objects of a dataset's images as images of their own."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path, PurePosixPath
from typing import Any, Protocol

from lightly._kit.atomic_files import open_atomic
from lightly._kit.errors import BadInput
from lightly._kit.safe_paths import resolve_below
from lightly.active_learning.utils.bounding_box import BoundingBox


class NamedImages(Protocol):
    """What cropping needs of a dataset; `lightly.data.LightlyDataset` has it."""

    def __getitem__(self, index: int, /) -> tuple[Any, Any, str]:
        """Return image, label and file name of a sample."""

    def get_filenames(self) -> list[str]:
        """Return the file names of all samples, in order."""


def crop_dataset_by_bounding_boxes_and_save(
    dataset: NamedImages,
    output_dir: str,
    bounding_boxes_list_list: Sequence[Sequence[BoundingBox]],
    class_indices_list_list: Sequence[Sequence[int]],
    class_names: Sequence[str] | None = None,
) -> list[list[str]]:
    """Save every object as an image: the third one of `a/b.jpg` as `a/b/2_class0.jpg`.

    Sides are rounded down to pixels; an object gets one pixel at least.

    Args:
        dataset: The images.
        output_dir: Where to write.
        bounding_boxes_list_list: One list of boxes per image.
        class_indices_list_list: As many classes.
        class_names: Names by class, for the file names; `class0` and so on if left out.

    Returns:
        For each image the files of its objects, relative to `output_dir`.

    Raises:
        ValueError: If the lengths differ, a class has no name, a name leads out of the
            folder, or an image cannot be decoded.
    """
    names = dataset.get_filenames()
    if not len(names) == len(bounding_boxes_list_list) == len(class_indices_list_list):
        raise BadInput(
            "There must be one list of boxes and one of classes per image. Got"
            f" {len(names)} images, {len(bounding_boxes_list_list)} and"
            f" {len(class_indices_list_list)} lists."
        )
    folder = Path(output_dir)
    cropped = []
    for number, name in enumerate(names):
        boxes, classes = bounding_boxes_list_list[number], class_indices_list_list[number]
        if len(boxes) != len(classes):
            raise BadInput(f"{name}: there are {len(boxes)} boxes, but {len(classes)} classes.")
        files = [
            _name_crop(name, position, _name_class(label, class_names))
            for position, label in enumerate(classes)
        ]
        if files:
            paths = [resolve_below(folder, file) for file in files]
            try:
                image = dataset[number][0]
            except OSError as error:
                raise BadInput(f"{name} cannot be read: {error}") from error
            _save_crops(image, boxes, paths)
        cropped.append(files)
    return cropped


def _name_crop(name: str, position: int, class_name: str) -> str:
    path = PurePosixPath(name)
    return str(path.with_suffix("") / f"{position}_{class_name}{path.suffix}")


def _name_class(label: int, class_names: Sequence[str] | None) -> str:
    if class_names is None:
        return f"class{label}"
    if not 0 <= label < len(class_names):
        raise BadInput(f"Class {label} has no name: there are {len(class_names)} names.")
    return class_names[label].replace("/", "_").replace("\\", "_")


def _save_crops(image: Any, boxes: Sequence[BoundingBox], paths: Sequence[Path]) -> None:
    for box, path in zip(boxes, paths, strict=True):
        left, right = _to_pixels(box.x0, box.x1, image.width)
        upper, lower = _to_pixels(box.y0, box.y1, image.height)
        with open_atomic(path) as file:
            _save(image.crop((left, upper, right, lower)), file, path.suffix)


def _to_pixels(start: float, end: float, n_pixels: int) -> tuple[int, int]:
    first = min(int(start * n_pixels), n_pixels - 1)
    return first, max(int(end * n_pixels), first + 1)


def _save(image: Any, file: Any, suffix: str) -> None:
    from PIL import Image  # noqa: PLC0415  the module stays light to import

    image.save(file, Image.registered_extensions().get(suffix.lower(), "PNG"))
