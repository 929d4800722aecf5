"""The list of files that a run was about."""

from __future__ import annotations

from pathlib import Path

from lightly.data.datasource_files.relevant_names import read_relevant_names
from lightly.worker.runs.artifacts import write_relevant_names

NAMES = ["a.jpg", "b c/ä #1.jpg", "!d.jpg", "x/[1].png"]


def test_the_list_restricts_other_listings_to_the_same_files(tmp_path: Path) -> None:
    assert write_relevant_names(NAMES, tmp_path / "list.txt") == 0
    relevant = read_relevant_names((tmp_path / "list.txt").read_bytes())
    assert relevant.names == frozenset(NAMES)
    assert not relevant.has("b")


def test_names_that_would_mean_others_are_left_out(tmp_path: Path) -> None:
    names = ["a*.jpg", " b.jpg", "c.jpg"]
    assert write_relevant_names(names, tmp_path / "list.txt") == 2
    relevant = read_relevant_names((tmp_path / "list.txt").read_bytes())
    assert [name for name in ("a1.jpg", "b.jpg", "c.jpg") if relevant.has(name)] == ["c.jpg"]
