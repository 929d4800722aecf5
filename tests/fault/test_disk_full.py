"""Full disks of servers and clients: a clear error, nothing half-written, and it works again."""

from __future__ import annotations

import csv
import errno
import io
import os
import tempfile
import threading
import warnings
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest
import requests
from PIL import Image

from lightly._kit.atomic_files import TEMPORARY_PREFIX
from lightly.api.errors import IncompleteDownloadWarning
from tests.support.fault_checks import (
    RemoteDataset,
    await_condition,
    call,
    check_files,
    check_integrity,
    check_log,
    check_samples,
    check_tag_covers_all,
)
from tests.support.fault_disks import mount_small_disk
from tests.support.fault_kills import run_killable_server
from tests.support.fault_postgres import MovablePostgres
from tests.support.fault_traffic import Traffic
from tests.support.pictures import draw_folder

pytestmark = pytest.mark.xdist_group("fault-disks")
MB = 1024 * 1024
PNG = b"\x89PNG\r\n\x1a\n"
PATIENCE_S = 120.0


@pytest.fixture(scope="module")
def disk(tmp_path_factory):
    with mount_small_disk(tmp_path_factory.mktemp("disk") / "data", size_bytes=24 * MB) as mounted:
        yield mounted


@pytest.fixture(scope="module")
def server(disk):
    with run_killable_server(disk.path) as running:
        yield running


@pytest.fixture
def full_disk(disk):
    """The disk, with room again when the test is over."""
    yield disk
    if (disk.path / "filler").exists():
        disk.free()


def make_dataset(server, name):
    answer = call(server, "POST", "/v1/datasets", json={"name": name})
    return RemoteDataset(server, answer.json()["id"])


def register(dataset, start, stop):
    rows = [
        {"fileName": f"{number:06d}.jpg", "metaData": {"sizeInBytes": 1}}
        for number in range(start, stop)
    ]
    path = f"/ext/v1/datasets/{dataset.id}/samples/bulk"
    return call(dataset.server, "POST", path, json={"samples": rows})


def put_image(dataset, sample_id, content):
    url = dataset.get(f"/samples/{sample_id}/writeurls")["full"]
    return requests.put(url, data=content, timeout=60)


def check_refusal(answer):
    assert answer.status_code == 503
    assert int(answer.headers["Retry-After"]) >= 1
    assert answer.json()["code"] == "CREATION_FAILED"
    assert "disk is full" in answer.json()["error"]


def find_leftovers(folder):
    return list(Path(folder).rglob(f"{TEMPORARY_PREFIX}*"))


def test_an_image_that_does_not_fit_leaves_nothing(server, full_disk):
    dataset = make_dataset(server, "images")
    first, second = register(dataset, 0, 2).json()["ids"]
    old = PNG.ljust(MB // 2, b"o")
    assert put_image(dataset, first, old).status_code == 200
    new = PNG.ljust(3 * MB, b"n")
    full_disk.fill(leave_bytes=MB)
    free_bytes = full_disk.free_bytes

    refusals = [put_image(dataset, first, new), put_image(dataset, second, new)]

    for refusal in refusals:
        check_refusal(refusal)
    assert find_leftovers(server.data_dir) == []
    assert full_disk.free_bytes > free_bytes - MB // 4
    assert dataset.read_file(first, "full") == old
    assert dataset.read_stored("full") == "0x1"
    full_disk.free()
    assert put_image(dataset, second, new).status_code == 200
    assert dataset.read_file(second, "full") == new
    check_log(server)


def test_rows_that_do_not_fit_are_refused_as_a_whole(server, full_disk):
    dataset = make_dataset(server, "rows")
    register(dataset, 0, 10)
    full_disk.fill()

    refusal = register(dataset, 10, 10_000)

    check_refusal(refusal)
    assert len(dataset.list_names()) == 10
    assert dataset.get("")["nSamples"] == 10
    full_disk.free()
    assert register(dataset, 10, 5_000).status_code == 201
    assert len(dataset.list_names()) == 5_000
    check_integrity(server)
    check_log(server)


def test_an_upload_waits_for_room_and_ends_by_itself(server, full_disk, tmp_path):
    names = draw_folder(tmp_path, 30)
    n_sent = 0
    refused = threading.Event()

    def fill_in_the_middle(send):
        nonlocal n_sent
        n_sent += 1
        if n_sent == len(names):
            full_disk.fill()
        answer = send()
        if answer.status_code == 503:
            refused.set()
        return answer

    client = Traffic(fill_in_the_middle).connect(server.url, server.token)
    client.create_dataset("waits")
    with ThreadPoolExecutor(1) as executor:
        upload = executor.submit(client.upload_dataset, str(tmp_path), mode="full", max_workers=2)
        assert refused.wait(PATIENCE_S)
        full_disk.free()
        upload.result(PATIENCE_S)

    dataset = RemoteDataset(server, client.dataset_id)
    check_samples(dataset, names)
    check_tag_covers_all(dataset, len(names))
    check_files(dataset, tmp_path, "full")


def write_csv(names, dimension):
    text = io.StringIO()
    writer = csv.writer(text)
    writer.writerow(["filenames", *(f"embedding_{n}" for n in range(dimension)), "labels"])
    rows = np.random.default_rng(0).normal(size=(len(names), dimension))
    for name, row in zip(names, rows, strict=True):
        writer.writerow([name, *row.tolist(), 0])
    return text.getvalue().encode()


def is_processed(dataset, name):
    found = [row for row in dataset.get("/embeddings") if row["name"] == name]
    return [row["isProcessed"] for row in found] == [True]


def begin_embedding(dataset, name):
    answer = dataset.get("/embeddings/writeCSVUrl", name=name)
    return answer["embeddingId"], answer["signedWriteUrl"]


def test_embeddings_that_do_not_fit_are_taken_once_there_is_room(server, full_disk):
    dataset = make_dataset(server, "embeddings")
    register(dataset, 0, 1_000)
    content = write_csv(dataset.list_names(), 64)
    embedding_id, url = begin_embedding(dataset, "default")
    full_disk.fill(leave_bytes=len(content) // 2)

    refusal = requests.put(url, data=content, timeout=60)

    check_refusal(refusal)
    assert find_leftovers(server.data_dir) == []
    assert not is_processed(dataset, "default")
    full_disk.free()
    again_id, url = begin_embedding(dataset, "default")
    assert again_id == embedding_id
    assert requests.put(url, data=content, timeout=60).status_code == 200
    await_condition(lambda: is_processed(dataset, "default"))
    read_url = dataset.get(f"/embeddings/{embedding_id}/readCSVUrl")
    assert requests.get(read_url, timeout=60).content == content


def test_vectors_that_do_not_fit_can_be_asked_for_again(server, full_disk):
    dataset = make_dataset(server, "vectors")
    register(dataset, 0, 2_000)
    content = write_csv(dataset.list_names(), 256)
    embedding_id, url = begin_embedding(dataset, "default")
    full_disk.fill(leave_bytes=len(content) + MB)

    assert requests.put(url, data=content, timeout=60).status_code == 200
    await_condition(lambda: "disk is full" in read_newest_job(server).get("error", ""))
    assert not is_processed(dataset, "default")
    full_disk.free()
    path = f"/v1/datasets/{dataset.id}/embeddings/{embedding_id}/trigger2dEmbeddingsJob"
    body = {"dimensionalityReductionMethod": "PCA"}
    assert call(server, "POST", path, json=body).status_code == 204

    await_condition(lambda: is_processed(dataset, "default"))


def read_newest_job(server):
    newest = call(server, "GET", "/v1/jobs").json()[0]
    return call(server, "GET", f"/v1/jobs/{newest['id']}").json()


def test_a_server_comes_up_on_a_full_disk_and_serves_what_it_has(server, full_disk):
    dataset = make_dataset(server, "comes up")
    register(dataset, 0, 10)
    server.kill()
    full_disk.fill()

    server.start()

    assert len(dataset.list_names()) == 10
    check_refusal(register(dataset, 10, 10_000))
    full_disk.free()
    assert register(dataset, 10, 20).status_code == 201


@pytest.fixture
def full_tablespace():
    """A database on a small disk of its own, and that disk."""
    postgres = MovablePostgres()
    try:
        with mount_small_disk(postgres.folder / "small", size_bytes=24 * MB) as disk:
            yield postgres.make_database_on("small", disk.path / "space"), disk
            postgres.take_away()
    finally:
        postgres.stop()


@pytest.mark.postgres
def test_rows_that_do_not_fit_are_refused_as_a_whole_on_postgres(full_tablespace, tmp_path):
    url, disk = full_tablespace
    with run_killable_server(tmp_path / "data", url) as server:
        dataset = make_dataset(server, "rows")
        register(dataset, 0, 10)
        disk.fill()

        refusal = register(dataset, 10, 10_000)

        check_refusal(refusal)
        assert len(dataset.list_names()) == 10
        disk.free()
        assert register(dataset, 10, 5_000).status_code == 201
        assert dataset.get("")["nSamples"] == len(dataset.list_names()) == 5_000
        check_log(server)


def test_a_download_onto_a_full_disk_leaves_whole_files_only(tmp_path):
    source = tmp_path / "source"
    names = [f"noise/{number}.png" for number in range(10)]
    generator = np.random.default_rng(0)
    for name in names:
        draw_noise(source / name, generator)
    with (
        mount_small_disk(tmp_path / "target", size_bytes=3 * MB) as disk,
        run_killable_server(tmp_path / "data") as server,
    ):
        client = Traffic().connect(server.url, server.token)
        client.create_dataset("downloads")
        client.upload_dataset(str(source), mode="full")
        disk.fill(leave_bytes=MB)
        with pytest.warns(IncompleteDownloadWarning, match="No space left"):
            client.download_dataset(str(disk.path), max_workers=2)
        there = [name for name in names if (disk.path / name).exists()]
        first = {name: (disk.path / name).stat().st_ino for name in there}
        assert 0 < len(there) < len(names)
        assert_same(source, disk.path, there)
        assert find_leftovers(disk.path) == []

        disk.free()
        with warnings.catch_warnings(action="error", category=IncompleteDownloadWarning):
            client.download_dataset(str(disk.path), max_workers=2)

        assert_same(source, disk.path, names)
        # What was there already was not transferred again.
        assert {name: (disk.path / name).stat().st_ino for name in there} == first


def assert_same(source, target, names):
    for name in names:
        assert (source / name).read_bytes() == (target / name).read_bytes(), name


def draw_noise(path, generator):
    """Draw a picture that takes a known amount of space, some 190 kB."""
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(generator.integers(0, 256, (250, 250, 3), dtype=np.uint8)).save(path)


@pytest.mark.parametrize(
    ("module", "function"),
    [(tempfile, "mkstemp"), (os, "fchmod"), (os, "fsync"), (os, "replace")],
)
def test_a_disk_that_is_full_at_any_step_leaves_the_old_image(
    sqlite_server, monkeypatch, module, function
):
    client = sqlite_server.client
    dataset_id = client.post("/v1/datasets", json={"name": "steps"}).json()["id"]
    path = f"/v1/datasets/{dataset_id}/samples"
    sample_id = client.post(path, json={"fileName": "a.png"}).json()["id"]
    url = client.get(f"{path}/{sample_id}/writeurls").json()["full"]
    old, new = PNG + b"old", PNG + b"new"
    assert client.put(url, content=old).status_code == 200

    def fail(*_arguments, **_options):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    with monkeypatch.context() as patched:
        patched.setattr(module, function, fail)
        refusal = client.put(url, content=new)

    check_refusal(refusal)
    data_dir = sqlite_server.platform.settings.data_dir
    assert find_leftovers(data_dir) == []
    read_url = client.get(f"{path}/{sample_id}/readurl").json()
    assert client.get(read_url).content == old
    assert client.put(url, content=new).status_code == 200
    assert client.get(read_url).content == new
