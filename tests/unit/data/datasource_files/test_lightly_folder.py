"""`.lightly/` of a folder is read and written as a whole."""

import os

import pytest

from lightly._kit.errors import BadInput
from lightly.data.datasource_files import lightly_folder
from lightly.data.datasource_files.embedding_files import read_custom_embeddings
from lightly.data.datasource_files.errors import FileInvalid
from lightly.data.datasource_files.lightly_folder import LightlyFolder
from lightly.data.datasource_files.names import name_thumbnail
from lightly.data.datasource_files.prediction_tasks import make_schema

CAT = {"category_id": 0, "bbox": [1.0, 2.0, 3.0, 4.0], "score": 0.5}
SCHEMA = make_schema("object-detection", ["cat"])


@pytest.fixture
def folder(tmp_path):
    folder = LightlyFolder(tmp_path)
    folder.write_task("cars", SCHEMA)
    return folder


def write(root, name, text):
    path = root / ".lightly" / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)


@pytest.mark.parametrize(
    "name", ["a.jpg", "a b/ü%2F+.png", "a/b/c.d.jpg", "a/schema.jpg", "night/schema.jpg"]
)
def test_predictions_come_back_under_the_name_of_their_image(folder, name):
    folder.write_predictions("cars", name, [CAT])

    ((stem, read),) = folder.iterate_predictions("cars")
    assert (stem, read.file_name, read.predictions) == (name.rsplit(".", 1)[0], name, [CAT])


def test_tasks_are_listed_in_the_order_in_which_they_came(folder):
    folder.write_task("buses", SCHEMA)
    folder.write_task("cars", SCHEMA)

    assert folder.read_tasks() == ["cars", "buses"]


def test_a_task_in_the_folder_of_another_keeps_its_files(folder):
    folder.write_task("cars/night", SCHEMA)
    folder.write_predictions("cars", "a.jpg", [])
    folder.write_predictions("cars/night", "b.jpg", [])

    assert [stem for stem, _ in folder.iterate_predictions("cars")] == ["a"]
    assert [stem for stem, _ in folder.iterate_predictions("cars/night")] == ["b"]


def test_a_task_without_files_has_no_predictions(folder):
    assert list(folder.iterate_predictions("cars")) == []


def test_a_task_without_schema_is_named(tmp_path):
    write(tmp_path, "predictions/tasks.json", '["cars"]')

    with pytest.raises(FileInvalid, match=r"cars/schema\.json': is not there"):
        list(LightlyFolder(tmp_path).iterate_predictions("cars"))


def test_all_problems_are_found_and_files_without_are_not_named(folder, tmp_path):
    folder.write_predictions("cars", "good.jpg", [CAT])
    write(tmp_path, "predictions/cars/bad.json", "{")
    write(tmp_path, "predictions/cars/deep/bad.json", '{"predictions": [{}]}')
    write(tmp_path, "metadata/bad.json", "[]")

    files = sorted(problem.file for problem in folder.find_problems())
    assert files == [
        ".lightly/metadata/bad.json",
        ".lightly/predictions/cars/bad.json",
        ".lightly/predictions/cars/deep/bad.json",
    ]


def test_files_that_are_too_large_are_not_read(folder, tmp_path, monkeypatch):
    monkeypatch.setattr(lightly_folder, "MAX_JSON_BYTES", 100)
    write(tmp_path, "predictions/cars/a.json", " " * 101)

    with pytest.raises(FileInvalid, match="at most 100 bytes, has 101"):
        list(folder.iterate_predictions("cars"))


def test_what_is_no_file_is_refused_and_nobody_waits_for_it(folder, tmp_path):
    write(tmp_path, "predictions/cars/a.json", "")
    (tmp_path / ".lightly/predictions/cars/a.json").unlink()
    os.mkfifo(tmp_path / ".lightly/predictions/cars/a.json")

    with pytest.raises(FileInvalid, match="must be a file"):
        list(folder.iterate_predictions("cars"))


@pytest.mark.parametrize("name", ["../a.jpg", "/a.jpg", "a/../../../b.jpg", "..\\a.jpg", "C:\\a"])
def test_predictions_stay_in_their_folder(folder, tmp_path, name):
    before = sorted(tmp_path.parent.rglob("*"))

    with pytest.raises(BadInput):
        folder.write_predictions("cars", name, [CAT])
    assert sorted(tmp_path.parent.rglob("*")) == before


@pytest.mark.parametrize(
    ("suffix", "expected"),
    [
        (".lightly/thumbnails/[filename]_thumb.[extension]", ".lightly/thumbnails/a/b_thumb.jpg"),
        ("[filename].webp", "a/b.webp"),
        ("[extension]/[filename]", "jpg/a/b"),
    ],
)
def test_thumbnails_are_called_as_the_suffix_says(suffix, expected):
    assert name_thumbnail("a/b.jpg", suffix) == expected


def test_a_placeholder_in_a_files_name_is_no_placeholder():
    assert name_thumbnail("[extension].png", "[filename]-[extension]") == "[extension]-png"


@pytest.mark.parametrize(
    ("text", "options", "reason"),
    [
        ("filenames,embedding_0,labels\na,1,0\na,2,0\n", {}, "row 2: has 'a' again"),
        ("filenames,embedding_0,labels\na,nan,0\n", {}, "row 1: must have finite"),
        ("filenames,embedding_0,labels\na,1e99,0\n", {}, "row 1: must have finite"),
        ("filenames,embedding_0,labels\na,x,0\n", {}, "could not convert"),
        ("filenames,embedding_0,labels\na,1\n", {}, "3 columns"),
        ("names,embedding_0,labels\na,1,0\n", {}, "must start with `filenames`"),
        ("filenames,embedding_0,labels\na,1,0\n", {"n_dimensions": 2}, "vectors of 2 numbers"),
        ("filenames,embedding_0,labels\na,1,0\n", {"known_names": {"b"}}, "not in the datasource"),
    ],
)
def test_custom_embeddings_that_break_a_rule_are_refused(tmp_path, text, options, reason):
    path = tmp_path / "x.csv"
    path.write_text(text)

    with pytest.raises(FileInvalid, match=reason):
        read_custom_embeddings(path, "x.csv", **options)
