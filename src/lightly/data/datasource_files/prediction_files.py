"""Files with the predictions for one image, of all five task types."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from typing import Annotated, Any, NotRequired

from pydantic import ConfigDict, Field, TypeAdapter, with_config
from typing_extensions import TypedDict

from lightly.data.datasource_files.errors import FileInvalid, shorten
from lightly.data.datasource_files.json_files import encode_json, parse_json
from lightly.data.datasource_files.names import cut_extension, name_prediction_file
from lightly.data.datasource_files.prediction_tasks import (
    WIRE_TYPES,
    CategoryId,
    TaskSchema,
    TaskType,
)
from lightly.data.datasource_files.run_lengths import MAX_MASK_PIXELS

#: A keypoint is x, y and a score.
PER_KEYPOINT = 3
#: Files round probabilities to two digits, so each may be off by this much.
_ROUNDING = 0.005
_LEAST_TOLERANCE = 0.01
_REMEDY = (
    "Put the file right, or remove it: an image without a file counts as one without predictions."
)

_Share = Annotated[float, Field(ge=0, le=1, allow_inf_nan=False)]
_Length = Annotated[float, Field(ge=0, allow_inf_nan=False)]
_Box = Annotated[list[_Length], Field(min_length=4, max_length=4)]
_CONFIG = ConfigDict(strict=True, extra="ignore")

#: One prediction as the file has it: a dictionary with the keys of its task type.
Prediction = dict[str, Any]


@with_config(_CONFIG)
class _Classification(TypedDict):
    category_id: CategoryId
    score: NotRequired[_Share]
    probabilities: NotRequired[list[_Share]]


@with_config(_CONFIG)
class _Detection(TypedDict):
    category_id: CategoryId
    bbox: _Box
    score: _Share
    probabilities: NotRequired[list[_Share]]


@with_config(_CONFIG)
class _Segment(TypedDict):
    category_id: CategoryId
    segmentation: list[int]
    score: _Share
    probabilities: NotRequired[list[_Share]]


@with_config(_CONFIG)
class _Instance(_Segment):
    bbox: _Box


@with_config(_CONFIG)
class _Keypoints(TypedDict):
    category_id: CategoryId
    keypoints: Annotated[list[_Length], Field(min_length=PER_KEYPOINT)]
    bbox: NotRequired[_Box]
    score: _Share
    probabilities: NotRequired[list[_Share]]


_SHAPES: dict[TaskType, type] = {
    "classification": _Classification,
    "object-detection": _Detection,
    "semantic-segmentation": _Segment,
    "instance-segmentation": _Instance,
    "keypoint-detection": _Keypoints,
}


@dataclass(frozen=True, slots=True)
class ImagePredictions:
    """The predictions of one task for one image.

    Attributes:
        file_name: The image, as the file names it; None if it does not. Newer files leave it out.
        predictions: In the order of the file; keys are those of the task type.
    """

    file_name: str | None
    predictions: list[Prediction]


@cache
def _find_adapter(task_type: TaskType) -> TypeAdapter[Any]:
    shape = _SHAPES[task_type]

    @with_config(_CONFIG)
    class Content(TypedDict):
        file_name: NotRequired[str]
        predictions: list[shape]  # type: ignore[valid-type]

    return TypeAdapter(Content)


def parse_predictions(
    content: bytes, schema: TaskSchema, file: str, *, stem: str | None = None
) -> ImagePredictions:
    """Return the predictions in a file.

    Args:
        content: The file's bytes.
        schema: Of the task; predictions have to fit it.
        file: The file's name, for errors.
        stem: Name of the image without its extension, by where the file lies. The image that the
            file names must have it. None if nobody knows.

    Returns:
        What the file holds. A classification without score has that of its probabilities.

    Raises:
        FileInvalid: With the place in the file and the rule that it breaks.

    >>> from lightly.data.datasource_files.prediction_tasks import make_schema
    >>> text = b'{"predictions": [{"category_id": 0, "bbox": [1, 2, 3, 4], "score": 0.5}]}'
    >>> parse_predictions(text, make_schema("object-detection", ["cat"]), "a.json").predictions
    [{'category_id': 0, 'bbox': [1.0, 2.0, 3.0, 4.0], 'score': 0.5}]
    """
    read = parse_json(_find_adapter(schema.task_type), content, file, _REMEDY)
    predictions: list[Prediction] = read["predictions"]
    file_name: str | None = read.get("file_name")
    if stem is not None and file_name is not None and cut_extension(file_name) != stem:
        rule = f"must be the image that the file is named after, got {shorten(file_name, 80)}"
        raise FileInvalid(file, "file_name", rule, "Move the file, or leave 'file_name' out.")
    n_keypoints = schema.n_keypoints
    for number, prediction in enumerate(predictions):
        if prediction["category_id"] not in n_keypoints:
            rule = f"must be an id of the task's schema, got {prediction['category_id']}"
            remedy = "Add the category to 'schema.json', or put the file right."
            raise FileInvalid(file, f"predictions.{number}.category_id", rule, remedy)
        if "probabilities" in prediction:
            _check_probabilities(prediction["probabilities"], schema, file, number)
    if schema.task_type == "classification":
        _fill_scores(predictions, schema, file)
    elif schema.task_type == "keypoint-detection":
        _check_keypoints(predictions, n_keypoints, file)
    elif schema.task_type != "object-detection":
        if b"-" in content:
            # Bounds in the shape would double the time of masks, and most have no minus anywhere.
            _check_signs(predictions, file)
        _check_masks(predictions, file)
    return ImagePredictions(file_name, predictions)


def _check_probabilities(
    probabilities: Sequence[float], schema: TaskSchema, file: str, number: int
) -> None:
    key = f"predictions.{number}.probabilities"
    count = len(schema.categories)
    if len(probabilities) != count:
        rule = f"must have one number for each of the {count} categories, has {len(probabilities)}"
        raise FileInvalid(file, key, rule, _REMEDY)
    total = math.fsum(probabilities)
    if abs(total - 1) > max(_LEAST_TOLERANCE, _ROUNDING * count):
        raise FileInvalid(file, key, f"must add up to 1, they add up to {total:.4g}", _REMEDY)


def _fill_scores(predictions: Sequence[Prediction], schema: TaskSchema, file: str) -> None:
    positions = {id_: place for place, id_ in enumerate(sorted(schema.names))}
    for number, prediction in enumerate(predictions):
        if "score" in prediction:
            continue
        if "probabilities" not in prediction:
            rule = "is missing: without 'probabilities' a prediction needs it"
            raise FileInvalid(file, f"predictions.{number}.score", rule, _REMEDY)
        place = positions[prediction["category_id"]]
        prediction["score"] = prediction["probabilities"][place]


def _check_keypoints(
    predictions: Sequence[Prediction], n_keypoints: dict[int, int | None], file: str
) -> None:
    for number, prediction in enumerate(predictions):
        count, rest = divmod(len(prediction["keypoints"]), PER_KEYPOINT)
        key = f"predictions.{number}.keypoints"
        if rest:
            rule = f"must be x, y and a score for each, got {len(prediction['keypoints'])} numbers"
            raise FileInvalid(file, key, rule, _REMEDY)
        expected = n_keypoints[prediction["category_id"]]
        if expected is not None and count != expected:
            rule = f"must be the {expected} keypoints of 'keypoint_names', got {count}"
            raise FileInvalid(file, key, rule, _REMEDY)


def _check_signs(predictions: Sequence[Prediction], file: str) -> None:
    for number, prediction in enumerate(predictions):
        run_lengths = prediction["segmentation"]
        if min(run_lengths, default=0) < 0:
            place = next(place for place, length in enumerate(run_lengths) if length < 0)
            key = f"predictions.{number}.segmentation.{place}"
            rule = f"must be 0 or more, got {shorten(run_lengths[place])}"
            raise FileInvalid(file, key, rule, _REMEDY)


def _check_masks(predictions: Sequence[Prediction], file: str) -> None:
    """All masks of an image have its size, so they are of one size at least."""
    total: int | None = None
    for number, prediction in enumerate(predictions):
        found = sum(prediction["segmentation"])
        key = f"predictions.{number}.segmentation"
        if found > MAX_MASK_PIXELS:
            rule = f"may have at most {MAX_MASK_PIXELS} pixels, has {shorten(found)}"
            raise FileInvalid(file, key, rule, _REMEDY)
        if total is not None and found != total:
            rule = f"must cover as many pixels as the masks before it: {total}, not {found}"
            raise FileInvalid(file, key, rule, _REMEDY)
        total = found


def check_image_size(
    predictions: Sequence[Prediction], file: str, *, width: int, height: int
) -> None:
    """Raise `FileInvalid` unless masks cover exactly the image that they are about.

    Args:
        predictions: Of one image.
        file: Name of their file, for errors.
        width: Of the image in pixels.
        height: Of the image in pixels.
    """
    for number, prediction in enumerate(predictions):
        run_lengths = prediction.get("segmentation")
        if run_lengths is not None and sum(run_lengths) != width * height:
            rule = (
                f"must cover the {width} x {height} pixels of the image, "
                f"the run lengths add up to {sum(run_lengths)}"
            )
            raise FileInvalid(file, f"predictions.{number}.segmentation", rule, _REMEDY)


def encode_predictions(
    task_name: str, schema: TaskSchema, image_name: str, predictions: Sequence[Prediction]
) -> bytes:
    """Return the bytes of a file with predictions, checked like one that is read.

    Args:
        task_name: The task.
        schema: Its schema.
        image_name: The image.
        predictions: As in `ImagePredictions`.

    Raises:
        FileInvalid: If they do not fit the schema.
    """
    file = name_prediction_file(task_name, image_name)
    content = encode_json({"file_name": image_name, "predictions": list(predictions)}, file)
    parse_predictions(content, schema, file, stem=cut_extension(image_name))
    return content


def write_wire_form(
    predictions: Sequence[Prediction], task_name: str, task_type: TaskType
) -> list[dict[str, Any]]:
    """Return predictions as the API has them.

    Args:
        predictions: As in `ImagePredictions`.
        task_name: Their task.
        task_type: Its type.
    """
    return [
        {
            "type": WIRE_TYPES[task_type],
            "taskName": task_name,
            **{_WIRE_KEYS.get(key, key): value for key, value in prediction.items()},
        }
        for prediction in predictions
    ]


_WIRE_KEYS = {"category_id": "categoryId"}
