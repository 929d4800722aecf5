"""A new dataset of which nothing can be decoded fails with the reason and where to see more."""

from __future__ import annotations

import json
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest

from lightly.worker.errors import RunFailed
from lightly.worker.runs import artifacts
from lightly.worker.runs.context import RunContext
from lightly.worker.runs.data import RunData
from lightly.worker.runs.excluded import CORRUPT, DUPLICATE, ExcludedFiles, InputCounts
from lightly.worker.runs.pipeline import _refuse_nothing_but_corrupt


def look(folder: Path, counts: InputCounts, *, videos: InputCounts | None = None, n_known: int = 0):
    with ExcludedFiles(folder / artifacts.EXCLUDED_NAME) as excluded:
        excluded.add("a.jpg", DUPLICATE, "twin")
        excluded.add("b.jpg", CORRUPT, "The file is empty.")
    context: Any = SimpleNamespace(folder=SimpleNamespace(path=folder.joinpath))
    data: Any = SimpleNamespace(
        counts=counts,
        videos=None if videos is None else SimpleNamespace(counts=videos),
        datapool=["earlier"] * n_known,
    )
    _refuse_nothing_but_corrupt(cast("RunContext", context), cast("RunData", data))


ALL_CORRUPT = InputCounts(3, 0, 3, 0, 0, 0)


def test_nothing_but_corrupt_images_is_told_with_the_first_one(tmp_path: Path) -> None:
    with pytest.raises(RunFailed, match=r"All 3 images are corrupt.*'b\.jpg': The file is empty\."):
        look(tmp_path, ALL_CORRUPT)
    told = json.loads((tmp_path / artifacts.CORRUPTNESS_NAME).read_text())
    assert told["corrupt_samples"] == {"b.jpg": "The file is empty."}


def test_videos_are_counted_as_videos(tmp_path: Path) -> None:
    with pytest.raises(RunFailed, match="All 3 videos"):
        look(tmp_path, InputCounts(0, 0, 0, 0, 0, 0), videos=ALL_CORRUPT)


@pytest.mark.parametrize(
    ("counts", "n_known"),
    [
        (InputCounts(3, 1, 2, 0, 0, 0), 0),
        (InputCounts(0, 0, 0, 0, 0, 0), 0),
        # Next week's files may be better; the dataset goes on.
        (ALL_CORRUPT, 2),
    ],
)
def test_other_inputs_go_on(tmp_path: Path, counts: InputCounts, n_known: int) -> None:
    look(tmp_path, counts, n_known=n_known)
