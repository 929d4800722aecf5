"""Labels that others have made become prediction files, and come back from them."""

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from lightly.data.annotations.conversion import Source, Target, convert_annotations
from lightly.data.datasource_files.lightly_folder import LightlyFolder
from lightly.data.datasource_files.run_lengths import decode_mask
from tests.support.real_labels import find_labelme_examples

TASK = "labels"


@pytest.fixture(scope="module")
def examples():
    return find_labelme_examples()


def read_folder(root: Path):
    folder = LightlyFolder(root)
    names = folder.read_schema(TASK).names
    return {
        stem: [(names[one["category_id"]], one) for one in read.predictions]
        for stem, read in folder.iterate_predictions(TASK)
    }


def import_labels(format_, path, target, **options):
    report = convert_annotations(
        Source(format_, path, **options), Target("lightly", target, task_name=TASK)
    )
    return report, read_folder(target)


def convert_there_and_back(format_, source, path, target, images, **options):
    """Write prediction files in another format and read that again."""
    convert_annotations(
        Source("lightly", source, task_name=TASK, images=images), Target(format_, path)
    )
    return import_labels(format_, path, target, images=images, **options)[1]


def draw(prediction, size=(500, 338)):
    return decode_mask(prediction["segmentation"], *size)


def compare(first, second):
    """Return the share of two masks' pixels that both have."""
    return (first & second).sum() / max(1, (first | second).sum())


def test_labelme_boxes_are_the_ones_of_its_own_voc_files(examples, tmp_path):
    folder = examples / "bbox_detection"
    _, ours = import_labels("labelme", folder / "data_annotated", tmp_path / "a")
    _, theirs = import_labels("pascal-voc", folder / "data_dataset_voc", tmp_path / "b")

    assert sum(map(len, ours.values())) == 9
    assert ours.keys() == theirs.keys()
    for stem, found in ours.items():
        for (name, one), (other_name, other) in zip(found, theirs[stem], strict=True):
            assert name == other_name
            assert one["bbox"] == pytest.approx(other["bbox"], abs=1e-9)


def test_labelme_masks_are_the_ones_of_its_own_coco_file(examples, tmp_path):
    folder = examples / "instance_segmentation"
    report, ours = import_labels("labelme", folder / "data_annotated", tmp_path / "a")
    coco, theirs = import_labels(
        "coco", folder / "data_dataset_coco/annotations.json", tmp_path / "b"
    )

    assert report.skipped["shapes that are labelled to be ignored"] == 2
    assert report.n_predictions == coco.n_predictions == 12
    stem = "2011_000003"
    pairs = zip(ours[stem], theirs[f"JPEGImages/{stem}"], strict=True)
    for (name, one), (other_name, other) in pairs:
        assert name == other_name
        assert compare(draw(one), draw(other)) > 0.97


def test_coco_boxes_are_kept_to_the_digit(examples, tmp_path):
    path = examples / "instance_segmentation/data_dataset_coco/annotations.json"
    content = json.loads(path.read_text())
    _, read = import_labels("coco", path, tmp_path, task_type="object-detection")

    boxes = [one["bbox"] for found in read.values() for _, one in found]
    assert sorted(boxes) == sorted(one["bbox"] for one in content["annotations"])


def test_coco_comes_back_exactly_as_it_was_read(examples, tmp_path):
    folder = examples / "instance_segmentation"
    path = folder / "data_dataset_coco/annotations.json"
    _, before = import_labels("coco", path, tmp_path / "a")
    images = folder / "data_dataset_coco"
    after = convert_there_and_back(
        "coco", tmp_path / "a", tmp_path / "c.json", tmp_path / "b", images
    )

    assert after == before


def test_pascal_voc_boxes_come_back_exactly(examples, tmp_path):
    folder = examples / "bbox_detection/data_dataset_voc"
    _, before = import_labels("pascal-voc", folder, tmp_path / "a")
    after = convert_there_and_back(
        "pascal-voc", tmp_path / "a", tmp_path / "voc", tmp_path / "b", folder / "JPEGImages"
    )

    assert after == before


@pytest.mark.parametrize(
    ("example", "task_type"),
    [
        ("semantic_segmentation", "semantic-segmentation"),
        ("instance_segmentation", "instance-segmentation"),
    ],
)
def test_pascal_voc_masks_come_back_exactly(examples, tmp_path, example, task_type):
    folder = examples / example / "data_dataset_voc"
    _, before = import_labels("pascal-voc", folder, tmp_path / "a", task_type=task_type)
    after = convert_there_and_back(
        "pascal-voc",
        tmp_path / "a",
        tmp_path / "voc",
        tmp_path / "b",
        folder / "JPEGImages",
        task_type=task_type,
    )

    assert sum(map(len, before.values())) >= 7
    masks = [
        {stem: [(name, one["segmentation"]) for name, one in found] for stem, found in read.items()}
        for read in (before, after)
    ]
    assert masks[0] == masks[1]


def test_semantic_masks_hold_the_values_of_labelmes_arrays(examples, tmp_path):
    folder = examples / "semantic_segmentation/data_dataset_voc"
    _, read = import_labels("pascal-voc", folder, tmp_path, task_type="semantic-segmentation")
    names = (folder / "class_names.txt").read_text().split("\n")
    values = np.load(folder / "SegmentationClass/2011_000003.npy")

    for name, one in read["2011_000003"]:
        assert np.array_equal(draw(one), values == names.index(name))


def test_labelme_classes_of_images_come_back(examples, tmp_path):
    folder = examples / "classification/data_annotated"
    _, before = import_labels("labelme", folder, tmp_path / "a")
    after = convert_there_and_back(
        "labelme", tmp_path / "a", tmp_path / "lm", tmp_path / "b", folder
    )

    assert {stem: [name for name, _ in found] for stem, found in before.items()} == {
        "0001": ["cat"],
        "0002": ["dog"],
    }
    assert after == before


@pytest.mark.parametrize("format_", ["yolo", "labelme"])
def test_boxes_come_back_from_formats_of_other_units(examples, tmp_path, format_):
    images = examples / "bbox_detection/data_annotated"
    _, before = import_labels("labelme", images, tmp_path / "a")
    after = convert_there_and_back(
        format_, tmp_path / "a", tmp_path / "out", tmp_path / "b", images
    )

    assert after.keys() == before.keys()
    for stem, found in before.items():
        for (name, one), (other_name, other) in zip(found, after[stem], strict=True):
            assert name == other_name
            assert one["bbox"] == pytest.approx(other["bbox"], abs=1e-6)


def write_yolo_elsewhere(labelme_folder, target, form):
    """Have a program of others write a folder of YOLO's from files of labelme."""
    program = Path(sys.executable).parent / "labelme2yolo"
    command = [program, "--json_dir", labelme_folder, "--output_dir", target]
    options = ["--output_format", form, "--val_size", "0.34", "--seed", "1"]
    subprocess.run([*map(str, command), *options], check=True, capture_output=True)
    return target


def drop_digest(name):
    """Return the stem that a file had before the other program added to it."""
    return Path(name).name.rpartition("_")[0]


def test_yolo_boxes_that_another_program_wrote_are_those_of_labelme(examples, tmp_path):
    folder = examples / "bbox_detection/data_annotated"
    written = write_yolo_elsewhere(folder, tmp_path / "yolo", "bbox")
    _, theirs = import_labels("yolo", written, tmp_path / "a")
    _, ours = import_labels("labelme", folder, tmp_path / "b")

    assert len(list(written.glob("labels/*/*.txt"))) == len(theirs) == 3
    for stem, found in theirs.items():
        wanted = ours[drop_digest(stem)]
        for (name, one), (other_name, other) in zip(found, wanted, strict=True):
            assert name == other_name
            # The other program has written six digits of a 500th.
            assert one["bbox"] == pytest.approx(other["bbox"], abs=1e-2)


def test_yolo_polygons_that_another_program_wrote_are_the_masks_of_labelme(examples, tmp_path):
    folder = examples / "instance_segmentation/data_annotated"
    written = write_yolo_elsewhere(folder, tmp_path / "yolo", "polygon")
    report, theirs = import_labels("yolo", written, tmp_path / "a")
    _, ours = import_labels("labelme", folder, tmp_path / "b")

    (found,) = (read for stem, read in theirs.items() if "2011_000003" in stem)
    # Labels to be ignored are a rule of labelme's: for YOLO they are labels like others.
    names = {name for name, _ in ours["2011_000003"]}
    assert report.n_predictions >= 12
    assert {name for name, _ in found} - names <= {"__ignore__"}
    for name in names:
        assert compare(draw_all(found, name), draw_all(ours["2011_000003"], name)) > 0.9


@pytest.mark.parametrize(("form", "edge"), [("bbox", 1e-6), ("polygon", 2.0)])
def test_yolo_files_that_another_program_wrote_come_back(examples, tmp_path, form, edge):
    folder = examples / "bbox_detection/data_annotated"
    written = write_yolo_elsewhere(folder, tmp_path / "yolo", form)
    _, before = import_labels("yolo", written, tmp_path / "a")
    after = convert_there_and_back(
        "yolo", tmp_path / "a", tmp_path / "out", tmp_path / "b", written / "images"
    )

    assert after.keys() == before.keys()
    assert sum(map(len, before.values())) == 9
    for stem, found in before.items():
        for (name, one), (other_name, other) in zip(found, after[stem], strict=True):
            assert name == other_name
            assert one["bbox"] == pytest.approx(other["bbox"], abs=edge)


def draw_all(found, wanted):
    """Return the pixels of all predictions of one class."""
    return np.any([draw(one) for name, one in found if name == wanted], axis=0)


@pytest.mark.parametrize("format_", ["yolo", "labelme"])
def test_masks_come_back_from_polygons_but_for_their_edges(examples, tmp_path, format_):
    images = examples / "instance_segmentation/data_annotated"
    _, before = import_labels("labelme", images, tmp_path / "a")
    after = convert_there_and_back(
        format_, tmp_path / "a", tmp_path / "out", tmp_path / "b", images
    )

    stem = "2011_000003"
    for (name, one), (other_name, other) in zip(before[stem], after[stem], strict=True):
        assert name == other_name
        assert compare(draw(one), draw(other)) > 0.9


def test_points_and_lines_are_counted_and_left_out(examples, tmp_path):
    report, read = import_labels("labelme", examples / "primitives", tmp_path)

    assert report.skipped == {"points and lines": 3}
    assert [name for name, _ in read["primitives"]] == [
        "rectangle",
        "circle",
        "rectangle",
        "polygon",
    ]
