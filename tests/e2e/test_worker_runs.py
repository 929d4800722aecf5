"""Whole runs: scheduled and watched by published clients, done by a real worker."""

from __future__ import annotations

import json
import os
import re
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import requests

from tests.support.http_clients import RemoteClient
from tests.support.pictures import draw_folder
from tests.support.platforms import ServerProcess, name_mounts, run_process
from tests.support.published_clients.runner import run_client_script
from tests.support.worker_process import ComputeWorker

N_PICTURES = 30
MAGIC = {"full": {b"\x89PNG"}, "thumbnail": {b"RIFF"}}
N_SELECTED = 8

#: Makes a dataset on the local folders and schedules a run; the clients differ in little.
SCHEDULE = """
    from lightly.api import ApiWorkflowClient
    from lightly.openapi_generated.swagger_client.models import DatasetType, DatasourcePurpose

    client = ApiWorkflowClient()
    client.create_dataset(arguments["name"], DatasetType.IMAGES)
    if arguments["serves_urls"]:
        client.set_local_config("http://localhost:3456/")
    else:
        for purpose in (DatasourcePurpose.INPUT, DatasourcePurpose.LIGHTLY):
            client.set_local_config(relative_path="pictures", purpose=purpose)
    client.register_compute_worker("worker of a test")
    scheduled = client.schedule_compute_worker_run(
        worker_config=arguments["worker"],
        selection_config={
            "n_samples": arguments["n_samples"],
            "strategies": arguments["strategies"],
        },
    )
    result = [client.dataset_id, scheduled]
"""
MAKE_DATASET = """
    from lightly.api import ApiWorkflowClient
    from lightly.openapi_generated.swagger_client.models import DatasetType, DatasourcePurpose

    client = ApiWorkflowClient()
    client.create_dataset(arguments["name"], DatasetType.IMAGES)
    for purpose in (DatasourcePurpose.INPUT, DatasourcePurpose.LIGHTLY):
        client.set_local_config(relative_path="pictures", purpose=purpose)
    client.register_compute_worker("worker of a test")
    result = client.dataset_id
"""
#: What a run of images tells on its way, in the order of the contract.
STATES = [
    "INITIALIZING", "LOADING_DATASET", "LOADING_METADATA", "LOADING_PREDICTION",
    "CHECKING_CORRUPTNESS", "COMPUTING_METADATA", "EMBEDDING", "SAMPLING", "SAVING_RESULTS",
    "UPLOADING_DATASET", "GENERATING_REPORT", "UPLOADING_REPORT", "UPLOADED_REPORT",
    "UPLOADING_ARTIFACTS", "UPLOADED_ARTIFACTS",
]  # fmt: skip
TABLES = ("selected", "excluded", "distributions", "coverage")
DIVERSITY = [{"input": {"type": "EMBEDDINGS"}, "strategy": {"type": "DIVERSITY"}}]
WATCH_1_5 = """
    from lightly.api import ApiWorkflowClient

    client = ApiWorkflowClient(dataset_id=arguments["dataset"])
    states = [
        (info.state, info.message)
        for info in client.compute_worker_run_info_generator(arguments["scheduled"])
    ]
    run = client.get_compute_worker_run_from_scheduled_run(arguments["scheduled"])
    client.download_compute_worker_run_artifacts(run, arguments["folder"])
    result = {
        "states": states,
        "names": client.get_filenames(),
        "tags": [tag.name for tag in client.get_all_tags()],
        "run_tags": [tag.name for tag in client.get_compute_worker_run_tags(run.id)],
        "artifacts": sorted(artifact.type for artifact in run.artifacts),
        "embeddings": [embedding.name for embedding in client.get_all_embedding_data()],
    }
"""


@dataclass(frozen=True)
class Place:
    """A server with folders that it reads itself.

    Attributes:
        server: The server.
        pictures: Where the input lies.
        outputs: Where `.lightly` is written.
        names: Of the pictures.
        folder: For workers.
    """

    server: ServerProcess
    pictures: Path
    outputs: Path
    names: list[str]
    folder: Path

    def run_client(self, version: str, source: str, **arguments: Any) -> Any:
        """Run a script in a published client; return its result."""
        return run_client_script(
            version,
            source,
            server_url=self.server.url,
            token=self.server.token,
            arguments=arguments,
            timeout_s=120,
        ).result

    def make_worker(self, *options: str) -> ComputeWorker:
        """Return a worker that is not started yet."""
        return ComputeWorker(self.server.url, self.server.token, self.folder, *options)


@pytest.fixture
def place(tmp_path: Path) -> Iterator[Place]:
    """A server beside pictures, one of them twice and one broken."""
    pictures = tmp_path / "input" / "pictures"
    names = draw_folder(pictures, N_PICTURES)
    (pictures / "zz-copy.jpg").write_bytes((pictures / names[0]).read_bytes())
    (pictures / "broken.jpg").write_bytes(b"this is no picture")
    outputs = tmp_path / "lightly" / "pictures"
    outputs.mkdir(parents=True)
    with run_process(tmp_path / "data", **name_mounts(tmp_path)) as server:
        yield Place(server, pictures, outputs, names, tmp_path)


@pytest.fixture
def schedule(place: Place) -> Callable[..., tuple[str, str]]:
    """Return a function that makes a dataset with a run; it returns their ids."""

    def make(version: str, **worker: Any) -> tuple[str, str]:
        dataset, scheduled = place.run_client(
            version,
            SCHEDULE,
            name=f"set of {version.replace('.', '-')}",
            serves_urls=version.startswith("1.2"),
            worker=worker,
            n_samples=N_SELECTED,
            strategies=DIVERSITY,
        )
        return dataset, scheduled

    return make


def test_a_run_of_1_5_26_ends_with_dataset_tag_and_artifacts(
    place: Place, schedule: Callable[..., tuple[str, str]]
) -> None:
    dataset, scheduled = schedule("1.5.26")
    worker = place.make_worker()
    worker.finish_runs()
    downloads = place.folder / "downloads"
    found = place.run_client(
        "1.5.26", WATCH_1_5, dataset=dataset, scheduled=scheduled, folder=str(downloads)
    )
    (state, message) = found["states"][-1]
    assert state == "COMPLETED"
    assert message == (
        f"Selected {N_SELECTED} of {N_PICTURES} images; {N_PICTURES + 2} listed, 1 corrupt, "
        "1 duplicates."
    )
    assert len(found["names"]) == N_SELECTED
    assert set(found["names"]) <= set(place.names)
    assert found["tags"] == found["run_tags"] == ["initial-tag"]
    assert found["embeddings"] == ["default"]
    assert {"LOG", "MEMLOG", "CORRUPTNESS_CHECK_INFORMATION"} <= set(found["artifacts"])
    assert "broken.jpg" in (downloads / "corruptness_check_information.json").read_text()
    thumbnails = sorted(path for path in (place.outputs / ".lightly").rglob("*") if path.is_file())
    assert len([path for path in thumbnails if "_thumb." in path.name]) == N_SELECTED
    assert re.findall(r"INFO ([A-Z_]{5,}): ", worker.read_log()) == STATES
    tables = {path.name for path in thumbnails if path.parent.parent.name == "runs"}
    assert tables == {f"{name}.{form}" for name in TABLES for form in ("csv", "parquet")}


@pytest.mark.long
def test_a_datapool_that_is_not_updated_leaves_the_dataset_as_it_was(
    place: Place, schedule: Callable[..., tuple[str, str]]
) -> None:
    dataset, scheduled = schedule(
        "1.5.26", use_datapool=True, datasource={"enable_datapool_update": False}
    )
    place.make_worker().finish_runs()
    found = place.run_client(
        "1.5.26", WATCH_1_5, dataset=dataset, scheduled=scheduled, folder=str(place.folder / "d")
    )
    state, message = found["states"][-1]
    assert state == "COMPLETED", message
    assert "The dataset stays as it was" in message
    assert found["names"] == found["tags"] == found["embeddings"] == []
    (table,) = place.outputs.rglob("selected.csv")
    assert len(table.read_text().splitlines()) == 1 + N_SELECTED
    assert "REPORT_PDF" in found["artifacts"]


def test_a_worker_with_mounts_needs_no_urls_of_the_server(
    place: Place, schedule: Callable[..., tuple[str, str]]
) -> None:
    dataset, scheduled = schedule("1.5.26")
    mounts = ("--input-mount", str(place.folder / "input"))
    mounts += ("--lightly-mount", str(place.folder / "lightly"))
    place.make_worker(*mounts).finish_runs()
    found = place.run_client(
        "1.5.26", WATCH_1_5, dataset=dataset, scheduled=scheduled, folder=str(place.folder / "d")
    )
    assert found["states"][-1][0] == "COMPLETED"
    assert len(found["names"]) == N_SELECTED
    assert "/files/" not in place.server.read_log()


def write_json(path: Path, content: Any) -> None:
    """Write a JSON file."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(content))


def annotate(place: Place) -> None:
    """Put metadata and predictions beside the pictures: half are dark, a third has a cat."""
    root = place.outputs / ".lightly"
    entry = {
        "name": "Light",
        "path": "light",
        "defaultValue": "bright",
        "valueDataType": "CATEGORICAL_STRING",
    }
    write_json(root / "metadata/schema.json", [entry])
    write_json(root / "predictions/tasks.json", ["pets"])
    schema = {
        "task_type": "object-detection",
        "categories": [{"id": 0, "name": "cat"}, {"id": 1, "name": "dog"}],
    }
    write_json(root / "predictions/pets/schema.json", schema)
    for number, name in enumerate(place.names):
        stem = name.rsplit(".", 1)[0]
        if number % 2:
            write_json(root / f"metadata/{stem}.json", {"metadata": {"light": "dark"}})
        boxes = [{"category_id": 0, "bbox": [4, 4, 20, 20], "score": 0.8}] * (number % 3 == 0)
        write_json(root / f"predictions/pets/{stem}.json", {"predictions": boxes})


def check_crops(
    client: RemoteClient, dataset: str, samples: list[Any], predictions: list[Any]
) -> None:
    """The objects of the selected images are samples of a child dataset, each with its image."""
    (child,) = client.get(f"/v1/datasets/{dataset}/children").json()
    assert (child["name"], child["type"]) == ("annotated-crops", "Crops")
    url = f"/v1/datasets/{child['id']}"
    crops = {crop["id"]: crop for crop in client.get(f"{url}/samples").json()}
    assert len(crops) == len(samples)
    for sample, (prediction,) in zip(samples, predictions, strict=True):
        assert prediction["cropDatasetId"] == child["id"]
        crop = crops[prediction["cropSampleId"]]
        stem, extension = sample["fileName"].rsplit(".", 1)
        assert crop["fileName"] == f"pets/{stem}-0-{extension}.png"
        assert crop["type"] == "CROP"
        assert crop["cropData"]["parentId"] == sample["id"]
        assert crop["metaData"]["shape"] == [20, 20, 3]
        for kind in ("full", "thumbnail"):
            place = f"{url}/samples/{crop['id']}/readurl?type={kind}"
            assert requests.get(client.get(place).json(), timeout=60).content[:4] in MAGIC[kind]
    (tag,) = client.get(f"{url}/tags").json()
    assert tag["totSize"] == len(samples)
    assert [one["name"] for one in client.get(f"{url}/embeddings").json()] == ["default"]


def test_metadata_and_predictions_steer_the_selection_and_are_stored(place: Place) -> None:
    annotate(place)
    strategies = [
        {
            "input": {"type": "METADATA", "key": "light"},
            "strategy": {"type": "BALANCE", "target": {"dark": 0.5, "bright": 0.5}},
        },
        {
            "input": {"type": "PREDICTIONS", "task": "pets", "name": "CATEGORY_COUNT"},
            "strategy": {"type": "THRESHOLD", "threshold": 1, "operation": "BIGGER_EQUAL"},
        },
        {"input": {"type": "EMBEDDINGS", "task": "pets"}, "strategy": {"type": "DIVERSITY"}},
    ]
    dataset, scheduled = place.run_client(
        "1.5.26", SCHEDULE, name="annotated", serves_urls=False, worker={}, n_samples=6,
        strategies=strategies,
    )  # fmt: skip
    place.make_worker().finish_runs()
    found = place.run_client(
        "1.5.26", WATCH_1_5, dataset=dataset, scheduled=scheduled, folder=str(place.folder / "d")
    )
    assert found["states"][-1][0] == "COMPLETED", found["states"][-1][1]
    with_cat = {name for number, name in enumerate(place.names) if number % 3 == 0}
    assert set(found["names"]) <= with_cat
    dark = {name for number, name in enumerate(place.names) if number % 2}
    assert len(dark & set(found["names"])) == 3
    client = RemoteClient(place.server)
    samples = client.get(f"/v1/datasets/{dataset}/samples").json()
    with_metadata = {one["fileName"] for one in samples if one.get("customMetaData")}
    assert with_metadata == dark & set(found["names"])
    predictions = client.get(f"/v1/datasets/{dataset}/predictions/samples").json()
    assert [len(one) for one in predictions] == [1] * 6
    check_crops(client, dataset, samples, predictions)
    report = json.loads((place.folder / "d" / "report_v2.json").read_text())
    pets = report["predictionTaskInformation"]["pets"]
    assert pets["categoryToImageWithCategoryCount"]["selected"]["counts"] == {"cat": 6}
    assert "cropEmbeddingInformation" in pets["detectionTaskInformation"]
    own = json.loads((place.folder / "d" / "report.json").read_text())
    balance, threshold, _ = own["strategies"]
    assert sum(balance["mix"]["classes"].values()) == 1
    # Where nothing was predicted a file says so: that is a count.
    assert (threshold["nAfter"], threshold["nMissing"]) == (len(with_cat), 0)
    assert own["coverage"]["counts"][-1] == len(own["distances"]) == 6
    scores = client.get(f"/v1/datasets/{dataset}/predictions/scores").json()
    assert {one["scoreType"] for one in scores} >= {"object_frequency", "uncertainty_margin"}


OBJECTS = {
    "objectLevel": {"taskName": "pets", "padding": 0.1, "cropDatasetName": "all pets"},
    "method": "coreset",
}


@pytest.mark.long
def test_objects_are_selected_one_by_one_run_after_run(place: Place) -> None:
    annotate(place)
    dataset = place.run_client("1.5.26", MAKE_DATASET, name="pets")
    client = RemoteClient(place.server)
    for n_chosen, n_new in ((3, 3), (5, 2)):
        docker = {**OBJECTS, "stoppingCondition": {"nSamples": n_new}}
        config = {"workerType": "FULL", "docker": docker, "lightly": {}}
        made = client.post("/v1/docker/worker/config/v2", json={"config": config})
        assert made.status_code == 201, made.text
        body = {"configId": made.json()["id"], "priority": "MID", "runsOn": []}
        url = f"/v1/datasets/{dataset}/docker/worker/schedule"
        assert client.post(url, json=body).status_code == 201
        place.make_worker().finish_runs()
        runs = client.get("/v1/docker/runs").json()
        messages = [run["message"] for run in runs]
        assert {run["state"] for run in runs} == {"COMPLETED"}, messages
        (child,) = client.get(f"/v1/datasets/{dataset}/children").json()
        crops = client.get(f"/v1/datasets/{child['id']}/samples").json()
        assert len(crops) == n_chosen, messages
        assert child["name"] == "all pets"
        assert {tuple(crop["metaData"]["shape"]) for crop in crops} == {(24, 24, 3)}
        if n_chosen == 3:
            add_pictures_with_cats(place)


def add_pictures_with_cats(place: Place) -> None:
    """Add four pictures later than the run before has looked."""
    later = time.time() + 2
    root = place.outputs / ".lightly"
    boxes = [{"category_id": 0, "bbox": [4, 4, 20, 20], "score": 0.8}]
    for number in range(4):
        path = place.pictures / f"new-{number}.jpg"
        content = (place.pictures / place.names[number]).read_bytes()
        path.write_bytes(content + bytes([number]))
        os.utime(path, (later, later))
        write_json(root / f"predictions/pets/new-{number}.json", {"predictions": boxes})
    time.sleep(3)


def test_a_later_run_looks_at_new_files_only(
    place: Place, schedule: Callable[..., tuple[str, str]]
) -> None:
    dataset, _ = schedule("1.5.26", use_datapool=True)
    place.make_worker().finish_runs()
    later = time.time() + 2
    for number in range(5):
        path = place.pictures / f"new-{number}.jpg"
        path.write_bytes((place.pictures / place.names[0]).read_bytes() + bytes([number]))
        os.utime(path, (later, later))
    time.sleep(3)
    again = """
        from lightly.api import ApiWorkflowClient

        client = ApiWorkflowClient(dataset_id=arguments["dataset"])
        tag = {"dataset_id": client.dataset_id, "tag_name": "initial-tag"}
        result = client.schedule_compute_worker_run(
            worker_config={"use_datapool": True},
            selection_config={
                "n_samples": 2,
                "strategies": [
                    {"input": {"type": "EMBEDDINGS"}, "strategy": {"type": "DIVERSITY"}},
                    {"input": {"type": "EMBEDDINGS", **tag}, "strategy": {"type": "SIMILARITY"}},
                ],
            },
        )
    """
    scheduled = place.run_client("1.5.26", again, dataset=dataset)
    place.make_worker().finish_runs()
    found = place.run_client(
        "1.5.26", WATCH_1_5, dataset=dataset, scheduled=scheduled, folder=str(place.folder / "d")
    )
    state, message = found["states"][-1]
    assert state == "COMPLETED", message
    assert message.startswith("Selected 2 of 5 images; 5 listed")
    assert len(found["names"]) == N_SELECTED + 2
    assert len(found["run_tags"]) == 1
    assert found["run_tags"][0].startswith("run_")
    own = json.loads((place.folder / "d" / "report.json").read_text())
    # Those of the tag are as similar to it as can be; they were selected before.
    assert (own["nPreselected"], own["nCandidates"]) == (N_SELECTED, 5)
    assert own["strategies"][1]["sum"] > N_SELECTED


def test_a_dataset_with_a_tag_is_refused_with_the_datapool_off(
    place: Place, schedule: Callable[..., tuple[str, str]]
) -> None:
    dataset = schedule("1.5.26")[0]
    place.make_worker().finish_runs()
    again = """
        from lightly.api import ApiWorkflowClient

        client = ApiWorkflowClient(dataset_id=arguments["dataset"])
        result = client.schedule_compute_worker_run(
            selection_config={
                "n_samples": 2,
                "strategies": [
                    {"input": {"type": "EMBEDDINGS"}, "strategy": {"type": "DIVERSITY"}}
                ],
            },
        )
    """
    scheduled = place.run_client("1.5.26", again, dataset=dataset)
    place.make_worker().finish_runs()
    info = place.run_client(
        "1.5.26",
        """
        from lightly.api import ApiWorkflowClient

        client = ApiWorkflowClient(dataset_id=arguments["dataset"])
        found = client.get_compute_worker_run_info(arguments["scheduled"])
        result = [found.state, found.message]
        """,
        dataset=dataset,
        scheduled=scheduled,
    )
    assert info[0] == "ABORTED"
    assert info[1].startswith("In the state INITIALIZING: ")
    assert "use_datapool" in info[1]


@pytest.mark.parametrize("ending", ["kill", "stop"])
def test_a_run_whose_worker_ends_is_finished_by_the_next_one(
    place: Place, schedule: Callable[..., tuple[str, str]], ending: str
) -> None:
    dataset, scheduled = schedule("1.5.26")
    worker = place.make_worker()
    worker.start()
    worker.wait_until(lambda: "EMBEDDING:" in worker.read_log())
    if ending == "kill":
        worker.kill()
    else:
        assert worker.stop() == 0
    place.make_worker().finish_runs()
    found = place.run_client(
        "1.5.26", WATCH_1_5, dataset=dataset, scheduled=scheduled, folder=str(place.folder / "d")
    )
    assert found["states"][-1][0] == "COMPLETED", found["states"]
    assert len(found["names"]) == N_SELECTED


@pytest.mark.parametrize("version", [pytest.param("1.4.26", marks=pytest.mark.long), "1.2.28"])
def test_runs_of_older_clients_end_well(
    place: Place, schedule: Callable[..., tuple[str, str]], version: str
) -> None:
    dataset, _ = schedule(version)
    place.make_worker().finish_runs()
    names = place.run_client(
        version,
        """
        from lightly.api import ApiWorkflowClient

        client = ApiWorkflowClient(dataset_id=arguments["dataset"])
        result = [client.get_filenames(), [run.state for run in client.get_compute_worker_runs()]]
        """,
        dataset=dataset,
    )
    assert len(names[0]) == N_SELECTED
    assert [str(state).rsplit(".", 1)[-1] for state in names[1]] == ["COMPLETED"]
