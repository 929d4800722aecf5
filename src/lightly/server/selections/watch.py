"""The link of a running task to the people who wait for it: progress out, cancellation in."""

from __future__ import annotations

import time
from collections.abc import Callable

import orjson

from lightly.server.errors import Unavailable
from lightly.server.jobs import repository
from lightly.server.jobs.task import ClaimLost, Task

#: Seconds between two signs of life. Whoever cancels waits about so long.
INTERVAL_S = 0.5


class JobWatch:
    """Tells how far a job is, and finds out whether it is still wanted.

    Args:
        task: The attempt at the job.
    """

    def __init__(self, task: Task) -> None:
        self._task = task
        self._last_s = -float("inf")

    def begin(self, stage: str) -> Callable[[int, int], None]:
        """Return what is to be called with (done, total) during a stage, as often as one likes."""
        self._last_s = -float("inf")

        def note(done: int, total: int) -> None:
            if time.monotonic() - self._last_s >= INTERVAL_S:
                self._note(stage, done, total)

        note(0, 0)
        return note

    def _note(self, stage: str, done: int, total: int) -> None:
        """Write progress.

        Raises:
            ClaimLost: If the job was cancelled, or another attempt has it by now.
        """
        progress = orjson.dumps({"stage": stage, "processed": done, "total": total}).decode()
        task = self._task
        try:
            with task.database.write() as connection:
                now_ms = task.clock.now_ms()
                is_held = repository.note_progress(
                    connection, task.job_id, task.claim_token, progress, now_ms
                )
        except Unavailable:
            # Progress is not worth the work that was done; the end of the job tries again.
            is_held = True
        self._last_s = time.monotonic()
        if not is_held:
            raise ClaimLost
