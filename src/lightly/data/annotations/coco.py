"""COCO: one JSON file with images, annotations and categories, or a list of results."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Annotated, Any, NotRequired, TypeVar

from pydantic import ConfigDict, Field, TypeAdapter, with_config
from pydantic_core import to_json
from typing_extensions import TypedDict

from lightly._kit.atomic_files import open_atomic
from lightly._kit.errors import BadInput
from lightly.data.annotations.masks import (
    decode_coco_counts,
    draw_polygons,
    encode_coco_counts,
    find_box,
)
from lightly.data.annotations.model import (
    AnnotatedImage,
    Annotations,
    fit_box,
    require_size,
    require_type,
)
from lightly.data.datasource_files.errors import FileInvalid
from lightly.data.datasource_files.json_files import parse_json
from lightly.data.datasource_files.prediction_files import PER_KEYPOINT, Prediction
from lightly.data.datasource_files.prediction_tasks import (
    Category,
    CategoryId,
    TaskSchema,
    TaskType,
)
from lightly.data.datasource_files.run_lengths import decode_mask, encode_mask

ContentT = TypeVar("ContentT")

#: What COCO has, the richest last.
TYPES: tuple[TaskType, ...] = ("object-detection", "instance-segmentation", "keypoint-detection")
#: Largest COCO file: that of the training images of the original data set has 470 MB.
MAX_COCO_BYTES = 2 * 1024**3

_REMEDY = "Write a COCO file with 'images', 'annotations' and 'categories'."
_CONFIG = ConfigDict(strict=True, extra="ignore")
_Number = Annotated[float, Field(allow_inf_nan=False)]
_ImageId = int | str
#: How COCO writes whether a keypoint can be seen: not labelled, hidden, visible.
_VISIBLE = 2


@with_config(_CONFIG)
class _Image(TypedDict):
    id: _ImageId
    file_name: str
    width: NotRequired[int | None]
    height: NotRequired[int | None]


@with_config(_CONFIG)
class _Annotation(TypedDict):
    image_id: _ImageId
    category_id: CategoryId
    bbox: NotRequired[Annotated[list[_Number], Field(min_length=4, max_length=4)] | None]
    segmentation: NotRequired[Any]
    keypoints: NotRequired[list[_Number] | None]
    score: NotRequired[Annotated[float, Field(ge=0, le=1, allow_inf_nan=False)] | None]


@with_config(_CONFIG)
class _Category(TypedDict):
    id: CategoryId
    name: str
    keypoints: NotRequired[list[str] | None]
    skeleton: NotRequired[list[list[int]] | None]


@with_config(_CONFIG)
class _Content(TypedDict):
    images: list[_Image]
    annotations: NotRequired[list[_Annotation]]
    categories: list[_Category]


_CONTENT = TypeAdapter(_Content)
_RESULTS = TypeAdapter(list[_Annotation])


def read_coco(
    path: Path,
    *,
    task_type: TaskType | None = None,
    default_score: float = 1.0,
    results: Path | None = None,
) -> Annotations:
    """Read a COCO file.

    Args:
        path: The file with images and categories.
        task_type: What to take from it; the richest that it has if None.
        default_score: Of annotations without score: labels have none.
        results: A file of results, a list of annotations with scores, which is taken in place of
            the annotations in the first file.

    Raises:
        FileInvalid: If a file breaks a rule.
    """
    wanted = require_type(task_type, TYPES, "COCO")
    content = _parse(_CONTENT, path, _REMEDY)
    annotations = content.get("annotations", [])
    if results is not None:
        remedy = "Write a list of results, each with image_id, category_id and score."
        annotations = _parse(_RESULTS, results, remedy)
    chosen = wanted or _guess_type(annotations)
    schema = TaskSchema(chosen, tuple(_read_category(one, chosen) for one in content["categories"]))
    skipped: Counter[str] = Counter()
    reader = _Reader(path.name, chosen, default_score, skipped)
    return Annotations(schema, reader.read(content["images"], annotations), skipped)


def _parse(adapter: TypeAdapter[ContentT], path: Path, remedy: str) -> ContentT:
    with path.open("rb") as file:
        content = file.read(MAX_COCO_BYTES + 1)
    return parse_json(adapter, content, path.name, remedy, limit_bytes=MAX_COCO_BYTES)


def _guess_type(annotations: Sequence[_Annotation]) -> TaskType:
    if any(one.get("keypoints") for one in annotations):
        return "keypoint-detection"
    if any(one.get("segmentation") for one in annotations):
        return "instance-segmentation"
    return "object-detection"


def _read_category(category: _Category, task_type: TaskType) -> Category:
    read = Category(id=category["id"], name=category["name"])
    names = category.get("keypoints")
    if task_type == "keypoint-detection" and names:
        read["keypoint_names"] = names
        # COCO counts keypoints from 1.
        bones = [[end - 1 for end in bone] for bone in category.get("skeleton") or ()]
        if bones:
            read["keypoint_skeleton"] = bones
    return read


class _Reader:
    """Turns annotations of one file into predictions."""

    def __init__(
        self, file: str, task_type: TaskType, default_score: float, skipped: Counter[str]
    ) -> None:
        self._file = file
        self._task_type = task_type
        self._default_score = default_score
        self._skipped = skipped

    def read(
        self, images: Sequence[_Image], annotations: Sequence[_Annotation]
    ) -> Iterator[AnnotatedImage]:
        """Yield all images, those without annotations too."""
        by_image: defaultdict[_ImageId, list[tuple[int, _Annotation]]] = defaultdict(list)
        for number, annotation in enumerate(annotations):
            by_image[annotation["image_id"]].append((number, annotation))
        for image in images:
            predictions = [
                self._read_annotation(annotation, image, f"annotations.{number}")
                for number, annotation in by_image.pop(image["id"], ())
            ]
            yield AnnotatedImage(
                image["file_name"],
                image.get("width"),
                image.get("height"),
                [one for one in predictions if one is not None],
            )
        self._skipped["annotations of images that the file does not have"] += sum(
            map(len, by_image.values())
        )

    def _read_annotation(
        self, annotation: _Annotation, image: _Image, key: str
    ) -> Prediction | None:
        score = annotation.get("score")
        read: Prediction = {
            "category_id": annotation["category_id"],
            "score": self._default_score if score is None else score,
        }
        bbox = annotation.get("bbox")
        if bbox is not None:
            read["bbox"] = fit_box(bbox)
        try:
            if self._task_type == "instance-segmentation":
                return self._add_mask(read, annotation, image)
            if self._task_type == "keypoint-detection":
                return self._add_keypoints(read, annotation)
        except (BadInput, TypeError, KeyError) as error:
            raise FileInvalid(self._file, key, str(error)[:200].rstrip("."), _REMEDY) from None
        if bbox is None:
            self._skipped["annotations without a box"] += 1
            return None
        return read

    def _add_mask(
        self, read: Prediction, annotation: _Annotation, image: _Image
    ) -> Prediction | None:
        segmentation = annotation.get("segmentation")
        if not segmentation:
            self._skipped["annotations without a mask"] += 1
            return None
        named = AnnotatedImage(image["file_name"], image.get("width"), image.get("height"), [])
        mask = _read_mask(segmentation, *require_size(named))
        read["segmentation"] = encode_mask(mask)
        read.setdefault("bbox", find_box(mask))
        return read

    def _add_keypoints(self, read: Prediction, annotation: _Annotation) -> Prediction | None:
        keypoints = annotation.get("keypoints")
        if not keypoints:
            self._skipped["annotations without keypoints"] += 1
            return None
        has_score = annotation.get("score") is not None
        read["keypoints"] = _read_keypoints(keypoints, has_score=has_score)
        return read


def _read_mask(segmentation: Any, width: int, height: int) -> Any:
    if isinstance(segmentation, dict):
        rows, columns = segmentation["size"]
        if (rows, columns) != (height, width):
            raise BadInput(
                f"the mask must have the size of its image, {height} x {width}, got {rows} x "
                f"{columns}"
            )
        return decode_coco_counts(segmentation["counts"], width, height)
    if not isinstance(segmentation, list) or not all(
        isinstance(one, list) and all(type(value) in {int, float} for value in one)
        for one in segmentation
    ):
        raise BadInput("a segmentation must be polygons or run lengths")
    return draw_polygons(segmentation, width, height)


def _read_keypoints(numbers: Sequence[float], *, has_score: bool) -> list[float]:
    """Return x, y and score of each. Labels say 0, 1 or 2 in its place: 0, one half and one."""
    if len(numbers) % PER_KEYPOINT:
        raise BadInput(f"keypoints must be triples, got {len(numbers)} numbers")
    read = [max(float(number), 0.0) for number in numbers]
    if not has_score:
        read[2::PER_KEYPOINT] = [min(value / _VISIBLE, 1.0) for value in read[2::PER_KEYPOINT]]
    return read


def write_coco(annotations: Annotations, path: Path, *, with_scores: bool = False) -> None:
    """Write a COCO file, whole or not at all.

    Masks are written as uncompressed run lengths, which lose nothing.

    Args:
        annotations: Of a type in `TYPES`.
        path: The file.
        with_scores: Whether annotations have their score, as results do.

    Raises:
        BadInput: If COCO has no such type, or the size of an image with masks is not known.
    """
    schema = annotations.schema
    require_type(schema.task_type, TYPES, "COCO")
    with open_atomic(path) as file:
        # Piece by piece: all annotations at once would take much memory.
        file.write(
            b'{"categories": ' + to_json([_write_category(one) for one in schema.categories])
        )
        file.write(b', "annotations": [')
        images: list[dict[str, Any]] = []
        count = 0
        for image in annotations.images:
            images.append({"id": len(images) + 1, **_write_image(image)})
            for prediction in image.predictions:
                count += 1
                row = _write_annotation(prediction, image, with_scores=with_scores)
                text = to_json({"id": count, "image_id": len(images), **row})
                file.write((b"," if count > 1 else b"") + b"\n" + text)
        file.write(b'\n], "images": ' + to_json(images) + b"}\n")


def _write_image(image: AnnotatedImage) -> dict[str, Any]:
    size = {"width": image.width, "height": image.height} if image.width and image.height else {}
    return {"file_name": image.name, **size}


def _write_category(category: Category) -> dict[str, Any]:
    row: dict[str, Any] = {"id": category["id"], "name": category["name"], "supercategory": ""}
    if "keypoint_names" in category:
        row["keypoints"] = category["keypoint_names"]
        bones = category.get("keypoint_skeleton", [])
        row["skeleton"] = [[end + 1 for end in bone] for bone in bones]
    return row


def _write_annotation(
    prediction: Prediction, image: AnnotatedImage, *, with_scores: bool
) -> dict[str, Any]:
    row: dict[str, Any] = {"category_id": prediction["category_id"], "iscrowd": 0}
    bbox = prediction.get("bbox")
    if bbox is not None:
        row |= {"bbox": bbox, "area": bbox[2] * bbox[3]}
    if "segmentation" in prediction:
        width, height = require_size(image)
        lengths = prediction["segmentation"]
        counts = encode_coco_counts(lengths, width, height)
        row["segmentation"] = {"size": [height, width], "counts": counts}
        row["area"] = int(decode_mask(lengths, width, height).sum())
    if "keypoints" in prediction:
        numbers = list(prediction["keypoints"])
        row["num_keypoints"] = sum(score > 0 for score in numbers[2::PER_KEYPOINT])
        if not with_scores:
            numbers[2::PER_KEYPOINT] = [_grade(score) for score in numbers[2::PER_KEYPOINT]]
        row["keypoints"] = numbers
    return {**row, "score": prediction["score"]} if with_scores else row


def _grade(score: float) -> int:
    """Return 0, 1 or 2 for a keypoint's score: nothing, hidden, visible."""
    return 0 if score <= 0 else 1 if score <= 0.5 else _VISIBLE
