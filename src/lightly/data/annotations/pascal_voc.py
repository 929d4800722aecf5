"""Pascal VOC: an XML file for each image with boxes, or PNG files with a mask of classes.

Boxes are taken as they stand, from `xmin` to `xmax`. The first VOC data sets counted pixels from 1
with the last one inside; most tools since then do not.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from xml.etree import ElementTree as ET

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from lightly._kit.atomic_files import open_atomic, write_atomic
from lightly._kit.errors import BadInput
from lightly._kit.safe_paths import resolve_below
from lightly.data.annotations.image_sizes import ImageFolder
from lightly.data.annotations.masks import find_box
from lightly.data.annotations.model import (
    AnnotatedImage,
    Annotations,
    fit_box,
    require_size,
    require_type,
)
from lightly.data.annotations.text_files import list_files, read_label_bytes, read_text
from lightly.data.datasource_files.errors import FileInvalid, shorten
from lightly.data.datasource_files.names import cut_extension
from lightly.data.datasource_files.prediction_files import Prediction
from lightly.data.datasource_files.prediction_tasks import TaskSchema, TaskType, make_schema
from lightly.data.datasource_files.run_lengths import decode_mask, encode_mask
from lightly.media.images import open_header

#: What Pascal VOC has.
TYPES: tuple[TaskType, ...] = (
    "object-detection",
    "semantic-segmentation",
    "instance-segmentation",
)
#: The classes of the original data sets, by the values of their masks.
CLASSES = [
    *("background", "aeroplane", "bicycle", "bird", "boat", "bottle", "bus", "car", "cat"),
    *("chair", "cow", "diningtable", "dog", "horse", "motorbike", "person", "pottedplant"),
    *("sheep", "sofa", "train", "tvmonitor"),
]
#: Pixels that belong to no class.
_IGNORED = 255
_MAX_XML_BYTES = 16 * 1024 * 1024
_BOX_REMEDY = "Each object needs a name, and a bndbox with xmin, ymin, xmax and ymax."
_MASK_REMEDY = "Masks are PNG files with a palette, whose values are the numbers of classes."
_CLASS_FOLDERS = ("SegmentationClass", "SegmentationClassPNG")
_OBJECT_FOLDERS = ("SegmentationObject", "SegmentationObjectPNG")
_EDGES = ("xmin", "ymin", "xmax", "ymax")


def read_pascal_voc(
    path: Path,
    *,
    images: Path | None = None,
    task_type: TaskType | None = None,
    default_score: float = 1.0,
) -> Annotations:
    """Read a folder in the layout of Pascal VOC.

    Boxes are read from `Annotations/` or, without it, from XML files in the folder itself. Masks
    are read from `SegmentationClass/` and `SegmentationObject/`; what their values mean is in
    `class_names.txt`, else they are the classes of the original data sets.

    Args:
        path: The folder.
        images: Where the images are, if not in `JPEGImages/`; masks take their names from there.
        task_type: What to read; boxes if None.
        default_score: The score of everything: VOC has none.

    Raises:
        FileInvalid: If a file breaks a rule.
    """
    wanted = require_type(task_type, TYPES, "Pascal VOC") or "object-detection"
    if wanted == "object-detection":
        return _read_boxes(path, default_score)
    return _read_masks(path, images or path / "JPEGImages", wanted, default_score)


def _read_boxes(path: Path, default_score: float) -> Annotations:
    folder = path / "Annotations" if (path / "Annotations").is_dir() else path
    files = list_files(folder, ".xml")
    # Categories come first, so the files are read twice.
    names = sorted(
        {_find_text(one, "name") for file in files for one in _parse(folder, file).iter("object")}
    )
    schema = make_schema("object-detection", names)
    ids = {name: id_ for id_, name in schema.names.items()}
    skipped: Counter[str] = Counter()

    def read_all() -> Iterator[AnnotatedImage]:
        for file in files:
            root = _parse(folder, file)
            found = [
                _read_object(one, ids, default_score, file, number)
                for number, one in enumerate(root.iter("object"))
            ]
            yield AnnotatedImage(
                _name_image(root, file),
                _read_pixels(root, "size/width"),
                _read_pixels(root, "size/height"),
                found,
            )

    return Annotations(schema, read_all(), skipped)


def _parse(folder: Path, file: str) -> ET.Element:
    content = read_label_bytes(folder / file)
    if len(content) > _MAX_XML_BYTES:
        raise FileInvalid(file, "", f"may have at most {_MAX_XML_BYTES} bytes", _BOX_REMEDY)
    if b"<!DOCTYPE" in content or b"<!ENTITY" in content:
        # Definitions can make a short file endless, and no annotation needs them.
        raise FileInvalid(file, "", "must not define document types or entities", "Remove them.")
    try:
        # Entities in other encodings are bounded by the parser itself since 2.4.1.
        return ET.fromstring(content)  # noqa: S314
    except (ET.ParseError, ValueError, LookupError) as error:
        raise FileInvalid(file, "", f"is no valid XML: {str(error)[:80]}", _BOX_REMEDY) from None


def _find_text(element: ET.Element, name: str) -> str:
    return (element.findtext(name) or "").strip()


def _name_image(root: ET.Element, file: str) -> str:
    """Return the image that an XML file is about: named like it, with the extension it names."""
    named = PurePosixPath(_find_text(root, "filename").replace("\\", "/"))
    return cut_extension(file) + (named.suffix or ".jpg")


def _read_pixels(root: ET.Element, name: str) -> int | None:
    text = _find_text(root, name)
    # Tools write 0 for what they do not know.
    return int(text) or None if text.isascii() and text.isdigit() and len(text) < 10 else None


def _read_object(
    element: ET.Element, ids: dict[str, int], default_score: float, file: str, number: int
) -> Prediction:
    key = f"object {number + 1}"
    name = _find_text(element, "name")
    if not name:
        raise FileInvalid(file, key, "must have a name", _BOX_REMEDY)
    try:
        edges = [float(_find_text(element, f"bndbox/{edge}")) for edge in _EDGES]
    except ValueError:
        raise FileInvalid(file, key, "must have a box of four numbers", _BOX_REMEDY) from None
    left, top, right, bottom = edges
    if not all(math.isfinite(edge) for edge in edges) or right < left or bottom < top:
        rule = f"must have xmin below xmax and ymin below ymax, got {shorten(edges)}"
        raise FileInvalid(file, key, rule, _BOX_REMEDY)
    return {
        "category_id": ids[name],
        "bbox": fit_box([left, top, right - left, bottom - top]),
        "score": default_score,
    }


def _read_masks(path: Path, images: Path, task_type: TaskType, default_score: float) -> Annotations:
    names = _read_class_names(path)
    # Value 0 is what belongs to nothing.
    schema = make_schema(task_type, names)
    schema = TaskSchema(task_type, tuple(one for one in schema.categories if one["id"]))
    classes = _choose_folder(path, _CLASS_FOLDERS)
    objects = _choose_folder(path, _OBJECT_FOLDERS) if task_type.startswith("instance") else None
    reader = _MaskReader(schema, ImageFolder(images), classes, objects, default_score)
    return Annotations(schema, reader.read(), reader.skipped)


def _read_class_names(path: Path) -> list[str]:
    file = path / "class_names.txt"
    if not file.is_file():
        return CLASSES
    lines = [line.strip() for line in read_text(file).splitlines()]
    return [line for line in lines if line and line != "__ignore__"]


def _choose_folder(path: Path, names: tuple[str, ...]) -> Path:
    for name in names:
        # A folder of this name may have masks in another form than pictures.
        if (path / name).is_dir() and list_files(path / name, ".png"):
            return path / name
    raise BadInput(f"There are no masks: the folder needs PNG files in {' or '.join(names)}.")


@dataclass
class _MaskReader:
    """Reads masks, image after image."""

    schema: TaskSchema
    images: ImageFolder
    classes: Path
    objects: Path | None
    default_score: float

    def __post_init__(self) -> None:
        self.skipped: Counter[str] = Counter()

    def read(self) -> Iterator[AnnotatedImage]:
        """Yield the image of each mask."""
        for file in list_files(self.classes, ".png"):
            values = _read_values(self.classes / file, file)
            stem = cut_extension(file)
            height, width = values.shape
            found = (
                self._read_semantic(values)
                if self.objects is None
                else self._read_instances(values, self.objects, file)
            )
            name = self.images.find_name(stem) or f"{stem}.jpg"
            yield AnnotatedImage(name, width, height, found)

    def _read_semantic(self, values: NDArray[np.uint8]) -> list[Prediction]:
        return [
            {
                "category_id": value,
                "segmentation": encode_mask(values == value),
                "score": self.default_score,
            }
            for value in self._list_values(values)
        ]

    def _read_instances(
        self, values: NDArray[np.uint8], folder: Path, file: str
    ) -> list[Prediction]:
        objects = _read_values(folder / file, file)
        if objects.shape != values.shape:
            rule = "must have the size of the mask of classes"
            raise FileInvalid(f"{folder.name}/{file}", "", rule, _MASK_REMEDY)
        found: list[Prediction] = []
        for number in np.unique(objects).tolist():
            if number in {0, _IGNORED}:
                continue
            mask = objects == number
            # The class of most of its pixels: edges are often ignored.
            counts = np.bincount(values[mask], minlength=_IGNORED + 1)
            counts[[0, _IGNORED]] = 0
            category_id = int(counts.argmax())
            if not counts[category_id] or category_id not in self.schema.names:
                self.skipped["objects without a class"] += 1
                continue
            found.append(
                {
                    "category_id": category_id,
                    "segmentation": encode_mask(mask),
                    "bbox": find_box(mask),
                    "score": self.default_score,
                }
            )
        return found

    def _list_values(self, values: NDArray[np.uint8]) -> list[int]:
        present: list[int] = np.unique(values).tolist()
        known = [value for value in present if value in self.schema.names]
        self.skipped["masks of unknown classes"] += len(set(present) - {*known, 0, _IGNORED})
        return known


def _read_values(path: Path, file: str) -> NDArray[np.uint8]:
    """Return the palette's numbers of a PNG, which are what a mask consists of."""
    try:
        image = open_header(read_label_bytes(path))
        if image.format != "PNG" or image.mode not in {"P", "L"}:
            raise FileInvalid(file, "", "must be a PNG with a palette or in grey", _MASK_REMEDY)
        return np.asarray(image, dtype=np.uint8)
    except (OSError, ValueError, SyntaxError) as error:
        if isinstance(error, FileInvalid):
            raise
        raise FileInvalid(file, "", "cannot be read as a PNG", _MASK_REMEDY) from None


def write_pascal_voc(annotations: Annotations, path: Path, *, with_scores: bool = False) -> None:
    """Write a folder in the layout of Pascal VOC.

    Args:
        annotations: Of a type in `TYPES`; masks need the sizes of the images.
        path: The folder.
        with_scores: Must be False: VOC has no scores.

    Raises:
        BadInput: If VOC has no such type or no scores, or there are too many classes or objects.
    """
    schema = annotations.schema
    require_type(schema.task_type, TYPES, "Pascal VOC")
    if with_scores:
        raise BadInput("Pascal VOC has no place for scores.")
    if schema.task_type == "object-detection":
        for image in annotations.images:
            target = _make_target(path / "Annotations", image, ".xml")
            target.write_bytes(_write_xml(image, schema))
        return
    ids = sorted(schema.names)
    if len(ids) >= _IGNORED:
        raise BadInput(f"Masks of Pascal VOC have at most {_IGNORED - 1} classes, got {len(ids)}.")
    values = {id_: number for number, id_ in enumerate(ids, 1)}
    lines = ["_background_", *(schema.names[id_] for id_ in ids)]
    write_atomic(path / "class_names.txt", "".join(f"{line}\n" for line in lines).encode())
    for image in annotations.images:
        _write_masks(image, values, path, has_objects=schema.task_type.startswith("instance"))


def _make_target(folder: Path, image: AnnotatedImage, extension: str) -> Path:
    target = resolve_below(folder, cut_extension(image.name) + extension)
    target.parent.mkdir(parents=True, exist_ok=True)
    return target


def _write_xml(image: AnnotatedImage, schema: TaskSchema) -> bytes:
    root = ET.Element("annotation")
    ET.SubElement(root, "filename").text = PurePosixPath(image.name).name
    size = ET.SubElement(root, "size")
    for name, value in (("width", image.width), ("height", image.height), ("depth", 3)):
        ET.SubElement(size, name).text = str(value or 0)
    for prediction in image.predictions:
        element = ET.SubElement(root, "object")
        ET.SubElement(element, "name").text = schema.names[prediction["category_id"]]
        for name in ("truncated", "difficult"):
            ET.SubElement(element, name).text = "0"
        x, y, width, height = prediction["bbox"]
        box = ET.SubElement(element, "bndbox")
        for name, edge in zip(_EDGES, (x, y, x + width, y + height), strict=True):
            ET.SubElement(box, name).text = repr(edge)
    ET.indent(root)
    content: bytes = ET.tostring(root, encoding="utf-8", xml_declaration=True)
    return content


def _write_masks(
    image: AnnotatedImage, values: dict[int, int], path: Path, *, has_objects: bool
) -> None:
    width, height = require_size(image)
    if has_objects and len(image.predictions) >= _IGNORED:
        raise BadInput(f"Masks of Pascal VOC have at most {_IGNORED - 1} objects in an image.")
    classes = np.zeros((height, width), np.uint8)
    objects = np.zeros((height, width), np.uint8)
    for number, prediction in enumerate(image.predictions, 1):
        mask = decode_mask(prediction["segmentation"], width, height)
        classes[mask] = values[prediction["category_id"]]
        objects[mask] = number
    _write_png(classes, _make_target(path / _CLASS_FOLDERS[0], image, ".png"))
    if has_objects:
        _write_png(objects, _make_target(path / _OBJECT_FOLDERS[0], image, ".png"))


def _write_png(values: NDArray[np.uint8], target: Path) -> None:
    picture = Image.fromarray(values)
    picture.putpalette(_make_palette())
    with open_atomic(target) as file:
        picture.save(file, "PNG")


def _make_palette() -> list[int]:
    """Return the colours that VOC has for its values: their bits spread over red, green, blue."""
    palette = []
    for value in range(256):
        colour = [0, 0, 0]
        for bit in range(8):
            channel, place = bit % 3, 7 - bit // 3
            colour[channel] |= (value >> bit & 1) << place
        palette += colour
    return palette
