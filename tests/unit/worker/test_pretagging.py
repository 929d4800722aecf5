"""A run that shall find objects says before it begins if it cannot."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any, cast

import pytest

from lightly.data.made_tasks import PRETAGGING_TASK
from lightly.embedding.detectors import register_detector
from lightly.worker.errors import RunRefused
from lightly.worker.options import RunOptions
from lightly.worker.runs.context import RunContext
from lightly.worker.runs.pretagging import choose_detector
from tests.support.tiny_onnx import write_bright_detector

SELECTION = {"strategies": [{"input": {"type": "PREDICTIONS", "task": PRETAGGING_TASK}}]}


@pytest.fixture(autouse=True)
def _own_models(tmp_path, monkeypatch):
    monkeypatch.setenv("LIGHTLY_MODELS_DIR", str(tmp_path / "models"))


def make_context(detector: str | None = None, **options: Any) -> RunContext:
    context = SimpleNamespace(
        options=RunOptions(**options), settings=SimpleNamespace(detector=detector)
    )
    return cast("RunContext", context)


@pytest.mark.parametrize("option", ["pretagging", "pretaggingUpload"])
def test_a_run_without_a_detector_says_how_to_add_one(option):
    with pytest.raises(RunRefused, match=r"lightly models add FILE\.onnx --detector"):
        choose_detector(make_context(docker={option: True}))


def test_a_selection_that_needs_objects_needs_pretagging():
    with pytest.raises(RunRefused, match=r"worker_config\.pretagging"):
        choose_detector(make_context(selection=SELECTION))


def test_a_run_that_asks_for_nothing_has_no_detector(tmp_path):
    register_detector(write_bright_detector(tmp_path / "d.onnx"), classes=["", "car"])

    assert choose_detector(make_context(docker={"pretagging": False})) is None


def test_the_configuration_names_a_detector_before_the_worker_does(tmp_path):
    for name in ("a", "b", "c"):
        path = write_bright_detector(tmp_path / f"{name}.onnx")
        register_detector(path, classes=["", "car"])

    by_worker = choose_detector(make_context("b", docker={"pretagging": True}))
    by_run = choose_detector(
        make_context("b", docker={"pretagging": True, "pretaggingConfig": "c"})
    )

    assert by_worker is not None
    assert by_run is not None
    assert (by_worker.id, by_run.id) == ("b", "c")
