"""The commands of the 1.x era as real processes against a real server."""

from __future__ import annotations

import csv
import json
import os
import re
import signal
import socket
import subprocess
import sys
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import requests
import yaml
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from PIL import Image

from lightly.cli.key_values import flatten
from lightly.cli.old_settings import SHARED_KEYS
from tests.support.pictures import draw_folder, write_embeddings
from tests.support.platforms import ServerProcess, run_process
from tests.support.ports import find_free_port
from tests.support.published_clients.runner import CLIENTS, run_client_script

COUNT = 8
PROGRAMS = Path(sys.executable).parent
OLD_NAMES = (
    "lightly-crop", "lightly-download", "lightly-embed", "lightly-magic", "lightly-serve",
    "lightly-ssl-train", "lightly-train", "lightly-upload", "lightly-version",
)  # fmt: skip


class Shell:
    """A user's shell in a folder of its own, with address and token in the environment."""

    def __init__(self, folder: Path, server: ServerProcess) -> None:
        self.folder = folder
        self.environment = {
            **os.environ,
            "LIGHTLY_SERVER_LOCATION": server.url,
            "LIGHTLY_TOKEN": server.token,
        }

    def run(self, *command: str) -> subprocess.CompletedProcess[str]:
        """Run a command to its end."""
        return subprocess.run(
            [str(PROGRAMS / command[0]), *command[1:]],
            cwd=self.folder,
            env=self.environment,
            capture_output=True,
            text=True,
            timeout=120,
        )

    def succeed(self, *command: str) -> str:
        """Run a command that must work; return what it printed."""
        done = self.run(*command)
        assert done.returncode == 0, done.stderr
        return done.stdout

    def fail(self, *command: str) -> str:
        """Run a command that must fail without a traceback; return its complaint."""
        done = self.run(*command)
        assert done.returncode == 1, (done.stdout, done.stderr)
        assert "Traceback" not in done.stderr
        return done.stderr


@pytest.fixture(scope="module")
def platform(tmp_path_factory):
    """One server for all commands."""
    with run_process(tmp_path_factory.mktemp("server") / "data") as server:
        yield server


@pytest.fixture
def shell(platform, tmp_path):
    return Shell(tmp_path, platform)


@pytest.fixture
def images(tmp_path):
    """A folder of pictures and their names."""
    return tmp_path / "images", draw_folder(tmp_path / "images", COUNT)


@pytest.fixture
def api(platform):
    """Ask the server about a dataset."""

    def get(path):
        headers = {"Authorization": f"Bearer {platform.token}"}
        answer = requests.get(f"{platform.url}/v1/{path}", headers=headers, timeout=30)
        answer.raise_for_status()
        return answer.json()

    return get


def read_dataset_id(output):
    return re.search(r"dataset_id of the dataset is (\w{24})", output)[1]


def read_csv(path):
    with path.open(newline="", encoding="utf-8") as file:
        return list(csv.reader(file))


def upload_named(shell, images, name, *words):
    """Upload the pictures into a new dataset; return its id."""
    output = shell.succeed(
        "lightly-upload", f"input_dir={images[0]}", f"new_dataset_name={name}", *words
    )
    return read_dataset_id(output)


@pytest.mark.parametrize("name", OLD_NAMES)
def test_every_old_command_and_its_new_spelling_explain_themselves(shell, name):
    assert f"Usage: {name}" in shell.succeed(name, "--help")
    new = name.removeprefix("lightly-").removeprefix("ssl-")
    assert f"Usage: lightly {new}" in shell.succeed("lightly", new, "--help")


@pytest.mark.parametrize("version", ["1.2.28", "1.5.26"])
def test_every_setting_of_the_published_configuration_is_known(version):
    (path,) = (CLIENTS / version).glob("lib/*/site-packages/lightly/cli/config/config.yaml")

    published = set(flatten(yaml.safe_load(path.read_text())))

    help_texts = {"hydra.help.header", "hydra.help.footer"}
    assert published - help_texts <= set(SHARED_KEYS)


def test_the_version_is_printed_as_ever(shell):
    assert re.fullmatch(r"lightly version \d+\.\d+\.\d+\n", shell.succeed("lightly-version"))


@pytest.mark.parametrize("name", ["lightly-train", "lightly-ssl-train"])
def test_training_says_which_extra_it_needs(shell, images, name):
    error = shell.fail(name, f"input_dir={images[0]}", "trainer.max_epochs=1")

    assert "extra 'train' of lightly-platform" in error


def test_a_mistyped_setting_gets_the_nearest_one(shell):
    error = shell.fail("lightly-upload", "input_dirr=images")

    assert "Did you mean 'input_dir'?" in error


def test_embeddings_are_written_in_the_form_that_the_published_client_reads(
    shell, images, platform
):
    shell.succeed("lightly-embed", f"input_dir={images[0]}", "hydra.run.dir=out")

    script = """
        from lightly.utils.io import check_embeddings, load_embeddings
        check_embeddings(arguments["path"])
        vectors, labels, names = load_embeddings(arguments["path"])
        result = [list(vectors.shape), names]
    """
    path = str(shell.folder / "out" / "embeddings.csv")
    shape, names = run_client_script(
        "1.2.28", script, server_url=platform.url, token="x", arguments={"path": path}
    ).result
    assert shape[0] == COUNT
    assert sorted(names) == images[1]


def test_magic_embeds_and_uploads_without_training(shell, images, api):
    output = shell.succeed(
        "lightly-magic", f"input_dir={images[0]}", "new_dataset_name=magic", "loader.num_workers=1"
    )

    dataset = read_dataset_id(output)
    assert api(f"datasets/{dataset}")["nSamples"] == COUNT
    assert api(f"datasets/{dataset}")["imgType"] == "full"
    assert [entry["name"] for entry in api(f"datasets/{dataset}/embeddings")] == ["default"]
    assert len(list(shell.folder.glob("lightly_outputs/*/*/embeddings.csv"))) == 1


def test_magic_adds_to_a_dataset_when_told_to(shell, images, api):
    words = ["lightly-magic", f"input_dir={images[0]}", "new_dataset_name=grows"]
    shell.succeed(*words)
    Image.new("RGB", (20, 20), (1, 2, 3)).save(images[0] / "plain" / "new.png")

    refused = shell.fail(*words)
    shell.succeed(*words, "append=True")

    assert "append=True" in refused
    datasets = {entry["name"]: entry["nSamples"] for entry in api("datasets")}
    assert datasets["grows"] == COUNT + 1


def test_magic_without_a_dataset_only_embeds(shell, images):
    output = shell.succeed("lightly-magic", f"input_dir={images[0]}", "trainer.max_epochs=0")

    assert "Embeddings are stored at" in output
    assert "dataset_id" not in output


@pytest.mark.parametrize(
    ("mode", "kind"),
    [("full", "full"), ("thumbnails", "thumbnail"), ("metadata", "meta"), ("meta", "meta")],
)
def test_images_are_uploaded_in_every_mode(shell, images, api, mode, kind):
    dataset = upload_named(shell, images, f"mode {mode}", f"upload={mode}")

    found = api(f"datasets/{dataset}")
    assert (found["nSamples"], found["imgType"]) == (COUNT, kind)


def test_a_second_upload_needs_to_be_wanted(shell, images):
    dataset = upload_named(shell, images, "twice")
    words = ["lightly-upload", f"input_dir={images[0]}", f"dataset_id={dataset}"]

    refused = shell.fail(*words)
    again = shell.succeed(*words, "append=True")

    assert "has samples already. Set append=True" in refused
    assert read_dataset_id(again) == dataset


def test_images_embeddings_and_metadata_come_in_one_go(shell, images, api):
    write_embeddings(shell.folder / "e.csv", images[1])
    metadata = {
        "images": [{"id": 0, "file_name": images[1][0]}],
        "metadata": [{"image_id": 0, "weather": "rain"}],
    }
    (shell.folder / "m.json").write_text(json.dumps(metadata))

    dataset = upload_named(
        shell, images, "all of it", "embeddings=e.csv", "embedding_name=mine",
        "custom_metadata=m.json",
    )  # fmt: skip

    assert [entry["name"] for entry in api(f"datasets/{dataset}/embeddings")] == ["mine"]
    weather = {
        sample["fileName"]: sample.get("customMetaData", {}).get("weather")
        for sample in api(f"datasets/{dataset}/samples")
    }
    assert weather[images[1][0]] == "rain"


def test_metadata_can_follow_later(shell, images, api):
    dataset = upload_named(shell, images, "metadata later")
    metadata = {
        "images": [{"id": 0, "file_name": images[1][1]}],
        "metadata": [{"image_id": 0, "people": 3}],
    }
    (shell.folder / "m.json").write_text(json.dumps(metadata))

    shell.succeed("lightly-upload", f"dataset_id={dataset}", "custom_metadata=m.json")

    samples = api(f"datasets/{dataset}/samples")
    assert [sample["customMetaData"]["people"] for sample in samples
            if sample.get("customMetaData")] == [3]  # fmt: skip


def test_embeddings_of_a_taken_name_need_to_be_wanted(shell, images):
    write_embeddings(shell.folder / "e.csv", images[1])
    dataset = upload_named(shell, images, "embedded", "embeddings=e.csv")
    words = ["lightly-upload", "embeddings=e.csv", f"dataset_id={dataset}"]

    refused = shell.fail(*words)
    shell.succeed(*words, "append=True")

    assert "has an embedding 'default' already" in refused


def test_images_can_be_uploaded_smaller(shell, images):
    dataset = upload_named(shell, images, "smaller", "resize=12")

    shell.succeed("lightly-download", f"dataset_id={dataset}", "output_dir=small")

    with Image.open(shell.folder / "small" / images[1][0]) as image:
        assert image.size == (16, 12)


@pytest.fixture
def tagged(shell, images, platform):
    """A dataset with a tag of three images and one of two of them and one more."""
    dataset = upload_named(shell, images, f"tagged {time.monotonic_ns()}")
    script = """
        from lightly.api import ApiWorkflowClient
        client = ApiWorkflowClient(dataset_id=arguments["dataset"])
        names = sorted(client.get_filenames())
        client.create_tag_from_filenames(names[:3], "first three")
        result = names
    """
    names = run_client_script(
        "1.2.28", script, server_url=platform.url, token=platform.token,
        arguments={"dataset": dataset},
    ).result  # fmt: skip
    return dataset, names


def test_the_list_of_a_tag_is_written(shell, tagged):
    dataset, names = tagged

    output = shell.succeed("lightly-download", f"dataset_id={dataset}", "tag_name=first three")

    (path,) = shell.folder.glob("lightly_outputs/*/*/first three.txt")
    assert sorted(path.read_text("utf-8").splitlines()) == names[:3]
    assert str(path.relative_to(shell.folder)) in output


def test_the_images_of_a_tag_are_downloaded(shell, tagged, images):
    dataset, names = tagged

    shell.succeed(
        "lightly-download", f"dataset_id={dataset}", "tag_name=first three", "output_dir=chosen"
    )

    chosen = shell.folder / "chosen"
    files = sorted(p.relative_to(chosen).as_posix() for p in chosen.rglob("*") if p.is_file())
    assert files == names[:3]
    assert (chosen / names[0]).read_bytes() == (images[0] / names[0]).read_bytes()


def test_what_the_parent_has_can_be_left_out(shell, tagged):
    dataset, _ = tagged

    shell.succeed(
        "lightly-download", f"dataset_id={dataset}", "tag_name=first three",
        "exclude_parent_tag=True", "output_dir=chosen", "hydra.run.dir=lists",
    )  # fmt: skip

    # The parent is the initial tag, which has everything.
    assert (shell.folder / "lists" / "first three.txt").read_text() == ""
    assert not list((shell.folder / "chosen").glob("**/*.*"))


def test_the_images_of_a_tag_are_copied(shell, tagged, images):
    dataset, names = tagged

    shell.succeed(
        "lightly-download", f"dataset_id={dataset}", "tag_name=first three",
        f"input_dir={images[0]}", "output_dir=copied",
    )  # fmt: skip

    copied = shell.folder / "copied"
    files = sorted(p.relative_to(copied).as_posix() for p in copied.rglob("*") if p.is_file())
    assert files == names[:3]


def test_images_that_cannot_be_copied_are_named(shell, tagged, images):
    dataset, names = tagged
    (images[0] / names[0]).unlink()

    error = shell.fail(
        "lightly-download", f"dataset_id={dataset}", "tag_name=first three",
        f"input_dir={images[0]}", "output_dir=copied",
    )  # fmt: skip

    assert "1 files of the tag are not in input_dir" in error


def test_an_unknown_tag_is_named(shell, tagged):
    error = shell.fail("lightly-download", f"dataset_id={tagged[0]}", "tag_name=nowhere")

    assert "no tag named 'nowhere'" in error


@pytest.mark.parametrize(
    ("key", "content", "reason"),
    [
        ("embeddings", "x,y\n", "embeddings: The first column"),
        ("embeddings", "filenames,embedding_0,labels\nnone.jpg,1,0\n", "belong to no sample"),
        ("custom_metadata", "{", "custom_metadata: the file is no JSON"),
        ("custom_metadata", "[]", "custom_metadata: the file must hold an object"),
        ("custom_metadata", "{}", "custom_metadata: Custom metadata must have the key 'images'"),
    ],
)
def test_a_file_with_another_content_is_explained(shell, images, key, content, reason):
    (shell.folder / "file").write_text(content)
    dataset = upload_named(shell, images, f"files {time.monotonic_ns()}")

    error = shell.fail("lightly-upload", f"dataset_id={dataset}", f"{key}=file", "append=True")

    assert reason in error


def test_an_image_that_cannot_be_cropped_is_named(shell):
    for folder, name, content in (("images", "a.jpg", "no"), ("labels", "a.txt", "0 .5 .5 1 1")):
        (shell.folder / folder).mkdir()
        (shell.folder / folder / name).write_text(content)

    error = shell.fail("lightly-crop", "input_dir=images", "label_dir=labels")

    assert "a.jpg cannot be read" in error


def test_a_folder_that_may_not_be_written_is_explained(shell, images):
    (shell.folder / "file").write_text("")

    error = shell.fail(
        "lightly-embed",
        f"input_dir={images[0]}",
        "hydra.run.dir=file/below",
        "loader.num_workers=1",
    )

    assert "Not a directory" in error


def test_a_wrong_token_is_explained(shell):
    error = shell.fail("lightly-upload", "dataset_id=" + "a" * 24, "token=" + "b" * 32)

    assert "b" * 32 not in error


def test_crops_are_those_of_the_published_client(shell, images, platform):
    for name in images[1]:
        label = shell.folder / "labels" / Path(name).with_suffix(".txt")
        label.parent.mkdir(parents=True, exist_ok=True)
        label.write_text("2 .5 .5 .9 .9\n0 .3 .6 .21 .33\n")

    shell.succeed("lightly-crop", f"input_dir={images[0]}", "label_dir=labels", "output_dir=ours")

    script = """
        from lightly.cli.crop_cli import _crop_cli
        class Settings(dict):
            __getattr__ = dict.__getitem__
        result = _crop_cli(Settings(arguments), is_cli_call=False)
    """
    arguments = {
        "input_dir": str(images[0]),
        "label_dir": str(shell.folder / "labels"),
        "output_dir": str(shell.folder / "theirs"),
        "crop_padding": 0.1,
        "label_names_file": "",
    }
    listed = run_client_script(
        "1.2.28", script, server_url=platform.url, token="x", arguments=arguments
    ).result
    files = [file for per_image in listed for file in per_image]
    assert len(files) == 2 * COUNT
    for file in files:
        paths = (shell.folder / "ours" / file, shell.folder / "theirs" / file)
        with Image.open(paths[0]) as ours, Image.open(paths[1]) as theirs:
            assert (ours.size, ours.format) == (theirs.size, theirs.format)


@pytest.mark.parametrize("stop", [signal.SIGINT, signal.SIGTERM])
def test_local_files_are_served_until_somebody_stops_it(shell, images, stop):
    port = find_free_port()
    command = [str(PROGRAMS / "lightly-serve"), f"input_mount={images[0]}", f"port={port}"]
    with subprocess.Popen(command, cwd=shell.folder, stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            line = process.stdout.readline()
            name = next(name for name in images[1] if name.startswith("plain/"))
            answer = requests.get(f"http://localhost:{port}/{name}", timeout=10)
        finally:
            process.send_signal(stop)
            rest = process.stdout.read()
            returncode = process.wait(timeout=20)

    assert f"http://localhost:{port}" in line
    assert answer.content == (images[0] / name).read_bytes()
    assert (returncode, rest) == (0, "Stopped.\n")


@pytest.fixture
def certificate(tmp_path):
    """A certificate of localhost and its key, as PEM files."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "localhost")])
    now = datetime.now(UTC)
    made = (
        x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
        .not_valid_before(now - timedelta(hours=1))
        .not_valid_after(now + timedelta(hours=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName("localhost")]), critical=False)
        .sign(key, hashes.SHA256())
    )
    (tmp_path / "c.pem").write_bytes(made.public_bytes(serialization.Encoding.PEM))
    (tmp_path / "k.pem").write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
    )
    return str(tmp_path / "c.pem")


def test_local_files_are_served_over_https_while_another_caller_is_silent(
    shell, images, certificate
):
    port = find_free_port()
    command = [str(PROGRAMS / "lightly-serve"), f"input_mount={images[0]}", f"port={port}"]
    command += ["ssl_cert=c.pem", "ssl_key=k.pem"]
    with subprocess.Popen(
        command, cwd=shell.folder, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as process:
        try:
            assert process.stdout is not None
            line = process.stdout.readline()
            name = next(name for name in images[1] if name.startswith("plain/"))
            with socket.create_connection(("127.0.0.1", port)) as silent:
                url = f"localhost:{port}/{name}"
                answer = requests.get(f"https://{url}", verify=certificate, timeout=10)
                silent.sendall(b"GET / HTTP/1.1\r\n\r\n")
                silent.recv(100)
        finally:
            process.send_signal(signal.SIGINT)
            _, errors = process.communicate(timeout=20)

    assert f"https://localhost:{port}" in line
    assert answer.content == (images[0] / name).read_bytes()
    assert errors == ""
