"""How the files in `.lightly/` are called.

A file about an image is named like the image, with `.json` in place of its extension: so
`a.jpg` and `a.png` share one.
"""

from __future__ import annotations

import posixpath
import re

#: Everything that belongs to the platform lies in this folder of a datasource.
LIGHTLY_FOLDER = ".lightly/"
PREDICTIONS_FOLDER = f"{LIGHTLY_FOLDER}predictions/"
METADATA_FOLDER = f"{LIGHTLY_FOLDER}metadata/"
EMBEDDINGS_FOLDER = f"{LIGHTLY_FOLDER}embeddings/"
CROPS_FOLDER = f"{LIGHTLY_FOLDER}crops/"
TASKS_FILE = f"{PREDICTIONS_FOLDER}tasks.json"
METADATA_SCHEMA_FILE = f"{METADATA_FOLDER}schema.json"
SCHEMA_NAME = "schema.json"
#: The form of thumbnails' names unless a datasource says otherwise.
DEFAULT_THUMB_SUFFIX = f"{LIGHTLY_FOLDER}thumbnails/[filename]_thumb.[extension]"

_JSON = ".json"
_PLACEHOLDER = re.compile(r"\[(?:filename|extension)\]")


def cut_extension(name: str) -> str:
    """Return a file's name without its extension.

    >>> cut_extension("a.b/c.jpg")
    'a.b/c'
    """
    return posixpath.splitext(name)[0]


def name_task_schema(task_name: str) -> str:
    """Return where the schema of a prediction task lies.

    >>> name_task_schema("animals")
    '.lightly/predictions/animals/schema.json'
    """
    return f"{PREDICTIONS_FOLDER}{task_name}/{SCHEMA_NAME}"


def name_prediction_file(task_name: str, image_name: str) -> str:
    """Return where the predictions for an image lie.

    >>> name_prediction_file("animals", "zoo/1.jpg")
    '.lightly/predictions/animals/zoo/1.json'
    """
    return f"{PREDICTIONS_FOLDER}{task_name}/{cut_extension(image_name)}{_JSON}"


def name_metadata_file(file_name: str) -> str:
    """Return where the metadata of an image, a video or a frame lie.

    >>> name_metadata_file("street/1-099-mp4.png")
    '.lightly/metadata/street/1-099-mp4.json'
    """
    return f"{METADATA_FOLDER}{cut_extension(file_name)}{_JSON}"


def name_embedding_file(file_name: str) -> str:
    """Return where a file with custom embeddings lies.

    >>> name_embedding_file("clip.csv")
    '.lightly/embeddings/clip.csv'
    """
    return f"{EMBEDDINGS_FOLDER}{file_name}"


def name_crop(task_name: str, image_name: str, number: int, image_format: str = "png") -> str:
    """Return what the crop of an object is called; it lies at this name below `.lightly/crops/`.

    Args:
        task_name: The task that predicted the object.
        image_name: The image that it is cut from.
        number: Position of the object among the task's predictions for the image.
        image_format: `png` or `jpg`.

    >>> name_crop("animals", "zoo/1.jpg", 0)
    'animals/zoo/1-0-jpg.png'
    """
    stem, extension = posixpath.splitext(image_name)
    return f"{task_name}/{stem}-{number}-{extension[1:].lower()}.{image_format}"


def name_thumbnail(image_name: str, suffix: str = DEFAULT_THUMB_SUFFIX) -> str:
    """Return where the thumbnail of an image lies.

    Args:
        image_name: The image.
        suffix: Template of the datasource: `[filename]` stands for the name without extension,
            `[extension]` for the extension.

    >>> name_thumbnail("a/b.jpg")
    '.lightly/thumbnails/a/b_thumb.jpg'
    """
    stem, extension = posixpath.splitext(image_name)
    values = {"[filename]": stem, "[extension]": extension[1:]}
    # At once: a file may have a placeholder in its name.
    return _PLACEHOLDER.sub(lambda found: values[found[0]], suffix)
