"""Embeddings that users bring along."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from lightly.data.datasource_files.errors import FileInvalid
from lightly.worker.runs.candidates import collect_candidates
from lightly.worker.runs.excluded import ExcludedFiles
from lightly.worker.shards.records import FileRecord, write_records
from lightly.worker.sources.custom_embeddings import CustomEmbeddings, open_custom_embeddings

FILE = ".lightly/embeddings/mine.csv"
HEADER = "filenames,embedding_0,embedding_1,masked,labels"


def read(
    folder: Path, *rows: str, header: str = HEADER, dim: int | None = None
) -> CustomEmbeddings:
    """Take in a CSV."""
    path = folder / "mine.csv"
    path.write_text("\n".join([header, *rows, ""]))
    found = open_custom_embeddings(FILE, path, folder)
    found.read(path, n_dimensions=dim)
    return found


def test_vectors_are_found_by_name_whatever_the_order_of_the_rows(tmp_path: Path) -> None:
    found = read(tmp_path, "b.jpg,1,2,0,0", "ä/a.jpg,0.1,-4e3,0,0")
    assert (len(found), found.dim) == (2, 2)
    for name, vector in (("ä/a.jpg", [0.1, -4e3]), ("b.jpg", [1, 2])):
        stored = found.find(name)
        assert stored is not None
        assert stored.tolist() == np.array(vector, np.float32).tolist()
    assert found.find("c.jpg") is None
    assert list(found.find_missing(["a.jpg", "b.jpg", "c.jpg"])) == ["a.jpg", "c.jpg"]


def test_masked_rows_are_told_from_the_others(tmp_path: Path) -> None:
    found = read(tmp_path, "b.jpg,1,2,1,0", "a.jpg,1,2,0,0")
    assert list(found.iterate_names()) == [(2, "a.jpg")]
    assert list(found.iterate_names(is_masked=True)) == [(1, "b.jpg")]


def test_a_file_without_rows_has_no_vectors(tmp_path: Path) -> None:
    assert len(read(tmp_path)) == 0


@pytest.mark.parametrize(
    ("row", "rule"),
    [
        ("c.jpg,nan,1,0,0", "row 3: must have finite numbers"),
        ("c.jpg,1e60,1,0,0", "row 3: must have finite numbers"),
        ("c.jpg,one,1,0,0", "row 3: could not convert"),
        ("a.jpg,1,1,0,0", "row 3: has 'a.jpg' again"),
        ("c.jpg,1,0,0", "row 3: .*5 columns"),
        ("", "row 3: .*empty row"),
    ],
)
def test_the_first_row_that_breaks_a_rule_is_named(tmp_path: Path, row: str, rule: str) -> None:
    with pytest.raises(FileInvalid, match=rf"mine\.csv', {rule}"):
        read(tmp_path, "a.jpg,1,2,0,0", "b.jpg,1,2,0,0", row, "d.jpg,1,2,0,0")


def test_a_row_that_is_selected_beforehand_is_refused_with_what_to_do(tmp_path: Path) -> None:
    header = "filenames,embedding_0,selected,labels"
    read(tmp_path, "a.jpg,1,0,0", header=header)
    with pytest.raises(FileInvalid, match=r"row 1: selects 'a.jpg' beforehand.*datapool"):
        read(tmp_path, "a.jpg,1,1,0", header=header)


@pytest.mark.parametrize("header", ["filenames,labels", "names,embedding_0,labels", ""])
def test_a_header_that_breaks_a_rule_is_refused(tmp_path: Path, header: str) -> None:
    with pytest.raises(FileInvalid, match=r"mine\.csv"):
        read(tmp_path, header=header)


def test_vectors_of_another_length_than_the_run_asks_for_are_refused(tmp_path: Path) -> None:
    with pytest.raises(FileInvalid, match="must have vectors of 32 numbers, has 2"):
        read(tmp_path, "a.jpg,1,2,0,0", dim=32)


def collect(folder: Path, custom: CustomEmbeddings) -> list[list[float]]:
    """Gather two images whose shard has no vectors."""
    records = [FileRecord(name, "good", sha256=name.encode() * 32) for name in ("a", "b")]
    write_records(folder / "0.arrow", records)
    with ExcludedFiles(folder / "excluded.csv") as excluded:
        found = collect_candidates(
            [folder / "0.arrow"], folder / "e.f32", excluded, dim=2, removes_duplicates=True,
            custom=custom,
        )  # fmt: skip
    return found.embeddings.tolist()


def test_they_take_the_place_of_those_of_a_model(tmp_path: Path) -> None:
    custom = read(tmp_path, "b,1,2,0,0", "c,9,9,0,0", "a,3,4,0,0")
    assert collect(tmp_path, custom) == [[3, 4], [1, 2]]


def test_an_image_that_lacks_a_row_is_named(tmp_path: Path) -> None:
    with pytest.raises(FileInvalid, match="has no row for 'b'"):
        collect(tmp_path, read(tmp_path, "a,3,4,0,0"))
