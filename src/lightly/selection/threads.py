"""The engine's own threads: compiled loops and matrix products release Python's lock."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from contextvars import ContextVar, copy_context
from typing import TypeVar

from lightly.selection.errors import InvalidSelectionInput

Part = TypeVar("Part")

ENVIRONMENT = "LIGHTLY_SELECTION_THREADS"

_executor: ContextVar[ThreadPoolExecutor | None] = ContextVar("selection_threads", default=None)


def count_threads(asked: int | None) -> int:
    """Return how many threads to use: as asked, as the environment says, or all cores.

    Raises:
        InvalidSelectionInput: If the number is not an integer of at least 1.
    """
    if asked is None:
        text = os.environ.get(ENVIRONMENT, "")
        if not text:
            return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else 1
        asked = int(text) if text.isdecimal() else 0
    if isinstance(asked, bool) or not isinstance(asked, int) or asked < 1:
        raise InvalidSelectionInput(
            f"The number of threads must be an integer of at least 1. Got {str(asked)[:40]!r}. "
            f"It comes from `threads`, or else from {ENVIRONMENT}."
        )
    return asked


@contextmanager
def use_threads(n_threads: int) -> Iterator[None]:
    """Let `run_in_threads` use this many threads inside the block, the calling one among them."""
    if n_threads == 1:
        yield
        return
    with ThreadPoolExecutor(n_threads - 1, thread_name_prefix="selection") as executor:
        token = _executor.set(executor)
        try:
            yield
        finally:
            _executor.reset(token)


def run_in_threads(work: Callable[[Part], None], parts: Sequence[Part]) -> None:
    """Do each part of some work once, on as many threads as there are.

    Parts are taken one after another by whichever thread is free, so that a thread the machine
    holds up delays nobody. An error of any part is raised.
    """
    executor = _executor.get()
    if executor is None or len(parts) < 2:
        for part in parts:
            work(part)
        return
    left = iter(parts)  # Handing out an element of a sequence is one step under Python's lock.

    def drain() -> None:
        for part in left:
            work(part)

    n_helpers = min(executor._max_workers, len(parts) - 1)  # noqa: SLF001  the executor has no other way to tell
    helpers = [executor.submit(copy_context().run, drain) for _ in range(n_helpers)]
    try:
        drain()
    finally:
        for helper in helpers:
            helper.cancel()
    for helper in helpers:
        if not helper.cancelled():
            helper.result()
