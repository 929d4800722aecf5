"""From any format to any other."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Literal, get_args

from lightly._kit.errors import BadInput
from lightly.data.annotations.image_sizes import ImageFolder
from lightly.data.annotations.model import AnnotatedImage, Annotations
from lightly.data.datasource_files.prediction_tasks import TaskType

Format = Literal["lightly", "coco", "yolo", "pascal-voc", "labelme"]
FORMATS: tuple[Format, ...] = get_args(Format)


@dataclass(frozen=True)
class Source:
    """What to read.

    Attributes:
        format: One of `FORMATS`.
        path: A folder; for COCO a file.
        task_name: The task, for `lightly`.
        images: Where the images are, for formats that need them.
        results: A file of results, for COCO.
        task_type: What to read; found out if None.
        default_score: Of labels, which have none.
    """

    format: Format
    path: Path
    task_name: str | None = None
    images: Path | None = None
    results: Path | None = None
    task_type: TaskType | None = None
    default_score: float = 1.0


@dataclass(frozen=True)
class Target:
    """What to write.

    Attributes:
        format: One of `FORMATS`.
        path: A folder; for COCO a file.
        task_name: The task, for `lightly`.
        with_scores: Whether to write scores, where the format has them. Prediction files always
            do.
    """

    format: Format
    path: Path
    task_name: str | None = None
    with_scores: bool = False


@dataclass
class ConversionReport:
    """What was converted.

    Attributes:
        n_images: Images, those without predictions too.
        n_predictions: Predictions.
        skipped: What has no place in the target, by reason.
    """

    n_images: int = 0
    n_predictions: int = 0
    skipped: Counter[str] = field(default_factory=Counter)


def convert_annotations(source: Source, target: Target) -> ConversionReport:
    """Read annotations in one format and write them in another.

    Images are read one by one, so memory does not grow with their number, except for COCO, which
    is a single file.

    Args:
        source: What to read.
        target: What to write. Files of other images that are there stay.

    Raises:
        FileInvalid: If a file of the source breaks a rule.
        BadInput: If the target cannot have what the source has.

    Example:
        >>> convert_annotations(  # doctest: +SKIP
        ...     Source("coco", Path("instances.json")),
        ...     Target("lightly", Path("datasource"), task_name="animals"),
        ... )
    """
    if not 0 <= source.default_score <= 1:
        raise BadInput(f"A score must be from 0 to 1, got {source.default_score}.")
    annotations = _read(source)
    if source.images is not None and target.format != "lightly":
        annotations = ImageFolder(source.images).complete(annotations)
    report = ConversionReport(skipped=annotations.skipped)
    _write(replace(annotations, images=_count(annotations, report)), target)
    # Counters keep what was counted zero times.
    report.skipped = +report.skipped
    return report


def _count(annotations: Annotations, report: ConversionReport) -> Iterator[AnnotatedImage]:
    for image in annotations.images:
        report.n_images += 1
        report.n_predictions += len(image.predictions)
        yield image


def _read(source: Source) -> Annotations:
    path, type_, score = source.path, source.task_type, source.default_score
    # Each format brings libraries of its own.
    if source.format == "coco":
        from lightly.data.annotations.coco import read_coco  # noqa: PLC0415

        return read_coco(path, task_type=type_, default_score=score, results=source.results)
    if source.format == "yolo":
        from lightly.data.annotations.yolo import read_yolo  # noqa: PLC0415

        return read_yolo(path, images=source.images, task_type=type_, default_score=score)
    if source.format == "pascal-voc":
        from lightly.data.annotations.pascal_voc import read_pascal_voc  # noqa: PLC0415

        return read_pascal_voc(path, images=source.images, task_type=type_, default_score=score)
    if source.format == "labelme":
        from lightly.data.annotations.labelme import read_labelme  # noqa: PLC0415

        return read_labelme(path, task_type=type_, default_score=score)
    from lightly.data.annotations.lightly_files import read_lightly  # noqa: PLC0415

    return read_lightly(path, _require_task(source), task_type=type_, images=source.images)


def _write(annotations: Annotations, target: Target) -> None:
    path, with_scores = target.path, target.with_scores
    if target.format == "coco":
        from lightly.data.annotations.coco import write_coco  # noqa: PLC0415

        write_coco(annotations, path, with_scores=with_scores)
    elif target.format == "yolo":
        from lightly.data.annotations.yolo import write_yolo  # noqa: PLC0415

        write_yolo(annotations, path, with_scores=with_scores)
    elif target.format == "pascal-voc":
        from lightly.data.annotations.pascal_voc import write_pascal_voc  # noqa: PLC0415

        write_pascal_voc(annotations, path, with_scores=with_scores)
    elif target.format == "labelme":
        from lightly.data.annotations.labelme import write_labelme  # noqa: PLC0415

        write_labelme(annotations, path, with_scores=with_scores)
    else:
        from lightly.data.annotations.lightly_files import write_lightly  # noqa: PLC0415

        write_lightly(annotations, path, _require_task(target))


def _require_task(place: Source | Target) -> str:
    if not place.task_name:
        raise BadInput("Prediction files belong to a task: say its name.")
    return place.task_name
