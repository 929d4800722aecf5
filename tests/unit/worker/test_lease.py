"""Holding a run."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from lightly.api.errors import ConnectionFailed
from lightly.worker.errors import RunLost, RunStopped, WorkerShutsDown
from lightly.worker.lease import RunLease
from lightly.worker.run_log import MemoryLog, RunLog
from lightly.worker.server_link import ClaimedRun

CLAIM = ClaimedRun("r" * 24, "d" * 24, "c" * 24, 1, "token", heartbeat_s=0.01)


class FakeLink:
    """Notes what it is told; answers as a test wants."""

    claim = CLAIM

    def __init__(self) -> None:
        self.lives: list[dict[str, Any]] = []
        self.entries: list[dict[str, Any]] = []
        self.is_stopped = False
        self.error: Exception | None = None
        self.told = threading.Event()

    def show_life(self, **news: Any) -> bool:
        """Take a sign of life."""
        self.lives.append(news)
        self.told.set()
        if self.error is not None:
            raise self.error
        return self.is_stopped

    def append_log(self, entries: list[dict[str, Any]]) -> None:
        """Take log entries."""
        if self.error is not None:
            raise self.error
        self.entries += entries


@pytest.fixture
def link() -> FakeLink:
    """A server that is content."""
    return FakeLink()


@pytest.fixture
def make_lease(tmp_path: Path, link: FakeLink) -> Iterator[Callable[..., RunLease]]:
    """Return a function that makes a lease; what is logged goes into its log."""
    run_log = RunLog(tmp_path / "log.txt")
    logger = logging.getLogger("lightly.worker")
    logger.addHandler(run_log)
    logger.setLevel(logging.INFO)

    def make(shutdown: threading.Event | None = None) -> RunLease:
        memory_log = MemoryLog(tmp_path / "memlog.txt")
        return RunLease(link, run_log, memory_log, shutdown or threading.Event())  # type: ignore[arg-type]  # a fake link

    yield make
    logger.removeHandler(run_log)
    run_log.close()


def wait_for_life(link: FakeLink) -> None:
    """Wait until the thread has shown two more signs of life."""
    for _ in range(2):
        link.told.clear()
        assert link.told.wait(10)


def test_work_of_an_earlier_state_is_told_in_the_present_one(
    make_lease: Callable[..., RunLease], link: FakeLink
) -> None:
    lease = make_lease()
    with lease:
        lease.report_state("PRETAGGING", "Finding objects.")
        lease.report_state("EMBEDDING_OBJECT_CROPS", "Embedding objects.")
    told = [(life["state"], life["message"]) for life in link.lives if life.get("state")]
    assert told == [("PRETAGGING", "Finding objects."), ("PRETAGGING", "Embedding objects.")]


def test_a_state_is_reported_with_its_message_and_logged(
    make_lease: Callable[..., RunLease], link: FakeLink, tmp_path: Path
) -> None:
    make_lease().report_state("SAMPLING", "Selecting from 5 images.")
    assert link.lives == [{"state": "SAMPLING", "message": "Selecting from 5 images."}]
    (entry,) = link.entries
    assert (entry["level"], entry["state"]) == ("INFO", "SAMPLING")
    assert entry["msg"] == "SAMPLING: Selecting from 5 images."
    assert "Selecting from 5 images." in (tmp_path / "log.txt").read_text()


def test_signs_of_life_go_on_with_the_progress(
    make_lease: Callable[..., RunLease], link: FakeLink
) -> None:
    with make_lease() as lease:
        lease.report_progress(3, 10)
        wait_for_life(link)
    assert {"progress": (3, 10)} in link.lives


def test_a_request_to_stop_ends_the_work(
    make_lease: Callable[..., RunLease], link: FakeLink
) -> None:
    link.is_stopped = True
    with make_lease() as lease:
        wait_for_life(link)
        with pytest.raises(RunStopped):
            lease.check()


def test_a_lost_lease_ends_the_work_and_the_signs_of_life(
    make_lease: Callable[..., RunLease], link: FakeLink
) -> None:
    link.error = RunLost("gone")
    lease = make_lease()
    with lease:
        assert link.told.wait(10)
        lease._thread.join(10)
        with pytest.raises(RunLost):
            lease.check()
    assert len(link.lives) == 1


def test_a_server_that_is_away_for_a_while_does_not_end_the_work(
    make_lease: Callable[..., RunLease], link: FakeLink
) -> None:
    link.error = ConnectionFailed("away")
    with make_lease() as lease:
        wait_for_life(link)
        lease.check()
        link.error = None
        wait_for_life(link)
        lease.check()


def test_entries_that_could_not_be_sent_are_sent_later_in_order(
    make_lease: Callable[..., RunLease], link: FakeLink
) -> None:
    lease = make_lease()
    log = logging.getLogger("lightly.worker")
    log.info("one")
    link.error = ConnectionFailed("away")
    with pytest.raises(ConnectionFailed):
        lease.send_log()
    link.error = None
    log.info("two")
    lease.send_log()
    assert [entry["msg"] for entry in link.entries] == ["one", "two"]


def test_a_worker_that_shall_end_ends_its_work(
    make_lease: Callable[..., RunLease],
) -> None:
    shutdown = threading.Event()
    lease = make_lease(shutdown)
    lease.check()
    shutdown.set()
    with pytest.raises(WorkerShutsDown):
        lease.check()


def test_no_signed_url_gets_into_the_log(
    make_lease: Callable[..., RunLease], link: FakeLink, tmp_path: Path
) -> None:
    lease = make_lease()
    url = "https://store/a.jpg?X-Amz-Signature=0123456789abcdef0123456789abcdef"
    logging.getLogger("lightly.worker").info("reading %s", url)
    lease.send_log()
    for text in (link.entries[0]["msg"], (tmp_path / "log.txt").read_text()):
        assert "0123456789abcdef" not in text
