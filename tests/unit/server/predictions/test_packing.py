"""Predictions come out of their packed form as they went in."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lightly.server.predictions.models import PackedPredictions, PredictionTask
from lightly.server.predictions.packing import (
    MIN_COMPRESSED_BYTES,
    pack_predictions,
    unpack_predictions,
)
from tests.support.predictions import TASK_TYPES, make_prediction, predictions_of


def make_task(task_type: str, name: str = "a/b:c") -> PredictionTask:
    return PredictionTask(1, "0" * 24, 1, name, task_type, "[]", 0, has_predictions=True)


@pytest.mark.parametrize("task_type", TASK_TYPES)
@given(data=st.data())
def test_what_is_packed_is_unpacked(task_type, data):
    sent = data.draw(st.lists(predictions_of("a/b:c", task_type), min_size=1, max_size=20))

    packed = pack_predictions(sent, None)

    assert json.loads(unpack_predictions([(make_task(task_type), packed)])) == sent


@pytest.mark.parametrize("task_type", ["SEMANTIC_SEGMENTATION", "INSTANCE_SEGMENTATION"])
@given(data=st.data())
def test_without_the_run_lengths_all_else_is_left(task_type, data):
    sent = data.draw(st.lists(predictions_of("a/b:c", task_type), min_size=1, max_size=8))
    packed = pack_predictions(sent, None)
    lean = PackedPredictions(packed.size_bytes, None, packed.singletons, None)

    found = json.loads(unpack_predictions([(make_task(task_type), lean)]))

    assert found == [one | {"segmentation": []} for one in sent]


def test_fields_that_are_null_are_left_out():
    sent = make_prediction("a/b:c", "CLASSIFICATION", probabilities=None)

    packed = pack_predictions([sent], None)

    (found,) = json.loads(unpack_predictions([(make_task("CLASSIFICATION"), packed)]))
    assert "probabilities" not in found


def test_nothing_of_a_row_repeats_what_its_task_says():
    boxes = [make_prediction("a/b:c", "OBJECT_DETECTION", score=n / 1000) for n in range(1000)]

    packed = pack_predictions(boxes, None)

    assert len(packed.singletons) < packed.size_bytes / 5 < len(json.dumps(boxes)) / 8


def test_short_lists_are_not_made_longer():
    packed = pack_predictions([make_prediction("a/b:c", "CLASSIFICATION")], None)

    assert len(packed.singletons) == packed.size_bytes < MIN_COMPRESSED_BYTES


def test_the_predictions_of_a_sample_without_any_are_an_empty_list():
    assert unpack_predictions([]) == b"[]"
