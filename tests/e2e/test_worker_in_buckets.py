"""Whole runs on buckets of a store that fails, forgets and refuses in between."""

from __future__ import annotations

import io
import uuid
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import obstore
import pytest
from PIL import Image

from lightly.api import ApiWorkflowClient
from lightly.openapi_generated.swagger_client.models import DatasetType, DatasourcePurpose
from tests.support.bucket_datasets import LOOPBACK
from tests.support.fault_stores import Fault, FaultStore, Plan, Request
from tests.support.http_clients import RemoteClient
from tests.support.object_stores import ACCESS_KEY, REGION, SECRET_KEY, SHARED_BUCKET, S3Server
from tests.support.pictures import draw_folder
from tests.support.platforms import ServerProcess, name_mounts, run_process
from tests.support.published_clients.runner import run_client_script
from tests.support.sdk import connect_client
from tests.support.worker_process import ComputeWorker
from tests.support.worker_runs import DIVERSITY
from tests.unit.media.clips import draw_frame, write_frames

N_PICTURES, N_SELECTED = 14, 5
SLOW_DOWN = b"<Error><Code>SlowDown</Code><Message>Reduce your request rate.</Message></Error>"
DENIED = b"<Error><Code>AccessDenied</Code><Message>No.</Message></Error>"
SCHEDULE = """
    from lightly.api import ApiWorkflowClient

    client = ApiWorkflowClient(dataset_id=arguments["dataset"])
    client.set_s3_config(**arguments["bucket"])
    client.register_compute_worker("worker of a test")
    result = client.schedule_compute_worker_run(
        worker_config={}, selection_config=arguments["selection"]
    )
"""


@dataclass(frozen=True)
class Buckets:
    """A server whose store is reached through a proxy that lets it fail.

    Attributes:
        server: The server, with mounts besides.
        store: The proxy.
        bucket: The bucket, without either.
        root: Holds the mounts and what workers keep.
    """

    server: ServerProcess
    store: FaultStore
    bucket: Any
    root: Path

    def make_dataset(self, type_: str = DatasetType.IMAGES) -> ApiWorkflowClient:
        """Return a client of a new dataset that has no datasource yet."""
        client = connect_client(self.server.url, self.server.token)
        client.create_dataset(f"set {uuid.uuid4().hex[:8]}", type_)
        return client

    def run_in_folder(self, name: str, type_: str = DatasetType.IMAGES) -> Outcome:
        """Do a run on a folder of the mounts; nothing fails there."""
        client = self.make_dataset(type_)
        (self.root / "lightly" / name).mkdir(parents=True, exist_ok=True)
        for purpose in (DatasourcePurpose.INPUT, DatasourcePurpose.LIGHTLY):
            client.set_local_config(relative_path=name, purpose=purpose)
        return self.finish(client, client.schedule_compute_worker_run(selection_config=SELECTION))

    def fill(self, name: str) -> str:
        """Put the files of a folder into a new prefix of the bucket; return it."""
        prefix, folder = uuid.uuid4().hex, self.root / "input" / name
        for path in folder.rglob("*"):
            if path.is_file():
                obstore.put(
                    self.bucket,
                    f"{prefix}/{path.relative_to(folder).as_posix()}",
                    path.read_bytes(),
                )
        return prefix

    def schedule(self, client: ApiWorkflowClient, prefix: str) -> str:
        """Schedule a run on a prefix of the bucket."""
        client.set_s3_config(**describe_bucket(prefix))
        return client.schedule_compute_worker_run(selection_config=SELECTION)

    def finish(
        self, client: ApiWorkflowClient, scheduled: str, plan: Plan | None = None
    ) -> Outcome:
        """Have a worker do a run that waits, on a store that fails by a plan."""
        folder = self.root / scheduled
        folder.mkdir()
        mounts = [f"--{name}-mount={self.root / name}" for name in ("input", "lightly")]
        worker = ComputeWorker(
            self.server.url, self.server.token, folder, "--egress-allow", LOOPBACK, *mounts
        )
        if plan is not None:
            self.store.plan = plan
        try:
            worker.finish_runs()
        finally:
            self.store.plan = lambda _number, _request: None
        info = client.get_compute_worker_run_info(scheduled)
        answer = RemoteClient(self.server).get(f"/v1/datasets/{client.dataset_id}/samples").json()
        samples = {
            sample["fileName"]: {
                "metadata": sample["metaData"],
                "frame": sample.get("videoFrameData"),
            }
            for sample in answer
        }
        return Outcome(str(info.state), str(info.message), samples, worker.read_log())


@dataclass(frozen=True)
class Outcome:
    """How a run has ended.

    Attributes:
        state: Its state.
        message: Its message.
        samples: What is in the dataset, and what is known of it, by file name.
        log: Of the worker.
    """

    state: str
    message: str
    samples: dict[str, Any]
    log: str


SELECTION = {"n_samples": N_SELECTED, "strategies": DIVERSITY}


def describe_bucket(prefix: str) -> dict[str, Any]:
    """Return the arguments of `set_s3_config`."""
    return {
        "resource_path": f"s3://{SHARED_BUCKET}/{prefix}",
        "region": REGION,
        "access_key": ACCESS_KEY,
        "secret_access_key": SECRET_KEY,
        "thumbnail_suffix": ".lightly/thumbnails/[filename]_thumb.[extension]",
    }


def reads_object(request: Request) -> bool:
    """Tell whether a request is for the content of an object."""
    return request.method == "GET" and "list-type" not in request.path


class PassingFaults:
    """Every other answer to a kind of request fails, in turn in each way that passes.

    Attributes:
        done: How often each of the ways came.
    """

    def __init__(self, cut_bytes: int) -> None:
        self.done: Counter[str] = Counter()
        self._seen = 0
        self._ways = {
            "busy": Fault(status=503, body=SLOW_DOWN),
            "cut": Fault(cut_bytes=cut_bytes),
            "slow": Fault(delay_s=1.5),
            "reset": Fault(resets=True),
        }

    def __call__(self, _number: int, request: Request) -> Fault | None:
        """Return what happens to a request."""
        if not reads_object(request):
            return None
        self._seen += 1
        if self._seen % 2 == 0:
            return None
        name = list(self._ways)[self._seen // 2 % len(self._ways)]
        self.done[name] += 1
        return self._ways[name]


@pytest.fixture(scope="module")
def buckets(tmp_path_factory: pytest.TempPathFactory, s3_server: S3Server) -> Iterator[Buckets]:
    """A server with pictures and a video, one of them twice and one broken."""
    root = tmp_path_factory.mktemp("place")
    pictures = root / "input" / "pictures"
    names = draw_folder(pictures, N_PICTURES)
    (pictures / "zz-copy.jpg").write_bytes((pictures / names[0]).read_bytes())
    (pictures / "broken.jpg").write_bytes(b"this is no picture")
    drives = root / "input" / "drives"
    (drives / "town").mkdir(parents=True)
    frames = [draw_frame(number) for number in range(30)]
    write_frames(drives / "town" / "drive.mpg", frames, codec="mpeg1video")
    (drives / "text.mp4").write_text("this is no video")
    (root / "lightly").mkdir()
    store = FaultStore(s3_server.endpoint)
    variables = {
        **name_mounts(root),
        "LIGHTLY_SERVER_S3_ENDPOINT": store.endpoint,
        "LIGHTLY_SERVER_EGRESS_ALLOW": LOOPBACK,
    }
    try:
        with run_process(root / "data", **variables) as server:
            yield Buckets(server, store, s3_server.open(), root)
    finally:
        store.stop()


@pytest.fixture(scope="module")
def expected(buckets: Buckets) -> Outcome:
    """What a run on a folder with the same pictures leaves behind."""
    return buckets.run_in_folder("pictures")


@pytest.mark.parametrize(
    "version",
    ["1.5.26", *(pytest.param(one, marks=pytest.mark.long) for one in ("1.2.28", "1.4.26"))],
)
def test_a_run_in_a_bucket_that_fails_in_between_ends_as_in_a_folder(
    buckets: Buckets, expected: Outcome, version: str
) -> None:
    client, prefix = buckets.make_dataset(), buckets.fill("pictures")
    scheduled = run_client_script(
        version,
        SCHEDULE,
        server_url=buckets.server.url,
        token=buckets.server.token,
        arguments={
            "dataset": client.dataset_id,
            "bucket": describe_bucket(prefix),
            "selection": SELECTION,
        },
        timeout_s=120,
    ).result
    faults = PassingFaults(cut_bytes=300)
    found = buckets.finish(client, scheduled, faults)
    assert (found.state, found.message) == ("COMPLETED", expected.message)
    assert found.samples == expected.samples
    assert set(faults.done) == {"busy", "cut", "slow", "reset"}
    keys = list_keys(buckets, prefix)
    thumbnails = [key for key in keys if "_thumb." in key]
    assert len(thumbnails) == N_SELECTED
    assert any(key.endswith("/excluded.csv") for key in keys)


def test_a_run_on_videos_of_a_bucket_that_fails_in_between_ends_as_in_a_folder(
    buckets: Buckets,
) -> None:
    in_folder = buckets.run_in_folder("drives", DatasetType.VIDEOS)
    client, prefix = buckets.make_dataset(DatasetType.VIDEOS), buckets.fill("drives")
    faults = PassingFaults(cut_bytes=3_000)
    found = buckets.finish(client, buckets.schedule(client, prefix), faults)
    assert (found.state, found.message) == ("COMPLETED", in_folder.message)
    assert found.samples == in_folder.samples
    assert len(found.samples) == N_SELECTED
    assert faults.done["busy"]
    assert faults.done["cut"]
    keys = list_keys(buckets, prefix)
    written = [key for key in keys if key.startswith(".lightly/frames/")]
    assert sorted(key.removeprefix(".lightly/frames/") for key in written) == sorted(found.samples)


def test_objects_that_go_or_change_after_the_listing_are_left_out_or_read_as_they_are(
    buckets: Buckets, expected: Outcome
) -> None:
    client, prefix = buckets.make_dataset(), buckets.fill("pictures")
    gone, changed = "plain/0003.jpg", "plain/0004.jpg"
    content = io.BytesIO()
    Image.new("RGB", (60, 40), (9, 200, 90)).save(content, "JPEG")
    scheduled = buckets.schedule(client, prefix)

    def change(_number: int, request: Request) -> None:
        if reads_object(request):
            obstore.delete(buckets.bucket, [f"{prefix}/{gone}"])
            obstore.put(buckets.bucket, f"{prefix}/{changed}", content.getvalue())

    found = buckets.finish(client, scheduled, change)
    assert found.state == "COMPLETED", found.message
    assert found.message.startswith(f"Selected {N_SELECTED} of {N_PICTURES - 1} images")
    assert gone not in found.samples
    # A picture of one colour is farthest from all others, so it is selected.
    assert max(found.samples[changed]["metadata"]["std"]) < 0.01
    (table,) = (key for key in list_keys(buckets, prefix) if key.endswith("/excluded.csv"))
    excluded = bytes(obstore.get(buckets.bucket, f"{prefix}/{table}").bytes()).decode()
    assert f'"{gone}","gone",' in excluded


def test_a_store_that_refuses_in_between_ends_the_run_with_file_reason_and_remedy(
    buckets: Buckets,
) -> None:
    client, prefix = buckets.make_dataset(), buckets.fill("pictures")
    scheduled = buckets.schedule(client, prefix)

    def refuse(_number: int, request: Request) -> Fault | None:
        is_meant = reads_object(request) and "0005.jpg" in request.path
        return Fault(status=403, body=DENIED) if is_meant else None

    found = buckets.finish(client, scheduled, refuse)
    assert found.state == "FAILED"
    assert "In the state EMBEDDING: " in found.message
    assert "'plain/0005.jpg' cannot be read from the datasource" in found.message
    assert "list_datasource_permissions()" in found.message
    assert found.samples == {}
    assert client.get_all_tags() == []
    artifacts = buckets.root / f"artifacts of {scheduled}"
    run = client.get_compute_worker_run_from_scheduled_run(scheduled)
    client.download_compute_worker_run_artifacts(run, str(artifacts))
    left = b"".join(path.read_bytes() for path in artifacts.iterdir())
    assert b"0005.jpg" in left
    for secret in (SECRET_KEY, buckets.server.token, "X-Amz-Signature"):
        assert secret.encode() not in left
        assert secret not in found.message + found.log


def list_keys(buckets: Buckets, prefix: str) -> list[str]:
    """Return what lies below a prefix of the bucket."""
    pages = obstore.list(buckets.bucket, f"{prefix}/")
    return sorted(found["path"].removeprefix(f"{prefix}/") for page in pages for found in page)
