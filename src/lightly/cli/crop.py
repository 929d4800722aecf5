"""`lightly crop` and `lightly-crop`: objects as images of their own."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from lightly._kit.errors import BadInput
from lightly.cli.key_values import KeyValueCommand, Setting, Values
from lightly.cli.old_settings import (
    INPUT_DIR,
    OUTPUT_DIR,
    RUN_FOLDER,
    SHARED_KEYS,
    choose_run_folder,
    read_file,
    read_folder,
)

if TYPE_CHECKING:
    from lightly.active_learning.utils.bounding_box import BoundingBox

_NAMES = "label_names_file"


def run_crop(values: Values) -> list[list[str]]:
    """Save every labelled object and return the files' names, a list per image.

    Raises:
        BadInput: If a folder is missing, or a label file has not the YOLO form.
    """
    source, labels = read_folder(values, "input_dir"), read_folder(values, "label_dir")
    if values["crop_padding"] < 0:
        raise BadInput(f"crop_padding must be 0 or more, got {values['crop_padding']}.")
    class_names = _read_class_names(read_file(values, _NAMES)) if values[_NAMES] else None
    target = Path(values["output_dir"]) if values["output_dir"] else choose_run_folder(values)
    from lightly.data.dataset import LightlyDataset
    from lightly.utils.cropping.crop_image_by_bounding_boxes import (
        crop_dataset_by_bounding_boxes_and_save,
    )

    names = _list_labelled(LightlyDataset(source).get_filenames(), labels)
    classes, boxes = _read_labels(labels, names, values["crop_padding"])
    dataset = LightlyDataset(source, filenames=names)
    files = crop_dataset_by_bounding_boxes_and_save(
        dataset, str(target), boxes, classes, class_names
    )
    click.echo(f"{sum(map(len, files))} cropped images are stored at: {target}")
    return files


def _list_labelled(names: Sequence[str], labels: Path) -> list[str]:
    """Return the images that have a label file; one without is not the same as no objects."""
    found = [name for name in names if _find(labels, name).is_file()]
    if not found:
        raise BadInput("label_dir has no label file for any image: a/b.jpg needs a/b.txt.")
    click.echo(f"Cropping objects out of {len(found)} images...")
    if len(found) < len(names):
        click.echo(f"{len(names) - len(found)} images have no label file and are left out.")
    return found


def _read_labels(
    labels: Path, names: Sequence[str], padding: float
) -> tuple[list[list[int]], list[list[BoundingBox]]]:
    from lightly.utils.cropping.read_yolo_label_file import read_yolo_label_file

    read = [read_yolo_label_file(str(_find(labels, name)), padding) for name in names]
    return [classes for classes, _ in read], [boxes for _, boxes in read]


def _find(labels: Path, name: str) -> Path:
    return labels / Path(name).with_suffix(".txt")


def _read_class_names(path: Path) -> list[str]:
    """Return the `names` of a YOLO data file, a list or a dictionary by class."""
    import yaml

    try:
        content = yaml.safe_load(path.read_text(encoding="utf-8"))
    except (yaml.YAMLError, UnicodeDecodeError):
        raise BadInput(f"{_NAMES}: the file is no YAML.") from None
    names = content.get("names") if isinstance(content, dict) else None
    if isinstance(names, dict) and set(names) == set(range(len(names))):
        names = [names[label] for label in range(len(names))]
    if not isinstance(names, list) or not all(isinstance(name, str) for name in names):
        raise BadInput(f"{_NAMES}: the file needs a list of names: names: ['cat', 'dog'].")
    return names


crop = KeyValueCommand(
    "crop",
    run_crop,
    settings=(
        INPUT_DIR,
        Setting("label_dir", "Folder with YOLO label files, named like the images: a/b.txt."),
        OUTPUT_DIR,
        Setting("crop_padding", "Widen boxes by this share of their size.", 0.1),
        Setting(_NAMES, "YAML file with the names of the classes, for the file names."),
        RUN_FOLDER,
    ),
    summary="Cut labelled objects out of images: the third one of a/b.jpg becomes"
    " a/b/2_class0.jpg.",
    examples=("input_dir=images label_dir=labels output_dir=crops",),
    without_effect=SHARED_KEYS,
)
