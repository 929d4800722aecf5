"""Folders are listed in one order, from any point, in any number of pieces."""

import itertools
import os
import tempfile
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lightly.server.datasources import folder_walk
from lightly.server.datasources.folder_walk import split_folder, walk_folder
from lightly.server.datasources.stores import Span

PARTS = st.text(st.sampled_from("ab-./0~é日😀 \n"), min_size=1, max_size=4).filter(
    lambda part: part.strip(".") and "/" not in part
)
TREES = st.sets(st.lists(PARTS, min_size=1, max_size=4).map("/".join), max_size=30)


def make_tree(root, names):
    """Write what can be written of some names; return it."""
    made = set()
    for name in sorted(names):
        path = root / name
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.touch()
        except (FileExistsError, NotADirectoryError, IsADirectoryError):
            continue
        if path.is_file():
            made.add(name)
    return made


def walk(root, prefix="", after="", last=""):
    return [file.name for file in walk_folder(root, root, prefix, Span(after, last))]


@pytest.fixture(autouse=True)
def _small_windows(monkeypatch):
    monkeypatch.setattr(folder_walk, "WINDOW_NAMES", 3)
    monkeypatch.setattr(folder_walk, "_CACHED_NAMES", 0)
    monkeypatch.setattr(folder_walk, "_SETTLED_NS", -1)


@given(TREES)
@settings(max_examples=60, deadline=None)
def test_every_file_comes_once_in_the_order_of_its_bytes(names):
    with tempfile.TemporaryDirectory() as folder:
        made = make_tree(Path(folder).resolve(), names)

        assert walk(Path(folder).resolve()) == sorted(made, key=str.encode)


@given(TREES, st.data())
@settings(max_examples=60, deadline=None)
def test_a_listing_goes_on_behind_any_name(names, data):
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder).resolve()
        made = sorted(make_tree(root, names))
        after, last = (
            data.draw(st.sampled_from([*made, "", "b", "a/"])),
            data.draw(st.sampled_from([*made, "", "é"])),
        )

        expected = [name for name in made if name > after and (not last or name <= last)]
        assert walk(root, after=after, last=last) == expected


@given(TREES, st.integers(1, 8))
@settings(max_examples=40, deadline=None)
def test_parts_of_a_tree_are_the_whole_tree(names, count):
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder).resolve()
        made = make_tree(root, names)
        bounds = ["", *split_folder(root, "", count), ""]

        parts = [walk(root, "", *span) for span in itertools.pairwise(bounds)]

        assert [name for part in parts for name in part] == sorted(made)


@given(TREES, st.sampled_from(["a/", "b/a/", "é/"]))
@settings(max_examples=40, deadline=None)
def test_a_prefix_restricts_a_listing(names, prefix):
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder).resolve()
        made = sorted(make_tree(root, names))

        expected = [name for name in made if name.startswith(prefix)]
        assert walk(root, prefix) == expected


def test_what_vanishes_while_it_is_listed_is_left_out(tmp_path):
    for name in ("a/1", "a/2", "b/1", "c", "d"):
        path = tmp_path / name
        path.parent.mkdir(exist_ok=True)
        path.touch()
    found = []
    for file in walk_folder(tmp_path, tmp_path, "", Span()):
        if file.name == "a/1":
            for name in ("a/2", "b/1", "c"):
                (tmp_path / name).unlink()
            (tmp_path / "b").rmdir()
        if file.find_modified_at_s() is not None:
            found.append(file.name)

    assert found == ["a/1", "d"]


def test_a_name_that_is_no_text_is_left_out(tmp_path):
    (tmp_path / "a.jpg").touch()
    (tmp_path / os.fsdecode(b"\xff.jpg")).touch()

    assert walk(tmp_path) == ["a.jpg"]


def test_a_new_file_is_seen_by_the_next_listing(tmp_path, monkeypatch):
    monkeypatch.undo()
    names = [f"{number:05}.jpg" for number in range(2_000)]
    for name in names:
        (tmp_path / name).touch()
    walk(tmp_path)
    (tmp_path / "00000a.jpg").touch()

    assert len(walk(tmp_path)) == 2_001


def test_folders_behind_links_are_not_entered(tmp_path):
    (tmp_path / "a").mkdir()
    (tmp_path / "a/1").touch()
    (tmp_path / "b").symlink_to("a")
    (tmp_path / "a/up").symlink_to("..")

    found = [
        file.name
        for file in walk_folder(tmp_path, tmp_path, "", Span())
        if file.find_modified_at_s() is not None
    ]

    assert found == ["a/1"]
