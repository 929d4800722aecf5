"""Listings are restricted to the relevant filenames that a run has stored as its artifact."""

import pytest

from tests.support.datasources import make_local_dataset, write_files
from tests.support.platforms import run_in_process
from tests.support.run_queue import RunQueue

PREDICTIONS = ".lightly/predictions/task"


@pytest.fixture(params=["sqlite", pytest.param("postgres", marks=pytest.mark.postgres)])
def local(request, tmp_path, make_server_url):
    """A dataset with predictions and metadata of three images."""
    mounts = {name: str(tmp_path / name) for name in ("input_mount", "lightly_mount")}
    url = make_server_url(request.param)
    with run_in_process(tmp_path / "data", url, **mounts) as running:
        local = make_local_dataset(running, "photos")
        for folder in (PREDICTIONS, ".lightly/metadata"):
            write_files(local.lightly, [f"{folder}/{name}.json" for name in ("a", "b", "c")])
        yield local


def add_artifact(local, location, content=b"a.jpg\nc.jpg\n"):
    """Store relevant filenames as a worker does; return what names them in a listing."""
    queue = RunQueue(local.client)
    scheduled_id = queue.schedule(local.id)
    run_id = queue.begin_by_contract(local.id, queue.add_worker(), scheduled_id)
    url = f"/v1/docker/runs/{run_id}/artifacts"
    body = {"fileName": "relevant.txt", "type": "RELEVANT_FILENAMES", "storageLocation": location}
    made = local.client.post(url, json=body).json()
    assert local.client.put(made["signedWriteUrl"], content=content).status_code == 200
    artifact_id = made["artifactId"]
    assert local.client.put(f"{url}/{artifact_id}/confirmUpload").status_code == 204
    return {"relevantFilenamesRunId": run_id, "relevantFilenamesArtifactId": artifact_id}


@pytest.mark.parametrize("location", ["LIGHTLY", "DATASOURCE"])
def test_only_files_of_relevant_images_are_listed(local, location):
    relevant = add_artifact(local, location)

    predictions = local.list("predictions/list", taskName="task", **relevant)
    metadata = local.list("metadata/list", **relevant)

    assert list(predictions) == [f"{PREDICTIONS}/a.json", f"{PREDICTIONS}/c.json"]
    assert list(metadata) == [".lightly/metadata/a.json", ".lightly/metadata/c.json"]


def test_an_artifact_that_has_vanished_from_the_datasource_is_unknown(local):
    relevant = add_artifact(local, "DATASOURCE")
    (path,) = local.lightly.rglob("relevant.txt")
    path.unlink()

    refused = local.client.get(f"{local.url}/metadata/list", params=relevant)

    assert (refused.status_code, refused.json()["code"]) == (404, "DOCKER_RUN_ARTIFACT_UNKNOWN")


@pytest.mark.parametrize("location", ["LIGHTLY", "DATASOURCE"])
def test_relevant_filenames_of_an_artifact_must_be_valid(local, location):
    relevant = add_artifact(local, location, b"../outside.jpg\n")

    refused = local.client.get(f"{local.url}/metadata/list", params=relevant)

    assert refused.status_code == 422
    assert refused.json()["code"] == "DATASET_DATASOURCE_RELEVANT_FILENAMES_INVALID"
