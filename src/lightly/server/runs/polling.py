"""Asking for runs, as workers do every few seconds."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

from lightly.server.platform import PlatformState
from lightly.server.runs.quiet_polls import Poll

ResultT = TypeVar("ResultT")


async def ask_for_runs(
    platform: PlatformState, poll: Poll, look_up: Callable[[], ResultT]
) -> ResultT | None:
    """Return what a poll finds; this is a sign of life of its worker, too.

    Args:
        platform: The server.
        poll: Who asks for what.
        look_up: Asks the database, after checking that the caller may; what counts as False is that
            there is nothing.
    """
    found = await platform.quiet_polls.ask(platform.database.stamps, poll, look_up)
    platform.signs_of_life.note(poll.worker_id, platform.clock.now_ms())
    return found
