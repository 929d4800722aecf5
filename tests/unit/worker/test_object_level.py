"""Objects as samples of a selection."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any, cast

import numpy as np
import pytest

from lightly._kit.errors import BadInput
from lightly.data.datasource_files.prediction_tasks import make_schema
from lightly.data.selection_plan.planning import plan_selection, read_selection
from lightly.selection import Objects, select
from lightly.worker.runs.object_level import ObjectInputs, _list_images, collect_objects
from lightly.worker.runs.selection_inputs import RunInputs
from lightly.worker.sources.annotations import Annotations

NAMES = ["a.jpg", "b.jpg", "c.png"]
PREDICTIONS: dict[str, list[dict[str, Any]]] = {
    "a.jpg": [
        {"category_id": 0, "bbox": [0, 0, 1, 1], "score": 0.9},
        {"category_id": 0, "bbox": [1, 0, 1, 1], "score": 0.6},
    ],
    "b.jpg": [],
    "c.png": [
        {"category_id": 1, "score": 0.5},
        {"category_id": 1, "bbox": [0, 0, 1, 1], "score": 0.7},
    ],
}


@pytest.fixture
def inputs() -> ObjectInputs:
    annotations = cast(
        "Annotations",
        SimpleNamespace(
            tasks={"pets": make_schema("object-detection", ["cat", "dog"])},
            find_predictions=lambda _, name: PREDICTIONS[name],
        ),
    )
    # As they were read: the last image first.
    found = Objects(np.array([[9.0], [0.0], [1.0]], np.float32), owners=[2, 0, 0], n_samples=3)
    objects = collect_objects("pets", found, annotations, NAMES, "png")
    return ObjectInputs(objects, cast("RunInputs", None), annotations)


def plan(inputs: ObjectInputs, source: dict[str, Any], strategy: dict[str, Any]) -> list[int]:
    config = {"n_samples": 2, "strategies": [{"input": source, "strategy": strategy}]}
    planned = plan_selection(read_selection(config), inputs)
    found = select(n_samples=2, strategies=planned.strategies).indices
    return [int(place) for place in found]


def test_objects_come_in_the_order_of_their_images_and_are_named_like_their_crops(inputs):
    assert inputs.read_names() == ["pets/a-0-jpg.png", "pets/a-1-jpg.png", "pets/c-1-png.png"]
    assert inputs.open_embeddings().tolist() == [[0.0], [1.0], [9.0]]


def test_each_object_has_a_vote_of_its_own(inputs):
    assert plan(inputs, {"type": "EMBEDDINGS"}, {"type": "DIVERSITY"}) == [0, 2]
    source = {"type": "PREDICTIONS", "task": "pets", "name": "CLASS_DISTRIBUTION"}
    assert 2 in plan(inputs, source, {"type": "BALANCE", "target": {"cat": 0.5, "dog": 0.5}})
    score = {"type": "SCORES", "task": "pets", "score": "objectness_least_confidence"}
    assert plan(inputs, score, {"type": "WEIGHTS"}) == [1, 2]


@pytest.mark.parametrize(
    "ask",
    [
        lambda inputs: inputs.open_objects("pets"),
        lambda inputs: inputs.read_predictions("cars"),
        lambda inputs: inputs.read_scores("pets", "unknown"),
        lambda inputs: inputs.read_metadata("lightly.sharpness"),
    ],
)
def test_what_objects_do_not_have_is_refused(inputs, ask):
    with pytest.raises(BadInput):
        ask(inputs)


def test_an_image_is_selected_once_with_its_first_object():
    images, distances = _list_images(np.array([4, 2, 4, 7]), np.array([9.0, 8.0, 7.0, 6.0]))

    assert images.tolist() == [4, 2, 7]
    assert distances.tolist() == [9.0, 8.0, 6.0]
