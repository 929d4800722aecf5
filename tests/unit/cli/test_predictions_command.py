"""`lightly predictions` converts and checks, and says what it did."""

import json

import pytest
from click.testing import CliRunner
from PIL import Image

from lightly._kit.errors import BadInput
from lightly.cli.main import lightly


@pytest.fixture
def labels(tmp_path):
    """One image with two boxes, as YOLO has them."""
    (tmp_path / "images/sub").mkdir(parents=True)
    (tmp_path / "yolo/labels/sub").mkdir(parents=True)
    Image.new("RGB", (40, 20)).save(tmp_path / "images/sub/a.png")
    (tmp_path / "yolo/data.yaml").write_text("names: [cat, dog]\n")
    (tmp_path / "yolo/labels/sub/a.txt").write_text("1 0.5 0.5 0.5 1\n0 0.25 0.5 0.5 1 0.5\n")
    return tmp_path


def run(*arguments):
    return CliRunner().invoke(lightly, ["predictions", *map(str, arguments)])


def convert(folder, *options):
    return run(
        "convert",
        *("--from", "yolo", "--input", folder / "yolo", "--images", folder / "images"),
        *("--to", "lightly", "--output", folder / "out"),
        *options,
    )


def test_labels_become_prediction_files(labels):
    result = convert(labels, "--task", "pets", "--score", "0.75")

    assert (result.exit_code, result.output) == (0, "Converted 2 predictions of 1 images.\n")
    content = json.loads((labels / "out/.lightly/predictions/pets/sub/a.json").read_text())
    assert content == {
        "file_name": "sub/a.png",
        "predictions": [
            {"category_id": 1, "bbox": [10, 0, 20, 20], "score": 0.75},
            {"category_id": 0, "bbox": [0, 0, 20, 20], "score": 0.5},
        ],
    }


def test_prediction_files_need_the_name_of_a_task(labels):
    result = convert(labels)

    assert isinstance(result.exception, BadInput)
    assert "belong to a task" in str(result.exception)


def test_scores_are_written_on_demand(labels):
    convert(labels, "--task", "pets")
    arguments = ["--from", "lightly", "--input", labels / "out", "--task", "pets"]
    target = labels / "coco.json"
    for options, expected in ([], [None, None]), (["--scores"], [1.0, 0.5]):
        run("convert", *arguments, "--to", "coco", "--output", target, *options)
        content = json.loads(target.read_text())
        assert [one.get("score") for one in content["annotations"]] == expected


def test_valid_files_are_said_to_be(labels):
    convert(labels, "--task", "pets")
    result = run("check", labels / "out")

    assert (result.exit_code, result.output) == (0, "All files are valid.\n")


def test_wrong_files_are_named_and_the_exit_code_is_1(labels):
    convert(labels, "--task", "pets")
    for number in range(30):
        (labels / f"out/.lightly/predictions/pets/{number}.json").write_text("{}")
    result = run("check", labels / "out")

    assert result.exit_code == 1
    assert result.output.count("predictions: is missing") == 20
    assert "... and 10 more" in result.output
