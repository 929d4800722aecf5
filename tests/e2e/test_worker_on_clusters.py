"""The per-image work on real clusters of Ray and Dask: the same result, whatever is lost."""

from __future__ import annotations

import importlib.util
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from lightly.api import ApiWorkflowClient
from lightly.openapi_generated.swagger_client.models.dataset_type import DatasetType
from lightly.openapi_generated.swagger_client.models.datasource_purpose import DatasourcePurpose
from tests.support.engine_clusters import Cluster, run_dask, run_ray
from tests.support.http_clients import RemoteClient
from tests.support.pictures import draw_folder
from tests.support.platforms import ServerProcess, name_mounts, run_process
from tests.support.ports import find_free_port
from tests.support.worker_process import ComputeWorker

pytestmark = [pytest.mark.long, pytest.mark.xdist_group("clusters")]

#: Six shards and a bit.
N_PICTURES = 1_250
N_SELECTED = 40
IN_SHARDS = ("--selection-shards", "3")
ENGINES: dict[str, Callable[[Path], AbstractContextManager[Cluster]]] = {
    "ray": run_ray,
    "dask": run_dask,
}
MODULES = {"ray": "ray", "dask": "distributed"}
TIMEOUT_S = 900
ENDS = ("COMPLETED", "FAILED", "CRASHED", "ABORTED")


@dataclass(frozen=True)
class Place:
    """A server with pictures, and what a run on threads makes of them."""

    server: ServerProcess
    expected: dict[str, Any]

    def schedule(self, name: str) -> tuple[ApiWorkflowClient, str]:
        """Make a dataset with a run; return a client of the dataset, and the id of the run."""
        return _schedule(self.server, name)

    def make_worker(self, folder: Path, engine: str, address: str) -> ComputeWorker:
        """Return a worker on a cluster, not started yet."""
        options = ("--executor", engine, "--executor-address", address)
        return ComputeWorker(self.server.url, self.server.token, folder, *options, *IN_SHARDS)


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    """A server beside pictures, one of them twice and one broken; a run on threads is done."""
    folder = tmp_path_factory.mktemp("place")
    pictures = folder / "input" / "pictures"
    names = draw_folder(pictures, N_PICTURES)
    (pictures / "zz-copy.jpg").write_bytes((pictures / names[0]).read_bytes())
    (pictures / "broken.jpg").write_bytes(b"this is no picture")
    (folder / "lightly" / "pictures").mkdir(parents=True)
    with run_process(
        folder / "data", **name_mounts(folder), LIGHTLY_SERVER_RUN_LEASE_S="10"
    ) as server:
        client, _ = _schedule(server, "on threads")
        # Nothing is kept between runs, so that each does all of its work.
        worker = ComputeWorker(server.url, server.token, folder, "--cache-gb", "0", *IN_SHARDS)
        worker.finish_runs(TIMEOUT_S)
        assert "Selected in 3 shards" in worker.read_log()
        yield Place(server, _read_result(server, client, folder))


@pytest.fixture(params=list(ENGINES))
def engine(request: pytest.FixtureRequest) -> str:
    """Name of an engine that is installed."""
    name: str = request.param
    if importlib.util.find_spec(MODULES[name]) is None:
        pytest.skip(f"{name} is not installed: `make test-long` does that")
    return name


def test_a_run_that_loses_a_node_ends_as_on_threads(
    place: Place, engine: str, tmp_path: Path
) -> None:
    client, _ = place.schedule(f"{engine} loses a node")
    with ENGINES[engine](tmp_path) as cluster:
        worker = place.make_worker(tmp_path, engine, cluster.address)
        worker.start()
        worker.wait_until(lambda: _has_shards(worker, tmp_path, 1), TIMEOUT_S)
        assert _count_shards(tmp_path) < 6
        cluster.kill_node()
        worker.wait_until(lambda: _has_ended(client), TIMEOUT_S)
        later, _ = place.schedule(f"{engine} knows them all")
        worker.wait_until(lambda: _has_ended(later), TIMEOUT_S)
        assert worker.stop() == 0
    assert _read_result(place.server, client, tmp_path) == place.expected
    assert _read_result(place.server, later, tmp_path) == place.expected
    # All but the broken one, which is looked into again.
    n_files = N_PICTURES + 2
    told = f"Examined {n_files} files; {n_files - 1} of them were known from before."
    assert told in worker.read_log()


def test_a_run_whose_cluster_dies_says_so(place: Place, engine: str, tmp_path: Path) -> None:
    client, scheduled = place.schedule(f"{engine} dies")
    with ENGINES[engine](tmp_path) as cluster:
        worker = place.make_worker(tmp_path, engine, cluster.address)
        worker.start()
        worker.wait_until(lambda: _has_shards(worker, tmp_path, 1), TIMEOUT_S)
        cluster.kill()
        worker.wait_until(lambda: _has_ended(client), TIMEOUT_S)
        assert worker.stop() == 0
    info = client.get_compute_worker_run_info(scheduled)
    message = info.message
    assert info.state == "FAILED"
    assert "In the state EMBEDDING: The " in message
    assert "cluster" in message
    assert "schedule the run again" in message


def test_a_cluster_that_is_away_fails_the_run_with_its_address(
    place: Place, engine: str, tmp_path: Path
) -> None:
    client, scheduled = place.schedule(f"{engine} is away")
    address = f"127.0.0.1:{find_free_port()}"
    place.make_worker(tmp_path, engine, address).finish_runs(TIMEOUT_S)
    info = client.get_compute_worker_run_info(scheduled)
    assert info.state == "FAILED"
    assert f"cluster at {address}. Start it" in info.message


def test_a_run_whose_worker_is_killed_goes_on_from_its_shards(
    place: Place, engine: str, tmp_path: Path
) -> None:
    client, _ = place.schedule(f"{engine} loses its worker")
    with ENGINES[engine](tmp_path) as cluster:
        worker = place.make_worker(tmp_path, engine, cluster.address)
        worker.start()
        worker.wait_until(lambda: _has_shards(worker, tmp_path, 2), TIMEOUT_S)
        worker.kill()
        next_worker = place.make_worker(tmp_path, engine, cluster.address)
        next_worker.start()
        next_worker.wait_until(lambda: _has_ended(client), TIMEOUT_S)
        assert next_worker.stop() == 0
    log = next_worker.read_log()
    n_kept = int(log.rsplit("files; ", 1)[1].split()[0])
    assert n_kept >= 400, log[-2000:]
    assert _read_result(place.server, client, tmp_path) == place.expected


def _schedule(server: ServerProcess, name: str) -> tuple[ApiWorkflowClient, str]:
    with pytest.MonkeyPatch.context() as patch:
        # Read when the client is made, and only then.
        patch.setenv("LIGHTLY_SERVER_LOCATION", server.url)
        client = ApiWorkflowClient(token=server.token)
    client.create_dataset(name, DatasetType.IMAGES)
    for purpose in (DatasourcePurpose.INPUT, DatasourcePurpose.LIGHTLY):
        client.set_local_config(relative_path="pictures", purpose=purpose)
    client.register_compute_worker("worker of a test")
    scheduled = client.schedule_compute_worker_run(
        # Its maps take minutes where nothing is compiled yet.
        worker_config={"upload_report": False},
        selection_config={
            "n_samples": N_SELECTED,
            "strategies": [{"input": {"type": "EMBEDDINGS"}, "strategy": {"type": "DIVERSITY"}}],
        },
    )
    return client, scheduled


def _count_shards(folder: Path) -> int:
    return len(list((folder / "work" / "runs").glob("*/shards/*.arrow")))


def _has_shards(worker: ComputeWorker, folder: Path, count: int) -> bool:
    assert "ERROR FAILED" not in worker.read_log(), worker.read_log()[-2000:]
    return _count_shards(folder) >= count


def _has_ended(client: ApiWorkflowClient) -> bool:
    # The machine has other things to do than to answer.
    time.sleep(0.5)
    runs = client.get_compute_worker_runs(client.dataset_id)
    return any(run.state.value in ENDS for run in runs)


def _read_result(server: ServerProcess, client: ApiWorkflowClient, folder: Path) -> dict[str, Any]:
    """Return what a run has made, without ids and moments."""
    remote = RemoteClient(server)
    dataset = f"/v1/datasets/{client.dataset_id}"
    samples = remote.get(f"{dataset}/samples", params={"mode": "full"}).json()
    kept = ("fileName", "metaData", "customMetaData", "exif", "type")
    vectors = folder / f"vectors-{client.dataset_id}.csv"
    embedding = client.get_embedding_by_name("default")
    client.download_embeddings_csv_by_id(embedding.id, str(vectors))
    (run,) = client.get_compute_worker_runs(client.dataset_id)
    assert run.state.value == "COMPLETED", run.message
    report = folder / f"corrupt-{client.dataset_id}.json"
    client.download_compute_worker_run_corruptness_check_information(run, str(report))
    tags = client.get_all_tags()
    return {
        "samples": [{name: sample.get(name) for name in kept} for sample in samples],
        "vectors": vectors.read_text("utf-8"),
        "corrupt": report.read_text("utf-8"),
        "picks": {client.get_tag_by_id(tag.id).bit_mask_data for tag in tags},
        "message": run.message,
    }
