"""Names in tables and archives that people open: T31. JSON and names: `tests/contract`."""

from __future__ import annotations

import csv
import io
import tempfile
import zipfile
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lightly._kit.spreadsheet_cells import FORMULA_STARTS, restore_cell
from lightly.server.exports.archive import ArchiveMember, name_member, stream_archive
from lightly.utils.io import load_embeddings, save_embeddings
from lightly.worker.runs.excluded import CORRUPT, ExcludedFiles, read_excluded
from lightly.worker.runs.tables import encode_table, load_excluded

FORMULAS = ["=1+2.jpg", "+1.jpg", "-i.mp4", "@sum(a1).jpg", "\tcmd.jpg", "'=1.jpg"]
#: All that a file can be called, with the characters that matter more often than by chance.
NAMES = st.lists(
    st.text(st.characters(codec="utf-8", exclude_characters="\0"), min_size=1, max_size=30)
    | st.text(st.sampled_from([*FORMULA_STARTS, "'", '"', ",", ";", "a"]), min_size=1, max_size=6)
    | st.sampled_from(FORMULAS),
    max_size=8,
    unique=True,
)
SAMPLE_ID = "65f0c0ffee65f0c0ffee1234"


def read_csv(content: bytes) -> list[list[str]]:
    return list(csv.reader(io.StringIO(content.decode(), newline="")))


@settings(deadline=None)
@given(NAMES)
def test_the_table_of_excluded_files_holds_every_name(names):
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "excluded.csv")
        with ExcludedFiles(path) as excluded:
            excluded.add_all(names, CORRUPT, "-1 is no size")

        _, *rows = read_csv(path.read_bytes())
        found = list(read_excluded(path))

    assert found == [(name, CORRUPT, "-1 is no size") for name in names]
    assert not [row for row in rows for cell in row if cell.startswith(tuple(FORMULA_STARTS))]


@settings(deadline=None)
@given(NAMES)
def test_tables_beside_the_input_hold_every_name(names):
    table = pa.table({"file_name": pa.array(names, pa.string()), "pick": range(len(names))})

    files = dict(encode_table("selected", table))

    _, *rows = read_csv(files["selected.csv"])
    assert [restore_cell(row[0]) for row in rows] == names
    assert not [row for row in rows if row[0].startswith(tuple(FORMULA_STARTS))]
    assert pq.read_table(io.BytesIO(files["selected.parquet"])).equals(table)


@settings(deadline=None)
@given(NAMES)
def test_excluded_files_are_in_both_forms_as_they_were_noted(names):
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "excluded.csv")
        with ExcludedFiles(path) as excluded:
            excluded.add_all(names, CORRUPT, "broken")

        files = dict(encode_table("excluded", load_excluded(path)))

    assert read_csv(files["excluded.csv"])[0] == ["file_name", "excluded_as", "reason"]
    exact = pq.read_table(io.BytesIO(files["excluded.parquet"]))
    assert exact.column("file_name").to_pylist() == names


@settings(deadline=None)
@given(NAMES)
def test_an_embeddings_file_holds_every_name_as_it_is(names):
    """Programs read it, and names are matched by it: nothing is put in front of them."""
    kept = [name for name in names if "," not in name]
    with tempfile.TemporaryDirectory() as folder:
        path = str(Path(folder, "embeddings.csv"))
        save_embeddings(path, np.ones((len(kept), 1)), [0] * len(kept), kept)

        assert load_embeddings(path)[2] == kept


@settings(max_examples=50, deadline=None)
@given(NAMES)
def test_what_is_unpacked_lies_in_the_folder_under_its_name(names):
    members = [
        ArchiveMember(name_member(name, f"{number:024x}"), len(name.encode()), opener(name))
        for number, name in enumerate(names)
    ]
    content = b"".join(stream_archive(members, len(members)))

    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        assert [archive.read(entry).decode() for entry in archive.infolist()] == names
        assert [entry.filename for entry in archive.infolist()] == [one.name for one in members]


def opener(name):
    return lambda: io.BytesIO(name.encode())


@pytest.mark.parametrize(
    "name",
    ["../a", "a/../../b", "/etc/passwd", "..\\a", "C:\\a", "\\\\host\\a", "a\nb", ". ./a", "a/.."],
)
def test_a_name_that_would_leave_the_folder_is_replaced_by_the_samples_id(name):
    assert name_member(name, SAMPLE_ID) == SAMPLE_ID
