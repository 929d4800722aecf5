"""A selection is copied to a folder or bucket, goes on after interruptions, replaces nothing."""

import hashlib
import io
import json
import random
import uuid
from pathlib import Path

import obstore
import pytest
from click.testing import CliRunner
from obstore.store import from_url

from lightly.api import copy_targets
from lightly.api.copy_targets import open_copy_target
from lightly.api.dataset_samples import DatasetSamples
from lightly.api.errors import CopyTargetFailed, IncompleteCopyWarning
from lightly.cli import main as cli
from lightly.cli.main import lightly
from tests.support.contract import ContractClient
from tests.support.emulators import AZURE_ACCOUNT, AZURE_KEY, make_service_account
from tests.support.google_stores import GoogleGate, use_google
from tests.support.platforms import TOKEN, run_in_process, run_process
from tests.support.sdk import BridgeAdapter, make_client, make_response

NAMES = ["a.jpg", "b c.png", "sub/c%2Fd+.jpg", "süb/é.jpg", "日本/x.webp", "z#1?.jpg", "dots..jpg"]


class Place:
    """Where a test copies to, looked at without the code under test."""

    def __init__(self, url: str) -> None:
        self.url = url
        self._store = from_url(url, client_options={"allow_http": True}) if "://" in url else None

    def read(self) -> dict[str, bytes]:
        if self._store is None:
            root = Path(self.url)
            return {
                path.relative_to(root).as_posix(): path.read_bytes()
                for path in root.rglob("*")
                if path.is_file()
            }
        found = obstore.list(self._store).collect()
        return {one["path"]: bytes(obstore.get(self._store, one["path"]).bytes()) for one in found}

    def write(self, name: str, content: bytes) -> None:
        if self._store is not None:
            obstore.put(self._store, name, content)
        else:
            path = Path(self.url, name)
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content)


def use_s3(server, monkeypatch):
    for name, value in server.variables.items():
        monkeypatch.setenv(name, value)
    return server.make_url()


def use_azure(server, monkeypatch):
    container = f"copies-{uuid.uuid4().hex}"
    server.make_container(container)
    monkeypatch.setenv("AZURE_STORAGE_ACCOUNT_NAME", AZURE_ACCOUNT)
    monkeypatch.setenv("AZURE_STORAGE_ACCOUNT_KEY", AZURE_KEY)
    monkeypatch.setenv("AZURE_STORAGE_ENDPOINT", f"{server.endpoint}/{AZURE_ACCOUNT}")
    return f"az://{container}/pre fix"


@pytest.fixture(params=["folder", "s3", "azure", "google"])
def place(request, tmp_path, monkeypatch):
    if request.param == "folder":
        return Place(str(tmp_path / "copies"))
    if request.param == "s3":
        return Place(use_s3(request.getfixturevalue("s3_server"), monkeypatch))
    if request.param == "azure":
        return Place(use_azure(request.getfixturevalue("azure_server"), monkeypatch))
    return Place(request.getfixturevalue("google_url"))


@pytest.fixture
def google_url(moto_server, tmp_path, monkeypatch):
    """A prefix of Google's that takes the tokens of one service account."""
    gate = GoogleGate(moto_server, make_service_account())
    with gate.listen() as server:
        use_google(server.url, make_service_account(), tmp_path, monkeypatch)
        yield f"gs://{gate.make_bucket()}/pre fix"


@pytest.fixture
def images(tmp_path):
    contents = {}
    for number, name in enumerate(NAMES):
        path = tmp_path / "in" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        contents[name] = b"image %d " % number * 1_000
        path.write_bytes(contents[name])
    return contents


@pytest.fixture
def network(images, tmp_path):
    with run_in_process(tmp_path / "data", input_mount=str(tmp_path / "in")) as server:
        yield BridgeAdapter(ContractClient(server.client))


@pytest.fixture
def client(network):
    client = make_client(network, TOKEN)
    fill_dataset(client)
    return client


def fill_dataset(client):
    client.create_dataset("streets")
    client.set_local_config(relative_path="", purpose="INPUT")
    samples = DatasetSamples(client._transport, client.dataset_id)
    samples.register([{"fileName": name} for name in NAMES])
    client._transport.post(client._below_dataset("tags", "initial"), {"imgType": "full"})


def copy(client, place, **options):
    return client.copy_selection(place.url, verbose=False, **options)


def test_a_selection_arrives_with_all_names_as_they_are(client, place, images):
    report = copy(client, place)

    assert place.read() == images
    assert (report.n_copied, report.n_present, report.failures) == (len(NAMES), 0, [])
    assert report.n_bytes == sum(map(len, images.values()))


def test_only_the_images_of_a_tag_are_copied(client, place, images):
    client.create_tag_from_filenames(NAMES[2:4], "chosen")
    copy(client, place, tag_name="chosen")

    assert place.read() == {name: images[name] for name in NAMES[2:4]}


def test_what_is_there_is_not_transferred_again(client, place, network, images):
    copy(client, place)
    report = copy(client, place)

    assert (report.n_copied, report.n_present) == (0, len(NAMES))
    assert place.read() == images


def test_an_interrupted_copy_goes_on(client, place, network, images):
    calls = 0

    def interrupt(request):
        nonlocal calls
        if "readurl" in request.url:
            calls += 1
            if calls > 3:
                raise KeyboardInterrupt

    network.hook = interrupt
    with pytest.raises(KeyboardInterrupt):
        copy(client, place, max_workers=1)
    there = place.read()
    network.hook = None

    report = copy(client, place)
    assert 0 < len(there) < len(NAMES)
    assert all(images[name] == content for name, content in there.items())
    assert (report.n_copied, report.n_present) == (len(NAMES) - len(there), len(there))
    assert place.read() == images


@pytest.mark.parametrize("content", [b"mine", None], ids=["other-size", "same-size"])
def test_another_file_is_left_alone_and_reported(client, place, images, content):
    content = content or images["a.jpg"][::-1]
    place.write("a.jpg", content)
    with pytest.warns(IncompleteCopyWarning, match=r"1 of 7.*\n.*a\.jpg.*another file of this"):
        report = copy(client, place)

    assert report.n_copied == len(NAMES) - 1
    assert place.read() == images | {"a.jpg": content}


def test_another_file_is_replaced_on_demand(client, place, images):
    place.write("a.jpg", images["a.jpg"][::-1])
    report = copy(client, place, overwrite=True)

    assert report.n_copied == len(NAMES)
    assert place.read() == images


def test_the_same_content_from_elsewhere_is_known(client, place, images):
    place.write("a.jpg", images["a.jpg"])
    report = copy(client, place)

    assert (report.n_copied, report.n_present) == (len(NAMES) - 1, 1)


def test_a_copy_that_was_changed_since_is_another_file(client, tmp_path, images):
    place = Place(str(tmp_path / "copies"))
    copy(client, place)
    with Path(place.url, "a.jpg").open("r+b") as file:
        file.write(b"IMAGE")
    with pytest.warns(IncompleteCopyWarning):
        report = copy(client, place)

    assert [name for name, _ in report.failures] == ["'a.jpg'"]


def test_a_source_that_was_changed_since_is_another_file(client, place, tmp_path):
    copy(client, place)
    path = tmp_path / "in/a.jpg"
    path.write_bytes(path.read_bytes()[::-1])
    with pytest.warns(IncompleteCopyWarning):
        report = copy(client, place)

    assert [name for name, _ in report.failures] == ["'a.jpg'"]


def test_a_vanished_image_is_reported_and_the_others_arrive(client, place, images, tmp_path):
    (tmp_path / "in/a.jpg").unlink()
    with pytest.warns(IncompleteCopyWarning, match=r"a\.jpg"):
        copy(client, place)

    assert place.read() == {name: images[name] for name in NAMES[1:]}


@pytest.mark.parametrize("name", ["../a.jpg", "/a.jpg", "a/../../b.jpg", "..\\a.jpg", "C:\\a.jpg"])
def test_names_that_lead_elsewhere_are_refused(client, place, network, name, images):
    def rename(request):
        if "field=fileName" in request.url:
            content = str([name, *NAMES[1:]]).replace("\\\\", "\\").replace("'", '"')
            escaped = content.replace("\\", "\\\\").encode()
            return make_response(200, escaped, {"Content-Type": "application/json"})
        return None

    network.hook = rename
    with pytest.warns(IncompleteCopyWarning, match="1 of 7"):
        copy(client, place)

    assert place.read() == {name: images[name] for name in NAMES[1:]}


def test_an_error_half_way_leaves_no_half_file(client, tmp_path, monkeypatch):
    place = Place(str(tmp_path / "copies"))

    def fail(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(copy_targets.shutil, "copyfileobj", fail)
    with pytest.raises(CopyTargetFailed, match="No space left on device"):
        copy(client, place)

    assert place.read() == {}


def test_a_bucket_that_refuses_ends_the_copy(client, s3_server, monkeypatch):
    variables = s3_server.variables | {"AWS_SECRET_ACCESS_KEY": "wrong"}
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    with pytest.raises(CopyTargetFailed, match="credentials") as caught:
        client.copy_selection(s3_server.make_url(), verbose=False)

    assert "wrong" not in str(caught.value)


@pytest.mark.parametrize("url", ["", "http://host/x", "ftp://host", "s3x://b"])
def test_what_is_no_place_is_refused(url):
    with pytest.raises(ValueError, match="Copy to a folder"):
        open_copy_target(url)


def test_a_link_in_the_folder_leads_nowhere_else(client, tmp_path):
    (tmp_path / "copies").mkdir()
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "copies/sub").symlink_to(tmp_path / "elsewhere")
    with pytest.warns(IncompleteCopyWarning, match="leads outside"):
        copy(client, Place(str(tmp_path / "copies")))

    assert list((tmp_path / "elsewhere").iterdir()) == []


def test_the_command_copies_and_says_so(images, tmp_path, monkeypatch):
    with run_process(tmp_path / "data", LIGHTLY_SERVER_INPUT_MOUNT=str(tmp_path / "in")) as server:
        monkeypatch.setenv("LIGHTLY_SERVER_LOCATION", server.url)
        monkeypatch.setenv("LIGHTLY_TOKEN", server.token)
        from lightly.api import ApiWorkflowClient

        client = ApiWorkflowClient()
        fill_dataset(client)
        place = Place(str(tmp_path / "copies"))
        arguments = ["copy", "--dataset-id", client.dataset_id, "--to", place.url]
        first = CliRunner().invoke(lightly, arguments)
        place.write("a.jpg", b"changed")
        second = CliRunner().invoke(lightly, arguments)

    assert cli.COMMANDS["copy"]
    assert (first.exit_code, "Copied 7 files, 0 were there" in first.output) == (0, True)
    assert second.exit_code == 1
    assert "Copied 0 files, 6 were there already." in second.output
    assert "a.jpg" in second.output
    assert place.read()["a.jpg"] == b"changed"


def test_a_large_file_goes_to_google_in_parts_and_comes_back_the_same(google_url):
    content = random.Random(0).randbytes(20_000_000)
    target = open_copy_target(google_url)

    target.write("large.bin", io.BytesIO(content), "mark")
    found = target.find("large.bin")

    assert found is not None
    assert (found.size_bytes, found.mark) == (len(content), "mark")
    assert target.digest("large.bin") == hashlib.sha256(content).hexdigest()


def test_google_refuses_the_key_of_another_account(google_url, tmp_path, monkeypatch):
    other = make_service_account.__wrapped__()
    (tmp_path / "other.json").write_text(json.dumps(other))
    monkeypatch.setenv("GOOGLE_SERVICE_ACCOUNT", str(tmp_path / "other.json"))

    with pytest.raises(CopyTargetFailed, match="credentials") as caught:
        open_copy_target(google_url).write("new.png", io.BytesIO(b"new"), None)

    assert other["private_key"][100:140] not in str(caught.value)


def test_an_emulator_of_google_is_looked_into(gcs_server, tmp_path, monkeypatch):
    bucket, content = f"copies-{uuid.uuid4().hex}", b"there already"
    gcs_server.make_bucket(bucket)
    gcs_server.put(bucket, "pre fix/b c.png", content)
    use_google(gcs_server.endpoint, make_service_account(), tmp_path, monkeypatch)
    target = open_copy_target(f"gs://{bucket}/pre fix")

    found = target.find("b c.png")

    assert found is not None
    assert found.size_bytes == len(content)
    assert target.find("none.png") is None
    assert target.digest("b c.png") == hashlib.sha256(content).hexdigest()
