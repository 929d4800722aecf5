"""Which objects become crops, and what they are called."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any, cast

import pytest

from lightly.data.datasource_files.prediction_tasks import make_schema
from lightly.worker.errors import RunRefused
from lightly.worker.options import RunOptions
from lightly.worker.runs.crop_datasets import list_crops
from lightly.worker.runs.cropping import check_crop_tasks, list_crop_tasks
from lightly.worker.sources.annotations import Annotations

OBJECTS = {"input": {"type": "EMBEDDINGS", "task": "pets"}, "strategy": {"type": "DIVERSITY"}}
IMAGES = {"input": {"type": "EMBEDDINGS"}, "strategy": {"type": "DIVERSITY"}}


def predict(task: str, **more: object) -> dict[str, Any]:
    return {"taskName": task, "categoryId": 0, "score": 0.5, **more}


@pytest.mark.parametrize(
    ("crops", "expected"),
    [
        (None, ["pets"]),
        ({}, ["pets"]),
        ({"enableUpload": False}, []),
        ({"enableUploadForTasks": ["cars", "cars"]}, ["cars"]),
        ({"enableUploadForTasks": []}, []),
        ({"enableUpload": False, "enableUploadForTasks": ["cars"]}, []),
    ],
)
def test_tasks_are_those_that_are_compared_or_named(crops, expected):
    options = RunOptions(
        selection={"strategies": [IMAGES, OBJECTS, OBJECTS]}, docker={"crops": crops}
    )

    assert list_crop_tasks(options) == expected


def test_crops_are_numbered_within_their_task_and_know_their_place_in_the_image():
    predictions = [
        predict("pets", bbox=[0, 0, 4, 4]),
        predict("weather"),
        predict("pets"),
        predict("pets", bbox=[10, 20, 30, 40]),
    ]

    found = list_crops("a/b.JPG", predictions, ["pets"], padding=0.1, image_format="jpg")

    assert [crop.name for crop in found] == ["pets/a/b-0-jpg.jpg", "pets/a/b-2-jpg.jpg"]
    assert [crop.number for crop in found] == [0, 3]
    assert found[1].box == [7.0, 16.0, 36.0, 48.0]


@pytest.mark.parametrize("task", ["weather", "unknown"])
def test_a_task_without_boxes_gives_no_crops(task):
    tasks = {
        "weather": make_schema("classification", ["sun"]),
        "pets": make_schema("object-detection", ["cat"]),
    }
    annotations = cast("Annotations", SimpleNamespace(tasks=tasks))

    check_crop_tasks(["pets"], annotations)
    with pytest.raises(RunRefused, match="Tasks with boxes: pets"):
        check_crop_tasks([task], annotations)
