"""A whole run that trains, and a later one with its checkpoint, scheduled by a published client."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from tests.support.platforms import ServerProcess, name_mounts, run_process
from tests.support.published_clients.runner import run_client_script
from tests.support.worker_process import ComputeWorker

pytestmark = [pytest.mark.long, pytest.mark.xdist_group("training")]

pytest.importorskip("torch", reason="PyTorch is not installed: `make test-long` does that")
pytest.importorskip("onnxscript")

N_IMAGES, N_SELECTED, DIM = 120, 12, 24
SCHEDULE = """
    from lightly.api import ApiWorkflowClient
    from lightly.openapi_generated.swagger_client.models import DatasetType, DatasourcePurpose

    client = ApiWorkflowClient()
    client.create_dataset(arguments["name"], DatasetType.IMAGES)
    for purpose in (DatasourcePurpose.INPUT, DatasourcePurpose.LIGHTLY):
        client.set_local_config(relative_path="digits", purpose=purpose)
    client.register_compute_worker("worker of a test")
    scheduled = client.schedule_compute_worker_run(
        worker_config={"upload_report": False, **arguments["worker"]},
        selection_config={
            "n_samples": arguments["n_samples"],
            "strategies": [{"input": {"type": "EMBEDDINGS"}, "strategy": {"type": "DIVERSITY"}}],
        },
        lightly_config=arguments["lightly"],
    )
    result = [client.dataset_id, scheduled]
"""
READ = """
    from lightly.api import ApiWorkflowClient

    client = ApiWorkflowClient(dataset_id=arguments["dataset"])
    info = client.get_compute_worker_run_info(arguments["scheduled"])
    run = client.get_compute_worker_run_from_scheduled_run(arguments["scheduled"])
    result = {"run": run.id, "state": info.state, "message": info.message}
    result["artifacts"] = {artifact.type: artifact.file_name for artifact in run.artifacts or []}
    if "CHECKPOINT" in result["artifacts"]:
        client.download_compute_worker_run_checkpoint(run, arguments["checkpoint"])
    if info.state == "COMPLETED":
        result["names"] = client.get_filenames()
        (embedding,) = client.get_all_embedding_data()
        client.download_embeddings_csv_by_id(embedding.id, arguments["csv"])
"""
LIGHTLY = {
    "trainer": {"max_epochs": 2, "gpus": 0},
    "loader": {"batch_size": 16},
    "model": {"name": "resnet-18", "num_ftrs": DIM},
    "collate": {"input_size": 8, "hf_prob": 0.0},
}


@dataclass(frozen=True)
class Place:
    """A server beside scans of digits that it reads itself."""

    server: ServerProcess
    folder: Path

    def run(self, name: str, worker: dict[str, Any], lightly: dict[str, Any]) -> dict[str, Any]:
        """Schedule a run with client 1.5.26, let a worker do it; return what came out."""
        dataset, scheduled = self.run_client(
            SCHEDULE, name=name, worker=worker, lightly=lightly, n_samples=N_SELECTED
        )
        process = ComputeWorker(self.server.url, self.server.token, self.folder, "--processes", "1")
        process.finish_runs(900)
        found: dict[str, Any] = self.run_client(
            READ, dataset=dataset, scheduled=scheduled,
            checkpoint=str(self.folder / f"{name}.safetensors"),
            csv=str(self.folder / f"{name}.csv"),
        )  # fmt: skip
        return {**found, "log": process.read_log()}

    def run_client(self, source: str, **arguments: Any) -> Any:
        """Run a script in the published client."""
        return run_client_script(
            "1.5.26", source, server_url=self.server.url, token=self.server.token,
            arguments=arguments, timeout_s=120,
        ).result  # fmt: skip


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    """Digits, one of them broken, with boxes around parts of some."""
    from sklearn.datasets import load_digits

    folder = tmp_path_factory.mktemp("place")
    digits = folder / "input" / "digits"
    digits.mkdir(parents=True)
    for number, image in enumerate(load_digits().images[:N_IMAGES]):
        Image.fromarray((image / 16 * 255).astype(np.uint8)).save(digits / f"{number:04d}.png")
    (digits / "broken.png").write_bytes(b"this is no picture")
    _write_boxes(folder / "lightly" / "digits" / ".lightly" / "predictions")
    with run_process(folder / "data", **name_mounts(folder)) as server:
        yield Place(server, folder)


@pytest.fixture(scope="module")
def trained(place: Place) -> dict[str, Any]:
    """A run that has trained."""
    return place.run("trained", {"enable_training": True}, LIGHTLY)


def test_a_run_trains_and_embeds_with_what_it_has_learnt(
    place: Place, trained: dict[str, Any]
) -> None:
    assert trained["state"] == "COMPLETED", trained["message"]
    assert len(trained["names"]) == N_SELECTED
    assert trained["artifacts"]["CHECKPOINT"] == "checkpoint.safetensors"
    assert f"TRAINING: Training resnet-18 for 2 epochs on {N_IMAGES} pictures." in trained["log"]
    assert "Trained for 2 epochs; the mean loss of the last ones:" in trained["log"]
    header = (place.folder / "trained.csv").read_text().splitlines()[0]
    assert f"embedding_{DIM - 1}," in header
    assert f"embedding_{DIM}," not in header


def test_a_later_run_embeds_with_its_checkpoint(place: Place, trained: dict[str, Any]) -> None:
    again = place.run("again", {"checkpoint_run_id": trained["run"]}, {})
    assert again["state"] == "COMPLETED", again["message"]
    assert again["names"] == trained["names"]
    assert "CHECKPOINT" not in again["artifacts"]
    first, second = ((place.folder / f"{name}.csv").read_text() for name in ("trained", "again"))
    assert first == second


def test_a_training_on_objects_sees_their_boxes_and_may_begin_with_a_checkpoint(
    place: Place, trained: dict[str, Any]
) -> None:
    worker = {
        "enable_training": True,
        "training": {"task_name": "parts"},
        "checkpoint_run_id": trained["run"],
    }
    lightly = {"trainer": {"max_epochs": 1}, "checkpoint_callback": {"save_last": False}}
    found = place.run("objects", worker, lightly)
    assert found["state"] == "COMPLETED", found["message"]
    assert "Training resnet-18 for 1 epochs on 40 pictures." in found["log"]
    assert "CHECKPOINT" not in found["artifacts"]
    header = (place.folder / "objects.csv").read_text().splitlines()[0]
    assert f"embedding_{DIM - 1}," in header


def test_a_task_that_is_not_there_and_a_run_without_checkpoint_are_named(
    place: Place, trained: dict[str, Any]
) -> None:
    # The server would refuse it when it is scheduled.
    worker = {
        "enable_training": True,
        "training": {"task_name": "wheels"},
        "datasource": {"bypass_verify": True},
    }
    refused = place.run("no task", worker, LIGHTLY)
    assert refused["state"] == "ABORTED"
    assert "worker_config.training.task_name names 'wheels'" in refused["message"]
    assert "parts" in refused["message"]
    refused = place.run("no checkpoint", {"checkpoint_run_id": refused["run"]}, {})
    assert refused["state"] == "ABORTED"
    assert "has no checkpoint. Name a run with enable_training" in refused["message"]


def _write_boxes(folder: Path) -> None:
    """Write predictions of the task `parts`: two boxes in each of twenty images."""
    (folder / "parts").mkdir(parents=True)
    (folder / "tasks.json").write_text(json.dumps(["parts"]))
    schema = {
        "task_type": "object-detection",
        "categories": [{"id": 0, "name": "part"}],
    }
    (folder / "parts" / "schema.json").write_text(json.dumps(schema))
    for number in range(20):
        boxes = [[0, 0, 6, 6], [2, 2, 6, 6]]
        predictions = [{"category_id": 0, "bbox": box, "score": 0.9} for box in boxes]
        content = {"file_name": f"{number:04d}.png", "predictions": predictions}
        (folder / "parts" / f"{number:04d}.json").write_text(json.dumps(content))
