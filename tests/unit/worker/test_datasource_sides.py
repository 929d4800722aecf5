"""The folders of a datasource that are mounted beside a worker."""

from __future__ import annotations

import os
import tracemalloc
from pathlib import Path

import pytest

from lightly._kit.errors import BadInput
from lightly.worker.errors import RunRefused
from lightly.worker.sources.datasource import MountedInput, MountedLightly, Period

ALWAYS = Period(0, 2**40)


def make_input(root: Path, *names: str) -> MountedInput:
    """Write empty files and return the input side."""
    for name in names:
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()
    return MountedInput(root, MountedLightly(root))


def list_names(side: MountedInput, period: Period = ALWAYS, relevant: str = "") -> list[str]:
    """Return the names of all files."""
    return sorted(name for page in side.iterate_pages(period, relevant) for name, *_ in page)


def test_images_are_listed_and_nothing_else(tmp_path: Path) -> None:
    side = make_input(
        tmp_path, "a.jpg", "b/c.PNG", "notes.txt", "film.mp4", ".lightly/thumbnails/a_thumb.jpg"
    )
    assert list_names(side) == ["a.jpg", "b/c.PNG"]


def test_both_ends_of_the_period_belong_to_it(tmp_path: Path) -> None:
    side = make_input(tmp_path, "a.jpg", "b.jpg", "c.jpg", "d.jpg")
    for number, name in enumerate("abcd"):
        os.utime(tmp_path / f"{name}.jpg", (100 + number, 100 + number))
    assert list_names(side, Period(101, 102)) == ["b.jpg", "c.jpg"]


def test_only_relevant_files_are_listed(tmp_path: Path) -> None:
    side = make_input(tmp_path, "a.jpg", "b/1.jpg", "b/2.jpg", "c.jpg")
    (tmp_path / ".lightly").mkdir()
    (tmp_path / ".lightly" / "few.txt").write_text("a.jpg\nb/* b/2.jpg\n")
    assert list_names(side, relevant=".lightly/few.txt") == ["a.jpg", "b/1.jpg"]


def test_a_missing_list_of_relevant_files_is_named(tmp_path: Path) -> None:
    side = make_input(tmp_path, "a.jpg")
    with pytest.raises(RunRefused, match=r"few\.txt"):
        list_names(side, relevant=".lightly/few.txt")


def test_links_that_lead_out_of_the_folder_are_not_followed(tmp_path: Path) -> None:
    (tmp_path / "secret.jpg").write_bytes(b"x")
    root = tmp_path / "data"
    side = make_input(root, "real.jpg")
    (root / "out.jpg").symlink_to(tmp_path / "secret.jpg")
    (root / "same.jpg").symlink_to(root / "real.jpg")
    (root / "folder").symlink_to(tmp_path)
    assert list_names(side) == ["real.jpg", "same.jpg"]


def test_a_pipe_is_no_image(tmp_path: Path) -> None:
    side = make_input(tmp_path, "a.jpg")
    os.mkfifo(tmp_path / "pipe.jpg")
    assert list_names(side) == ["a.jpg"]


def test_files_are_written_below_the_folder_only(tmp_path: Path) -> None:
    side = MountedLightly(tmp_path / "data")
    side.write([(".lightly/thumbnails/a/b_thumb.jpg", b"x")])
    assert (tmp_path / "data/.lightly/thumbnails/a/b_thumb.jpg").read_bytes() == b"x"
    with pytest.raises(BadInput):
        side.write([(".lightly/../../out", b"x")])


def test_files_about_a_task_have_their_whole_names(tmp_path: Path) -> None:
    side = MountedLightly(tmp_path)
    side.write([(".lightly/predictions/pets/zoo/1.json", b"{}")])
    assert [name for name, _ in side.iterate_predictions("pets")] == [
        ".lightly/predictions/pets/zoo/1.json"
    ]


def test_a_file_that_goes_while_the_folder_is_listed_is_left_out(tmp_path: Path) -> None:
    side = make_input(tmp_path, *(f"{number}.jpg" for number in range(1_500)))
    pages = side.iterate_pages(ALWAYS, "")
    listed = {file.name for file in next(pages)}
    for path in tmp_path.glob("*.jpg"):
        if path.name not in listed:
            path.unlink()
    # Some file systems begin anew when a folder has changed: files that stayed may come again.
    assert {file.name for page in pages for file in page} <= listed


def test_memory_does_not_grow_with_the_files_of_a_folder(tmp_path: Path) -> None:
    def measure_peak_bytes(count: int) -> int:
        side = make_input(tmp_path / str(count), *(f"{number}.jpg" for number in range(count)))
        tracemalloc.start()
        try:
            assert sum(len(page) for page in side.iterate_pages(ALWAYS, "")) == count
            return tracemalloc.get_traced_memory()[1]
        finally:
            tracemalloc.stop()

    assert measure_peak_bytes(8_000) < 1.5 * measure_peak_bytes(2_000)
