"""Compiled loops are kept between processes, and thrown away when a source is newer."""

from __future__ import annotations

import os

import pytest

from lightly.selection.kernels import loading


@pytest.fixture
def compiled(tmp_path, monkeypatch):
    """A folder of sources from a known moment, and where their compiled loops lie."""
    monkeypatch.setattr(loading, "_folder", tmp_path)
    source = tmp_path / "compiled.py"
    source.write_text("")
    os.utime(source, (1000, 1000))
    folder = tmp_path / "__pycache__"
    folder.mkdir()
    return folder


@pytest.mark.parametrize(("age", "stays"), [(999, False), (1001, True)])
def test_loops_older_than_a_source_are_dropped(compiled, age, stays):
    index = compiled / "compiled.pick.nbi"
    index.write_text("")
    os.utime(index, (age, age))

    loading._drop_outdated()

    assert index.exists() is stays


def test_loops_that_another_process_drops_meanwhile_are_no_fault(compiled):
    # Listed, and not there any more when it is looked at.
    (compiled / "compiled.pick.nbi").symlink_to("gone")
    (compiled / "compiled.walk.nbi").write_text("")
    os.utime(compiled / "compiled.walk.nbi", (999, 999))

    loading._drop_outdated()

    assert not (compiled / "compiled.walk.nbi").exists()
