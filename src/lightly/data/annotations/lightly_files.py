"""Prediction files of a datasource as one of the formats."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from pathlib import Path

from lightly._kit.errors import BadInput
from lightly.data.annotations.image_sizes import ImageFolder
from lightly.data.annotations.model import AnnotatedImage, Annotations
from lightly.data.datasource_files.errors import shorten
from lightly.data.datasource_files.lightly_folder import LightlyFolder
from lightly.data.datasource_files.names import cut_extension
from lightly.data.datasource_files.prediction_tasks import TASK_TYPES, TaskType

TYPES = TASK_TYPES


def read_lightly(
    path: Path,
    task_name: str,
    *,
    task_type: TaskType | None = None,
    images: Path | None = None,
) -> Annotations:
    """Read the prediction files of a task.

    Args:
        path: The folder that `.lightly/` lies in.
        task_name: The task.
        task_type: Must be that of its schema, if given.
        images: Where the images are. Files that do not name their image need it.

    Raises:
        FileInvalid: If a file breaks a rule.
        BadInput: If the task is of another type.
    """
    folder = LightlyFolder(path)
    schema = folder.read_schema(task_name)
    if task_type not in {None, schema.task_type}:
        raise BadInput(
            f"The task {shorten(task_name)} is of type {schema.task_type}, not {task_type}."
        )

    def read_all() -> Iterator[AnnotatedImage]:
        for stem, read in folder.iterate_predictions(task_name, schema):
            name = read.file_name
            if name is None and images is not None:
                name = ImageFolder(images).find_name(stem)
            if name is None:
                raise BadInput(
                    f"The predictions {shorten(stem, 120)} do not name their image: say where the "
                    "images are."
                )
            yield AnnotatedImage(name, None, None, read.predictions)

    return Annotations(schema, read_all(), Counter())


def write_lightly(annotations: Annotations, path: Path, task_name: str) -> None:
    """Write the prediction files of a task.

    Args:
        annotations: Of any type.
        path: The folder that `.lightly/` lies in, or shall.
        task_name: The task. An earlier one of this name is replaced file by file.

    Raises:
        FileInvalid: If something breaks a rule.
        BadInput: If two images have the same name but for the extension: they share one file.
    """
    folder = LightlyFolder(path)
    folder.write_task(task_name, annotations.schema)
    seen: set[str] = set()
    for image in annotations.images:
        stem = cut_extension(image.name)
        if stem in seen:
            raise BadInput(
                f"Two images are called {shorten(stem, 120)} but for their extension, and would "
                "share one file of predictions. Rename one."
            )
        seen.add(stem)
        folder.write_predictions(task_name, image.name, image.predictions)
