"""The parent of a training: what it makes of a child that ends as it should not."""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import pytest

from lightly.embedding.training import trainer
from lightly.embedding.training.pixel_store import PixelStore
from lightly.embedding.training.settings import read_training_settings
from lightly.embedding.training.trainer import TrainingFailed, train_model


class Stopped(Exception):
    """Asked for in the middle."""


@pytest.fixture
def pixels(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> PixelStore:
    """Two pictures; and the extra counts as installed."""
    monkeypatch.setattr("lightly.embedding.training.settings._LIBRARIES", ())
    np.zeros((2, 16, 16, 3), np.uint8).tofile(tmp_path / "pictures.u8")
    return PixelStore(tmp_path / "pictures.u8", 2, 16)


def run(
    pixels: PixelStore,
    folder: Path,
    script: str,
    monkeypatch: pytest.MonkeyPatch,
    **options: object,
) -> None:
    """Train with a child that runs a script."""
    original = trainer.subprocess.Popen

    def start(command: list[str], **given: object) -> object:
        return original([sys.executable, "-c", script, *command[-1:]], **given)

    monkeypatch.setattr(trainer.subprocess, "Popen", start)
    train_model(pixels, read_training_settings({}), folder, pixels_key="k", **options)


@pytest.mark.parametrize(
    ("script", "reason"),
    [
        ("raise MemoryError('no room')", "It ended with MemoryError: no room"),
        ("import os; os.kill(os.getpid(), 9)", "ended too early. If memory is short"),
        (
            """print('{"kind": "refused", "reason": "There are no pictures."}')""",
            "^There are no pictures.$",
        ),
    ],
)
def test_the_end_of_a_child_is_explained(
    pixels: PixelStore, tmp_path: Path, script: str, reason: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(TrainingFailed, match=reason):
        run(pixels, tmp_path / "out", script, monkeypatch)


def test_a_child_ends_when_the_training_shall_stop(
    pixels: PixelStore, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[tuple[int, int, float]] = []

    def check() -> None:
        if seen:
            raise Stopped

    script = """
import sys, time
print('{"kind": "progress", "n_done": 1, "n_total": 9, "loss": 2.5}', flush=True)
time.sleep(600)
"""
    with pytest.raises(Stopped):
        run(
            pixels, tmp_path / "out", script, monkeypatch,
            check=check, on_progress=lambda *news: seen.append(news),
        )  # fmt: skip
    assert seen == [(1, 9, 2.5)]
