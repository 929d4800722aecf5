"""Many clients that upload to one dataset while the server is killed again and again."""

from __future__ import annotations

import os
import random
import time
from contextlib import ExitStack
from dataclasses import dataclass

import pytest

from lightly._kit.atomic_files import TEMPORARY_PREFIX
from lightly._kit.bitmask import fill_bitmask, format_bitmask
from lightly.api.upload_engine import BATCH_ITEMS
from tests.support.fault_checks import (
    RemoteDataset,
    await_condition,
    call,
    check_integrity,
    check_log,
    check_samples,
    count_samples,
)
from tests.support.fault_kills import choose_seed, run_killable_server
from tests.support.fault_memory import watch_memory
from tests.support.fault_sdk_process import SdkProcess, UploadOrder
from tests.support.fault_traffic import count_repeats, read_journal
from tests.support.pictures import draw_folder

pytestmark = pytest.mark.xdist_group("fault-load")
MB = 1024 * 1024
#: Whatever the size of the dataset.
MAX_SERVER_BYTES = 300 * MB
MAX_CLIENT_BYTES = 300 * MB
MAX_WALL_S = 600.0
WORKERS = 4


@dataclass(frozen=True)
class Load:
    """A number of clients, of images for each, and of kills meanwhile."""

    mode: str
    n_clients: int
    n_images: int
    n_kills: int
    batch_items: int = BATCH_ITEMS

    @property
    def total(self):
        return self.n_clients * self.n_images


SMALL = Load("metadata", n_clients=2, n_images=600, n_kills=2, batch_items=50)
L1 = Load("metadata", n_clients=8, n_images=12_500, n_kills=5)
L2 = Load("thumbnails", n_clients=8, n_images=500, n_kills=5)


@pytest.mark.parametrize(
    "load",
    [
        pytest.param(SMALL, id="small"),
        pytest.param(L1, id="L1", marks=pytest.mark.long),
        pytest.param(L2, id="L2", marks=pytest.mark.long),
    ],
)
def test_clients_finish_by_themselves_while_the_server_is_killed(load, tmp_path):
    generator = random.Random(choose_seed())
    folders = make_folders(tmp_path / "images", load)
    started = time.monotonic()
    with run_killable_server(tmp_path / "data") as server, ExitStack() as stack:
        watch = stack.enter_context(watch_memory(lambda: server.pid))
        dataset_id = call(server, "POST", "/v1/datasets", json={"name": "load"}).json()["id"]
        dataset = RemoteDataset(server, dataset_id)
        clients = [
            stack.enter_context(start_client(dataset, load, folder, tmp_path / folder.name))
            for folder in folders
        ]
        histories = kill_again_and_again(dataset, load, clients, generator)
        peaks = [client.finish(MAX_WALL_S) for client in clients]
        wall_s = time.monotonic() - started
        print(  # noqa: T201  shown with `pytest -s`
            f"{load.total} samples in {wall_s:.0f} s; at most {watch.peak_bytes / MB:.0f} MB in "
            f"the server, {max(peaks) / MB:.0f} MB in a client"
        )

        check_dataset(dataset, load, folders)
        final = dataset.list_names()
        assert all(final[: len(names)] == names for names in histories)
        check_repeats(tmp_path, load, folders)
        check_objects(dataset, load)
        check_integrity(server)
        check_log(server)
    assert watch.peak_bytes <= MAX_SERVER_BYTES
    assert max(peaks) <= MAX_CLIENT_BYTES
    assert wall_s <= MAX_WALL_S


def make_folders(root, load):
    """Return a folder for each client; the same few pictures under many names."""
    drawn = root / "drawn"
    pictures = [drawn / name for name in draw_folder(drawn, 50)]
    folders = []
    for client in range(load.n_clients):
        folder = root / f"client{client}"
        # The name of the inner folder makes names unique among the clients.
        inner = folder / f"camera{client}"
        inner.mkdir(parents=True)
        for number in range(load.n_images):
            picture = pictures[number % len(pictures)]
            os.link(picture, inner / f"{number:06d}{picture.suffix}")
        folders.append(folder)
    return folders


def list_names(folders):
    return [
        path.relative_to(folder).as_posix() for folder in folders for path in folder.glob("*/*")
    ]


def start_client(dataset, load, folder, place):
    return SdkProcess(
        UploadOrder(
            url=dataset.server.url,
            token=dataset.server.token,
            dataset_id=dataset.id,
            folder=str(folder),
            mode=load.mode,
            journal=f"{place}.journal",
            report=f"{place}.report",
            batch_items=load.batch_items,
            max_workers=WORKERS,
        )
    )


def kill_again_and_again(dataset, load, clients, generator):
    """Kill the server at random amounts of work; return the names it had after each restart."""
    server = dataset.server
    histories = []
    for share in sorted(generator.uniform(0.02, 0.7) for _ in range(load.n_kills)):
        await_condition(lambda: count_samples(server) >= share * load.total, MAX_WALL_S)  # noqa: B023  called at once
        time.sleep(generator.uniform(0.0, 0.05))
        assert any(client.is_running for client in clients)
        server.kill()
        server.start()
        histories.append(dataset.list_names())
    return histories


def check_dataset(dataset, load, folders):
    check_samples(dataset, list_names(folders))
    tags = {tag["name"]: tag for tag in dataset.get("/tags")}
    assert tags["initial-tag"]["bitMaskData"] == format_bitmask(fill_bitmask(load.total))
    assert {tag["totSize"] for tag in tags.values()} == {load.total}


def check_repeats(place, load, folders):
    for folder in folders:
        exchanges = read_journal(place / f"{folder.name}.journal")
        assert count_repeats(exchanges) <= load.n_kills * load.batch_items


def check_objects(dataset, load):
    """Assert that there is an object for each sample, and nothing else once it was swept."""
    server = dataset.server
    if load.mode != "metadata":
        assert dataset.read_stored("thumb") == format_bitmask(fill_bitmask(load.total))
    for leftover in server.data_dir.rglob(f"{TEMPORARY_PREFIX}*"):
        os.utime(leftover, (0, 0))
    server.kill()
    server.start()
    await_condition(lambda: not list(server.data_dir.rglob(f"{TEMPORARY_PREFIX}*")))
    ids = set(dataset.get("/mappings", field="_id")) if load.mode != "metadata" else set()
    objects = [path for path in (server.data_dir / "blobs").rglob("*") if path.is_file()]
    assert len(objects) == len(ids)
    assert {path.name for path in objects} == ids
