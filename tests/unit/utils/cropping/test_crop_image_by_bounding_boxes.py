"""Objects as images of their own."""

import numpy as np
import pytest
from PIL import Image

from lightly.active_learning.utils import BoundingBox
from lightly.data.dataset import LightlyDataset
from lightly.utils.cropping.crop_image_by_bounding_boxes import (
    crop_dataset_by_bounding_boxes_and_save,
)

WIDTH, HEIGHT = 60, 40


@pytest.fixture
def dataset(tmp_path):
    """Two pictures; each pixel tells where it is."""
    columns, rows = np.meshgrid(np.arange(WIDTH), np.arange(HEIGHT))
    pixels = np.stack([columns, rows, np.zeros_like(rows)], axis=2).astype(np.uint8)
    for name in ("a.png", "sub/b.c.png"):
        (tmp_path / "images" / name).parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(pixels).save(tmp_path / "images" / name)
    return LightlyDataset(tmp_path / "images")


def test_crops_are_named_after_image_position_and_class(dataset, tmp_path):
    boxes = [[], [BoundingBox(0, 0, 0.5, 0.5), BoundingBox(0.5, 0.5, 1, 1)]]

    files = crop_dataset_by_bounding_boxes_and_save(
        dataset, str(tmp_path / "o"), boxes, [[], [2, 0]]
    )

    assert files == [[], ["sub/b.c/0_class2.png", "sub/b.c/1_class0.png"]]
    written = sorted(path for path in (tmp_path / "o").rglob("*") if path.is_file())
    assert [path.relative_to(tmp_path / "o").as_posix() for path in written] == files[1]


def test_sides_are_rounded_down_to_pixels(dataset, tmp_path):
    boxes = [[BoundingBox(0.26, 0.26, 0.999, 0.74)], []]

    crop_dataset_by_bounding_boxes_and_save(dataset, str(tmp_path / "o"), boxes, [[0], []])

    with Image.open(tmp_path / "o" / "a" / "0_class0.png") as crop:
        pixels = np.asarray(crop)
    assert pixels[0, 0].tolist() == [15, 10, 0]
    assert pixels[-1, -1].tolist() == [58, 28, 0]


@pytest.mark.parametrize("start", [0, 0.5, 1 - 1e-9])
def test_the_smallest_object_is_one_pixel(dataset, tmp_path, start):
    boxes = [[BoundingBox(start, start, start + 1e-9, start + 1e-9)], []]

    crop_dataset_by_bounding_boxes_and_save(dataset, str(tmp_path / "o"), boxes, [[0], []])

    with Image.open(tmp_path / "o" / "a" / "0_class0.png") as crop:
        assert crop.size == (1, 1)


def test_class_names_stand_in_the_file_names(dataset, tmp_path):
    boxes = [[BoundingBox(0, 0, 1, 1)], []]

    files = crop_dataset_by_bounding_boxes_and_save(
        dataset, str(tmp_path / "o"), boxes, [[1], []], ["cat", "../big dog"]
    )

    assert files[0] == ["a/0_.._big dog.png"]
    assert (tmp_path / "o" / files[0][0]).is_file()


@pytest.mark.parametrize(
    ("boxes", "classes"),
    [([[]], [[], []]), ([[], []], [[]]), ([[BoundingBox(0, 0, 1, 1)], []], [[], []])],
)
def test_other_numbers_of_boxes_and_classes_are_refused(dataset, tmp_path, boxes, classes):
    with pytest.raises(ValueError, match=r"one list of boxes|1 boxes, but 0 classes"):
        crop_dataset_by_bounding_boxes_and_save(dataset, str(tmp_path), boxes, classes)


def test_a_class_without_name_is_refused(dataset, tmp_path):
    boxes = [[BoundingBox(0, 0, 1, 1)], []]

    with pytest.raises(ValueError, match="Class 3 has no name"):
        crop_dataset_by_bounding_boxes_and_save(dataset, str(tmp_path), boxes, [[3], []], ["cat"])
