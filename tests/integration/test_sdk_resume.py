"""Uploads that are interrupted at any request, answered twice or not at all, end up the same."""

import json
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, Self

import pytest
import requests
from PIL import Image

from lightly.api import ApiWorkflowClient
from lightly.api.errors import IncompleteUploadWarning, UploadInterrupted
from lightly.media.inspection import inspect_image
from tests.support.platforms import TOKEN, InProcessServer, run_in_process
from tests.support.sdk import BridgeAdapter, make_client, make_response, read_body

COUNT = 7
BATCH = 3
#: Uploading requests of an undisturbed upload in mode `full`: announcing it, two for each of three
#: batches, two files for each image, the tag.
CHANGES = 1 + 2 * 3 + 2 * COUNT + 1


class Killed(BaseException):
    """The process is gone: nothing may catch this."""


class DirectPool:
    """Decodes in this process: starting others would take most of a test's time."""

    def __init__(self, n_processes: int) -> None:
        pass

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        pass

    def inspect_images(self, sources: Any, *, with_thumbnails: bool) -> Iterator[Any]:
        for source in sources:
            yield inspect_image(source, with_thumbnail=with_thumbnails)


@pytest.fixture(autouse=True)
def small_batches(monkeypatch):
    """Make batches small, and decoding part of this process."""
    monkeypatch.setattr("lightly.api.upload_engine.BATCH_ITEMS", BATCH)
    monkeypatch.setattr("lightly.media.sandbox.DecodePool", DirectPool)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder of a few tiny images."""
    path = tmp_path / "images"
    path.mkdir()
    for number in range(COUNT):
        Image.new("RGB", (8, 8), (number, 0, 0)).save(path / f"{number}.png")
    return path


@pytest.fixture(scope="module")
def shared_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[InProcessServer]:
    """One server for all uploads of this file; each one has a dataset of its own."""
    with run_in_process(tmp_path_factory.mktemp("server") / "data") as running:
        yield running


@pytest.fixture
def network(shared_server: InProcessServer) -> BridgeAdapter:
    return BridgeAdapter(shared_server.client)


@pytest.fixture
def client(network: BridgeAdapter) -> ApiWorkflowClient:
    made = make_client(network, TOKEN)
    made.create_new_dataset_with_unique_name("resumed")
    return made


class Ledger:
    """What the server has acknowledged, seen from the network."""

    def __init__(self, network: BridgeAdapter) -> None:
        self._network = network
        self.files: Counter[str] = Counter()
        self.described: Counter[str] = Counter()
        self.changes = 0

    def forward(self, request: requests.PreparedRequest) -> requests.Response:
        """Pass a request on and note what it has brought."""
        body = read_body(request)
        request.body = body
        answer = self._network.forward(request)
        self.changes += request.method in {"PUT", "POST"}
        if answer.status_code == 200 and "/blobs/" in str(request.path_url):
            self.files[str(request.path_url).partition("?")[0]] += 1
        if answer.status_code == 201 and str(request.path_url).endswith("/samples/bulk"):
            samples = json.loads(body)["samples"]
            self.described.update(one["fileName"] for one in samples if "metaData" in one)
        return answer


@contextmanager
def killed_at(network: BridgeAdapter, ledger: Ledger, number: int, *, is_done: bool):
    """Let the client die at its n-th change, before or after the server has made it."""
    seen = 0

    def disturb(request: requests.PreparedRequest) -> requests.Response:
        nonlocal seen
        if request.method in {"PUT", "POST"}:
            seen += 1
            if seen >= number:
                if is_done and seen == number:
                    ledger.forward(request)
                raise Killed
        return ledger.forward(request)

    network.hook = disturb
    with suppress(Killed):
        yield
    network.hook = ledger.forward


def check_all_is_there(client: ApiWorkflowClient, server: InProcessServer) -> None:
    """Check that every image is a sample with both files, once, in order, in the initial tag."""
    names = [f"{number}.png" for number in range(COUNT)]
    assert client.get_filenames() == names
    for kind in ("full", "thumb"):
        path = f"/ext/v1/datasets/{client.dataset_id}/samples/stored?kind={kind}"
        assert server.client.get(path).json() == {"bitMaskData": "0x7f", "totSize": COUNT}
    tag = client.get_tag_by_name("initial-tag")
    assert client.get_filenames_in_tag(tag, names) == names


@pytest.mark.parametrize("is_done", [False, True], ids=["before", "after"])
@pytest.mark.parametrize("number", range(1, CHANGES + 1))
def test_a_client_killed_at_any_request_goes_on_where_it_stopped(
    client, network, shared_server, folder, number, is_done
):
    ledger = Ledger(network)
    with killed_at(network, ledger, number, is_done=is_done):
        client.upload_dataset(str(folder), max_workers=1, mode="full")

    client.upload_dataset(str(folder), max_workers=1, mode="full")

    check_all_is_there(client, shared_server)
    # Nothing that the server has was sent twice, whether the dead client knew of it or not.
    assert set(ledger.files.values()) == {1}
    assert set(ledger.described.values()) == {1}


def test_an_undisturbed_upload_makes_as_many_requests_as_the_kills_cover(client, network, folder):
    ledger = Ledger(network)
    network.hook = ledger.forward

    client.upload_dataset(str(folder), max_workers=1, mode="full")

    assert ledger.changes == CHANGES


def test_everything_delivered_twice_has_the_effect_of_once(client, network, shared_server, folder):
    ledger = Ledger(network)

    def deliver_twice(request):
        ledger.forward(request)
        return ledger.forward(request)

    network.hook = deliver_twice

    client.upload_dataset(str(folder), mode="full")

    check_all_is_there(client, shared_server)
    assert len(client.get_all_tags()) == 1


@pytest.mark.parametrize("answer", [lambda: make_response(502), None], ids=["502", "broken"])
def test_answers_that_get_lost_are_asked_for_again(client, network, shared_server, folder, answer):
    lost: set[tuple[str, str]] = set()
    ledger = Ledger(network)

    def lose_first_answer(request):
        made = ledger.forward(request)
        key = (request.method, str(request.path_url).partition("?")[0])
        if key in lost:
            return made
        lost.add(key)
        if answer is None:
            raise requests.ConnectionError("broken")
        return answer()

    network.hook = lose_first_answer

    client.upload_dataset(str(folder), mode="full")

    check_all_is_there(client, shared_server)
    assert len(client.get_all_tags()) == 1


def test_a_server_that_stays_away_ends_the_upload_with_what_to_do(client, network, folder):
    def break_at_files(request):
        if "/blobs/" in str(request.path_url):
            raise requests.ConnectionError("gone")

    network.hook = break_at_files

    with pytest.raises(UploadInterrupted, match="Start the upload again"):
        client.upload_dataset(str(folder))


def test_a_refused_file_is_sent_by_the_next_upload(client, network, shared_server, folder):
    refused: list[str] = []

    def refuse_one(request):
        if "/full/" in str(request.path_url) and request.method == "PUT" and not refused:
            refused.append(str(request.path_url))
            return make_response(413)
        return None

    network.hook = refuse_one
    with pytest.warns(IncompleteUploadWarning, match="1 images"):
        client.upload_dataset(str(folder), mode="full")
    before = len(network.log)

    client.upload_dataset(str(folder), mode="full")

    check_all_is_there(client, shared_server)
    puts = [path for method, path in network.log[before:] if method == "PUT" and "/blobs/" in path]
    assert len(puts) == 1


def test_metadata_first_and_images_later(client, network, folder):
    client.upload_dataset(str(folder), mode="metadata")

    client.upload_dataset(str(folder), mode="thumbnails")

    assert network.count("PUT", "/samples/thumb/") == COUNT
    assert len(client.get_filenames()) == COUNT


def test_a_server_that_knows_the_contract_only_is_served_too(client, network, folder):
    network.hook = lambda request: (
        make_response(404) if str(request.path_url).startswith("/ext/") else None
    )

    client.upload_dataset(str(folder), max_workers=1, mode="full")
    client.upload_dataset(str(folder), max_workers=1, mode="full")

    assert client.get_filenames() == [f"{number}.png" for number in range(COUNT)]
    assert network.count("PUT", "/blobs/") == 2 * COUNT
    assert network.count("POST", "/v1/") == 1 + COUNT + 1 + network.count("POST", "/ext/v1/")
