"""Runs that select by automatic tags, with no labels and no prediction files at all."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import sklearn
from PIL import Image

from lightly.api import ApiWorkflowClient
from lightly.data.made_tasks import AUTO_TAGS_TASK, PRETAGGING_TASK
from lightly.embedding.detectors import register_detector
from tests.support.platforms import ServerProcess, name_mounts, run_process
from tests.support.tiny_onnx import write_bright_detector
from tests.support.worker_process import ComputeWorker

PHOTOS = Path(sklearn.__file__).parent / "datasets" / "images"
N_FLOWERS, N_PALACES = 14, 3
COUNT_OBJECTS = [
    {
        "input": {"type": "PREDICTIONS", "task": PRETAGGING_TASK, "name": "CATEGORY_COUNT"},
        "strategy": {"type": "THRESHOLD", "threshold": 1, "operation": "BIGGER_EQUAL"},
    }
]
DIVERSITY = {"input": {"type": "EMBEDDINGS"}, "strategy": {"type": "DIVERSITY"}}


def draw_photos(folder: Path, kind: str, source: str, count: int) -> None:
    """Save parts of a photo, each another one and each large enough to tell what it shows."""
    generator = np.random.default_rng(count)
    folder.mkdir(parents=True, exist_ok=True)
    with Image.open(PHOTOS / source) as photo:
        for number in range(count):
            left, top = (int(edge) for edge in generator.integers(0, 60, 2))
            box = (left, top, photo.width - 60 + left, photo.height - 60 + top)
            photo.crop(box).resize((290, 180)).save(folder / f"{kind}-{number:02d}.jpg")


@pytest.fixture
def server(tmp_path: Path) -> Iterator[ServerProcess]:
    """A server beside many pictures of flowers and few of a palace."""
    pictures = tmp_path / "input" / "pictures"
    draw_photos(pictures, "flower", "flower.jpg", N_FLOWERS)
    draw_photos(pictures, "palace", "china.jpg", N_PALACES)
    (tmp_path / "lightly" / "pictures").mkdir(parents=True)
    with run_process(tmp_path / "data", **name_mounts(tmp_path)) as running:
        yield running


@pytest.fixture
def client(server: ServerProcess, monkeypatch: pytest.MonkeyPatch) -> ApiWorkflowClient:
    """The SDK with a dataset on the pictures."""
    monkeypatch.setenv("LIGHTLY_SERVER_LOCATION", server.url)
    made = ApiWorkflowClient(token=server.token)
    made.create_dataset("photos")
    for purpose in ("INPUT", "LIGHTLY"):
        made.set_local_config(relative_path="pictures", purpose=purpose)
    made.register_compute_worker("worker of a test")
    return made


def run(
    client: ApiWorkflowClient,
    worker: ComputeWorker,
    strategies: list[object],
    n_samples: int,
    **options: bool,
) -> str:
    """Do a run; return its last message."""
    scheduled = client.schedule_compute_worker_run(
        worker_config={"use_datapool": True, **options},
        selection_config={"n_samples": n_samples, "strategies": strategies},
    )
    worker.finish_runs()
    info = client.get_compute_worker_run_info(scheduled)
    assert info.state == "COMPLETED", info.message
    return str(info.message)


def balance(**target: float) -> dict[str, object]:
    source = {"type": "PREDICTIONS", "task": AUTO_TAGS_TASK, "name": "CLASS_DISTRIBUTION"}
    return {"input": source, "strategy": {"type": "BALANCE", "target": target}}


def test_words_are_balanced_and_searched_and_objects_found_without_any_labels(
    server: ServerProcess,
    client: ApiWorkflowClient,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("LIGHTLY_MODELS_DIR", str(tmp_path / "models"))
    register_detector(write_bright_detector(tmp_path / "d.onnx"), classes=["", "bright", "dark"])
    worker = ComputeWorker(server.url, server.token, tmp_path)
    n_samples = N_PALACES + 1
    strategies = [balance(building=1.0), *COUNT_OBJECTS]
    run(client, worker, strategies, n_samples, pretagging=True, pretagging_upload=True)

    names = client.get_filenames()
    assert sum(name.startswith("palace") for name in names) == N_PALACES
    flowers = {match.file_name for match in client.search_tags("flower", 0.05)}
    palaces = {match.file_name for match in client.search_tags("buildings")}
    assert flowers == {name for name in names if name.startswith("flower")}
    assert palaces == {name for name in names if name.startswith("palace")}
    url = f"/v1/datasets/{client.dataset_id}/predictions/scores"
    tasks = [score["taskName"] for score in client._transport.get(url)]
    assert (tasks.count(AUTO_TAGS_TASK), tasks.count(PRETAGGING_TASK)) == (3, 5)
    url = f"/v1/datasets/{client.dataset_id}/predictions/samples"
    found = client._transport.get(url, {"taskName": PRETAGGING_TASK})
    assert [(len(one), one[0]["categoryId"]) for one in found] == [(1, 1)] * n_samples


@pytest.mark.long
def test_samples_of_earlier_runs_have_tags_after_the_first_run_that_makes_them(
    server: ServerProcess, client: ApiWorkflowClient, tmp_path: Path
) -> None:
    worker = ComputeWorker(server.url, server.token, tmp_path)
    run(client, worker, [DIVERSITY], 3)
    first = set(client.get_filenames())
    assert client.search_tags("entity") == []
    later = time.time() + 2
    pictures = tmp_path / "input" / "pictures"
    draw_photos(pictures, "new", "flower.jpg", 4)
    for path in pictures.glob("new-*"):
        os.utime(path, (later, later))
    time.sleep(3)

    always = ComputeWorker(server.url, server.token, tmp_path, "--auto-tags")
    run(client, always, [DIVERSITY], 2)

    tagged = {match.file_name for match in client.search_tags("entity")}
    assert first < tagged
    assert tagged == set(client.get_filenames())
