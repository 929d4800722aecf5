"""Servers and clients that are killed in the middle of an upload."""

from __future__ import annotations

import os
import random
import signal
import stat
import time
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import psutil
import pytest

from lightly._kit.atomic_files import TEMPORARY_PREFIX
from lightly._kit.bitmask import iterate_indices, parse_bitmask
from lightly.api import upload_engine
from tests.support.fault_checks import (
    RemoteDataset,
    await_condition,
    call,
    check_files,
    check_integrity,
    check_log,
    check_samples,
    check_tag_covers_all,
    count_samples,
    find_dataset,
)
from tests.support.fault_kills import (
    Killer,
    choose_moments,
    choose_seed,
    find_listening_port,
    run_killable_server,
)
from tests.support.fault_sdk_process import SdkProcess, UploadOrder
from tests.support.fault_server import PLACES, CrashingServer
from tests.support.fault_traffic import Traffic, read_journal
from tests.support.pictures import draw_folder
from tests.support.published_clients.runner import start_client_script

COUNT = 240
BATCH = 20
KILLS = 3
SMALL_COUNT = 40
SMALL_BATCH = 10
WORKERS = 4
#: Long enough for a machine that does much else.
PATIENCE_S = 180.0
#: Uploading requests of an upload without faults: two per batch, and the files.
REQUESTS = {"metadata": 12, "thumbnails": 264, "full": 504}
pytestmark = pytest.mark.xdist_group("fault-kills")


def choose(values: Iterable[str], *short: str) -> list[Any]:
    """Return values of a parameter; those that are not named are for the long profile."""
    return [v if v in short else pytest.param(v, marks=pytest.mark.long) for v in values]


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    path = tmp_path_factory.mktemp("pictures")
    return path, draw_folder(path, COUNT)


@pytest.fixture(scope="module")
def small_folder(tmp_path_factory):
    path = tmp_path_factory.mktemp("few-pictures")
    return path, draw_folder(path, SMALL_COUNT)


@pytest.fixture
def server(tmp_path):
    with run_killable_server(tmp_path / "data") as running:
        yield running


@pytest.mark.parametrize("mode", choose(REQUESTS, "full"))
def test_an_upload_ends_whole_though_the_server_is_killed(server, folder, mode, monkeypatch):
    path, names = folder
    monkeypatch.setattr(upload_engine, "BATCH_ITEMS", BATCH)
    generator = random.Random(choose_seed())
    moments = choose_moments(generator, range(1, REQUESTS[mode]), KILLS)
    histories = []

    def look_at_server():
        acknowledged = traffic.find_acknowledged()
        histories.append(dataset.list_names())
        assert acknowledged <= set(histories[-1])

    killer = Killer(server, moments, generator, look_at_server)
    traffic = Traffic(killer.disturb)
    client = traffic.connect(server.url, server.token)
    client.create_dataset("killed")
    dataset = RemoteDataset(server, client.dataset_id)

    client.upload_dataset(str(path), mode=mode, max_workers=WORKERS)

    killer.finish()
    assert killer.n_kills == KILLS
    check_samples(dataset, names)
    check_tag_covers_all(dataset, COUNT)
    check_files(dataset, path, mode)
    check_integrity(server)
    check_log(server)
    final = dataset.list_names()
    assert all(final[: len(names)] == names for names in histories)
    assert traffic.count_repeats() <= KILLS * BATCH
    assert traffic.count_repeated_files() <= KILLS * WORKERS


@pytest.fixture
def crashing_server(tmp_path):
    server = CrashingServer(tmp_path / "data")
    server.port = find_listening_port()
    yield server
    server.kill()


@pytest.mark.parametrize("place", choose(PLACES, "file.before_rename", "transaction.after_commit"))
def test_a_crash_at_any_line_loses_and_doubles_nothing(
    crashing_server, small_folder, place, monkeypatch
):
    path, names = small_folder
    monkeypatch.setattr(upload_engine, "BATCH_ITEMS", SMALL_BATCH)
    n_visits = SMALL_COUNT // SMALL_BATCH if place.startswith("transaction") else 2 * SMALL_COUNT
    number = random.Random(choose_seed()).randint(1, n_visits)
    crashing_server.start_doomed(place, number)
    traffic = Traffic()
    client = traffic.connect(crashing_server.url, crashing_server.token)
    client.create_dataset("crashed")
    with ThreadPoolExecutor(1) as executor:
        upload = executor.submit(client.upload_dataset, str(path), mode="full", max_workers=WORKERS)
        ended_by = crashing_server.await_end(PATIENCE_S)
        leftovers = list(crashing_server.data_dir.rglob(f"{TEMPORARY_PREFIX}*"))
        modes = {stat.S_IMODE(path.stat().st_mode) for path in leftovers}
        for leftover in leftovers:
            os.utime(leftover, (0, 0))
        crashing_server.start()
        upload.result(PATIENCE_S)

    assert ended_by == -signal.SIGKILL
    dataset = RemoteDataset(crashing_server, client.dataset_id)
    check_samples(dataset, names)
    check_tag_covers_all(dataset, SMALL_COUNT)
    check_files(dataset, path, "full")
    check_integrity(crashing_server)
    check_log(crashing_server)
    assert traffic.count_repeats() <= SMALL_BATCH
    assert place != "file.before_rename" or leftovers
    assert modes <= {0o600}
    await_condition(lambda: not any(leftover.exists() for leftover in leftovers))


@pytest.mark.long
def test_the_published_client_ends_by_itself_though_the_server_is_killed(server, small_folder):
    path, names = small_folder
    generator = random.Random(choose_seed())
    source = """
        from lightly.api import ApiWorkflowClient
        client = ApiWorkflowClient()
        client.create_dataset(arguments["name"])
        client.upload_dataset(arguments["folder"], mode="full", max_workers=4)
        result = client.get_filenames()
    """
    arguments = {"name": "published", "folder": str(path)}
    with start_client_script(
        "1.2.28", source, server_url=server.url, token=server.token, arguments=arguments
    ) as process:
        for share in (0.2, 0.6):
            await_condition(lambda: count_samples(server) >= share * SMALL_COUNT)  # noqa: B023  called at once
            time.sleep(generator.uniform(0.0, 0.05))
            assert process.is_running
            server.kill()
            server.start()
        run = process.wait(PATIENCE_S).check()

    dataset = find_dataset(server, "published")
    assert run.result == dataset.list_names()
    check_samples(dataset, names)
    check_tag_covers_all(dataset, SMALL_COUNT)
    # This client repeats a broken upload with a file that it has read already. Then the server has
    # nothing of it and the client says so; half a file, or an empty one, is never there.
    lacking = [name for name in names if escape(name) in escape(run.stderr)]
    assert len(lacking) <= 2 * WORKERS
    check_files(dataset, path, "full", lacking=lacking)
    check_integrity(server)
    check_log(server)


@pytest.mark.parametrize("mode", choose(("metadata", "full"), "full"))
def test_a_killed_client_goes_on_where_it_stopped(server, folder, mode, tmp_path):
    path, names = folder
    generator = random.Random(choose_seed())
    dataset = make_dataset(server, "killed client")
    for number, share in enumerate((0.2, 0.6)):
        acknowledged = read_acknowledged(dataset)
        with start_upload(dataset, path, mode, tmp_path / str(number)) as process:
            await_condition(lambda: count_samples(server) >= share * COUNT)  # noqa: B023  called at once
            time.sleep(generator.uniform(0.0, 0.05))
            assert process.is_running
            decoders = psutil.Process(process.pid).children(recursive=True)
            process.kill()
        await_condition(lambda: not any(decoder.is_running() for decoder in decoders))  # noqa: B023  called at once
        check_nothing_is_sent_again(tmp_path / str(number), acknowledged)

    acknowledged = read_acknowledged(dataset)
    with start_upload(dataset, path, mode, tmp_path / "last") as process:
        process.finish(PATIENCE_S)

    check_nothing_is_sent_again(tmp_path / "last", acknowledged)
    check_samples(dataset, names)
    check_tag_covers_all(dataset, COUNT)
    check_files(dataset, path, mode)
    check_integrity(server)
    check_log(server)


def escape(text):
    """Return text as processes write it that know no other letters."""
    return text.encode("ascii", "backslashreplace").decode()


def make_dataset(server, name):
    answer = call(server, "POST", "/v1/datasets", json={"name": name})
    return RemoteDataset(server, answer.json()["id"])


def start_upload(dataset, folder, mode, place):
    order = UploadOrder(
        url=dataset.server.url,
        token=dataset.server.token,
        dataset_id=dataset.id,
        folder=str(folder),
        mode=mode,
        journal=f"{place}.journal",
        report=f"{place}.report",
        batch_items=BATCH,
        max_workers=WORKERS,
    )
    return SdkProcess(order)


def read_acknowledged(dataset):
    """Return the names and the files that the server has."""
    ids, names = dataset.get("/mappings", field="_id"), dataset.list_names()
    files = set()
    for kind in ("full", "thumb"):
        mask = parse_bitmask(dataset.read_stored(kind), len(ids))
        files |= {(kind, ids[index]) for index in iterate_indices(mask)}
    return set(names), files


def check_nothing_is_sent_again(place, acknowledged):
    exchanges = read_journal(Path(f"{place}.journal"))
    sent_names = {name for exchange in exchanges for name in exchange.names}
    paths = [e.path.split("/") for e in exchanges if e.path.startswith("/blobs/")]
    sent_files = {(parts[-3], parts[-1]) for parts in paths}
    assert sent_names.isdisjoint(acknowledged[0])
    assert sent_files.isdisjoint(acknowledged[1])
