"""YOLO: a text file for each image, with a line for each object, in shares of the image's size.

A line is `class x_center y_center width height`, for masks `class x1 y1 x2 y2 ...`, for keypoints
`class x_center y_center width height x1 y1 v1 ...`. A score may follow at the end.
"""

from __future__ import annotations

import json
import math
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any

import yaml

from lightly._kit.atomic_files import write_atomic
from lightly._kit.errors import BadInput
from lightly._kit.safe_paths import resolve_below
from lightly.data.annotations.image_sizes import ImageFolder
from lightly.data.annotations.masks import (
    draw_polygons,
    find_box,
    link_polygons,
    trace_polygons,
)
from lightly.data.annotations.model import (
    AnnotatedImage,
    Annotations,
    fit_box,
    require_size,
    require_type,
)
from lightly.data.annotations.text_files import list_files, read_text
from lightly.data.datasource_files.errors import FileInvalid
from lightly.data.datasource_files.names import cut_extension
from lightly.data.datasource_files.prediction_files import PER_KEYPOINT, Prediction
from lightly.data.datasource_files.prediction_tasks import TaskSchema, TaskType, make_schema
from lightly.data.datasource_files.run_lengths import decode_mask, encode_mask

#: What YOLO has.
TYPES: tuple[TaskType, ...] = ("object-detection", "instance-segmentation", "keypoint-detection")

_REMEDY = "Write 'class x_center y_center width height', the last four in shares of the image."
_BOX_NUMBERS = 4
_LEAST_POLYGON = 6
_NAME_FILES = ("classes.txt", "obj.names", "names.txt")
_SETTINGS = ("data.yaml", "data.yml", "dataset.yaml", "dataset.yml")
#: As many digits as a float needs to come back the same.
_DIGITS = 17
_NEITHER = frozenset({*_NAME_FILES, "train.txt", "val.txt", "test.txt"})


@dataclass(frozen=True)
class _Settings:
    """What a folder says of its labels.

    Attributes:
        names: Of the classes.
        keypoint_numbers: How many numbers a keypoint has, 2 or 3; None without keypoints.
        n_keypoints: How many keypoints an object has.
    """

    names: list[str]
    keypoint_numbers: int | None = None
    n_keypoints: int = 0


def read_yolo(
    path: Path,
    *,
    images: Path | None = None,
    task_type: TaskType | None = None,
    default_score: float = 1.0,
) -> Annotations:
    """Read a folder of labels.

    Class names come from `data.yaml` or `classes.txt`. Labels lie in `labels/` of the folder or in
    the folder itself, images in `images/` or beside the labels.

    Args:
        path: The folder.
        images: Where the images are, if elsewhere: their sizes are needed.
        task_type: What the labels are; found out by the first ones if None.
        default_score: Of labels without score.

    Raises:
        FileInvalid: If a file breaks a rule.
        BadInput: If there are no class names, or an image is missing.
    """
    wanted = require_type(task_type, TYPES, "YOLO")
    settings = _read_settings(path)
    labels = path / "labels" if (path / "labels").is_dir() else path
    sizes = ImageFolder(images or (path / "images" if (path / "images").is_dir() else labels))
    files = list_files(labels, ".txt", left_out=_NEITHER)
    chosen = wanted or _guess_type(labels, files, settings)
    schema = make_schema(chosen, settings.names)
    reader = _Reader(labels, sizes, schema, settings, default_score)
    return Annotations(schema, reader.read(files), Counter())


def _read_settings(path: Path) -> _Settings:
    for place in (path, path.parent):
        for name in _SETTINGS:
            if (place / name).is_file():
                return _parse_settings(place / name)
    for place in (path, path / "labels", path.parent):
        for name in _NAME_FILES:
            if (place / name).is_file():
                lines = read_text(place / name).splitlines()
                return _Settings([line.strip() for line in lines if line.strip()])
    raise BadInput(
        f"The folder {path.name[:80]!r} does not say what the classes are called: put a "
        "'data.yaml' with 'names', or a 'classes.txt' with a name on each line, beside the labels."
    )


def _parse_settings(path: Path) -> _Settings:
    remedy = "Write 'names: [cat, dog]'."
    try:
        content: Any = yaml.safe_load(read_text(path))
    except (yaml.YAMLError, RecursionError, ValueError) as error:
        if isinstance(error, FileInvalid):
            raise
        raise FileInvalid(path.name, "", "is no valid YAML", remedy) from None
    names = content.get("names") if isinstance(content, dict) else None
    if isinstance(names, dict) and set(names) == set(range(len(names))):
        names = [names[number] for number in range(len(names))]
    # Only plain ones: written out, a short file of references can be endless.
    if (
        not isinstance(names, list)
        or not names
        or not all(isinstance(name, str | int) for name in names)
    ):
        rule = "must be the names of the classes, numbered from 0"
        raise FileInvalid(path.name, "names", rule, remedy)
    shape = content.get("kpt_shape")
    if shape is None:
        return _Settings([str(name) for name in names])
    is_valid = isinstance(shape, list) and [type(number) for number in shape] == [int, int]
    if not is_valid or shape[0] < 1 or shape[1] not in {2, PER_KEYPOINT}:
        rule = "must be how many keypoints there are, and 2 or 3 numbers for each"
        raise FileInvalid(path.name, "kpt_shape", rule, "Write 'kpt_shape: [17, 3]'.")
    return _Settings([str(name) for name in names], shape[1], shape[0])


def _guess_type(labels: Path, files: Sequence[str], settings: _Settings) -> TaskType:
    if settings.keypoint_numbers is not None:
        return "keypoint-detection"
    for name in files:
        for line in read_text(labels / name).splitlines():
            if line.strip():
                is_box = len(line.split()) <= _BOX_NUMBERS + 2
                return "object-detection" if is_box else "instance-segmentation"
    return "object-detection"


@dataclass(frozen=True)
class _Reader:
    """Turns label files into predictions."""

    labels: Path
    images: ImageFolder
    schema: TaskSchema
    settings: _Settings
    default_score: float

    def read(self, files: Sequence[str]) -> Iterator[AnnotatedImage]:
        """Yield the image of each label file."""
        for file in files:
            name = self.images.find_name(cut_extension(file))
            if name is None:
                raise BadInput(
                    f"There is no image for the labels {file[:120]!r}, and its size is needed: say "
                    "where the images are."
                )
            width, height = self.images.measure(name)
            predictions = []
            for number, line in enumerate(read_text(self.labels / file).splitlines(), 1):
                if line.strip():
                    predictions.append(self._read_line(line, file, number, width, height))
            yield AnnotatedImage(name, width, height, predictions)

    def _read_line(self, line: str, file: str, number: int, width: int, height: int) -> Prediction:
        key = f"line {number}"
        try:
            class_, *numbers = (float(part) for part in line.split())
        except ValueError:
            raise FileInvalid(file, key, "must be numbers", _REMEDY) from None
        if not all(math.isfinite(value) for value in (class_, *numbers)):
            raise FileInvalid(file, key, "must be finite numbers", _REMEDY)
        if class_ not in self.schema.names:
            n_classes = len(self.schema.names)
            rule = f"must begin with a class from 0 to {n_classes - 1}, got {class_:g}"
            raise FileInvalid(file, key, rule, "Name all classes in 'data.yaml'.")
        try:
            read = self._read_numbers(numbers, width, height)
        except BadInput as error:
            raise FileInvalid(file, key, str(error).rstrip("."), _REMEDY) from None
        if not 0 <= read["score"] <= 1:
            rule = f"must end with a score from 0 to 1, got {read['score']:g}"
            raise FileInvalid(file, key, rule, _REMEDY)
        return {"category_id": int(class_), **read}

    def _read_numbers(self, numbers: list[float], width: int, height: int) -> Prediction:
        if self.schema.task_type == "instance-segmentation":
            return self._read_polygon(numbers, width, height)
        n_keypoints = self.settings.n_keypoints
        per_keypoint = self.settings.keypoint_numbers or PER_KEYPOINT
        is_pose = self.schema.task_type == "keypoint-detection"
        expected = _BOX_NUMBERS + (n_keypoints * per_keypoint if is_pose else 0)
        if len(numbers) not in {expected, expected + 1}:
            raise BadInput(f"must have {expected + 1} or {expected + 2} numbers")
        score = numbers[expected] if len(numbers) > expected else self.default_score
        x, y, w, h = numbers[:_BOX_NUMBERS]
        box = [(x - w / 2) * width, (y - h / 2) * height, w * width, h * height]
        read: Prediction = {"bbox": fit_box(box), "score": score}
        if is_pose:
            read["keypoints"] = _scale_keypoints(
                numbers[_BOX_NUMBERS:expected], per_keypoint, width, height
            )
        return read

    def _read_polygon(self, numbers: list[float], width: int, height: int) -> Prediction:
        if len(numbers) in {_BOX_NUMBERS, _BOX_NUMBERS + 1}:
            # Labels of masks may have boxes among them.
            x, y, w, h = numbers[:_BOX_NUMBERS]
            left, right, top, bottom = x - w / 2, x + w / 2, y - h / 2, y + h / 2
            corners = [left, top, right, top, right, bottom, left, bottom]
            numbers = [*corners, *numbers[_BOX_NUMBERS:]]
        if len(numbers) < _LEAST_POLYGON:
            raise BadInput("must have x and y of three corners or more")
        has_score = len(numbers) % 2
        corners = numbers[:-1] if has_score else numbers
        scaled = [value * (height if place % 2 else width) for place, value in enumerate(corners)]
        mask = draw_polygons([scaled], width, height)
        return {
            "segmentation": encode_mask(mask),
            "bbox": find_box(mask),
            "score": numbers[-1] if has_score else self.default_score,
        }


def _scale_keypoints(
    numbers: Sequence[float], per_keypoint: int, width: int, height: int
) -> list[float]:
    read: list[float] = []
    for start in range(0, len(numbers), per_keypoint):
        x, y, *seen = numbers[start : start + per_keypoint]
        # As in COCO: not labelled, hidden, visible.
        score = min(max(seen[0], 0.0) / 2, 1.0) if seen else 1.0
        read += [max(x * width, 0.0), max(y * height, 0.0), score]
    return read


def write_yolo(annotations: Annotations, path: Path, *, with_scores: bool = False) -> None:
    """Write a folder of labels: `labels/` and `data.yaml`.

    Classes are numbered from 0, in the order of the categories' ids.

    Args:
        annotations: Of a type in `TYPES`, with the sizes of the images.
        path: The folder.
        with_scores: Whether lines end with the score, as those of results do.

    Raises:
        BadInput: If YOLO has no such type, or the size of an image is not known.
    """
    schema = annotations.schema
    require_type(schema.task_type, TYPES, "YOLO")
    ids = sorted(schema.names)
    classes = {id_: number for number, id_ in enumerate(ids)}
    content: dict[str, Any] = {"path": ".", "train": "images", "val": "images"}
    content["names"] = [schema.names[id_] for id_ in ids]
    if schema.task_type == "keypoint-detection":
        content["kpt_shape"] = [_count_keypoints(schema), PER_KEYPOINT]
    # JSON is YAML, and quotes whatever needs it.
    lines = [f"{key}: {json.dumps(value, ensure_ascii=False)}\n" for key, value in content.items()]
    write_atomic(path / "data.yaml", "".join(lines).encode())
    for image in annotations.images:
        text = "".join(
            _write_line(prediction, classes, image, with_scores=with_scores)
            for prediction in image.predictions
        )
        target = resolve_below(path, f"labels/{PurePosixPath(cut_extension(image.name))}.txt")
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(text)


def _count_keypoints(schema: TaskSchema) -> int:
    counts = {count for count in schema.n_keypoints.values() if count is not None}
    if len(counts) != 1:
        raise BadInput(
            "YOLO has as many keypoints for each class: all categories of the schema must have "
            "'keypoint_names', as many each."
        )
    return counts.pop()


def _write_line(
    prediction: Prediction, classes: dict[int, int], image: AnnotatedImage, *, with_scores: bool
) -> str:
    width, height = require_size(image)
    numbers: list[float]
    if "segmentation" in prediction:
        polygons = trace_polygons(decode_mask(prediction["segmentation"], width, height))
        if not polygons:
            return ""
        numbers = _share(link_polygons(polygons), width, height)
    else:
        numbers = _write_box(prediction, width, height)
    if "keypoints" in prediction:
        keypoints = prediction["keypoints"]
        for start in range(0, len(keypoints), PER_KEYPOINT):
            x, y, score = keypoints[start : start + PER_KEYPOINT]
            numbers += [x / width, y / height, round(2 * score)]
    if with_scores:
        numbers.append(prediction["score"])
    text = " ".join(f"{number:.{_DIGITS}g}" for number in numbers)
    return f"{classes[prediction['category_id']]} {text}\n"


def _share(corners: Sequence[float], width: int, height: int) -> list[float]:
    return [value / (height if place % 2 else width) for place, value in enumerate(corners)]


def _write_box(prediction: Prediction, width: int, height: int) -> list[float]:
    bbox = prediction.get("bbox")
    if bbox is None:
        raise BadInput("YOLO needs a box for each object, and these keypoints have none.")
    x, y, w, h = bbox
    return [(x + w / 2) / width, (y + h / 2) / height, w / width, h / height]
