"""The functions that older scripts use, against a real application."""

import io
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from lightly.api import ApiWorkflowClient
from lightly.api.download import get_samples_by_tag
from lightly.api.upload import (
    upload_dataset,
    upload_embeddings_from_csv,
    upload_file_with_signed_url,
    upload_images_from_folder,
)
from lightly.data.dataset import LightlyDataset
from tests.support.platforms import TOKEN, InProcessServer
from tests.support.sdk import BridgeAdapter, make_client

NAMES = ["a.png", "b.png", "sub/c.png"]


@pytest.fixture
def network(sqlite_server: InProcessServer, monkeypatch: pytest.MonkeyPatch) -> BridgeAdapter:
    """Let every client talk to the server in this process."""
    adapter = BridgeAdapter(sqlite_server.client)
    monkeypatch.setenv("LIGHTLY_SERVER_LOCATION", "http://testserver")
    monkeypatch.setattr("lightly.api.sessions.open_adapter", lambda: adapter)
    return adapter


@pytest.fixture
def client(network: BridgeAdapter) -> ApiWorkflowClient:
    """A client with an empty dataset."""
    made = make_client(network, TOKEN)
    made.create_dataset("old script")
    return made


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder of three images, 30 pixels wide and 20 high."""
    for number, name in enumerate(NAMES):
        path = tmp_path / "images" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.new("RGB", (30, 20), (50 * number, 0, 0)).save(path)
    return tmp_path / "images"


def read_size(path: Path) -> tuple[int, int]:
    """Return width and height of an image."""
    with Image.open(path) as image:
        return image.size


@pytest.mark.parametrize("mode", ["full", "thumbnails", "metadata"])
def test_a_folder_is_uploaded(client, folder, mode):
    upload_images_from_folder(str(folder), client.dataset_id, TOKEN, mode=mode, verbose=False)

    assert get_samples_by_tag("initial-tag", client.dataset_id, TOKEN) == NAMES


@pytest.mark.parametrize(
    ("size", "expected"),
    [
        # the smaller edge
        (10, (15, 10)),
        # height and width
        ((8, 9), (9, 8)),
        # as they are
        (-1, (30, 20)),
    ],
)
def test_images_of_a_folder_are_resized(client, folder, tmp_path, size, expected):
    upload_images_from_folder(str(folder), client.dataset_id, TOKEN, mode="full", size=size)

    client.download_dataset(str(tmp_path / "out"), verbose=False)
    assert read_size(tmp_path / "out" / "a.png") == expected


def test_a_dataset_is_uploaded_with_its_transform(client, folder, tmp_path):
    dataset = LightlyDataset(str(folder), transform=lambda image: image.rotate(90, expand=True))

    upload_dataset(dataset, client.dataset_id, TOKEN, mode="full", verbose=False)

    client.download_dataset(str(tmp_path / "out"), verbose=False)
    assert read_size(tmp_path / "out" / "a.png") == (20, 30)


def test_a_dataset_with_tags_is_left_alone(client, folder):
    upload_images_from_folder(str(folder), client.dataset_id, TOKEN, mode="metadata")

    with pytest.raises(RuntimeError, match="initial-tag"):
        upload_images_from_folder(str(folder), client.dataset_id, TOKEN, mode="metadata")


def test_an_interrupted_upload_without_tags_goes_on(client, folder, network):
    def stop(request):
        if "/blobs/" in str(request.path_url):
            raise KeyboardInterrupt

    network.hook = stop
    with pytest.raises(KeyboardInterrupt):
        upload_images_from_folder(str(folder), client.dataset_id, TOKEN)
    network.hook = None

    upload_images_from_folder(str(folder), client.dataset_id, TOKEN)

    assert get_samples_by_tag("initial-tag", client.dataset_id, TOKEN) == NAMES


def write_embeddings(path: Path, names: list[str]) -> str:
    rows = [f"{name},{number},1.5,0" for number, name in enumerate(names)]
    path.write_text("\n".join(["filenames,embedding_0,embedding_1,labels", *rows, ""]))
    return str(path)


def test_embeddings_are_uploaded_once_under_their_name(client, folder, tmp_path):
    upload_images_from_folder(str(folder), client.dataset_id, TOKEN, mode="metadata")
    path = write_embeddings(tmp_path / "e.csv", NAMES[::-1])

    upload_embeddings_from_csv(path, client.dataset_id, TOKEN, embedding_name="mine")

    assert [one.name for one in client.get_all_embedding_data()] == ["mine"]
    with pytest.raises(RuntimeError, match="'mine'"):
        upload_embeddings_from_csv(path, client.dataset_id, TOKEN, embedding_name="mine")


def test_embeddings_need_images_first(client, tmp_path):
    path = write_embeddings(tmp_path / "e.csv", NAMES)

    with pytest.raises(RuntimeError, match="no tags"):
        upload_embeddings_from_csv(path, client.dataset_id, TOKEN)


@pytest.mark.parametrize(
    ("mode", "filenames", "expected"),
    [
        ("list", None, ["a.png", "sub/c.png"]),
        ("mask", NAMES, [1, 0, 1]),
        ("mask", ["sub/c.png", "x", "a.png"], [1, 0, 1]),
        ("indices", NAMES, [0, 2]),
        ("indices", ["sub/c.png", "x", "a.png"], [0, 2]),
    ],
)
def test_samples_of_a_tag_come_in_each_form(client, folder, mode, filenames, expected):
    upload_images_from_folder(str(folder), client.dataset_id, TOKEN, mode="metadata")
    client.create_tag_from_filenames(["a.png", "sub/c.png"], "two")

    assert get_samples_by_tag("two", client.dataset_id, TOKEN, mode, filenames) == expected


@pytest.mark.parametrize("mode", ["mask", "indices"])
def test_samples_that_the_caller_does_not_know_are_an_assertion_error(client, folder, mode):
    upload_images_from_folder(str(folder), client.dataset_id, TOKEN, mode="metadata")

    with pytest.raises(AssertionError, match="3 samples"):
        get_samples_by_tag("initial-tag", client.dataset_id, TOKEN, mode, ["a.png"])


@pytest.mark.parametrize(("mode", "names"), [("mask", None), ("indices", None), ("set", NAMES)])
def test_a_form_that_cannot_be_given_is_a_value_error(mode, names):
    with pytest.raises(ValueError, match="mode"):
        get_samples_by_tag("initial-tag", "0" * 24, TOKEN, mode, names)


@pytest.mark.parametrize("kind", [ValueError, RuntimeError])
def test_a_tag_that_is_not_there_is_both_documented_errors(client, kind):
    with pytest.raises(kind, match="no tag"):
        get_samples_by_tag("nothing", client.dataset_id, TOKEN)


def test_a_wrong_token_is_a_runtime_error(client):
    with pytest.raises(RuntimeError, match="401"):
        get_samples_by_tag("initial-tag", client.dataset_id, "wrong-token")


def test_a_file_goes_to_a_signed_url_and_is_closed(client, sqlite_server, folder):
    upload_images_from_folder(str(folder), client.dataset_id, TOKEN, mode="metadata")
    path = f"/v1/datasets/{client.dataset_id}/samples"
    sample_id = sqlite_server.client.get(path).json()[0]["id"]
    url = sqlite_server.client.get(f"{path}/{sample_id}/writeurl?isThumbnail=False").json()
    content = np.random.default_rng(0).bytes(1_000)
    file = io.BytesIO(content)

    assert upload_file_with_signed_url(file, url) is True
    assert file.closed
    read_url = sqlite_server.client.get(f"{path}/{sample_id}/readurl?type=full").json()
    assert sqlite_server.client.get(read_url).content == content


def test_a_refused_signed_url_is_a_runtime_error(network):
    with pytest.raises(RuntimeError):
        upload_file_with_signed_url(io.BytesIO(b"x"), "http://testserver/blobs/a?signature=no")
