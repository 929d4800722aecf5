"""Datasources through the SDK, against a real application with folders of its own."""

import json
import os
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
import requests

from lightly.api import ApiWorkflowClient
from lightly.api.errors import ApiException
from tests.support.contract import ContractClient
from tests.support.platforms import TOKEN, run_in_process
from tests.support.sdk import BridgeAdapter, make_client

N_IMAGES = 23


@dataclass
class Folders:
    """A client with a dataset on a folder below each mount.

    Attributes:
        client: Every answer to it is held against the contract.
        images: Where the images are.
        lightly: Where predictions, metadata and embeddings are.
    """

    client: ApiWorkflowClient
    images: Path
    lightly: Path

    def read(self, url: str) -> bytes:
        """Return what a URL that the server gave leads to."""
        with self.client._transport.open_blob(url) as response:
            return response.content


def write(path: Path, content: bytes, *, written_at_s: int | None = None) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)
    if written_at_s is not None:
        os.utime(path, (written_at_s, written_at_s))


@pytest.fixture
def folders(tmp_path: Path) -> Iterator[Folders]:
    """A dataset with images, predictions, metadata and embeddings in folders."""
    images, lightly = tmp_path / "in/streets", tmp_path / "out/streets"
    for number in range(N_IMAGES):
        write(images / f"sub/{number:02}.jpg", b"image %d" % number, written_at_s=1000 + number)
        content = {"file_name": f"sub/{number:02}.jpg", "predictions": []}
        below = lightly / ".lightly"
        write(below / f"predictions/cars/sub/{number:02}.json", json.dumps(content).encode())
        write(below / f"metadata/sub/{number:02}.json", json.dumps(content).encode())
    write(below / "predictions/tasks.json", b'["cars"]')
    write(below / "metadata/schema.json", b"[]")
    write(below / "embeddings/mine.csv", b"filenames,labels\n")
    write(below / "relevant.txt", b"sub/03.jpg\nsub/05.jpg\n")
    mounts = {"input_mount": str(tmp_path / "in"), "lightly_mount": str(tmp_path / "out")}
    with run_in_process(tmp_path / "data", **mounts) as server:
        client = make_client(BridgeAdapter(ContractClient(server.client)), TOKEN)
        client.create_dataset("streets")
        client.set_local_config(relative_path="streets", purpose="INPUT")
        client.set_local_config(relative_path="streets", purpose="LIGHTLY")
        yield Folders(client, images, lightly)


@pytest.mark.parametrize("n_shards", [1, 4])
def test_images_are_listed_and_can_be_read(folders, n_shards):
    rows = folders.client.download_raw_samples(divide_and_conquer_shards=n_shards)

    assert sorted(name for name, _ in rows) == [f"sub/{n:02}.jpg" for n in range(N_IMAGES)]
    for name, url in rows[::7]:
        assert folders.read(url) == (folders.images / name).read_bytes()


def test_images_are_listed_by_the_moment_they_were_written(folders):
    rows = folders.client.download_raw_samples(1003, 1005)

    assert sorted(name for name, _ in rows) == ["sub/03.jpg", "sub/04.jpg", "sub/05.jpg"]


def test_images_are_listed_by_a_file_that_names_them(folders):
    rows = folders.client.download_raw_samples(
        relevant_filenames_file_name=".lightly/relevant.txt", divide_and_conquer_shards=3
    )

    assert sorted(name for name, _ in rows) == ["sub/03.jpg", "sub/05.jpg"]


@pytest.mark.parametrize("n_shards", [1, 4])
def test_predictions_and_metadata_are_listed_and_can_be_read(folders, n_shards):
    client = folders.client

    predictions = client.download_raw_predictions("cars", divide_and_conquer_shards=n_shards)
    metadata = client.download_raw_metadata(divide_and_conquer_shards=n_shards)

    assert sorted(name for name, _ in predictions if "/sub/" in name) == [
        f".lightly/predictions/cars/sub/{n:02}.json" for n in range(N_IMAGES)
    ]
    assert sorted(name for name, _ in metadata if "/sub/" in name) == [
        f".lightly/metadata/sub/{n:02}.json" for n in range(N_IMAGES)
    ]
    name, url = predictions[0]
    assert folders.read(url) == (folders.lightly / name).read_bytes()
    iterated = client.download_raw_predictions_iter("cars", divide_and_conquer_shards=n_shards)
    assert sorted(name for name, _ in iterated) == sorted(name for name, _ in predictions)
    assert len(list(client.download_raw_metadata_iter())) == len(metadata)


def test_single_files_are_read_by_name(folders):
    client = folders.client

    assert folders.read(client.get_prediction_read_url("tasks.json")) == b'["cars"]'
    assert folders.read(client.get_metadata_read_url("schema.json")) == b"[]"
    assert folders.read(client.get_custom_embedding_read_url("mine.csv")) == b"filenames,labels\n"


def test_new_images_are_those_since_the_last_call(folders):
    client = folders.client
    assert client.get_processed_until_timestamp() == 0

    first = client.download_new_raw_samples(divide_and_conquer_shards=2)
    seen_until = client.get_processed_until_timestamp()
    client.update_processed_until_timestamp(seen_until - 10)
    write(folders.images / "new.jpg", b"new", written_at_s=seen_until - 5)
    second = client.download_new_raw_samples()

    assert len(first) == N_IMAGES
    assert abs(seen_until - time.time()) < 60
    assert [name for name, _ in second] == ["new.jpg"]


def test_permissions_are_what_the_folders_allow(folders):
    assert folders.client.list_datasource_permissions()["can_list"] is True

    folders.client.set_local_config(relative_path="nowhere", purpose="INPUT")
    permissions = folders.client.list_datasource_permissions()

    assert permissions["can_list"] is False
    assert "can_list" in permissions["errors"]


def test_secrets_come_back_masked(folders):
    client = folders.client
    client.create_dataset("in a bucket")

    client.set_s3_config("s3://bucket/path", "eu-central-1", "ACCESSKEY", "geheim-geheim")

    datasource = client.get_datasource()
    assert datasource["type"] == "S3"
    assert datasource.full_path == "s3://bucket/path"
    assert "geheim" not in datasource.to_json()


def test_a_dataset_without_datasource_says_so(folders):
    folders.client.create_dataset("bare")

    for call in (folders.client.get_datasource, folders.client.download_raw_samples):
        with pytest.raises(ApiException) as caught:
            call()
        assert caught.value.status == requests.codes.not_found
