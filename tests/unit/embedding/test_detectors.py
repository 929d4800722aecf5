"""Detectors of users: what is accepted, and what they find."""

from __future__ import annotations

import io

import numpy as np
import pytest
from click.testing import CliRunner
from PIL import Image

from lightly._kit.errors import BadInput
from lightly.cli.embed import models
from lightly.embedding.detection import DetectionSession
from lightly.embedding.detection_pool import DetectionPool
from lightly.embedding.detectors import find_detector, list_detectors, register_detector
from lightly.embedding.registry import UnusableModel, list_models
from tests.support.tiny_onnx import (
    write_bright_detector,
    write_mean_colour_model,
    write_row_detector,
)

CLASSES = ["__background__", "car", "bus"]


@pytest.fixture(autouse=True)
def _own_models(tmp_path, monkeypatch):
    monkeypatch.setenv("LIGHTLY_MODELS_DIR", str(tmp_path / "models"))


def draw(brightness: int, size: tuple[int, int] = (128, 96)) -> bytes:
    buffer = io.BytesIO()
    Image.new("RGB", size, (brightness,) * 3).save(buffer, "PNG")
    return buffer.getvalue()


def test_objects_are_found_in_pixels_of_the_image(tmp_path):
    detector = register_detector(write_bright_detector(tmp_path / "d.onnx"), classes=CLASSES)

    with DetectionPool(detector, n_processes=1) as pool:
        bright, dark, broken = pool.detect([draw(250), draw(0, (64, 64)), b"no picture"])

    # The image is twice as wide as the input, so its boxes are twice as large.
    assert [(one["category_id"], one["bbox"]) for one in bright] == [(1, [16.0, 32.0, 64.0, 64.0])]
    assert 0.8 < bright[0]["score"] < 1
    assert dark == []
    assert isinstance(broken, str)


def test_rows_of_corners_score_and_label_are_understood(tmp_path):
    rows = [
        (0, 0, 10, 10, 0.3, 2),
        (5, 5, 90, 20, 0.9, 1),
        (0, 0, 9, 9, 0.9, 0),
        (9, 9, 9, 9, 1, 1),
    ]
    path = write_row_detector(tmp_path / "d.onnx", rows)
    detector = register_detector(path, classes=CLASSES, min_score=0.2)

    found = DetectionSession(detector).detect(np.zeros((64, 64, 3), np.uint8))

    assert [(one["category_id"], one["bbox"]) for one in found] == [
        (1, [5.0, 5.0, 59.0, 15.0]),
        (2, [0.0, 0.0, 10.0, 10.0]),
    ]


def test_what_is_unsure_is_left_out(tmp_path):
    path = write_row_detector(tmp_path / "d.onnx", [(0, 0, 10, 10, 0.3, 1)])
    detector = register_detector(path, classes=CLASSES, min_score=0.5)

    assert DetectionSession(detector).detect(np.zeros((8, 8, 3), np.uint8)) == []


def test_a_model_without_boxes_is_refused(tmp_path):
    path = write_mean_colour_model(tmp_path / "mean.onnx", side=8, batch=1)

    with pytest.raises(UnusableModel, match="suppression of overlaps"):
        register_detector(path, classes=CLASSES)


@pytest.mark.parametrize("classes", [[], ["__background__", ""]])
def test_a_detector_needs_classes(tmp_path, classes):
    with pytest.raises(BadInput, match="names of its classes"):
        register_detector(write_bright_detector(tmp_path / "d.onnx"), classes=classes)


def test_the_only_detector_needs_no_name_and_one_of_several_does(tmp_path):
    with pytest.raises(UnusableModel, match=r"models add FILE\.onnx --detector"):
        find_detector()
    first = register_detector(write_bright_detector(tmp_path / "a.onnx"), classes=CLASSES)
    assert find_detector() == first
    second = register_detector(write_bright_detector(tmp_path / "b.onnx", label=2), classes=CLASSES)

    assert list_detectors() == [first, second]
    assert find_detector("b") == second
    with pytest.raises(UnusableModel, match="several detectors: a, b"):
        find_detector()
    with pytest.raises(UnusableModel, match="no detector 'c'"):
        find_detector("c")
    assert len(list_models()) == 1


def test_a_changed_file_is_not_run(tmp_path):
    detector = register_detector(write_bright_detector(tmp_path / "d.onnx"), classes=CLASSES)
    write_bright_detector(detector.path, label=2)

    with pytest.raises(UnusableModel, match="was changed"), DetectionPool(detector):
        pass


def test_the_command_adds_and_lists_detectors(tmp_path):
    names = tmp_path / "names.txt"
    names.write_text("__background__\ncar\nbus\n")
    source = write_bright_detector(tmp_path / "vehicles.onnx")

    added = CliRunner().invoke(
        models, ["add", str(source), "--detector", "--classes", str(names), "--min-score", "0.4"]
    )
    listed = CliRunner().invoke(models, ["list"])

    assert added.output == "Added vehicles: finds 2 kinds of objects.\n"
    assert "vehicles  detector of 2 classes, 64x64 pixels" in listed.output
    assert find_detector().min_score == 0.4
