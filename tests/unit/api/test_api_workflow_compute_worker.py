"""Workers and runs: what is sent, and how a run is watched."""

import pytest

from lightly.api import ApiWorkflowClient
from lightly.api.api_workflow_compute_worker import (
    STATE_SCHEDULED_ID_NOT_FOUND,
    ComputeWorkerRunInfo,
)
from lightly.api.errors import ApiException
from lightly.openapi_generated.swagger_client.models.docker_run_scheduled_priority import (
    DockerRunScheduledPriority,
)
from lightly.openapi_generated.swagger_client.models.docker_run_state import DockerRunState
from tests.support.sdk import make_client, make_settings
from tests.support.wire_fakes import WireFake, make_refusal

DATASET, OTHER = "0123456789abcdef01234567", "f" * 24
RUN, SCHEDULED, CONFIG, WORKER = "a" * 24, "b" * 24, "c" * 24, "d" * 24
SCHEDULE = f"/v1/datasets/{DATASET}/docker/worker/schedule"
RUN_OF_SCHEDULE = f"GET /v1/docker/runs/schedule/{SCHEDULED}"


def make_run(**values):
    return {
        "id": RUN,
        "userId": "someone",
        "dockerVersion": "1.0",
        "state": "STARTED",
        "createdAt": 1,
        "lastModifiedAt": 1,
    } | values


def make_scheduled(**values):
    return {
        "id": SCHEDULED,
        "datasetId": DATASET,
        "configId": CONFIG,
        "priority": "MID",
        "runsOn": [],
        "state": "OPEN",
        "createdAt": 1,
        "lastModifiedAt": 1,
    } | values


def make_tag(number: int, dataset_id: str):
    return {
        "id": f"{number:024x}",
        "datasetId": dataset_id,
        "prevTagId": None,
        "name": f"tag {number}",
        "bitMaskData": "0x1",
        "totSize": 1,
        "createdAt": number,
    }


def open_client(operations) -> tuple[ApiWorkflowClient, WireFake]:
    fake = WireFake(operations)
    return make_client(fake, dataset_id=DATASET), fake


def test_a_worker_is_registered_with_its_labels():
    client, fake = open_client({"POST /v1/docker/worker": {"id": WORKER}})

    assert client.register_compute_worker(labels=["night"]) == WORKER

    assert fake.read_bodies("POST /v1/docker/worker") == [
        {"name": "Default", "workerType": "FULL", "labels": ["night"], "creator": "USER_PIP"}
    ]


def test_workers_are_listed():
    worker = {
        "id": WORKER,
        "userId": "someone",
        "name": "Default",
        "workerType": "FULL",
        "state": "IDLE",
        "createdAt": 1,
        "lastModifiedAt": 1,
        "labels": [],
    }
    client, _ = open_client({"GET /v1/docker/worker": [worker]})

    assert client.get_compute_worker_ids() == [WORKER]
    assert client.get_compute_workers()[0].name == "Default"


def test_a_worker_whose_removal_was_answered_too_late_is_gone():
    answers = iter([make_refusal(502), make_refusal(404)])
    path = f"DELETE /v1/docker/worker/{WORKER}"
    client, fake = open_client({path: lambda *_: next(answers)})

    client.delete_compute_worker(WORKER)

    assert len(fake.calls) == 2


def test_a_worker_that_never_was_cannot_be_removed():
    client, _ = open_client({})

    with pytest.raises(ApiException, match="404"):
        client.delete_compute_worker(WORKER)


def test_a_run_is_scheduled_with_its_configuration():
    client, fake = open_client(
        {
            "POST /v1/docker/worker/config/vX": {"id": CONFIG},
            f"POST {SCHEDULE}": {"id": SCHEDULED},
        }
    )

    scheduled = client.schedule_compute_worker_run(
        {"use_datapool": True}, priority=DockerRunScheduledPriority.HIGH, runs_on=["gpu"]
    )

    assert scheduled == SCHEDULED
    assert fake.read_bodies(f"POST {SCHEDULE}") == [
        {"configId": CONFIG, "priority": "HIGH", "runsOn": ["gpu"], "creator": "USER_PIP"}
    ]


def test_a_selection_in_third_place_is_the_selection():
    selection = {
        "n_samples": 1,
        "strategies": [{"input": {"type": "RANDOM"}, "strategy": {"type": "WEIGHTS"}}],
    }
    configure = "POST /v1/docker/worker/config/vX"
    client, fake = open_client({configure: {"id": CONFIG}, f"POST {SCHEDULE}": {"id": SCHEDULED}})

    client.schedule_compute_worker_run({}, {}, selection)
    client.create_compute_worker_config({}, {}, selection)

    by_place, again = fake.read_bodies(configure)
    assert by_place["config"]["selection"]["nSamples"] == 1
    assert again == by_place
    assert fake.read_bodies(f"POST {SCHEDULE}")[0]["priority"] == "MID"


def test_a_priority_that_does_not_exist_is_refused_before_anything_is_sent():
    client, fake = open_client({})

    with pytest.raises(ValueError, match="LOW, MID, HIGH, CRITICAL"):
        client.schedule_compute_worker_run(None, None, "URGENT")

    assert fake.calls == []


def test_runs_are_sorted_by_age():
    runs = [make_run(id=f"{number:024x}", createdAt=number) for number in (3, 1, 2)]
    client, fake = open_client(
        {
            "GET /v1/docker/runs": runs,
            f"GET /v1/docker/runs/query/datasetId/{OTHER}": runs[:1],
        }
    )

    assert [run.created_at for run in client.get_compute_worker_runs()] == [1, 2, 3]
    assert [run.created_at for run in client.get_compute_worker_runs_iter()] == [3, 1, 2]
    assert len(client.get_compute_worker_runs(dataset_id=OTHER)) == 1
    assert fake.calls[0][1] == {"pageSize": "5000", "pageOffset": "0"}


def test_scheduled_runs_can_be_asked_for_by_state():
    client, fake = open_client({f"GET {SCHEDULE}": [make_scheduled(state="DONE")]})

    runs = client.get_scheduled_compute_worker_runs(state="DONE")
    client.get_scheduled_compute_worker_runs()

    assert [run.id for run in runs] == [SCHEDULED]
    assert fake.read_parameters(f"GET {SCHEDULE}") == [{"state": "DONE"}, {}]


def test_a_run_is_watched_from_waiting_to_its_end():
    states = iter(
        [
            make_refusal(404),
            make_refusal(404),
            make_run(message="begun"),
            make_run(state="EMBEDDING", message="half"),
            make_run(state="EMBEDDING", message="half"),
            make_run(state="COMPLETED"),
        ]
    )
    client, _ = open_client(
        {RUN_OF_SCHEDULE: lambda *_: next(states), f"GET {SCHEDULE}": [make_scheduled()]}
    )

    seen = list(client.compute_worker_run_info_generator(SCHEDULED))

    assert [(info.state, info.in_end_state()) for info in seen] == [
        ("OPEN", False),
        ("STARTED", False),
        ("EMBEDDING", False),
        ("COMPLETED", True),
    ]
    assert seen[1].message == "begun"
    assert seen[-1].ended_successfully()
    assert seen[-1].state == DockerRunState.COMPLETED


def test_watching_waits_between_two_looks():
    waits: list[float] = []
    states = iter([make_run(), make_run(state="FAILED")])
    fake = WireFake({RUN_OF_SCHEDULE: lambda *_: next(states)})
    client = make_client(fake, dataset_id=DATASET, settings=make_settings(waits.append))

    list(client.compute_worker_run_info_generator(SCHEDULED))

    assert waits == [5.0]


def test_a_run_that_is_nowhere_was_canceled():
    client, _ = open_client({f"GET {SCHEDULE}": []})

    info = client.get_compute_worker_run_info(SCHEDULED)

    assert info.state == STATE_SCHEDULED_ID_NOT_FOUND == "CANCELED_OR_NOT_EXISTING"
    assert info.in_end_state()
    assert not info.ended_successfully()


def test_a_server_that_refuses_is_not_taken_for_a_run_that_was_canceled():
    client, _ = open_client({RUN_OF_SCHEDULE: lambda *_: make_refusal(403), f"GET {SCHEDULE}": []})

    with pytest.raises(ApiException, match="403"):
        client.get_compute_worker_run_info(SCHEDULED)


def test_whether_a_run_was_successful_is_known_at_its_end():
    with pytest.raises(ValueError, match="STARTED"):
        ComputeWorkerRunInfo(state="STARTED", message="").ended_successfully()
    assert not ComputeWorkerRunInfo(state="CRASHED", message="").ended_successfully()


def test_tags_of_a_run_are_those_of_the_current_dataset():
    tags = [make_tag(2, DATASET), make_tag(1, OTHER)]
    client, _ = open_client({f"GET /v1/docker/runs/{RUN}/tags": tags})

    assert [tag.name for tag in client.get_compute_worker_run_tags(RUN)] == ["tag 2"]


def test_a_run_is_read_by_its_id():
    client, _ = open_client({f"GET /v1/docker/runs/{RUN}": make_run()})

    assert client.get_compute_worker_run(RUN).id == RUN


def test_a_client_says_who_it_is():
    fake = WireFake({"POST /v1/docker/worker": {"id": WORKER}})
    client = ApiWorkflowClient(token="TOKEN", creator="USER_PIP_LIGHTLY_MAGIC")
    client._transport = make_client(fake)._transport

    client.register_compute_worker()

    assert fake.calls[0][2]["creator"] == "USER_PIP_LIGHTLY_MAGIC"
