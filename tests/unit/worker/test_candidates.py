"""Gathering what a selection may choose from."""

from __future__ import annotations

import csv
from pathlib import Path

import numpy as np

from lightly.worker.runs.candidates import Candidates, collect_candidates
from lightly.worker.runs.excluded import ExcludedFiles, InputCounts
from lightly.worker.shards.records import FileRecord, write_records


def good(name: str, content: str, value: float) -> FileRecord:
    """Return the record of a good image."""
    digest = content.encode().ljust(32, b"\0")
    return FileRecord(name, "good", sha256=digest, vector=np.array([value, 1.0], np.float32))


def collect(
    folder: Path, shards: list[list[FileRecord]], *, removes_duplicates: bool = True
) -> tuple[Candidates, list[list[str]]]:
    """Return the candidates of shards and the rows of the table of excluded files."""
    paths = []
    for number, records in enumerate(shards):
        paths.append(folder / f"{number}.arrow")
        write_records(paths[-1], records)
    with ExcludedFiles(folder / "excluded.csv") as excluded:
        found = collect_candidates(
            paths, folder / "e.f32", excluded, dim=2, removes_duplicates=removes_duplicates
        )
    with (folder / "excluded.csv").open(newline="") as file:
        return found, list(csv.reader(file))[1:]


def test_of_equal_files_the_first_name_stays_across_shards(tmp_path: Path) -> None:
    shards = [
        [good("a", "same", 1), FileRecord("b", "corrupt", "broken"), good("c", "other", 2)],
        [good("d", "same", 1), good("e", "third", 3), FileRecord("f", "gone", "gone")],
    ]
    found, excluded = collect(tmp_path, shards)
    assert list(found.iterate_names()) == ["a", "c", "e"]
    assert found.embeddings[:, 0].tolist() == [1, 2, 3]
    assert excluded == [
        ["b", "corrupt", "broken"],
        ["d", "duplicate", "Another file has the same bytes."],
        ["f", "gone", "gone"],
    ]


def test_equal_files_stay_where_nobody_asked_to_remove_them(tmp_path: Path) -> None:
    shards = [[good("a", "same", 1), good("b", "same", 1)]]
    found, excluded = collect(tmp_path, shards, removes_duplicates=False)
    assert (len(found), excluded) == (2, [])


def test_chosen_records_come_in_order_with_their_positions(tmp_path: Path) -> None:
    shards = [[good(name, name, n) for n, name in enumerate("ab")], [good("c", "c", 2)]]
    found, _ = collect(tmp_path, shards)
    chosen = [(place, record.name) for place, record in found.iterate(np.array([2, 0]))]
    assert chosen == [(0, "a"), (2, "c")]


def test_an_input_without_good_images_gives_no_candidates(tmp_path: Path) -> None:
    found, excluded = collect(tmp_path, [[FileRecord("a", "corrupt", "broken")]])
    assert (len(found), found.embeddings.shape, len(excluded)) == (0, (0, 2), 1)


def test_counts_say_whether_every_file_is_accounted_for() -> None:
    fine = InputCounts(10, 5, 2, 1, 1, 1)
    assert fine.is_balanced
    assert not InputCounts(11, 5, 2, 1, 1, 1).is_balanced
