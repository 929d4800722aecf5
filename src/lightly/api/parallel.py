"""The same call for many items at a time."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

ItemT = TypeVar("ItemT")
ResultT = TypeVar("ResultT")


def run_in_parallel(
    call: Callable[[ItemT], ResultT], items: Sequence[ItemT], *, max_workers: int
) -> list[ResultT]:
    """Return the results of a call for all items, in their order.

    The first error is raised when the calls that had begun by then have ended; the others are not
    made.

    Args:
        call: Waits for the network mostly.
        items: What it is called with.
        max_workers: Most calls at the same time.

    >>> run_in_parallel(abs, [-1, 2], max_workers=2)
    [1, 2]
    """
    n_threads = max(1, min(max_workers, len(items)))
    with ThreadPoolExecutor(n_threads) as executor:
        futures = [executor.submit(call, item) for item in items]
        try:
            return [future.result() for future in futures]
        finally:
            for future in futures:
                future.cancel()
