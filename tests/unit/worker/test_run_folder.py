"""Where a run keeps what it makes."""

from __future__ import annotations

from pathlib import Path

from lightly.worker.runs.context import RunFolder
from lightly.worker.server_link import ClaimedRun


def claim(run_id: str, attempt: int = 1) -> ClaimedRun:
    """Return a claim of a run on one dataset."""
    return ClaimedRun(run_id, "d" * 24, "c" * 24, attempt, "token", heartbeat_s=1)


def test_a_later_attempt_finds_the_shards_of_its_run(tmp_path: Path) -> None:
    first = RunFolder(tmp_path, claim("a" * 24))
    assert RunFolder(tmp_path, claim("a" * 24, attempt=2)).shards == first.shards


def test_a_later_run_on_the_dataset_does_not_take_old_bytes_for_new_ones(tmp_path: Path) -> None:
    first = RunFolder(tmp_path, claim("a" * 24))
    (first.shards / "shard.arrow").touch()
    assert not list(RunFolder(tmp_path, claim("b" * 24)).shards.iterdir())


def test_shards_go_with_the_folder_of_their_run(tmp_path: Path) -> None:
    folder = RunFolder(tmp_path, claim("a" * 24))
    assert folder.shards.is_relative_to(folder.root)
