"""Metadata and predictions beside the images."""

from __future__ import annotations

import json
import logging
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from lightly.api.transport import Transport
from lightly.data.datasource_files.errors import FileInvalid
from lightly.worker.errors import RunFailed, RunRefused
from lightly.worker.runs.annotating import check_predictions
from lightly.worker.sources.annotations import Annotations
from lightly.worker.sources.reading import FileReader

SCHEMA = {"task_type": "object-detection", "categories": [{"id": 0, "name": "cat"}]}
BOX = {"category_id": 0, "bbox": [1, 2, 3, 4], "score": 0.5}


@pytest.fixture
def annotations(tmp_path: Path) -> Iterator[Annotations]:
    """An empty store."""
    made = Annotations(tmp_path / "a.sqlite")
    yield made
    made.close()


class Folder:
    """Files of a datasource, read by their paths."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.reader = FileReader(Transport("http://127.0.0.1:9", "token"), check=lambda: None)

    def write(self, name: str, content: Any) -> str:
        """Write a JSON file; return where it lies."""
        path = self.root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(content if isinstance(content, str) else json.dumps(content))
        return str(path)

    def list(self, folder: str) -> list[tuple[str, str]]:
        """Return name and place of all files below a folder."""
        files = sorted((self.root / folder).rglob("*.json"))
        return [(path.relative_to(self.root).as_posix(), str(path)) for path in files]


@pytest.fixture
def folder(tmp_path: Path) -> Folder:
    """A datasource in a folder."""
    return Folder(tmp_path / "data")


def test_predictions_are_found_by_image(annotations: Annotations, folder: Folder) -> None:
    schema = folder.write(".lightly/predictions/pets/schema.json", SCHEMA)
    folder.write(".lightly/predictions/pets/zoo/1.json", {"predictions": [BOX]})
    files = folder.list(".lightly/predictions/pets")
    assert annotations.read_predictions("pets", folder.reader, schema, files) == 1
    assert annotations.find_predictions("pets", "zoo/1.jpg") == [BOX]
    assert annotations.find_predictions("pets", "zoo/2.jpg") == []
    assert annotations.tasks["pets"].names == {0: "cat"}


def test_a_broken_file_is_left_out_and_told(
    annotations: Annotations, folder: Folder, caplog: pytest.LogCaptureFixture
) -> None:
    schema = folder.write(".lightly/predictions/pets/schema.json", SCHEMA)
    folder.write(".lightly/predictions/pets/1.json", {"predictions": [BOX]})
    folder.write(".lightly/predictions/pets/2.json", {"predictions": [BOX | {"score": 2}]})
    files = folder.list(".lightly/predictions/pets")
    with caplog.at_level(logging.WARNING, "lightly.worker"):
        assert annotations.read_predictions("pets", folder.reader, schema, files) == 1
    assert "pets/2.json" in caplog.text
    assert annotations.find_predictions("pets", "2.jpg") == []


def test_a_task_whose_files_are_all_broken_ends_the_run(
    annotations: Annotations, folder: Folder
) -> None:
    schema = folder.write(".lightly/predictions/pets/schema.json", SCHEMA)
    folder.write(".lightly/predictions/pets/1.json", "no json")
    files = folder.list(".lightly/predictions/pets")
    with pytest.raises(RunFailed, match=r"All 1 files below \.lightly/predictions/pets/"):
        annotations.read_predictions("pets", folder.reader, schema, files)


def test_a_task_without_schema_is_named(annotations: Annotations, folder: Folder) -> None:
    with pytest.raises(FileInvalid, match=r"pets/schema\.json"):
        annotations.read_predictions("pets", folder.reader, str(folder.root / "none"), [])


def test_metadata_have_content_and_values_of_the_schema(
    annotations: Annotations, folder: Folder
) -> None:
    entry = {
        "name": "Speed",
        "path": "car.speed",
        "defaultValue": 0,
        "valueDataType": "NUMERIC_INT",
    }
    schema = folder.write(".lightly/metadata/schema.json", [entry])
    folder.write(".lightly/metadata/a.json", {"metadata": {"car": {"speed": 7}, "more": 1}})
    files = folder.list(".lightly/metadata")
    assert annotations.read_metadata(folder.reader, schema, files) == 1
    assert annotations.find_metadata("a.jpg") == {"car": {"speed": 7}, "more": 1}
    assert annotations.find_metadata_values("a.jpg") == {"car.speed": 7}
    assert annotations.find_metadata("b.jpg") is None
    assert annotations.find_metadata_values("b.jpg") == {"car.speed": 0}


def test_a_frame_has_the_metadata_of_its_video_below_its_own(folder: Folder) -> None:
    entries = [
        {"name": path, "path": path, "valueDataType": "CATEGORICAL_STRING", "defaultValue": "?"}
        for path in ("weather", "car.brand")
    ]
    schema = folder.write(".lightly/metadata/schema.json", entries)
    video = {"weather": "sun", "car": {"brand": "x", "age": 3}}
    folder.write(".lightly/metadata/b/a.json", {"type": "video", "metadata": video})
    own = {"type": "frame", "metadata": {"weather": "rain", "car": {"age": 4}}}
    folder.write(".lightly/metadata/b/a-01-mp4.json", own)
    folder.write(".lightly/metadata/c.json", {"type": "frame", "metadata": {"weather": "fog"}})
    with closing(Annotations(folder.root / "frames.sqlite", are_frames=True)) as annotations:
        annotations.read_metadata(folder.reader, schema, folder.list(".lightly/metadata"))
        assert annotations.find_metadata("b/a-00-mp4.png") == video
        merged = {"weather": "rain", "car": {"brand": "x", "age": 4}}
        assert annotations.find_metadata("b/a-01-mp4.png") == merged
        values = {"weather": "rain", "car.brand": "x"}
        assert annotations.find_metadata_values("b/a-01-mp4.png") == values
        assert annotations.find_metadata("c-0-mp4.png") is None
        assert annotations.find_metadata_values("c-0-mp4.png")["weather"] == "?"


def test_a_datasource_without_metadata_and_tasks_is_fine(
    annotations: Annotations, folder: Folder
) -> None:
    nowhere = str(folder.root / "none.json")
    assert annotations.read_metadata(folder.reader, nowhere, []) == 0
    assert annotations.read_tasks(folder.reader, nowhere) == []


def test_a_selection_that_no_image_has_predictions_for_is_refused(
    annotations: Annotations, folder: Folder
) -> None:
    schema = folder.write(".lightly/predictions/pets/schema.json", SCHEMA)
    folder.write(".lightly/predictions/pets/zoo/1.json", {"predictions": []})
    files = folder.list(".lightly/predictions/pets")
    annotations.read_predictions("pets", folder.reader, schema, files)
    needed = {"input": {"type": "SCORES", "task": "pets", "score": "uncertainty_margin"}}
    # An image without objects was looked at, which is all that matters.
    check_predictions(annotations, {"strategies": [needed]}, ["a.jpg", "zoo/1.jpg"])
    check_predictions(annotations, {"strategies": []}, ["a.jpg"])
    check_predictions(annotations, {"strategies": [needed]}, [])
    with pytest.raises(RunRefused, match=r"None of the 2 images .* 'pets'"):
        check_predictions(annotations, {"strategies": [needed]}, ["a.jpg", "1.jpg"])
