from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

import lightly.utils
from lightly.utils import io

names = st.text(st.characters(blacklist_categories=["Cs"], blacklist_characters=","), max_size=30)


@pytest.fixture
def path(tmp_path):
    return str(tmp_path / "embeddings.csv")


def write(path: str, text: str) -> str:
    Path(path).write_bytes(text.encode())
    return path


def read(path: str) -> str:
    return Path(path).read_bytes().decode()


def test_the_file_has_the_documented_form(path):
    vectors = np.array([[0.1, 0.2], [1e-8, 3]], np.float32)

    io.save_embeddings(path, vectors, [0, 1], ["a.jpg", "b/ü d.jpg"])

    assert read(path) == (
        "filenames,embedding_0,embedding_1,labels\na.jpg,0.1,0.2,0\nb/ü d.jpg,1e-08,3.0,1\n"
    )


def test_what_was_saved_is_loaded(path):
    vectors = np.array([[0.1, 0.2], [1e-8, 3]], np.float32)

    io.save_embeddings(path, vectors, np.array([5, -1]), ["a.jpg", "b.jpg"])
    loaded, labels, filenames = io.load_embeddings(path)

    assert loaded.dtype == np.float32
    assert np.array_equal(loaded, vectors)
    assert labels == [5, -1]
    assert filenames == ["a.jpg", "b.jpg"]


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(bits=arrays(np.uint32, (3, 4)))
def test_every_float32_reads_back_bit_for_bit(path, bits):
    vectors = bits.view(np.float32)

    io.save_embeddings(path, vectors, [0, 1, 2], ["a", "b", "c"])
    loaded = io.load_embeddings(path)[0]

    is_number = ~np.isnan(vectors)
    assert np.array_equal(loaded[is_number].view(np.uint32), bits[is_number])
    assert np.isnan(loaded[~is_number]).all()


@given(bits=arrays(np.uint32, 5))
def test_the_fast_line_reads_back_bit_for_bit_too(bits):
    vector = bits.view(np.float32)

    loaded = np.array([float(text) for text in io.format_line(vector).split(",")], np.float32)

    is_number = ~np.isnan(vector)
    assert np.array_equal(loaded[is_number].view(np.uint32), bits[is_number])
    assert np.isnan(loaded[~is_number]).all()


def test_half_floats_read_back_exactly(path):
    vectors = np.arange(0, 0x7C00, 997, np.uint16).view(np.float16).reshape(-1, 1)

    io.save_embeddings(path, vectors, [0] * len(vectors), ["x"] * len(vectors))

    assert np.array_equal(io.load_embeddings(path)[0], vectors.astype(np.float32))


def test_double_precision_keeps_its_digits(path):
    io.save_embeddings(path, np.array([[1 / 3]]), [0], ["a"])

    assert "0.3333333333333333" in read(path)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(filenames=st.lists(names, max_size=5))
def test_any_file_name_without_a_comma_reads_back(path, filenames):
    vectors = np.zeros((len(filenames), 2), np.float32)

    io.save_embeddings(path, vectors, [0] * len(filenames), filenames)

    assert io.load_embeddings(path)[2] == filenames


def test_no_rows_make_a_header_only(path):
    io.save_embeddings(path, np.zeros((0, 2)), [], [])

    assert read(path) == "filenames,embedding_0,embedding_1,labels\n"
    assert io.load_embeddings(path)[2] == []


@pytest.mark.parametrize(
    ("n_labels", "n_filenames", "lengths"), [(1, 2, r"\(2, 1, 2\)"), (2, 1, r"\(2, 2, 1\)")]
)
def test_lengths_must_agree(path, n_labels, n_filenames, lengths):
    with pytest.raises(ValueError, match=lengths):
        io.save_embeddings(path, np.zeros((2, 2)), [0] * n_labels, ["a"] * n_filenames)


def test_commas_in_file_names_are_refused_and_nothing_is_written(path, tmp_path):
    with pytest.raises(ValueError, match=r"Invalid filename\(s\): \['a,b.jpg'\]"):
        io.save_embeddings(path, np.zeros((2, 2)), [0, 1], ["a,b.jpg", "c"])

    assert list(tmp_path.iterdir()) == []


def test_check_filenames_accepts_everything_else():
    io.check_filenames(["a", "", "b c", 'quote"', "日本.png"])


@pytest.mark.parametrize(
    "text",
    [
        "filenames,embedding_0,embedding_1,labels\na,1,2,0\n",
        # Windows line ends
        "filenames,embedding_0,embedding_1,labels\r\na,1,2,0\r\n",
        # numbers of columns are names, not an order
        "filenames,embedding_1,embedding_0,labels\na,1,2,0\n",
        "filenames,embedding_0,labels,masked,selected\na,1,0,3,4\n",
        "filenames,embedding_0,masked,labels\na,1,0,3\n",
        "filenames,embedding_0,labels\n",
    ],
)
def test_good_files_pass_the_check(path, text):
    io.check_embeddings(write(path, text))

    assert read(path) == text


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("filenames, embedding_0,labels\na,1,0\n", "must not contain whitespaces"),
        ("Filenames,embedding_0,labels\na,1,0\n", "must start with `filenames` column"),
        ("filenames,embedding_0,label\na,1,0\n", "has no `labels` column"),
        ("filenames,embedding_0,foo,labels\na,1,0,3\n", "columns but found foo instead"),
        ("filenames,embedding_x,labels\na,1,0\n", "but found embedding_x instead"),
        ("filenames,embedding_0,labels\na,1,0\n\nb,1,0\n", "empty row on line 3"),
        ("filenames,embedding_0,labels\na,1,0\n\n", "must not have empty rows"),
        ("filenames,embedding_0,labels\na,1\n", "must have 3 columns .* Found 2 on line 2"),
        ("", "must start with `filenames` column but had nothing"),
    ],
)
def test_bad_files_are_refused_with_the_reason(path, text, message):
    write(path, text)

    with pytest.raises(RuntimeError, match=message):
        io.check_embeddings(path)
    with pytest.raises(RuntimeError, match=message):
        io.load_embeddings(path)


def test_additional_columns_are_removed_on_request(path):
    write(path, "filenames,embedding_0,masked,labels,selected\na,1.50,7,3,4\n")

    io.check_embeddings(path, remove_additional_columns=True)

    assert read(path) == "filenames,embedding_0,labels\na,1.50,3\n"


def test_a_file_without_additional_columns_is_left_as_it_is(path):
    text = "filenames,embedding_0,labels\r\na,1.50,3\r\n"

    io.check_embeddings(write(path, text), remove_additional_columns=True)

    assert read(path) == text


def test_a_bad_file_is_not_touched_by_the_removal(path):
    text = "filenames,embedding_0,labels,masked\na,1,0,0\n\n"
    write(path, text)

    with pytest.raises(RuntimeError, match="empty rows"):
        io.check_embeddings(path, remove_additional_columns=True)

    assert read(path) == text


def test_local_columns_are_no_part_of_the_vectors(path):
    write(path, "filenames,embedding_0,masked,labels,selected\na,1.5,7,3,4\n")

    vectors, labels, _ = io.load_embeddings(path)

    assert vectors.tolist() == [[1.5]]
    assert labels == [3]


def test_labels_must_be_integers(path):
    write(path, "filenames,embedding_0,labels\na,1,0.5\n")

    with pytest.raises(ValueError, match="invalid literal"):
        io.load_embeddings(path)


def test_a_missing_file_is_reported_as_such(path):
    with pytest.raises(FileNotFoundError):
        io.load_embeddings(path)


def test_the_dictionary_form(path):
    write(path, "filenames,embedding_0,labels\na.jpg,0.5,7\n")

    data = io.load_embeddings_as_dict(path, embedding_name="mine")

    assert data == {
        "embeddingName": "mine",
        "embeddings": [{"fileName": "a.jpg", "value": [0.5], "label": 7}],
    }


def test_the_dictionary_form_with_all_arrays(path):
    write(path, "filenames,embedding_0,labels\na.jpg,0.5,7\n")

    data, vectors, labels, filenames = io.load_embeddings_as_dict(path, return_all=True)

    assert data["embeddingName"] == "default"
    assert (vectors.tolist(), labels, filenames) == ([[0.5]], [7], ["a.jpg"])


def test_custom_metadata_form(tmp_path):
    path = tmp_path / "metadata.json"

    io.save_custom_metadata(str(path), [("a.jpg", {"k": 1}), ("b.jpg", {"k": [2]})])

    assert json.loads(path.read_text()) == {
        "images": [{"id": 0, "file_name": "a.jpg"}, {"id": 1, "file_name": "b.jpg"}],
        "metadata": [{"image_id": 0, "k": 1}, {"image_id": 1, "k": [2]}],
    }


def test_tasks_and_schema_forms(tmp_path):
    io.save_tasks(str(tmp_path / "tasks.json"), ["a", "b"])
    io.save_schema(str(tmp_path / "schema.json"), "classification", [1, 2], ["cat", "dog"])

    assert json.loads((tmp_path / "tasks.json").read_text()) == ["a", "b"]
    assert json.loads((tmp_path / "schema.json").read_text()) == {
        "task_type": "classification",
        "categories": [{"id": 1, "name": "cat"}, {"id": 2, "name": "dog"}],
    }


def test_a_schema_needs_as_many_ids_as_names(tmp_path):
    with pytest.raises(ValueError, match="same length"):
        io.save_schema(str(tmp_path / "schema.json"), "classification", [1], ["cat", "dog"])


def test_the_names_are_importable_from_the_package():
    assert lightly.utils.save_embeddings is io.save_embeddings
    with pytest.raises(AttributeError, match="nothing_like_this"):
        lightly.utils.nothing_like_this  # noqa: B018


def test_importing_loads_neither_numpy_nor_torch():
    code = "import sys, lightly.utils.io; print({'numpy', 'torch'} & set(sys.modules))"

    answer = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)

    assert answer.stdout.strip() == "set()"
