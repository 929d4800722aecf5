"""Files that a configuration refers to are looked at when a run is scheduled, if the server can."""

import json

import pytest

from tests.support.datasources import CONFIGURATIONS, PNG, make_dataset, make_local_dataset
from tests.support.platforms import run_in_process
from tests.support.run_queue import RunQueue

TASK = {"type": "SCORES", "task": "cars", "score": "uncertainty_margin"}
KEY = {"type": "METADATA", "key": "weather.temperature"}
SCHEMA = {"task_type": "object-detection", "categories": [{"id": 0, "name": "car"}]}
ENTRY = {"name": "Weather", "path": "weather", "defaultValue": 0, "valueDataType": "NUMERIC_INT"}
TASKS_FILE = ".lightly/predictions/tasks.json"
SCHEMA_FILE = ".lightly/predictions/cars/schema.json"
METADATA_FILE = ".lightly/metadata/schema.json"
RELEVANT_FILE = ".lightly/relevant.txt"
INVALID_FILES = (422, "DOCKER_WORKER_CONFIG_REFERENCES_INVALID_FILES")


@pytest.fixture(params=["sqlite", pytest.param("postgres", marks=pytest.mark.postgres)])
def mounted(request, tmp_path, make_server_url):
    mounts = {name: str(tmp_path / name) for name in ("input_mount", "lightly_mount")}
    url = make_server_url(request.param)
    with run_in_process(tmp_path / "data", url, **mounts) as running:
        yield running


@pytest.fixture
def local(mounted):
    return make_local_dataset(mounted, "photos")


def write(local, **files):
    """Write files of the LIGHTLY side: texts as they are, everything else as JSON."""
    names = {
        "tasks": TASKS_FILE, "schema": SCHEMA_FILE, "metadata": METADATA_FILE,
        "relevant": RELEVANT_FILE,
    }  # fmt: skip
    for key, content in files.items():
        path = local.lightly / names[key]
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(content if isinstance(content, str) else json.dumps(content))


def configure(*inputs, docker=None, **selection):
    config = {"workerType": "FULL", "docker": docker or {}, "lightly": {}}
    if inputs:
        strategies = [{"input": one, "strategy": {"type": "WEIGHTS"}} for one in inputs]
        config["selection"] = {"nSamples": 3, "strategies": strategies, **selection}
    return config


def schedule(client, dataset_id, config, version="V4", **query):
    url = "/v1/docker/worker/config" + ("/vX" if version != "V0" else "")
    body = {"config": config} | ({"version": version} if version != "V0" else {})
    config_id = RunQueue(client).post(url, body)
    body = {"configId": config_id, "priority": "MID"}
    return client.post(f"/v1/datasets/{dataset_id}/docker/worker/schedule", json=body, params=query)


def expect_refusal(local, config, expected, name, **options):
    refused = schedule(local.client, local.id, config, **options)

    assert (refused.status_code, refused.json()["code"]) == expected
    assert name in refused.json()["error"]
    assert str(local.lightly) not in refused.text
    listed = local.client.get(f"/v1/datasets/{local.id}/docker/worker/schedule")
    assert listed.json() == []


def test_predictions_need_a_list_of_tasks(local):
    expect_refusal(local, configure(TASK), INVALID_FILES, TASKS_FILE)


def test_predictions_need_their_task_on_the_list(local):
    write(local, tasks=["people"], schema=SCHEMA)

    expect_refusal(local, configure(TASK), INVALID_FILES, "cars")


@pytest.mark.parametrize("tasks", ["{", "{}", [1]])
def test_a_list_of_tasks_is_one(local, tasks):
    write(local, tasks=tasks, schema=SCHEMA)

    expect_refusal(local, configure(TASK), INVALID_FILES, TASKS_FILE)


@pytest.mark.parametrize(
    "schema",
    [
        "no JSON", [], {}, SCHEMA | {"task_type": "guessing"}, SCHEMA | {"task_type": []},
        SCHEMA | {"categories": {}}, SCHEMA | {"categories": ["car"]},
        SCHEMA | {"categories": [{"id": -1, "name": "a"}]},
        SCHEMA | {"categories": [{"id": True, "name": "a"}]},
        SCHEMA | {"categories": [{"id": 1}]},
        SCHEMA | {"categories": [{"id": 1, "name": "a"}, {"id": 1, "name": "b"}]},
    ],
)  # fmt: skip
def test_the_schema_of_a_task_must_be_valid(local, schema):
    write(local, tasks=["cars"], schema=schema)

    expect_refusal(local, configure(TASK), INVALID_FILES, SCHEMA_FILE)


def test_the_schema_of_a_task_must_be_there(local):
    write(local, tasks=["cars"])

    expect_refusal(local, configure(TASK), INVALID_FILES, SCHEMA_FILE)


@pytest.mark.parametrize("metadata", [None, "no JSON", {}, ["a"], [{"name": "Weather"}]])
def test_metadata_needs_a_valid_schema(local, metadata):
    if metadata is not None:
        write(local, metadata=metadata)

    expect_refusal(local, configure(KEY), INVALID_FILES, METADATA_FILE)


@pytest.mark.parametrize("relevant", [None, "../outside.jpg"])
def test_relevant_filenames_must_be_there_and_valid(local, relevant):
    if relevant is not None:
        write(local, relevant=relevant)
    expected = (422, "DATASET_DATASOURCE_RELEVANT_FILENAMES_INVALID")
    config = configure(docker={"relevantFilenamesFile": RELEVANT_FILE})

    expect_refusal(local, config, expected, "relevant")


def test_old_configurations_are_looked_at_too(local):
    config = {"workerType": "FULL", "docker": {"relevant_filenames_file": RELEVANT_FILE}}
    expected = (422, "DATASET_DATASOURCE_RELEVANT_FILENAMES_INVALID")

    expect_refusal(local, config, expected, "relevant", version="V0")


def test_with_everything_in_its_place_a_run_is_scheduled(local):
    write(local, tasks=["other", "cars"], schema=SCHEMA, metadata=[ENTRY], relevant="*\n")
    config = configure(TASK, KEY, docker={"relevantFilenamesFile": RELEVANT_FILE})

    assert schedule(local.client, local.id, config).status_code == 201


@pytest.mark.parametrize("value", ["True", "true"])
def test_the_check_can_be_left_out(local, value):
    config = configure(TASK, KEY, docker={"relevantFilenamesFile": RELEVANT_FILE})

    taken = schedule(local.client, local.id, config, disableConfigValidation=value)

    assert taken.status_code == 201


def test_a_configuration_that_leaves_out_verification_is_not_looked_at(local):
    config = configure(TASK, docker={"datasource": {"bypassVerify": True}})

    assert schedule(local.client, local.id, config).status_code == 201


def test_what_the_worker_makes_itself_needs_no_files(local):
    tiles = {"type": "TILING", "name": "tiles", "numRows": 2, "numCols": 2}
    config = configure(
        TASK | {"task": "tiles"},
        TASK | {"task": "lightly_pretagging"},
        {"type": "METADATA", "key": "lightly.sharpness"},
        docker={"pretagging": True},
        autoTasks=[tiles],
    )

    assert schedule(local.client, local.id, config).status_code == 201


def test_what_was_sent_to_the_dataset_needs_no_files(local):
    url = f"/v1/datasets/{local.id}"
    task = {"name": "cars", "type": "CLASSIFICATION", "categories": [{"id": 0, "name": "car"}]}
    assert local.client.post(f"{url}/predictions/tasks", json=task).status_code == 201
    entries = {"name": "weather", "configs": [ENTRY]}
    made = local.client.post(f"{url}/configuration/metadata", json=entries)
    assert made.status_code == 201

    assert schedule(local.client, local.id, configure(TASK, KEY)).status_code == 201


@pytest.mark.parametrize("type_", [None, "S3", "LOCAL"])
def test_files_that_the_server_cannot_see_are_left_to_the_worker(server, type_):
    dataset_id = make_dataset(server.client)
    if type_ is not None:
        url = f"/v1/datasets/{dataset_id}/datasource"
        assert server.client.put(url, json=CONFIGURATIONS[type_]).status_code == 204
    config = configure(TASK, KEY, docker={"relevantFilenamesFile": RELEVANT_FILE})

    assert schedule(server.client, dataset_id, config).status_code == 201


def test_files_in_the_servers_own_storage_are_looked_at(server):
    dataset_id = make_dataset(server.client)
    url = f"/v1/datasets/{dataset_id}/datasource"
    server.client.put(url, json=CONFIGURATIONS["LIGHTLY"])
    refused = schedule(server.client, dataset_id, configure(TASK))
    body = {"fileNames": [TASKS_FILE, SCHEMA_FILE]}
    urls = server.client.post(f"/ext{url}/writeUrls", json=body).json()["urls"]
    for write_url, content in zip(urls, (["cars"], SCHEMA), strict=True):
        server.client.put(write_url, content=json.dumps(content))

    taken = schedule(server.client, dataset_id, configure(TASK))

    assert (refused.status_code, taken.status_code) == (422, 201)


def test_a_file_of_another_kind_is_no_schema(local):
    write(local, tasks=["cars"])
    (local.lightly / SCHEMA_FILE).parent.mkdir(parents=True, exist_ok=True)
    (local.lightly / SCHEMA_FILE).write_bytes(PNG)

    expect_refusal(local, configure(TASK), INVALID_FILES, SCHEMA_FILE)
