"""Workers that ask again and again for runs while there are none.

Fifty of them ask all day long, and the answer is nearly always that there is nothing. As long as
nobody has committed anything since a worker got that answer it stands, so it is given again without
asking the database, a thread or anything else.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Hashable
from dataclasses import dataclass
from typing import TypeVar

from starlette.concurrency import run_in_threadpool

from lightly.server.auth.users import User
from lightly.server.db.changes import ChangeStamps

ResultT = TypeVar("ResultT")

#: Polls whose last answer is remembered; beyond that all are forgotten.
_MAX_POLLS = 10_000


@dataclass(frozen=True)
class Poll:
    """What decides about the answer to a poll, but for what is in the database.

    Attributes:
        caller: Who asks.
        worker_id: The worker.
        details: Everything else that was asked for.
    """

    caller: User
    worker_id: str
    details: tuple[Hashable, ...]


class QuietPolls:
    """Remembers the polls that found nothing at the present state of the database."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        # One value, so that nobody takes the polls of one state for those of another.
        self._known: tuple[Hashable | None, set[Poll]] = (None, set())

    async def ask(
        self, stamps: ChangeStamps, poll: Poll, look_up: Callable[[], ResultT]
    ) -> ResultT | None:
        """Return what a poll finds; None at once if it found nothing before and nothing changed.

        Args:
            stamps: Tell whether anything changed.
            poll: What is asked for; equal ones have equal answers.
            look_up: Asks the database. What counts as False is that there is nothing.
        """
        stamp = stamps.peek()
        if stamp is not None and self._is_known(poll, stamp):
            return None
        return await run_in_threadpool(self._ask, stamps, poll, look_up)

    def _ask(
        self, stamps: ChangeStamps, poll: Poll, look_up: Callable[[], ResultT]
    ) -> ResultT | None:
        # Before the look-up: what is committed from here on changes the stamp.
        stamp = stamps.read()
        if self._is_known(poll, stamp):
            return None
        found = look_up()
        if not found:
            self._note(poll, stamp)
        return found

    def _is_known(self, poll: Poll, stamp: Hashable) -> bool:
        known_stamp, polls = self._known
        return stamp == known_stamp and poll in polls

    def _note(self, poll: Poll, stamp: Hashable) -> None:
        with self._lock:
            known_stamp, polls = self._known
            if stamp != known_stamp or len(polls) >= _MAX_POLLS:
                self._known = (stamp, {poll})
            else:
                polls.add(poll)
