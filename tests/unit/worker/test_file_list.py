"""The list of input files of a run."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lightly.worker.sources.file_list import FileList, InputFile


@pytest.fixture
def files(tmp_path: Path) -> Iterator[FileList]:
    """An empty list."""
    made = FileList(tmp_path / "files.sqlite")
    yield made
    made.close()


def test_files_come_in_the_order_of_their_bytes(files: FileList) -> None:
    names = ["b.jpg", "a/z.jpg", "ä.jpg", "B.jpg", "a.jpg"]
    files.add(InputFile(name, "/x") for name in names)
    assert [file.name for file in files.iterate()] == sorted(names, key=str.encode)


def test_a_repeated_name_is_kept_once_and_counted(files: FileList) -> None:
    assert files.add([InputFile("a", "/1"), InputFile("a", "/2"), InputFile("b", "/3")]) == 1
    assert list(files.iterate()) == [InputFile("a", "/1"), InputFile("b", "/3")]


def test_dropped_names_are_told(files: FileList) -> None:
    files.add([InputFile("a", "/1"), InputFile("b", "/2")])
    assert files.drop(["b", "unknown"]) == ["b"]
    assert len(files) == 1


def test_a_second_attempt_begins_with_an_empty_list(tmp_path: Path) -> None:
    first = FileList(tmp_path / "files.sqlite")
    first.add([InputFile("a", "https://expired")])
    first.close()
    second = FileList(tmp_path / "files.sqlite")
    assert len(second) == 0
    second.close()


@given(
    names=st.lists(st.text(st.characters(codec="utf-8"), min_size=1), unique=True, max_size=30),
    size=st.integers(1, 7),
)
def test_parts_hold_every_file_once(
    tmp_path_factory: pytest.TempPathFactory, names: list[str], size: int
) -> None:
    files = FileList(tmp_path_factory.mktemp("list") / "files.sqlite")
    files.add(InputFile(name, name) for name in names)
    parts = list(files.split(size))
    files.close()
    assert all(len(part) == size for part in parts[:-1])
    assert [file.name for part in parts for file in part] == sorted(names, key=str.encode)
