"""`lightly embed`, `lightly models` and `lightly-embed` as a user types them."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner

from lightly._kit.errors import BadInput
from lightly.cli.embed import LAST_PATH_VARIABLE, embed, models, run_legacy_embed
from lightly.utils.io import load_embeddings
from tests.support.tiny_onnx import write_mean_colour_model
from tests.unit.media import odd_images as odd


@pytest.fixture
def folder(tmp_path):
    folder = tmp_path / "images"
    folder.mkdir()
    (folder / "a.png").write_bytes(odd.encode(odd.flat((30, 40, 0)), "PNG"))
    (folder / "b.png").write_bytes(b"")
    return folder


def test_the_command_writes_the_csv_and_says_where(folder, tmp_path, tiny_model):
    output = tmp_path / "e.csv"

    result = CliRunner().invoke(
        embed, [str(folder), "-o", str(output), "--model", tiny_model.id, "--normalize"]
    )

    assert result.exit_code == 0
    assert f"Embeddings are stored at {output} (1 rows)." in result.output
    assert f"1 could not be embedded, see {tmp_path / 'e_corrupt.csv'}." in result.output
    assert load_embeddings(str(output))[0][0].tolist() == pytest.approx([0.6, 0.8, 0])


def test_quiet_says_nothing(folder, tmp_path, tiny_model):
    result = CliRunner().invoke(
        embed, [str(folder), "-q", "-o", str(tmp_path / "e.csv"), "--model", tiny_model.id]
    )

    assert (result.exit_code, result.output) == (0, "")


def test_models_are_added_and_listed(tmp_path):
    source = write_mean_colour_model(tmp_path / "mine.onnx", layout="float")
    numbers = ["0.5", "0.5", "0.5"]

    added = CliRunner().invoke(
        models, ["add", str(source), "--mean", *numbers, "--std", *numbers, "--licence", "MIT"]
    )
    listed = CliRunner().invoke(models, ["list"])

    assert added.output == "Added mine: 3 numbers per image.\n"
    assert listed.output.splitlines() == [
        "efficientnet-lite0-fp16  1280 numbers, 224x224 pixels, Apache-2.0",
        "mine  3 numbers, 8x8 pixels, MIT",
    ]


def test_the_old_spelling_still_works(folder, tmp_path, tiny_model, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv(LAST_PATH_VARIABLE, "")

    run_legacy_embed(
        [
            f"input_dir={folder}",
            "loader.batch_size=4",
            "loader.num_workers=1",
            f"checkpoint={tiny_model.id}",
            "collate.input_size=224",
            "trainer.gpus=0",
        ]
    )

    (output,) = tmp_path.glob("lightly_outputs/*/*/embeddings.csv")
    assert load_embeddings(str(output))[2] == ["a.png"]
    assert Path(os.environ[LAST_PATH_VARIABLE]) == output.relative_to(tmp_path)
    assert "Embeddings are stored at" in capsys.readouterr().out


def test_the_old_output_folder_can_be_chosen(folder, tmp_path, tiny_model, monkeypatch):
    monkeypatch.setenv(LAST_PATH_VARIABLE, "")

    run_legacy_embed(
        [f"input_dir={folder}", f"checkpoint={tiny_model.id}", f"hydra.run.dir={tmp_path / 'o'}"]
    )

    assert (tmp_path / "o" / "embeddings.csv").exists()


@pytest.mark.parametrize(
    ("words", "reason"),
    [
        (["checkpoint=x"], "Say which folder"),
        (["input_dir=x", "checkpoint=model.ckpt"], "Export the model to ONNX"),
        (["input_dir=x", "colour=red"], "no setting 'colour'"),
        (["input_dir"], "Expected key=value, got 'input_dir'"),
        (["input_dir=x", "loader.batch_size=many"], "must be an integer, got 'many'"),
        (["input_dir=/nowhere/at/all"], "does not exist"),
    ],
)
def test_wrong_words_are_explained(words, reason, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)

    with pytest.raises(BadInput, match=reason):
        run_legacy_embed(words)


def test_without_words_the_old_command_explains_itself(capsys):
    run_legacy_embed([])

    assert "lightly-embed input_dir=FOLDER" in capsys.readouterr().out


def test_the_help_loads_no_model_and_no_decoder():
    code = (
        "import sys; from lightly.cli import embed;"
        "print({'numpy', 'onnxruntime', 'PIL', 'cv2', 'av', 'rich'} & set(sys.modules))"
    )

    answer = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)

    assert answer.stdout.strip() == "set()"
