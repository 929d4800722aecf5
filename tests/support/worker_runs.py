"""Runs of a real worker on local folders, scheduled and looked at by our SDK."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from lightly.api import ApiWorkflowClient
from lightly.openapi_generated.swagger_client.models import DatasetType, DatasourcePurpose
from tests.support.pictures import draw_folder
from tests.support.platforms import ServerProcess, name_mounts, run_process
from tests.support.sdk import connect_client
from tests.support.worker_process import ComputeWorker

DIVERSITY = [{"input": {"type": "EMBEDDINGS"}, "strategy": {"type": "DIVERSITY"}}]


@dataclass(frozen=True)
class ScheduledRun:
    """A run that waits for a worker, or has been done by one.

    Attributes:
        client: Of its dataset.
        scheduled_id: Under which it was scheduled.
    """

    client: ApiWorkflowClient
    scheduled_id: str

    @property
    def state(self) -> tuple[str, str]:
        """State and message of the run."""
        info = self.client.get_compute_worker_run_info(self.scheduled_id)
        return str(info.state), str(info.message)

    @property
    def names(self) -> list[str]:
        """What has become part of the dataset."""
        return sorted(self.client.get_filenames())

    @property
    def tags(self) -> dict[str, int]:
        """Size of each tag by its name."""
        return {tag.name: int(tag.tot_size) for tag in self.client.get_all_tags()}

    def download_artifacts(self, folder: Path) -> set[str]:
        """Download everything that the run has left; return the names of the files."""
        run = self.client.get_compute_worker_run_from_scheduled_run(self.scheduled_id)
        self.client.download_compute_worker_run_artifacts(run, str(folder))
        return {path.name for path in folder.iterdir()}


@dataclass(frozen=True)
class LocalPlace:
    """A server beside folders that it reads itself.

    Attributes:
        server: The server.
        root: Holds the mounts and what workers keep.
    """

    server: ServerProcess
    root: Path

    def draw(self, name: str, n_pictures: int) -> list[str]:
        """Draw pictures for a dataset; return their names."""
        (self.root / "lightly" / name).mkdir(parents=True)
        return draw_folder(self.root / "input" / name, n_pictures)

    def predict(
        self, pictures: str, task: str, categories: Sequence[str], boxes: Mapping[str, list[Any]]
    ) -> None:
        """Put predicted boxes beside the pictures of `draw`.

        Args:
            pictures: Their folder.
            task: Name of the task.
            categories: Their ids are their places.
            boxes: Predictions by name of the picture.
        """
        root = self.root / "lightly" / pictures / ".lightly" / "predictions"
        entries = [{"id": id_, "name": name} for id_, name in enumerate(categories)]
        schema = {"task_type": "object-detection", "categories": entries}
        files = {"tasks": [task], f"{task}/schema": schema} | {
            f"{task}/{name.rpartition('.')[0]}": {"predictions": found}
            for name, found in boxes.items()
        }
        for name, content in files.items():
            path = root / f"{name}.json"
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(json.dumps(content))

    def schedule(self, name: str, pictures: str, *, n_samples: int, **worker: Any) -> ScheduledRun:
        """Make a dataset and schedule a run.

        Args:
            name: Of the dataset.
            pictures: Folder of `draw`.
            n_samples: How many to select.
            **worker: Options of the run.
        """
        client = connect_client(self.server.url, self.server.token)
        client.create_dataset(name, DatasetType.IMAGES)
        for purpose in (DatasourcePurpose.INPUT, DatasourcePurpose.LIGHTLY):
            client.set_local_config(relative_path=pictures, purpose=purpose)
        scheduled = client.schedule_compute_worker_run(
            worker_config=worker,
            selection_config={"n_samples": n_samples, "strategies": DIVERSITY},
        )
        return ScheduledRun(client, scheduled)

    def make_worker(self, url: str = "", *options: str) -> ComputeWorker:
        """Return a worker that is not started yet.

        Args:
            url: Where it takes the server to be.
            *options: More of its command line.
        """
        return ComputeWorker(url or self.server.url, self.server.token, self.root, *options)


@contextmanager
def run_local_place(root: Path, **variables: str) -> Iterator[LocalPlace]:
    """Yield a server with two mounts below a folder."""
    for name in ("input", "lightly"):
        (root / name).mkdir(parents=True)
    with run_process(root / "data", **name_mounts(root), **variables) as server:
        yield LocalPlace(server, root)
