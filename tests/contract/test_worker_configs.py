"""Worker configurations of every version as the contract wants them."""

from __future__ import annotations

import copy

import pytest

from lightly.server.workers.configs import MAX_CONFIG_BYTES
from tests.support.contract import ContractClient
from tests.support.run_configurations import FREE_FORM, FULL, respell
from tests.support.samples import make_dataset

CONFIGS = "/v1/docker/worker/config"
#: Where a configuration of a version is made, and where it is read.
PATHS = {
    "V0": (CONFIGS, CONFIGS),
    "V2": (f"{CONFIGS}/v2", f"{CONFIGS}/v2"),
    "V3": (f"{CONFIGS}/v3", f"{CONFIGS}/v3"),
    "V4": (f"{CONFIGS}/vX", f"{CONFIGS}/vX"),
}
TYPED = ["V2", "V3", "V4"]
DIVERSITY = {"input": {"type": "EMBEDDINGS"}, "strategy": {"type": "DIVERSITY"}}
SELECTION = {"nSamples": 3, "strategies": [DIVERSITY]}
CONFIG = {
    "workerType": "FULL",
    "docker": {"enableTraining": True},
    "lightly": {"trainer": {"maxEpochs": 1}},
    "selection": SELECTION,
}


@pytest.fixture
def client(server):
    return ContractClient(server.client)


@pytest.fixture
def sqlite_client(sqlite_server):
    """For what no database can change."""
    return ContractClient(sqlite_server.client)


def send(client, version, config, **more):
    tag = {"version": version} if version == "V4" else {}
    return client.post(PATHS[version][0], json={**tag, "config": config, **more})


def create(client, version, config, **more):
    response = send(client, version, config, **more)
    assert response.status_code == 201, response.text
    return response.json()["id"]


def add_run(client, dataset_id):
    response = client.post("/v1/docker/runs", json={"dockerVersion": "2", "datasetId": dataset_id})
    return response.json()["id"]


def make_full(client, server, version):
    """Return a configuration with every option, whose ids lead somewhere."""
    dataset = make_dataset(server)
    config = copy.deepcopy(FULL[version])
    for entry in config["selection"]["strategies"]:
        if "datasetId" in entry["input"]:
            entry["input"]["datasetId"] = dataset.id
    if "checkpointRunId" in config["docker"]:
        config["docker"]["checkpointRunId"] = add_run(client, dataset.id)
    return config


@pytest.mark.parametrize("version", TYPED)
def test_every_option_reads_back_as_it_was_given(client, server, version):
    config = make_full(client, server, version)
    config_id = create(client, version, config, creator="USER_PIP")

    stored = client.get(f"{PATHS[version][1]}/{config_id}").json()

    assert stored.pop("createdAt") > 0
    assert stored == {"id": config_id, "version": version, "config": config}


@pytest.mark.parametrize("version", TYPED)
def test_options_in_snake_case_read_back_as_they_travel(client, server, version):
    config = make_full(client, server, version)

    config_id = create(client, version, respell(config))

    assert client.get(f"{PATHS[version][1]}/{config_id}").json()["config"] == config


@pytest.mark.parametrize("version", TYPED)
def test_any_version_can_be_made_by_name(sqlite_client, version):
    body = {"version": version, "config": CONFIG, "creator": "USER_PIP"}

    config_id = sqlite_client.post(f"{CONFIGS}/vX", json=body).json()["id"]

    stored = sqlite_client.get(f"{PATHS[version][1]}/{config_id}").json()
    assert (stored["version"], stored["config"]) == (version, CONFIG)


def test_free_form_options_read_back_as_they_were_written(client):
    config = {
        "workerType": "FULL",
        "docker": {**FREE_FORM, "anything else": [1, {"deep": None}]},
        "lightly": {"loader": {"batch_size": 4}},
        "selection": SELECTION,
    }

    config_id = create(client, "V0", config)

    stored = client.get(f"{CONFIGS}/{config_id}").json()
    assert (stored["version"], stored["config"]) == ("V0", config)


def test_clients_up_to_1_2_may_send_null_for_what_they_leave_out(client):
    config = {"workerType": "FULL", "docker": None, "lightly": None}

    config_id = create(client, "V0", config)

    assert client.get(f"{CONFIGS}/{config_id}").json()["config"] == {"workerType": "FULL"}


def test_the_list_is_of_ones_own_free_form_configurations(server, client):
    ids = [create(client, "V0", {"workerType": "FULL"}) for _ in range(3)]
    create(client, "V4", {"workerType": "FULL"})
    create(ContractClient(server.add_user("other@example.com")), "V0", {"workerType": "FULL"})

    found = client.get(CONFIGS).json()

    assert [config["id"] for config in found] == ids


@pytest.mark.parametrize("stored", PATHS)
@pytest.mark.parametrize("asked", ["V0", "V2", "V3"])
def test_a_path_of_a_version_knows_only_that_version(sqlite_client, stored, asked):
    config_id = create(sqlite_client, stored, {"workerType": "FULL"})

    response = sqlite_client.get(f"{PATHS[asked][1]}/{config_id}")

    if stored == asked:
        assert response.status_code == 200
    else:
        code = "DOCKER_WORKER_CONFIG_UNKNOWN"
        assert (response.status_code, response.json()["code"]) == (404, code)
        assert f"version {stored}" in response.json()["error"]


@pytest.mark.parametrize("version", PATHS)
def test_one_path_knows_all_versions(sqlite_client, version):
    config_id = create(sqlite_client, version, {"workerType": "FULL"})

    assert sqlite_client.get(f"{CONFIGS}/vX/{config_id}").json()["version"] == version


def test_a_free_form_configuration_can_be_replaced(client):
    config_id = create(client, "V0", {"workerType": "FULL", "docker": {"a": 1}})
    before = client.get(f"{CONFIGS}/{config_id}").json()
    config = {"workerType": "FULL", "lightly": {"b": 2}}

    assert client.put(f"{CONFIGS}/{config_id}", json={"config": config}).status_code == 204

    assert client.get(f"{CONFIGS}/{config_id}").json() == before | {"config": config}


@pytest.mark.parametrize("version", TYPED)
def test_later_versions_are_not_replaced(sqlite_client, version):
    config_id = create(sqlite_client, version, CONFIG)

    response = sqlite_client.put(f"{CONFIGS}/{config_id}", json={"config": {"workerType": "FULL"}})

    assert (response.status_code, response.json()["code"]) == (404, "DOCKER_WORKER_CONFIG_UNKNOWN")
    assert sqlite_client.get(f"{CONFIGS}/vX/{config_id}").json()["config"] == CONFIG


def test_a_configuration_that_a_run_was_scheduled_with_stays_as_it_is(client, server):
    dataset = make_dataset(server)
    config_id = create(client, "V0", {"workerType": "FULL"})
    body = {"configId": config_id, "priority": "MID"}
    client.post(f"/v1/datasets/{dataset.id}/docker/worker/schedule", json=body)

    response = client.put(f"{CONFIGS}/{config_id}", json={"config": {"workerType": "FULL"}})

    assert (response.status_code, response.json()["code"]) == (409, "DOCKER_WORKER_CONFIG_IN_USE")


@pytest.mark.parametrize("version", PATHS)
@pytest.mark.parametrize(
    ("config", "part"),
    [
        ({}, "config.workerType: is required"),
        ({"workerType": "FULL", "dokcer": {}}, "Did you mean 'docker'?"),
        ({"workerType": "FULL", "docker": 3}, "config.docker: must be an object"),
        (
            {"workerType": "FULL", "selection": {"strategies": []}},
            "config.selection.strategies: must have at least 1 item",
        ),
        (
            {"workerType": "FULL", "selection": {**SELECTION, "n_sample": 4}},
            "Did you mean 'n_samples'?",
        ),
    ],
)
def test_what_is_malformed_is_refused_with_its_place(sqlite_client, version, config, part):
    response = send(sqlite_client, version, config)

    assert (response.status_code, response.json()["code"]) == (400, "MALFORMED_REQUEST")
    assert part in response.json()["error"]


@pytest.mark.parametrize("version", PATHS)
@pytest.mark.parametrize(
    ("selection", "part"),
    [
        ({**SELECTION, "proportionSamples": 0.5}, "exclude each other"),
        (
            {"strategies": [{**DIVERSITY, "input": {"type": "RANDOM"}}]},
            "strategy DIVERSITY does not work on input RANDOM",
        ),
    ],
)
def test_what_does_not_go_together_is_refused_with_a_remedy(
    sqlite_client, version, selection, part
):
    response = send(sqlite_client, version, {"workerType": "FULL", "selection": selection})

    assert (response.status_code, response.json()["code"]) == (400, "DOCKER_WORKER_CONFIG_INVALID")
    assert part in response.json()["error"]


@pytest.mark.parametrize(
    ("version", "options"),
    [
        ("V2", {"useDatapool": True}),
        ("V2", {"numThreads": 1}),
        ("V3", {"useDatapool": True}),
        ("V3", {"crops": {}}),
        ("V3", {"method": "coreset"}),
        ("V4", {"objectLevel": {}}),
    ],
)
def test_options_of_another_version_are_refused(sqlite_client, version, options):
    response = send(sqlite_client, version, {"workerType": "FULL", "docker": options})

    assert (response.status_code, response.json()["code"]) == (400, "MALFORMED_REQUEST")


@pytest.mark.parametrize("version", ["V0", "V1", "V5", 4, None])
def test_an_unknown_version_is_refused(sqlite_client, version):
    response = sqlite_client.post(f"{CONFIGS}/vX", json={"version": version, "config": CONFIG})

    assert (response.status_code, response.json()["code"]) == (400, "MALFORMED_REQUEST")


@pytest.mark.parametrize("version", PATHS)
def test_the_dataset_of_a_query_must_be_there_for_the_caller(server, client, version):
    foreign = make_dataset(server)
    other = ContractClient(server.add_user("other@example.com"))
    query = {"type": "EMBEDDINGS", "datasetId": foreign.id, "tagName": "initial-tag"}
    entry = {"input": query, "strategy": {"type": "SIMILARITY"}}
    config = {"workerType": "FULL", "selection": {"strategies": [entry]}}

    refused = send(other, version, config)

    assert (refused.status_code, refused.json()["code"]) == (404, "DATASET_UNKNOWN")
    assert send(client, version, config).status_code == 201


@pytest.mark.parametrize("version", ["V3", "V4"])
def test_the_run_of_a_checkpoint_must_be_there_for_the_caller(server, client, version):
    run_id = add_run(client, make_dataset(server).id)
    other = ContractClient(server.add_user("other@example.com"))
    config = {"workerType": "FULL", "docker": {"checkpoint_run_id": run_id}}

    refused = send(other, version, config)

    assert (refused.status_code, refused.json()["code"]) == (404, "DOCKER_RUN_UNKNOWN")
    assert send(client, version, config).status_code == 201


def test_a_token_is_no_part_of_a_configuration(sqlite_client):
    response = send(
        sqlite_client, "V0", {"workerType": "FULL", "docker": {"token": "canary-token"}}
    )

    assert (response.status_code, response.json()["code"]) == (400, "MALFORMED_REQUEST")
    assert "canary" not in response.text
    assert sqlite_client.get(CONFIGS).json() == []


def test_a_configuration_has_a_largest_size(sqlite_client):
    response = send(
        sqlite_client, "V0", {"workerType": "FULL", "docker": {"a": "x" * MAX_CONFIG_BYTES}}
    )

    assert (response.status_code, response.json()["code"]) == (413, "PAYLOAD_TOO_LARGE")


SCHEDULE = "docker/worker/schedule"


def schedule(sqlite_client, dataset, config_id, **query):
    body = {"configId": config_id, "priority": "MID"}
    return sqlite_client.post(f"/v1/datasets/{dataset.id}/{SCHEDULE}", json=body, params=query)


def test_free_form_options_are_looked_at_when_a_run_is_scheduled(client, server):
    dataset = make_dataset(server)
    config_id = create(client, "V0", {"workerType": "FULL", "docker": {"enable_trainin": True}})

    refused = schedule(client, dataset, config_id)

    code = "DOCKER_WORKER_CONFIG_INVALID"
    assert (refused.status_code, refused.json()["code"]) == (400, code)
    assert "Did you mean 'enable_training'?" in refused.json()["error"]
    taken = schedule(client, dataset, config_id, disableConfigValidation="True")
    assert taken.status_code == 201


@pytest.mark.parametrize(
    ("version", "docker", "named"),
    [
        ("V0", {"dump_dataset": True}, "dumpDataset"),
        ("V4", {"corruptnessCheck": {"corruptionThreshold": 0.5}}, "corruptionThreshold"),
        ("V0", {"datasource": {"dataset_id": "a" * 24}}, "datasource.datasetId"),
    ],
)
def test_what_no_run_does_is_refused_when_it_is_scheduled(
    sqlite_client, sqlite_server, version, docker, named
):
    dataset = make_dataset(sqlite_server)
    config_id = create(sqlite_client, version, {"workerType": "FULL", "docker": docker})

    refused = schedule(sqlite_client, dataset, config_id)

    code = "DOCKER_WORKER_CONFIG_INVALID"
    assert (refused.status_code, refused.json()["code"]) == (400, code)
    assert named in refused.json()["error"]
    assert "Leave it out" in refused.json()["error"] or "lightly copy" in refused.json()["error"]


def test_every_option_of_clients_up_to_1_2_can_be_scheduled(client, server):
    dataset = make_dataset(server)
    config = {"workerType": "FULL", "docker": FREE_FORM, "lightly": respell(FULL["V3"]["lightly"])}

    assert schedule(client, dataset, create(client, "V0", config)).status_code == 201


def test_an_empty_list_of_auto_tasks_reads_back(client):
    # Client 1.5 sends it whenever a selection has none.
    strategy = {"input": {"type": "EMBEDDINGS"}, "strategy": {"type": "DIVERSITY"}}
    selection = {"nSamples": 3, "strategies": [strategy], "autoTasks": []}
    config_id = create(client, "V4", {"workerType": "FULL", "selection": selection})

    found = client.get(f"/v1/docker/worker/config/vX/{config_id}").json()

    assert found["config"]["selection"] == selection
