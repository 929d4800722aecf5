"""The state of a worker follows from what it said and when."""

from __future__ import annotations

import pytest

from lightly.server.workers.models import SILENT_AFTER_MS, Worker

HEARD_AT_MS = 1_700_000_000_000


def make_worker(state: str) -> Worker:
    return Worker(
        id="0" * 24,
        user_id="1" * 24,
        name="worker",
        worker_type="FULL",
        state=state,
        labels_json='["gpu"]',
        is_default=False,
        docker_version=None,
        creator="USER_PIP",
        session_id=None,
        created_at_ms=HEARD_AT_MS,
        last_modified_at_ms=HEARD_AT_MS,
    )


@pytest.mark.parametrize("state", ["OFFLINE", "IDLE", "BUSY", "CRASHED"])
@pytest.mark.parametrize("silence_ms", [-600_000, 0, SILENT_AFTER_MS])
def test_a_worker_that_was_heard_of_lately_is_what_it_said(state, silence_ms):
    """A clock that was set back makes nobody silent."""
    assert make_worker(state).state_at(HEARD_AT_MS + silence_ms) == state


@pytest.mark.parametrize(
    ("state", "expected"),
    [("OFFLINE", "OFFLINE"), ("IDLE", "OFFLINE"), ("BUSY", "CRASHED"), ("CRASHED", "CRASHED")],
)
def test_a_silent_worker_is_gone(state, expected):
    assert make_worker(state).state_at(HEARD_AT_MS + SILENT_AFTER_MS + 1) == expected


@pytest.mark.parametrize(
    ("state", "expected"), [("OFFLINE", True), ("CRASHED", True), ("IDLE", False), ("BUSY", False)]
)
def test_a_worker_that_is_gone_is_free(state, expected):
    assert make_worker(state).is_free_at(HEARD_AT_MS) == expected


def test_a_silent_worker_is_free():
    assert make_worker("BUSY").is_free_at(HEARD_AT_MS + SILENT_AFTER_MS + 1)
