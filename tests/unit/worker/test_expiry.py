"""Files that their store removes soon."""

from __future__ import annotations

import pytest

from lightly.worker.errors import RunRefused
from lightly.worker.options import ExpiryOptions
from lightly.worker.runs.expiry import ExpiryWatch
from lightly.worker.sources.file_list import InputFile

NOW_S = 1_800_000_000
DAY_MS = 24 * 3600 * 1000


def check(days: float | None, handling: str = "SKIP") -> str | None:
    """Check a file that expires in some days, where three are wanted."""
    watch = ExpiryWatch.open(ExpiryOptions(3.0, handling), now_s=NOW_S)
    assert watch is not None
    expires_at_ms = None if days is None else int(NOW_S * 1000 + days * DAY_MS)
    return watch.check(InputFile("a.jpg", "http://x", "", expires_at_ms))


@pytest.mark.parametrize("days", [None, 3.0, 400.0])
def test_files_that_stay_long_enough_are_used(days: float | None) -> None:
    assert check(days) is None
    assert check(days, "ABORT") is None


@pytest.mark.parametrize("days", [-1.0, 0.0, 2.99])
def test_files_that_expire_sooner_are_left_out_with_the_reason(days: float) -> None:
    reason = check(days)
    assert reason is not None
    assert reason.startswith("It expires too soon: its store removes it on 2027-01-")
    assert reason.endswith("in less than 3 days.")


def test_or_they_end_the_run() -> None:
    with pytest.raises(RunRefused, match=r"'a\.jpg' expires too soon.*lifecycle rules.*SKIP"):
        check(1.0, "ABORT")


def test_a_run_that_does_not_ask_watches_nothing() -> None:
    assert ExpiryWatch.open(None, now_s=NOW_S) is None
