"""The commands of the 1.x era: what they refuse before they do any work."""

import sys

import pytest
from PIL import Image

import lightly.cli
from lightly._kit.errors import BadInput
from lightly.cli.crop import crop
from lightly.cli.download import download
from lightly.cli.legacy import OLD_COMMANDS, main
from lightly.cli.magic import magic
from lightly.cli.old_settings import SHARED_KEYS
from lightly.cli.serve import serve
from lightly.cli.train import train
from lightly.cli.upload import upload
from lightly.embedding.training.settings import TrainingUnavailable

CONFIGURED = {"magic": magic, "upload": upload, "download": download, "crop": crop, "train": train}


@pytest.fixture(autouse=True)
def _without_server(monkeypatch, tmp_path):
    """A place of its own, and an address where nothing answers: nothing here may need a server."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("LIGHTLY_SERVER_LOCATION", "http://127.0.0.1:9")
    monkeypatch.setenv("LIGHTLY_TOKEN", "0123456789abcdef")


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "images").mkdir()
    Image.new("RGB", (20, 10)).save(tmp_path / "images" / "a.png")
    return tmp_path / "images"


@pytest.mark.parametrize("name", CONFIGURED)
def test_every_key_of_the_old_configuration_is_known(name):
    command = CONFIGURED[name]

    assert set(SHARED_KEYS) <= set(command.settings) | command.without_effect


@pytest.mark.parametrize(
    ("words", "reason"),
    [
        ([], "Say which dataset"),
        (["dataset_id=x", "new_dataset_name=y"], "Say which dataset"),
        (["new_dataset_name=y", "input_dir=nowhere"], "input_dir: the folder 'nowhere'"),
        (["new_dataset_name=y", "embeddings=e.csv"], "embeddings: the file 'e.csv'"),
        (["new_dataset_name=y", "custom_metadata=m.json"], "custom_metadata: the file 'm.json'"),
        (["new_dataset_name=y", "resize=big"], "resize must be"),
        (["new_dataset_name=y", "resize=[1,2,3]"], "resize must be"),
        (["new_dataset_name=y", "resize=0"], "resize must be"),
        (["new_dataset_name=y", "resize=true"], "resize must be"),
    ],
)
def test_an_upload_that_cannot_work_is_refused_at_once(words, reason):
    with pytest.raises(BadInput, match=reason):
        upload.run_words(words)


def test_an_upload_needs_a_token(monkeypatch):
    monkeypatch.delenv("LIGHTLY_TOKEN")

    with pytest.raises(BadInput, match="No API token"):
        upload.run_words(["new_dataset_name=street"])


@pytest.fixture
def without_training(monkeypatch):
    """An installation without the extra, also where it is installed."""
    monkeypatch.setattr("lightly.embedding.training.settings._LIBRARIES", ("no_such_library",))


@pytest.mark.usefixtures("without_training")
def test_training_names_its_extra():
    with pytest.raises(TrainingUnavailable, match="extra 'train' of lightly-platform"):
        train.run_words(["input_dir=images", "loader.batch_size=4", "trainer.max_epochs=3"])


@pytest.mark.usefixtures("without_training")
def test_magic_trains_only_when_told_to(folder):
    with pytest.raises(TrainingUnavailable, match="extra 'train'"):
        magic.run_words([f"input_dir={folder}", "trainer.max_epochs=1"])


def test_magic_does_not_train_for_a_dataset_that_has_embeddings(folder):
    with pytest.raises(BadInput, match="the same model"):
        magic.run_words(
            [f"input_dir={folder}", "trainer.max_epochs=1", "append=True", "dataset_id=x"]
        )


@pytest.mark.parametrize(
    "words", [["dataset_id=x", "new_dataset_name=y"], ["new_dataset_name=y", "resize=much"]]
)
def test_magic_refuses_a_wrong_upload_before_it_embeds(folder, tmp_path, words):
    with pytest.raises(BadInput):
        magic.run_words([f"input_dir={folder}", f"hydra.run.dir={tmp_path / 'out'}", *words])

    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("words", [[], ["dataset_id=x", "tag_name="], ["tag_name=x"]])
def test_a_download_needs_tag_and_dataset(words):
    with pytest.raises(BadInput, match="Say what to download"):
        download.run_words(words)


def write_labels(folder, content, name="a.txt"):
    folder.mkdir(exist_ok=True)
    (folder / name).write_text(content)
    return folder


def test_objects_are_cut_out(folder, tmp_path):
    labels = write_labels(tmp_path / "labels", "1 0.5 0.5 0.5 0.5\n")

    files = crop.run_words(
        [f"input_dir={folder}", f"label_dir={labels}", f"output_dir={tmp_path / 'o'}",
         "crop_padding=0"]
    )  # fmt: skip

    assert files == [["a/0_class1.png"]]
    with Image.open(tmp_path / "o" / "a" / "0_class1.png") as image:
        assert image.size == (10, 5)


@pytest.mark.parametrize("names", ["names: [cat, dog]", "names:\n  1: dog\n  0: cat\n"])
def test_crops_may_be_named_after_their_class(folder, tmp_path, names):
    labels = write_labels(tmp_path / "labels", "1 0.5 0.5 0.5 0.5\n")
    (tmp_path / "data.yaml").write_text(names)

    files = crop.run_words(
        [f"input_dir={folder}", f"label_dir={labels}", f"label_names_file={tmp_path}/data.yaml"]
    )

    assert files == [["a/0_dog.png"]]
    assert len(list(tmp_path.glob("lightly_outputs/*/*/a/0_dog.png"))) == 1


@pytest.mark.parametrize("names", ["[", "names: 3", "names: {2: cat}", "names: [1]", "- cat", ""])
def test_a_file_without_names_is_refused(folder, tmp_path, names):
    labels = write_labels(tmp_path / "labels", "")
    (tmp_path / "data.yaml").write_text(names)

    with pytest.raises(BadInput, match="label_names_file"):
        crop.run_words(
            [f"input_dir={folder}", f"label_dir={labels}", f"label_names_file={tmp_path}/data.yaml"]
        )


def test_labels_of_other_images_are_refused(folder, tmp_path):
    labels = write_labels(tmp_path / "labels", "", "b.txt")

    with pytest.raises(BadInput, match="no label file for any image"):
        crop.run_words([f"input_dir={folder}", f"label_dir={labels}"])


def test_negative_padding_is_refused(folder):
    with pytest.raises(BadInput, match="crop_padding must be 0 or more"):
        crop.run_words([f"input_dir={folder}", f"label_dir={folder}", "crop_padding=-1"])


@pytest.mark.parametrize(
    ("words", "reason"),
    [
        ([], "Say which folders"),
        (["input_mount=nowhere"], "input_mount: the folder 'nowhere' does not exist"),
        (["lightly_mount=nowhere"], "lightly_mount: the folder"),
        (["input_mount=."], "no image and no video"),
        (["lightly_mount=.", "port=70000"], "port must be from 0 to 65535"),
        (["lightly_mount=.", "ssl_key=k.pem"], "ssl_key needs ssl_cert"),
        (["lightly_mount=.", "ssl_cert=c.pem"], "ssl_cert: the file"),
        (["lightly_mount=.", "host=192.0.2.1"], "Cannot listen on 192.0.2.1"),
    ],
)
def test_a_server_that_cannot_work_is_refused(words, reason):
    with pytest.raises(BadInput, match=reason):
        serve.run_words(words)


def test_a_certificate_must_be_one(tmp_path):
    (tmp_path / "c.pem").write_text("nothing of the kind")

    with pytest.raises(BadInput, match="PEM certificate"):
        serve.run_words(["lightly_mount=.", "ssl_cert=c.pem"])


def test_functions_of_the_old_package_take_a_configuration(folder, tmp_path):
    labels = write_labels(tmp_path / "labels", "0 0.5 0.5 0.5 0.5\n")

    files = lightly.cli.crop_cli(
        {"input_dir": str(folder), "label_dir": str(labels), "trainer": {"gpus": 0}}
    )

    assert files == [["a/0_class0.png"]]


@pytest.mark.parametrize("name", sorted(lightly.cli._OLD_FUNCTIONS))
def test_functions_of_the_old_package_refuse_unknown_settings(name):
    with pytest.raises(ValueError, match="no setting 'colour'"):
        getattr(lightly.cli, name)({"colour": "red"})


def test_other_names_are_not_there():
    assert not hasattr(lightly.cli, "worker_cli")


def test_the_program_runs_the_command_it_is_named_after(monkeypatch, capsys):
    monkeypatch.setattr(sys, "argv", ["/usr/bin/lightly-version"])

    with pytest.raises(SystemExit) as caught:
        main()

    assert caught.value.code == 0
    assert capsys.readouterr().out == f"lightly version {lightly.__version__}\n"


def test_another_name_is_refused(monkeypatch):
    monkeypatch.setattr(sys, "argv", ["lightly-worker"])

    with pytest.raises(SystemExit, match="lightly-magic"):
        main()


@pytest.mark.parametrize("name", sorted(set(OLD_COMMANDS) - {"lightly-version"}))
def test_without_words_a_command_explains_itself(monkeypatch, capsys, name):
    monkeypatch.setattr(sys, "argv", [name])

    with pytest.raises(SystemExit) as caught:
        main()

    assert caught.value.code == 0
    assert f"Usage: {name}" in capsys.readouterr().out


def test_metadata_that_is_no_json_is_refused_before_anything_is_made(tmp_path):
    (tmp_path / "m.json").write_text("{")

    with pytest.raises(BadInput, match="custom_metadata: the file is no JSON"):
        upload.run_words(["new_dataset_name=street", "custom_metadata=m.json"])
