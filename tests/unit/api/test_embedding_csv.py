"""Rows of an embeddings CSV in the server's order, and merged."""

import io
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lightly.api.embedding_csv import RowsMissing, merge_rows, order_rows, read_columns

HEADER = "filenames,embedding_0,embedding_1,labels"


def write_csv(folder: Path, *lines: str, name: str = "local.csv", end: str = "\n") -> Path:
    path = folder / name
    path.write_bytes("".join(line + end for line in lines).encode())
    return path


def order(path: Path, *names: str) -> str:
    target = io.BytesIO()
    order_rows(path, lambda: iter(names), target)
    return target.getvalue().decode()


def merge(local: Path, remote: Path) -> list[str]:
    target = io.BytesIO()
    merge_rows(local, remote, target)
    return target.getvalue().decode().splitlines()


def test_rows_in_order_stay_byte_for_byte(tmp_path):
    path = write_csv(tmp_path, HEADER, "a,0.10,-1e-3,0", "b,3,4,1")

    assert order(path, "a", "b") == path.read_text()


def test_rows_are_put_into_the_order_of_the_server(tmp_path):
    path = write_csv(tmp_path, HEADER, "a,1,1,0", "b,2,2,0", "c,3,3,0")

    assert order(path, "c", "a", "b").splitlines() == [HEADER, "c,3,3,0", "a,1,1,0", "b,2,2,0"]


@given(st.permutations([f"sub/{number}.jpg" for number in range(7)]))
def test_any_order_is_restored(tmp_path_factory, names):
    folder = tmp_path_factory.mktemp("csv")
    path = write_csv(folder, HEADER, *(f"{name},1,{index},0" for index, name in enumerate(names)))

    rows = order(path, *sorted(names)).splitlines()[1:]

    assert [row.split(",")[0] for row in rows] == sorted(names)
    assert sorted(rows) == sorted(path.read_text().splitlines()[1:])


def test_line_ends_become_plain_ones(tmp_path):
    path = write_csv(tmp_path, HEADER, "a,1,1,0", "b,2,2,0", end="\r\n")

    assert order(path, "a", "b") == f"{HEADER}\na,1,1,0\nb,2,2,0\n"


def test_a_missing_last_line_end_is_added(tmp_path):
    path = tmp_path / "local.csv"
    path.write_text(f"{HEADER}\na,1,1,0\nb,2,2,0")

    assert order(path, "b", "a") == f"{HEADER}\nb,2,2,0\na,1,1,0\n"


def test_local_columns_are_left_out(tmp_path):
    path = write_csv(tmp_path, HEADER + ",masked,selected", "a,1,2,0,1,0", "b,3,4,5,0,1")

    assert order(path, "b", "a").splitlines() == [HEADER, "b,3,4,5", "a,1,2,0"]


def test_the_file_itself_is_not_changed(tmp_path):
    path = write_csv(tmp_path, HEADER + ",masked", "b,1,2,0,1", "a,1,2,0,1")
    before = path.read_bytes()

    order(path, "a", "b")

    assert path.read_bytes() == before


def test_quoted_names_are_understood(tmp_path):
    path = write_csv(tmp_path, HEADER, '"a""b.jpg",1,1,0', "c,2,2,0")

    assert order(path, "c", 'a"b.jpg').splitlines()[2] == '"a""b.jpg",1,1,0'


def test_names_of_other_scripts_are_understood(tmp_path):
    path = write_csv(tmp_path, HEADER, "日本.jpg,1,1,0", "é.jpg,2,2,0")

    assert order(path, "é.jpg", "日本.jpg").splitlines()[1] == "é.jpg,2,2,0"


def test_samples_without_row_are_counted_and_one_is_named(tmp_path):
    path = write_csv(tmp_path, HEADER, "a,1,1,0")

    with pytest.raises(RowsMissing, match=r"2 of 3 samples .* such as 'b'"):
        order(path, "a", "b", "c")


def test_rows_without_sample_are_counted_and_one_is_named(tmp_path):
    path = write_csv(tmp_path, HEADER, "a,1,1,0", "x,1,1,0")

    with pytest.raises(ValueError, match=r"1 of 2 rows .* such as 'x'"):
        order(path, "a")


def test_two_rows_of_one_name_are_refused(tmp_path):
    path = write_csv(tmp_path, HEADER, "a,1,1,0", "a,2,2,0")

    with pytest.raises(ValueError, match="two rows for 'a'"):
        order(path, "b", "a")


@pytest.mark.parametrize(
    ("lines", "message"),
    [
        (["names,embedding_0,labels"], "first column"),
        (["filenames,embedding_0"], "labels"),
        (["filenames, embedding_0,labels"], "blanks"),
        (["filenames,vector_0,labels"], "embedding_0"),
        ([""], "first column"),
        ([HEADER, "a,1,1,0", "", "b,1,1,0"], "Row 3 of the embeddings file is empty"),
        ([HEADER, "a,1,0"], "Row 2 of the embeddings file has another number of columns"),
    ],
)
def test_malformed_files_are_refused_with_the_place(tmp_path, lines, message):
    with pytest.raises(RuntimeError, match=message):
        order(write_csv(tmp_path, *lines), "a", "b")


def test_server_rows_come_first_and_local_ones_win(tmp_path):
    local = write_csv(tmp_path, HEADER, "c,9,9,9", "b,8,8,8")
    remote = write_csv(tmp_path, HEADER, "a,1,1,0", "b,2,2,0", name="remote.csv")

    assert merge(local, remote) == [HEADER, "a,1,1,0", "b,8,8,8", "c,9,9,9"]


def test_files_of_other_width_are_not_merged(tmp_path):
    local = write_csv(tmp_path, HEADER, "a,1,1,0")
    remote = write_csv(tmp_path, "filenames,embedding_0,labels", "b,2,0", name="remote.csv")

    with pytest.raises(RuntimeError, match="has 4 columns, the one on the server 3"):
        merge(local, remote)


def test_byte_order_mark_is_not_part_of_the_first_column(tmp_path):
    path = tmp_path / "local.csv"
    path.write_bytes(b"\xef\xbb\xbf" + HEADER.encode() + b"\n")

    with path.open("rb") as file:
        assert read_columns(file).header.decode() == HEADER + "\n"
