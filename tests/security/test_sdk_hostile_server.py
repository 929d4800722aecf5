"""A server, or whoever poses as one, may send anything: nothing outside of the folder is written.

Source: threats T14 and T16 of the project's threat list.
"""

import json
import os
import warnings
from collections.abc import Callable
from pathlib import Path
from urllib.parse import unquote, urlsplit

import pytest

from lightly.api import ApiWorkflowClient
from lightly.api.download import download_and_write_all_files
from lightly.api.errors import IncompleteDownloadWarning
from lightly.openapi_generated.swagger_client.models.docker_run_data import DockerRunData
from tests.support.http_servers import Answer, LocalServer, Request, serve
from tests.support.sdk import make_settings

DATASET = "0123456789abcdef01234567"
GOOD = "good.jpg"
HOSTILE_NAMES = [
    "",
    ".",
    "..",
    "../escaped",
    "..\\escaped",
    "a/../../escaped",
    "a\\..\\..\\escaped",
    "./../escaped",
    "/tmp/escaped",
    "//host/share/escaped",
    "\\\\host\\share\\escaped",
    "C:\\escaped",
    "C:escaped",
    "nul\0byte",
    "line\nfeed",
    "linked/escaped",
    "x" * 300,
    "/".join(["deep"] * 10_000),
]
# Nothing but strange names: they are files in the folder.
HARMLESS_NAMES = ["%2e%2e%2fescaped", "%252e%252e/x", "~/x", "$HOME", "-rf", "a#b?c", "日本.jpg"]


def serve_names(names: list[str], read_url: Callable[[str], str] | None = None):
    """Return an answering function: a dataset with these names, each one a small image."""
    ids = [f"{number:024x}" for number in range(len(names))]
    tag = {
        "id": DATASET,
        "datasetId": DATASET,
        "name": "initial-tag",
        "bitMaskData": hex((1 << len(names)) - 1),
        "totSize": len(names),
        "createdAt": 1,
    }
    dataset = {
        "id": DATASET, "name": "hostile", "userId": "u", "type": "Images", "imgType": "full",
        "nSamples": len(names), "sizeInBytes": 0, "createdAt": 1, "lastModifiedAt": 1,
    }  # fmt: skip

    def answer(request: Request) -> Answer:
        path = unquote(urlsplit(request.path).path)
        host = f"http://{request.headers['Host']}"
        if path.startswith("/blobs/"):
            return Answer(200, b"picture")
        contents: dict[str, object] = {
            f"/v1/datasets/{DATASET}": dataset,
            f"/v1/datasets/{DATASET}/tags": [tag],
            f"/v1/datasets/{DATASET}/mappings": ids if "_id" in request.path else names,
        }
        if path.endswith("/readurl"):
            sample_id = path.split("/")[5]
            made = read_url(sample_id) if read_url else f"{host}/blobs/{sample_id}"
            return Answer(200, json.dumps(made).encode(), {"Content-Type": "application/json"})
        return Answer(
            200, json.dumps(contents[path]).encode(), {"Content-Type": "application/json"}
        )

    return answer


def make_client(server: LocalServer, monkeypatch: pytest.MonkeyPatch) -> ApiWorkflowClient:
    monkeypatch.setenv("LIGHTLY_SERVER_LOCATION", server.url)
    client = ApiWorkflowClient(token="TOKEN", dataset_id=DATASET)
    client._transport._sender._settings = make_settings()
    return client


def list_files(folder: Path) -> list[str]:
    return sorted(
        Path(root, name).relative_to(folder).as_posix()
        for root, _, names in os.walk(folder)
        for name in names
    )


@pytest.fixture
def output(tmp_path: Path) -> Path:
    """A folder with a link that leads out of it."""
    folder = tmp_path / "inside" / "output"
    folder.mkdir(parents=True)
    (tmp_path / "outside").mkdir()
    (folder / "linked").symlink_to(tmp_path / "outside")
    return folder


@pytest.mark.parametrize("name", HOSTILE_NAMES, ids=lambda name: ascii(name)[:20])
def test_names_that_lead_elsewhere_are_refused_and_listed(monkeypatch, tmp_path, output, name):
    with serve(serve_names([GOOD, name])) as server:
        client = make_client(server, monkeypatch)

        with pytest.warns(IncompleteDownloadWarning, match="1 of 2 images") as caught:
            client.download_dataset(str(output), verbose=False)

    assert list_files(tmp_path) == [f"inside/output/{GOOD}"]
    assert len(str(caught[0].message)) < 1_000


@pytest.mark.parametrize("name", HARMLESS_NAMES)
def test_strange_names_stay_in_the_folder(monkeypatch, tmp_path, output, name):
    with serve(serve_names([name])) as server:
        make_client(server, monkeypatch).download_dataset(str(output), verbose=False)

    assert list_files(tmp_path) == [f"inside/output/{name}"]


@pytest.mark.parametrize(
    "url", ["file:///etc/passwd", "ftp://host/x", "/etc/passwd", "", "http://[", "javascript:1"]
)
def test_addresses_that_are_no_web_addresses_are_not_opened(monkeypatch, output, url):
    with serve(serve_names([GOOD], lambda _: url)) as server:
        client = make_client(server, monkeypatch)

        with pytest.warns(IncompleteDownloadWarning, match="cannot be opened"):
            client.download_dataset(str(output), verbose=False)

    assert list_files(output) == []


def test_an_image_that_breaks_off_is_not_left_half(monkeypatch, output):
    good = serve_names([GOOD, "cut.jpg"])

    def answer(request: Request) -> Answer:
        if request.path.startswith(f"/blobs/{1:024x}"):
            return Answer(200, b"half", {"Content-Length": "1000"})
        return good(request)

    with serve(answer) as server:
        client = make_client(server, monkeypatch)

        with pytest.warns(IncompleteDownloadWarning, match=r"cut\.jpg.*broke off"):
            client.download_dataset(str(output), verbose=False)

    assert list_files(output) == [GOOD]


def test_an_image_that_breaks_off_once_is_fetched_again(monkeypatch, output):
    good = serve_names([GOOD])
    attempts: list[str] = []

    def answer(request: Request) -> Answer:
        if request.path.startswith("/blobs/"):
            attempts.append(request.path)
            if len(attempts) == 1:
                return Answer(200, b"pict", {"Content-Length": "7"})
        return good(request)

    with serve(answer) as server, warnings.catch_warnings():
        warnings.simplefilter("error")
        make_client(server, monkeypatch).download_dataset(str(output), verbose=False)

    assert (output / GOOD).read_bytes() == b"picture"


def test_more_names_than_the_tag_has_samples_are_ignored(monkeypatch, output):
    good = serve_names([GOOD])

    def answer(request: Request) -> Answer:
        if "mappings" in request.path and "fileName" in request.path:
            names = json.dumps([GOOD, "more.jpg"]).encode()
            return Answer(200, names, {"Content-Type": "application/json"})
        return good(request)

    with serve(answer) as server:
        make_client(server, monkeypatch).download_dataset(str(output), verbose=False)

    assert list_files(output) == [GOOD]


@pytest.mark.parametrize(
    "body",
    [b"", b"null", b"{}", b'[{"id": 3}]', b"[1, 2]", b'"text"', b"[[[[", b"\xff", b"[" * 100_000],
    ids=lambda body: ascii(body)[:20],
)
def test_answers_that_make_no_sense_are_clean_errors(monkeypatch, body):
    with serve(lambda _: Answer(200, body, {"Content-Type": "application/json"})) as server:
        client = make_client(server, monkeypatch)

        for call in (client.get_all_tags, client.get_filenames, client.get_all_embedding_data):
            with pytest.raises(RuntimeError, match="answer"):
                call()


@pytest.mark.parametrize("name", HOSTILE_NAMES, ids=lambda name: ascii(name)[:20])
def test_artifacts_whose_names_lead_elsewhere_are_refused(monkeypatch, tmp_path, output, name):
    run = DockerRunData.from_dict(
        {
            "id": DATASET,
            "userId": "u",
            "dockerVersion": "1.0",
            "state": "COMPLETED",
            "createdAt": 1,
            "lastModifiedAt": 1,
            "artifacts": [{"id": DATASET, "type": "LOG", "fileName": name}],
        }
    )
    with serve(serve_names([])) as server:
        client = make_client(server, monkeypatch)

        # Names that are merely too long are refused by the file system itself.
        with pytest.raises((ValueError, OSError)):
            client.download_compute_worker_run_artifacts(run, str(output))

    assert list_files(tmp_path) == []


@pytest.mark.parametrize("name", HOSTILE_NAMES, ids=lambda name: ascii(name)[:20])
def test_listed_files_whose_names_lead_elsewhere_are_not_written(
    monkeypatch, tmp_path, output, name
):
    with serve(serve_names([])) as server:
        make_client(server, monkeypatch)
        url = f"{server.url}/blobs/1"

        with pytest.warns(IncompleteDownloadWarning, match="1 of 2 files"):
            download_and_write_all_files([(GOOD, url), (name, url)], str(output))

    assert list_files(tmp_path) == [f"inside/output/{GOOD}"]
