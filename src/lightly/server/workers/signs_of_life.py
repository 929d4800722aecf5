"""Signs of life of workers, kept until there are enough of them to be worth a write.

Every poll is one. Writing each down would cost more than the poll, and change the database for
everybody who waits for a change.
"""

from __future__ import annotations

import time
from collections.abc import Callable

from lightly.server.db.engine import Database
from lightly.server.workers.models import SILENT_AFTER_MS
from lightly.server.workers.repository import note_heard_of

#: How often they are written down: a worker counts as gone after four times this.
WRITTEN_EVERY_S = SILENT_AFTER_MS / 4000


class SignsOfLife:
    """When workers were last heard of, as far as the database does not know yet.

    Args:
        monotonic: The time that decides when to write.
    """

    def __init__(self, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._monotonic = monotonic
        self._heard_of: dict[str, int] = {}
        self._written_at_s = monotonic()

    def note(self, worker_id: str, now_ms: int) -> None:
        """Note that a worker was heard of."""
        self._heard_of[worker_id] = now_ms

    def write_when_due(self, database: Database) -> None:
        """Write them down, unless that was done a moment ago."""
        if self._monotonic() - self._written_at_s >= WRITTEN_EVERY_S:
            self.write(database)

    def write(self, database: Database) -> None:
        """Write down all that have come so far."""
        self._written_at_s = self._monotonic()
        heard_of, self._heard_of = self._heard_of, {}
        if heard_of:
            with database.write() as connection:
                note_heard_of(connection, heard_of)
