"""Files that are there whole or not at all."""

from __future__ import annotations

import errno
import os
import signal
import stat
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from lightly._kit.atomic_files import (
    TEMPORARY_PREFIX,
    open_atomic,
    remove_temporary_files,
    write_atomic,
)


class DiskFull(OSError):
    def __init__(self) -> None:
        super().__init__(errno.ENOSPC, "No space left on device")


def list_files(folder: Path) -> list[str]:
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file())


def test_a_file_is_written_with_its_folders(tmp_path):
    write_atomic(tmp_path / "a" / "b" / "c.bin", b"content")

    assert (tmp_path / "a" / "b" / "c.bin").read_bytes() == b"content"
    assert list_files(tmp_path) == ["a/b/c.bin"]


def test_an_older_file_is_replaced(tmp_path):
    path = tmp_path / "file"
    write_atomic(path, b"a longer older content")

    write_atomic(path, b"new")

    assert path.read_bytes() == b"new"


@pytest.mark.parametrize("mode", [0o600, 0o644])
def test_a_file_has_the_mode_that_was_asked_for(tmp_path, mode):
    write_atomic(tmp_path / "file", b"", mode=mode)

    assert stat.S_IMODE((tmp_path / "file").stat().st_mode) == mode


def test_readers_see_the_older_file_until_the_end(tmp_path):
    path = tmp_path / "file"
    write_atomic(path, b"old")

    with open_atomic(path) as file:
        file.write(b"new")
        file.flush()
        assert path.read_bytes() == b"old"

    assert path.read_bytes() == b"new"


@pytest.mark.parametrize("error", [RuntimeError, KeyboardInterrupt, DiskFull])
def test_an_error_in_the_block_changes_nothing(tmp_path, error):
    path = tmp_path / "file"
    write_atomic(path, b"old")

    with pytest.raises(error), open_atomic(path) as file:
        file.write(b"half of the n")
        raise error

    assert path.read_bytes() == b"old"
    assert list_files(tmp_path) == ["file"]


@pytest.mark.parametrize("call", ["fsync", "fchmod"])
def test_a_failing_system_call_changes_nothing(tmp_path, monkeypatch, call):
    path = tmp_path / "file"
    write_atomic(path, b"old")

    def fail(*_arguments: object) -> None:
        raise DiskFull

    monkeypatch.setattr(os, call, fail)
    with pytest.raises(DiskFull):
        write_atomic(path, b"new")

    assert path.read_bytes() == b"old"
    assert list_files(tmp_path) == ["file"]


def test_a_folder_in_the_place_of_the_file_is_left_alone(tmp_path):
    (tmp_path / "file").mkdir()

    with pytest.raises(OSError, match="directory"):
        write_atomic(tmp_path / "file", b"new")

    assert list_files(tmp_path) == []


def test_a_file_in_the_place_of_a_folder_is_an_error(tmp_path):
    write_atomic(tmp_path / "file", b"old")

    with pytest.raises(FileExistsError):
        write_atomic(tmp_path / "file" / "below", b"new")

    assert list_files(tmp_path) == ["file"]


def test_bytes_and_names_are_flushed_before_it_returns(tmp_path, monkeypatch):
    flushed: list[str] = []
    fsync, replace = os.fsync, Path.replace

    def note_fsync(descriptor: int) -> None:
        flushed.append("folder" if stat.S_ISDIR(os.fstat(descriptor).st_mode) else "file")
        fsync(descriptor)

    def note_replace(self: Path, target: Path) -> Path:
        flushed.append("rename")
        return replace(self, target)

    monkeypatch.setattr(os, "fsync", note_fsync)
    monkeypatch.setattr(Path, "replace", note_replace)
    write_atomic(tmp_path / "new" / "newer" / "file", b"content")

    # Each new folder's entry in the one above it, then the bytes, then the file's entry.
    assert flushed == ["folder", "folder", "file", "rename", "folder"]


FILL_THE_DISK = """
import resource, sys
from pathlib import Path
from lightly._kit.atomic_files import open_atomic

# The system itself refuses to write more, in the middle of a buffer.
resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, 100_000))
try:
    with open_atomic(Path(sys.argv[1])) as file:
        for _ in range(1000):
            file.write(bytes(1000))
except OSError as error:
    print(error.errno)
"""


def test_a_write_that_the_system_cuts_off_leaves_nothing(tmp_path):
    path = tmp_path / "file"
    write_atomic(path, b"old")

    done = subprocess.run(
        [sys.executable, "-c", FILL_THE_DISK, str(path)],
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )

    assert done.stdout.split() == [str(errno.EFBIG)]
    assert path.read_bytes() == b"old"
    assert list_files(tmp_path) == ["file"]


WRITE_FOREVER = """
import sys
from pathlib import Path
from lightly._kit.atomic_files import open_atomic

with open_atomic(Path(sys.argv[1])) as file:
    print("writing", flush=True)
    while True:
        file.write(bytes(1000))
        file.flush()
        file.seek(0)
"""


def test_what_a_killed_writer_leaves_can_be_swept(tmp_path):
    path = tmp_path / "deep" / "file"
    write_atomic(path, b"old")
    writer = subprocess.Popen(
        [sys.executable, "-c", WRITE_FOREVER, str(path)], stdout=subprocess.PIPE
    )
    with writer:
        assert writer.stdout is not None
        writer.stdout.readline()
        writer.send_signal(signal.SIGKILL)

    left = [name for name in list_files(tmp_path) if TEMPORARY_PREFIX in name]
    removed = remove_temporary_files(tmp_path, written_before_s=time.time() + 60)

    assert path.read_bytes() == b"old"
    assert len(left) == removed == 1
    assert list_files(tmp_path) == ["deep/file"]


def test_there_may_be_nothing_to_sweep(tmp_path):
    (tmp_path / f"{TEMPORARY_PREFIX}folder").mkdir()

    assert remove_temporary_files(tmp_path, written_before_s=time.time() + 60) == 0
    assert remove_temporary_files(tmp_path / "absent", written_before_s=0) == 0


def test_the_file_of_a_living_writer_is_not_swept(tmp_path):
    with open_atomic(tmp_path / "file") as file:
        file.write(b"new")
        removed = remove_temporary_files(tmp_path, written_before_s=time.time() - 60)

    assert removed == 0
    assert (tmp_path / "file").read_bytes() == b"new"


def test_many_writers_of_one_file_leave_one_of_their_contents(tmp_path):
    path = tmp_path / "new" / "file"
    contents = [bytes([number]) * 100_000 for number in range(20)]

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda content: write_atomic(path, content), contents))

    assert path.read_bytes() in contents
    assert list_files(tmp_path) == ["new/file"]


def test_a_descriptor_is_not_left_open(tmp_path):
    def count_open() -> int:
        return len(list(Path("/proc/self/fd").iterdir()))

    before = count_open()
    for number in range(20):
        write_atomic(tmp_path / f"{number}" / "file", b"content")

    assert count_open() <= before + 1
