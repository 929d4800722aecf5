"""labelme: a JSON file for each image, with shapes, and flags for the image as a whole."""

from __future__ import annotations

import base64
import binascii
import math
import posixpath
from collections import Counter
from collections.abc import Iterator
from pathlib import Path, PurePosixPath
from typing import Annotated, Any, NotRequired

import numpy as np
from numpy.typing import NDArray
from pydantic import ConfigDict, Field, TypeAdapter, with_config
from pydantic_core import to_json
from typing_extensions import TypedDict

from lightly._kit.errors import BadInput
from lightly._kit.safe_paths import resolve_below
from lightly.data.annotations.masks import (
    check_drawn_size,
    draw_polygons,
    find_box,
    list_corners,
    trace_polygons,
)
from lightly.data.annotations.model import (
    AnnotatedImage,
    Annotations,
    fit_box,
    require_size,
    require_type,
)
from lightly.data.annotations.text_files import (
    MAX_LABEL_BYTES,
    list_files,
    read_label_bytes,
)
from lightly.data.datasource_files.errors import FileInvalid
from lightly.data.datasource_files.json_files import parse_json
from lightly.data.datasource_files.names import cut_extension
from lightly.data.datasource_files.prediction_files import Prediction
from lightly.data.datasource_files.prediction_tasks import TaskSchema, TaskType, make_schema
from lightly.data.datasource_files.run_lengths import decode_mask, encode_mask
from lightly.media.images import open_header

#: Labels of what does not count, as labelme's own converters know it.
_IGNORED_LABEL = "__ignore__"
#: What labelme has.
TYPES: tuple[TaskType, ...] = ("object-detection", "instance-segmentation", "classification")

_REMEDY = "Save the file with labelme again."
#: The form of the files that are written.
_VERSION = "5.1.1"
_CIRCLE_CORNERS = 64
_CONFIG = ConfigDict(strict=True, extra="ignore")
_Number = Annotated[float, Field(allow_inf_nan=False)]
_Points = list[Annotated[list[_Number], Field(min_length=2, max_length=2)]]


@with_config(_CONFIG)
class _Shape(TypedDict):
    label: Annotated[str, Field(min_length=1)]
    points: _Points
    shape_type: NotRequired[str | None]
    group_id: NotRequired[int | None]
    mask: NotRequired[str | None]


@with_config(_CONFIG)
class _Content(TypedDict):
    imagePath: str
    imageHeight: NotRequired[int | None]
    imageWidth: NotRequired[int | None]
    shapes: list[_Shape]
    flags: NotRequired[dict[str, bool] | None]


_CONTENT = TypeAdapter(_Content)


def read_labelme(
    path: Path, *, task_type: TaskType | None = None, default_score: float = 1.0
) -> Annotations:
    """Read a folder of files of labelme.

    Shapes with the same label and group are one object. Points and lines are no objects; they are
    counted in `skipped`.

    Args:
        path: The folder.
        task_type: What to read: boxes around shapes, masks, or the flags of images as classes. If
            None masks if there are polygons, flags if there are no shapes, else boxes.
        default_score: The score of everything: labelme has none.

    Raises:
        FileInvalid: If a file breaks a rule.
    """
    wanted = require_type(task_type, TYPES, "labelme")
    files = list_files(path, ".json")
    # Categories come first, so the files are read twice.
    kinds: set[str] = set()
    labels: set[str] = set()
    flags: set[str] = set()
    for file in files:
        content = _parse(path, file)
        kinds |= {shape.get("shape_type") or "polygon" for shape in content["shapes"]}
        labels |= {shape["label"] for shape in content["shapes"]}
        flags |= set(content.get("flags") or ())
    labels.discard(_IGNORED_LABEL)
    flags.discard(_IGNORED_LABEL)
    chosen = wanted or _guess_type(kinds, flags)
    schema = make_schema(chosen, sorted(flags if chosen == "classification" else labels))
    skipped: Counter[str] = Counter()
    reader = _Reader(path, schema, default_score, skipped)
    return Annotations(schema, reader.read(files), skipped)


def _parse(path: Path, file: str) -> _Content:
    content = read_label_bytes(path / file)
    return parse_json(_CONTENT, content, file, _REMEDY, limit_bytes=MAX_LABEL_BYTES)


def _guess_type(kinds: set[str], flags: set[str]) -> TaskType:
    if kinds & {"polygon", "mask"}:
        return "instance-segmentation"
    return "object-detection" if kinds or not flags else "classification"


class _Reader:
    """Turns files of labelme into predictions."""

    def __init__(
        self, path: Path, schema: TaskSchema, default_score: float, skipped: Counter[str]
    ) -> None:
        self._path = path
        self._task_type = schema.task_type
        self._ids = {name: id_ for id_, name in schema.names.items()}
        self._default_score = default_score
        self._skipped = skipped

    def read(self, files: list[str]) -> Iterator[AnnotatedImage]:
        """Yield the image of each file."""
        for file in files:
            content = _parse(self._path, file)
            image = AnnotatedImage(
                _name_image(content["imagePath"], file),
                content.get("imageWidth"),
                content.get("imageHeight"),
                [],
            )
            if self._task_type == "classification":
                image.predictions.extend(self._read_flags(content))
            else:
                image.predictions.extend(self._read_shapes(content, image, file))
            yield image

    def _read_flags(self, content: _Content) -> Iterator[Prediction]:
        for name, is_set in (content.get("flags") or {}).items():
            if is_set and name != _IGNORED_LABEL:
                yield {"category_id": self._ids[name], "score": self._default_score}

    def _read_shapes(
        self, content: _Content, image: AnnotatedImage, file: str
    ) -> Iterator[Prediction]:
        groups: dict[tuple[str, int], list[tuple[int, _Shape]]] = {}
        for number, shape in enumerate(content["shapes"]):
            if (shape.get("shape_type") or "polygon") not in _OUTLINES:
                self._skipped["points and lines"] += 1
                continue
            if shape["label"] == _IGNORED_LABEL:
                self._skipped["shapes that are labelled to be ignored"] += 1
                continue
            group = shape.get("group_id")
            # Without a group each shape is an object of its own.
            key = (shape["label"], -1 - number if group is None else group)
            groups.setdefault(key, []).append((number, shape))
        for (label, _), shapes in groups.items():
            try:
                read = self._read_object([shape for _, shape in shapes], image)
            except BadInput as error:
                reason = str(error)[:200].rstrip(".")
                raise FileInvalid(file, f"shapes.{shapes[0][0]}", reason, _REMEDY) from None
            yield {"category_id": self._ids[label], "score": self._default_score, **read}

    def _read_object(self, shapes: list[_Shape], image: AnnotatedImage) -> Prediction:
        if self._task_type == "object-detection":
            outlines = [_OUTLINES[shape.get("shape_type") or "polygon"](shape) for shape in shapes]
            points = np.array(list_corners([*np.concatenate(outlines)])).reshape(-1, 2)
            (left, top), (right, bottom) = points.min(axis=0), points.max(axis=0)
            return {"bbox": fit_box([left, top, right - left, bottom - top])}
        width, height = require_size(image)
        check_drawn_size(width, height)
        mask = np.zeros((height, width), bool)
        for shape in shapes:
            mask |= _draw_shape(shape, width, height)
        return {"segmentation": encode_mask(mask), "bbox": find_box(mask)}


def _name_image(image_path: str, file: str) -> str:
    """Return the image's name relative to the folder, which it must not leave."""
    name = image_path.replace("\\", "/")
    joined = posixpath.normpath(posixpath.join(posixpath.dirname(file), name))
    if joined.startswith(("/", "../")) or joined in {".", ".."} or ":" in joined[:2]:
        # The image was elsewhere when it was labelled: files are named like their images.
        return cut_extension(file) + (PurePosixPath(name).suffix or ".jpg")
    return joined


def _draw_shape(shape: _Shape, width: int, height: int) -> NDArray[np.bool_]:
    kind = shape.get("shape_type") or "polygon"
    if kind == "mask":
        return _paste_mask(shape, width, height)
    return draw_polygons([list_corners(_OUTLINES[kind](shape).tolist())], width, height)


def _paste_mask(shape: _Shape, width: int, height: int) -> NDArray[np.bool_]:
    """Return the mask that a shape has as a PNG of its own, between two corners."""
    (left, top), _ = _find_corners(shape)
    try:
        picture = open_header(base64.b64decode(shape.get("mask") or "", validate=True))
        values = np.asarray(picture.convert("L")) > 0
    except (binascii.Error, OSError, ValueError, SyntaxError) as error:
        raise BadInput("a mask must be a PNG in base64") from error
    row, column = round(float(top)), round(float(left))
    rows, columns = values.shape
    if row < 0 or column < 0 or row + rows > height or column + columns > width:
        raise BadInput("a mask must lie on its image")
    mask = np.zeros((height, width), bool)
    mask[row : row + rows, column : column + columns] = values
    return mask


def _find_corners(shape: _Shape) -> NDArray[np.float64]:
    if len(shape["points"]) != 2:
        raise BadInput(f"a {shape.get('shape_type')} must have two points")
    points = np.array(shape["points"])
    return np.array([points.min(axis=0), points.max(axis=0)])


def _outline_rectangle(shape: _Shape) -> NDArray[np.float64]:
    (left, top), (right, bottom) = _find_corners(shape)
    return np.array([[left, top], [right, top], [right, bottom], [left, bottom]])


def _outline_circle(shape: _Shape) -> NDArray[np.float64]:
    """Return corners around a circle, given by its middle and a point on it."""
    if len(shape["points"]) != 2:
        raise BadInput("a circle must have two points")
    middle, edge = np.array(shape["points"])
    radius = math.hypot(*(edge - middle))
    angles = np.linspace(0, 2 * math.pi, _CIRCLE_CORNERS, endpoint=False)
    return np.array(middle + radius * np.stack([np.cos(angles), np.sin(angles)], axis=1))


def _outline_polygon(shape: _Shape) -> NDArray[np.float64]:
    if len(shape["points"]) < 3:
        raise BadInput("a polygon must have three points or more")
    return np.array(shape["points"])


_OUTLINES = {
    "polygon": _outline_polygon,
    "rectangle": _outline_rectangle,
    "circle": _outline_circle,
    "mask": _outline_rectangle,
}


def write_labelme(annotations: Annotations, path: Path, *, with_scores: bool = False) -> None:
    """Write a folder of files of labelme, which shows them beside the images.

    Masks become polygons; those of several parts have a group.

    Args:
        annotations: Of a type in `TYPES`; masks need the sizes of the images.
        path: The folder; best that of the images.
        with_scores: Must be False: labelme has no scores.

    Raises:
        BadInput: If labelme has no such type or no scores.
    """
    schema = annotations.schema
    require_type(schema.task_type, TYPES, "labelme")
    if with_scores:
        raise BadInput("labelme has no place for scores.")
    for image in annotations.images:
        target = resolve_below(path, f"{cut_extension(image.name)}.json")
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(to_json(_write_content(image, schema), indent=2))


def _write_content(image: AnnotatedImage, schema: TaskSchema) -> dict[str, Any]:
    flags, shapes = {}, []
    if schema.task_type == "classification":
        found = {prediction["category_id"] for prediction in image.predictions}
        flags = {name: id_ in found for id_, name in schema.names.items()}
    else:
        for number, prediction in enumerate(image.predictions):
            shapes += _write_shapes(prediction, image, schema, number)
    return {
        "version": _VERSION,
        "flags": flags,
        "shapes": shapes,
        "imagePath": PurePosixPath(image.name).name,
        "imageData": None,
        "imageHeight": image.height,
        "imageWidth": image.width,
    }


def _write_shapes(
    prediction: Prediction, image: AnnotatedImage, schema: TaskSchema, number: int
) -> list[dict[str, Any]]:
    label = schema.names[prediction["category_id"]]
    if "segmentation" not in prediction:
        x, y, width, height = prediction["bbox"]
        return [_write_shape(label, "rectangle", [[x, y], [x + width, y + height]], None)]
    polygons = trace_polygons(decode_mask(prediction["segmentation"], *require_size(image)))
    group = number if len(polygons) > 1 else None
    return [
        _write_shape(label, "polygon", np.reshape(polygon, (-1, 2)).tolist(), group)
        for polygon in polygons
    ]


def _write_shape(label: str, kind: str, points: Any, group: int | None) -> dict[str, Any]:
    return {
        "label": label,
        "points": points,
        "group_id": group,
        "shape_type": kind,
        "flags": {},
    }
