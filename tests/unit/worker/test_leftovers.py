"""What runs have left in the work folder."""

from __future__ import annotations

import os
from pathlib import Path

from lightly.worker.runs.leftovers import MAX_AGE_S, remove_leftovers

NOW_S = 1_800_000_000.0


def make_run(root: Path, name: str, *, age_s: float) -> None:
    """Make a folder that was last written into some time ago."""
    shards = root / name / "shards"
    shards.mkdir(parents=True)
    (root / name / "log.txt").touch()
    for path in (shards, root / name / "log.txt", root / name):
        os.utime(path, (NOW_S - age_s, NOW_S - age_s))


def test_folders_that_nobody_writes_into_for_days_go(tmp_path: Path) -> None:
    make_run(tmp_path, "old", age_s=MAX_AGE_S + 60)
    make_run(tmp_path, "recent", age_s=MAX_AGE_S - 60)
    assert remove_leftovers(tmp_path, now_s=NOW_S) == ["old"]
    assert [path.name for path in tmp_path.iterdir()] == ["recent"]


def test_a_run_that_is_worked_on_stays_however_long_it_takes(tmp_path: Path) -> None:
    make_run(tmp_path, "long", age_s=MAX_AGE_S + 60)
    os.utime(tmp_path / "long" / "log.txt", (NOW_S - 5, NOW_S - 5))
    assert remove_leftovers(tmp_path, now_s=NOW_S) == []


def test_a_work_folder_without_runs_is_fine(tmp_path: Path) -> None:
    assert remove_leftovers(tmp_path / "runs", now_s=NOW_S) == []
