"""Runs of a worker, watched by the client, and the artifacts that they leave."""

from __future__ import annotations

from battery.ledger import step
from battery.plain_worker import ARTIFACTS, IMAGE_VERSION, PlainWorker
from battery.world import World, raises, read_bytes


@step("get_compute_worker_run_info", "get_compute_worker_run_from_scheduled_run", since=(1, 4))
def a_run_is_open_before_a_worker_takes_it(world: World) -> None:
    client, scheduled_id = world.client, world.kept["scheduled"]
    assert client.get_compute_worker_run_info(scheduled_id).state == "OPEN"
    missing = client.get_compute_worker_run_info("0" * 24)
    assert missing.state == "CANCELED_OR_NOT_EXISTING"
    assert "404" in raises(
        Exception, client.get_compute_worker_run_from_scheduled_run, scheduled_id
    )


@step("get_compute_worker_runs", since=(1, 2))
def a_worker_takes_the_run(world: World) -> None:
    worker = PlainWorker(world.http, world.name("plain"), [world.version])
    schedule = worker.claim(world.kept["scheduled"])
    run_id = worker.begin(schedule)
    worker.report(run_id, "EMBEDDING", "embedding images")
    [found] = [run for run in world.client.get_compute_worker_runs() if run.id == run_id]
    assert (found.state, found.docker_version) == ("EMBEDDING", IMAGE_VERSION)
    world.kept |= {"worker": worker, "schedule": schedule, "run": run_id}


@step(
    "get_compute_worker_run_info",
    "get_compute_worker_run",
    "get_compute_worker_run_from_scheduled_run",
    "get_compute_worker_runs_iter",
    "get_compute_worker_runs",
    since=(1, 4),
)
def a_run_is_watched(world: World) -> None:
    client, run_id = world.client, world.kept["run"]
    scheduled_id = world.kept["scheduled"]
    info = client.get_compute_worker_run_info(scheduled_id)
    assert (info.state, info.message) == ("EMBEDDING", "embedding images")
    assert client.get_compute_worker_run(run_id).state == "EMBEDDING"
    assert client.get_compute_worker_run_from_scheduled_run(scheduled_id).id == run_id
    dataset_id = client._dataset_id
    assert [run.id for run in client.get_compute_worker_runs_iter(dataset_id=dataset_id)] == [
        run_id
    ]
    assert [run.id for run in client.get_compute_worker_runs(dataset_id=dataset_id)] == [run_id]


def add_tags_of_run(world: World, run_id: str) -> None:
    """Make two tags as a worker does before its run ends."""
    tags = world.http.get(f"{world.dataset_path}/tags")
    for name in ("of the run", "of the run too"):
        body = {
            "name": name,
            "prevTagId": tags[0]["id"],
            "bitMaskData": "0x3",
            "totSize": tags[0]["totSize"],
            "runId": run_id,
        }
        world.http.post(f"{world.dataset_path}/tags", body)


@step("compute_worker_run_info_generator", since=(1, 4))
def a_run_is_followed_to_its_end(world: World) -> None:
    worker, run_id = world.kept["worker"], world.kept["run"]
    states = []
    for info in world.client.compute_worker_run_info_generator(world.kept["scheduled"]):
        states.append(info.state)
        if info.state == "EMBEDDING":
            add_tags_of_run(world, run_id)
            worker.report(run_id, "SAMPLING", "choosing")
        elif info.state == "SAMPLING":
            worker.upload_artifacts(run_id)
            worker.finish(world.kept["schedule"], run_id)
    assert states == ["EMBEDDING", "SAMPLING", "COMPLETED"]
    assert info.ended_successfully()


@step("get_scheduled_compute_worker_runs", until=(1, 2), since=(1, 2))
def a_run_ends(world: World) -> None:
    world.kept["worker"].finish(world.kept["schedule"], world.kept["run"])
    ids = [run.id for run in world.client.get_scheduled_compute_worker_runs()]
    assert world.kept["scheduled"] not in ids


@step("get_compute_worker_run_tags", since=(1, 4))
def the_tags_of_a_run_are_listed(world: World) -> None:
    client, run_id = world.client, world.kept["run"]
    found = [tag.name for tag in client.get_compute_worker_run_tags(run_id)]
    assert found == ["of the run too", "of the run"]


METHODS = {
    "download_compute_worker_run_checkpoint": "CHECKPOINT",
    "download_compute_worker_run_report_pdf": "REPORT_PDF",
    "download_compute_worker_run_report_json": "REPORT_JSON",
    "download_compute_worker_run_report_v2_json": "REPORT_V2_JSON",
    "download_compute_worker_run_log": "LOG",
    "download_compute_worker_run_memory_log": "MEMLOG",
    "download_compute_worker_run_corruptness_check_information": "CORRUPTNESS_CHECK_INFORMATION",
    "download_compute_worker_run_sequence_information": "SEQUENCE_INFORMATION",
}


@step(*METHODS, since=(1, 4))
def artifacts_are_downloaded_one_by_one(world: World) -> None:
    run = world.client.get_compute_worker_run(world.kept["run"])
    for method, kind in METHODS.items():
        path = world.scratch / f"artifact-{kind}"
        getattr(world.client, method)(run, output_path=str(path))
        assert path.read_bytes() == ARTIFACTS[kind].encode()


@step(
    "download_compute_worker_run_artifacts", "get_compute_worker_run_checkpoint_url", since=(1, 4)
)
def artifacts_are_downloaded_together(world: World) -> None:
    run = world.client.get_compute_worker_run(world.kept["run"])
    folder = world.scratch / "artifacts"
    world.client.download_compute_worker_run_artifacts(run, output_dir=str(folder))
    for file_name in ARTIFACTS.values():
        assert (folder / file_name).read_bytes() == file_name.encode()
    url = world.client.get_compute_worker_run_checkpoint_url(run)
    assert read_bytes(url) == ARTIFACTS["CHECKPOINT"].encode()
