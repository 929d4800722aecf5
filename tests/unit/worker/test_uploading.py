"""What the dataset gets to know of selected images."""

from __future__ import annotations

from contextlib import closing
from types import SimpleNamespace
from typing import Any, cast

import numpy as np

from lightly.data.selection_plan.path_metadata import read_path_metadata
from lightly.worker.runs.candidates import Candidates
from lightly.worker.runs.context import RunContext
from lightly.worker.runs.selecting import Selection
from lightly.worker.runs.uploading import DatasetUpload
from lightly.worker.shards.records import FileRecord
from lightly.worker.sources.annotations import Annotations

EARLIER = ["cam9/old.jpg"]
NAMES = ["cam1/a.jpg", "b.jpg", "cam2/c.jpg"]


class Samples:
    """Takes samples in place of a server."""

    def __init__(self) -> None:
        self.requests: list[dict[str, Any]] = []

    def register(self, requests: list[dict[str, Any]]) -> list[str]:
        self.requests += requests
        return [f"id of {request['fileName']}" for request in requests]

    def update_predictions(self, _predictions: Any) -> list[str]:
        return []


def make_upload(annotations: Annotations) -> tuple[DatasetUpload, Samples]:
    def iterate(positions: Any, columns: Any) -> Any:
        return ((place, FileRecord(NAMES[place], "good", metadata={})) for place in positions)

    lease = SimpleNamespace(check=lambda: None, report_progress=lambda done, total: None)
    link = SimpleNamespace(transport=None)
    claim = SimpleNamespace(dataset_id="a" * 24)
    found = read_path_metadata(r"(?P<camera>cam\d)/", EARLIER + NAMES)
    plan = SimpleNamespace(path_metadata=found)
    upload = DatasetUpload(
        cast("RunContext", SimpleNamespace(lease=lease, link=link, claim=claim)),
        cast("Candidates", SimpleNamespace(iterate=iterate)),
        cast("Selection", SimpleNamespace(picks=np.array([0, 1, 2]), plan=plan, n_earlier=1)),
        annotations,
        None,
    )
    samples = Samples()
    upload._samples = samples  # type: ignore[assignment]  # stands for the server
    return upload, samples


def test_what_a_path_tells_is_metadata_of_the_sample(tmp_path):
    with closing(Annotations(tmp_path / "a.sqlite")) as annotations:
        upload, samples = make_upload(annotations)
        upload.add_samples()

    found = {one["fileName"]: one.get("customMetaData") for one in samples.requests}
    assert found == {
        "cam1/a.jpg": {"camera": "cam1"},
        # The expression does not match.
        "b.jpg": None,
        "cam2/c.jpg": {"camera": "cam2"},
    }
