"""What a selection is told of the samples of a run."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, cast

import numpy as np
import pytest

from lightly.data.datasource_files.prediction_tasks import make_schema
from lightly.data.selection_plan.planning import plan_selection, read_selection
from lightly.selection import Objects, select
from lightly.utils.io import save_embeddings
from lightly.worker.runs.candidates import Candidates
from lightly.worker.runs.datapool import Datapool
from lightly.worker.runs.earlier_samples import read_rows
from lightly.worker.runs.selection_inputs import RunInputs
from lightly.worker.sources.annotations import Annotations

CAT = {"category_id": 0, "bbox": [0, 0, 1, 1], "score": 0.75}
NAMES = ["two.jpg", "none.jpg", "unknown.jpg"]
TAG = {"datasetId": "a" * 24, "tagName": "cats"}


@dataclass
class Found:
    """Candidates in memory."""

    names: list[str]
    embeddings: np.ndarray
    asked: list[tuple[str, str]] = field(default_factory=list)

    def __len__(self) -> int:
        return len(self.names)

    def iterate_names(self) -> Iterator[str]:
        yield from self.names

    def open_queries(self, dataset_id: str, tag_name: str) -> np.ndarray:
        self.asked.append((dataset_id, tag_name))
        return np.array([[0.0, 5.0]], np.float32)

    def embed_objects(self, task: str, names: Any) -> Objects:
        """Two objects of the first image and one of the last, the second near the query."""
        rows = np.array([[3.0, 0.0], [0.1, 9.0], [4.0, 4.0]], np.float32)
        return Objects(rows, owners=np.array([0, 0, 2]), n_samples=len(names))


@pytest.fixture
def annotations(tmp_path: Path) -> Iterator[Annotations]:
    """Two cats, an image in which nothing was found, and one that nobody looked at."""
    made = Annotations(tmp_path / "a.sqlite")
    images = [("two.jpg", [CAT, CAT]), ("none.jpg", [])]
    made.add_predictions("pets", make_schema("object-detection", ["cat"]), images)
    yield made
    made.close()


def make_inputs(
    annotations: Annotations, folder: Path, earlier: Datapool | None = None
) -> tuple[RunInputs, Found]:
    found = Found(NAMES, np.array([[3, 4], [0, 2], [0, 0]], np.float32))
    inputs = RunInputs(
        earlier or Datapool([], np.empty((0, 2), np.float32)),
        cast("Candidates", found),
        annotations,
        normalizes=True,
        matrix_path=folder / "matrix.f32",
        embed_objects=found.embed_objects,
        open_queries=found.open_queries,
        read_datapool_metadata=lambda _: [],
    )
    return inputs, found


def choose(inputs: RunInputs, input_: dict[str, Any], strategy: dict[str, Any]) -> list[str]:
    config = {"strategies": [{"input": input_, "strategy": strategy}]}
    planned = plan_selection(read_selection(config), inputs)
    return [
        inputs.names[int(place)]
        for place in select(n_samples=None, strategies=planned.strategies).indices
    ]


@pytest.mark.parametrize(
    ("operation", "threshold", "kept"),
    [("SMALLER", 1, ["none.jpg"]), ("BIGGER_EQUAL", 0, ["two.jpg", "none.jpg"])],
)
def test_where_nothing_was_found_is_none_and_where_nobody_looked_is_no_count(
    annotations, tmp_path, operation, threshold, kept
):
    inputs, _ = make_inputs(annotations, tmp_path)
    count = {"type": "PREDICTIONS", "task": "pets", "name": "CATEGORY_COUNT"}
    strategy = {"type": "THRESHOLD", "operation": operation, "threshold": threshold}

    assert choose(inputs, count, strategy) == kept


def test_an_image_without_a_file_has_no_score(annotations, tmp_path):
    inputs, _ = make_inputs(annotations, tmp_path)

    column = inputs.read_scores("pets", "objectness_least_confidence")

    assert column.values[:2].tolist() == [0.25, 0]
    assert column.missing.tolist() == [False, False, True]


def test_objects_are_compared_with_the_samples_of_a_tag(annotations, tmp_path):
    inputs, found = make_inputs(annotations, tmp_path)
    input_ = {"type": "EMBEDDINGS", "task": "pets", **TAG}

    chosen = choose(inputs, input_, {"type": "SIMILARITY"})

    # By its best object; the image without any comes last.
    assert chosen == ["two.jpg", "unknown.jpg", "none.jpg"]
    assert found.asked == [(TAG["datasetId"], TAG["tagName"])]


def test_all_vectors_have_the_length_one_and_earlier_samples_come_first(annotations, tmp_path):
    earlier = Datapool(["old.jpg"], np.array([[0, -8]], np.float32))
    inputs, _ = make_inputs(annotations, tmp_path, earlier)

    assert inputs.names[:2] == ["old.jpg", "two.jpg"]
    expected = np.array([[0, -1], [0.6, 0.8], [0, 1], [0, 0]], np.float32)
    assert inputs.open_embeddings().tolist() == expected.tolist()
    lengths = np.linalg.norm(np.asarray(inputs.open_objects("pets").embeddings), axis=1)
    np.testing.assert_allclose(lengths, 1, rtol=1e-6)
    assert inputs.open_queries("a" * 24, "cats").tolist() == [[0, 1]]


def test_samples_of_a_tag_without_a_vector_are_left_out_and_told(tmp_path, caplog):
    path = str(tmp_path / "queries.csv")
    save_embeddings(path, np.eye(2, 3, dtype=np.float32), [0, 0], ["a.jpg", "b.jpg"])

    with caplog.at_level("WARNING", "lightly.worker"):
        vectors = read_rows(Path(path), ["b.jpg", "c.jpg"])

    assert vectors.tolist() == [[0, 1, 0]]
    assert "1 of 2 samples" in caplog.text
