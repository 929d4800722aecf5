"""Files of embeddings are read as numpy reads them, and refused by name when they are not right."""

from __future__ import annotations

import os

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lightly.data.large_selection import EmbeddingFile, EmbeddingFileInvalid

ROWS = np.random.default_rng(5).normal(size=(300, 7))


def write(path, rows, *, is_raw=False):
    if is_raw:
        path.write_bytes(np.ascontiguousarray(rows).tobytes())
    else:
        np.save(path, rows)
    return path


def open_written(path, dtype, *, is_raw):
    write(path, ROWS.astype(dtype), is_raw=is_raw)
    return EmbeddingFile(path, n_dims=7, dtype=dtype) if is_raw else EmbeddingFile(path)


@pytest.fixture(scope="module", params=["float32", "float16"])
def file(request, tmp_path_factory):
    folder = tmp_path_factory.mktemp("files")
    with open_written(folder / "rows.npy", request.param, is_raw=False) as opened:
        opened.keep_rows(20 * 7 * opened.dtype.itemsize)
        yield opened


@given(wanted=st.lists(st.integers(0, 299), max_size=60))
def test_rows_come_in_the_order_in_which_they_are_asked_for(file, wanted):
    rows = np.array(wanted, dtype=np.int64)

    np.testing.assert_array_equal(file[rows], ROWS.astype(file.dtype)[rows])


@pytest.mark.parametrize("dtype", ["float32", "float16"])
@pytest.mark.parametrize("is_raw", [False, True])
def test_ranges_are_those_of_the_array(tmp_path, dtype, is_raw):
    with (
        open_written(tmp_path / "rows", dtype, is_raw=is_raw)
        if is_raw
        else open_written(tmp_path / "rows.npy", dtype, is_raw=False) as file
    ):
        assert (file.shape, file.dtype, len(file)) == ((300, 7), np.dtype(dtype), 300)
        for part in (slice(0, 300), slice(17, 40), slice(290, 999), slice(5, 5), slice(0, 9, 2)):
            np.testing.assert_array_equal(file[part], ROWS.astype(dtype)[part])


def cut_last_byte(path):
    os.truncate(path, path.stat().st_size - 1)


def add_a_byte(path):
    with path.open("ab") as file:
        file.write(b"x")


@pytest.mark.parametrize(
    ("rows", "harm", "words"),
    [
        (ROWS.astype(np.float32), cut_last_byte, "ends within row 299; .* announces 300 rows"),
        (ROWS.astype(np.float32), add_a_byte, "goes on after the 300 rows"),
        (ROWS, None, "numbers of type <f8; float32 and float16.*astype"),
        (ROWS.astype(">f4"), None, "numbers of type >f4"),
        (np.asfortranarray(ROWS.astype(np.float32)), None, "column by column.*ascontiguousarray"),
        (np.zeros((2, 3, 4), np.float32), None, "one row per sample"),
        (np.array(["a"]), None, "one row per sample"),
    ],
)
def test_a_wrong_file_is_refused_with_its_name_the_rule_and_the_remedy(tmp_path, rows, harm, words):
    path = write(tmp_path / "mine.npy", rows)
    if harm is not None:
        harm(path)

    with pytest.raises(EmbeddingFileInvalid, match=words) as caught:
        EmbeddingFile(path)

    assert "'mine.npy'" in str(caught.value)
    assert str(tmp_path) not in str(caught.value)


def test_what_is_no_npy_file_or_is_not_there_is_refused(tmp_path):
    other = tmp_path / "mine.csv"
    other.write_text("1,2,3")

    with pytest.raises(EmbeddingFileInvalid, match=r"no \.npy file.*numpy\.save"):
        EmbeddingFile(other)
    with pytest.raises(EmbeddingFileInvalid, match="cannot be opened: No such file"):
        EmbeddingFile(tmp_path / "absent.npy")


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"n_dims": 8}, "no whole number of rows of 32 bytes"),
        ({"n_dims": 0}, "number of dimensions"),
        ({"n_dims": 7, "dtype": "float64"}, "float32 or float16"),
    ],
)
def test_rows_without_header_are_held_to_what_is_said_of_them(tmp_path, options, words):
    path = write(tmp_path / "rows.f32", ROWS.astype(np.float32), is_raw=True)

    with pytest.raises(EmbeddingFileInvalid, match=words):
        EmbeddingFile(path, **options)


def replace(path):
    other = path.with_suffix(".new")
    with other.open("wb") as file:
        np.save(file, np.zeros((300, 7), np.float32))
    other.replace(path)


def rewrite(path):
    content = path.read_bytes()
    path.write_bytes(content[:-4] + b"abcd")
    os.utime(path, ns=(1, 1))


@pytest.mark.parametrize("harm", [cut_last_byte, add_a_byte, replace, rewrite])
def test_a_file_that_changes_while_it_is_read_is_refused(tmp_path, harm):
    path = write(tmp_path / "mine.npy", ROWS.astype(np.float32))
    with EmbeddingFile(path) as file:
        file[0:10]
        harm(path)

        with pytest.raises(EmbeddingFileInvalid, match=r"'mine\.npy' has changed"):
            file[10:20]
        with pytest.raises(EmbeddingFileInvalid, match="has changed"):
            file[np.array([3, 1])]


def test_a_file_that_is_cut_short_between_a_look_and_a_read_names_the_row(tmp_path, monkeypatch):
    path = write(tmp_path / "mine.npy", ROWS.astype(np.float32))
    with EmbeddingFile(path) as file:
        monkeypatch.setattr(file, "check_unchanged", lambda: None)
        os.truncate(path, path.stat().st_size - 10 * 28 - 1)

        with pytest.raises(EmbeddingFileInvalid, match="ends within row 289"):
            file[280:300]
