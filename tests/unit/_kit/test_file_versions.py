"""What stands for the bytes of a file."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from lightly._kit.file_versions import SETTLED_S, make_file_version

#: In the year 2096, when nothing has changed for long.
LATER_S = 4e9


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """A file with some bytes."""
    path = tmp_path / "a.jpg"
    path.write_bytes(b"1234")
    return path


def find_version(path: Path) -> str | None:
    return make_file_version(path.stat(), now_s=LATER_S)


def test_a_file_that_nobody_touched_keeps_its_version(file: Path) -> None:
    before = find_version(file)
    file.read_bytes()
    assert find_version(file) == before


def test_other_bytes_of_the_same_length_and_time_have_another_version(file: Path) -> None:
    before, status = find_version(file), file.stat()
    file.write_bytes(b"5678")
    os.utime(file, ns=(status.st_atime_ns, status.st_mtime_ns))
    assert file.stat().st_mtime_ns == status.st_mtime_ns
    assert find_version(file) != before


def test_a_file_that_takes_the_place_of_another_has_another_version(file: Path) -> None:
    before, status = find_version(file), file.stat()
    other = file.with_name("b.jpg")
    other.write_bytes(b"5678")
    os.utime(other, ns=(status.st_atime_ns, status.st_mtime_ns))
    other.replace(file)
    assert find_version(file) != before


@pytest.mark.parametrize("age_s", [-3600.0, 0.0, SETTLED_S / 2])
def test_a_file_that_has_just_changed_has_none(file: Path, age_s: float) -> None:
    assert make_file_version(file.stat(), now_s=file.stat().st_mtime + age_s) is None
