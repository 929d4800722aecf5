"""The same call for many items at a time."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TypeVar

ItemT = TypeVar("ItemT")
ResultT = TypeVar("ResultT")

#: Items per worker that wait their turn; bounds memory however many there are.
_QUEUED_PER_WORKER = 4


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


def iterate_in_parallel(
    call: Callable[[ItemT], ResultT], items: Iterable[ItemT], *, max_workers: int
) -> Iterator[ResultT]:
    """Yield the results of a call for items, in their order; few items are taken ahead.

    The first error is raised when its turn comes; what has not begun by then is not done.

    Args:
        call: Waits for the network mostly.
        items: What it is called with; may be endless.
        max_workers: Most calls at the same time.

    >>> list(iterate_in_parallel(abs, iter([-1, 2]), max_workers=2))
    [1, 2]
    """
    n_workers = max(1, max_workers)
    pending: deque[Future[ResultT]] = deque()
    with ThreadPoolExecutor(n_workers, thread_name_prefix="transfer") as executor:
        try:
            for item in items:
                pending.append(executor.submit(call, item))
                if len(pending) >= _QUEUED_PER_WORKER * n_workers:
                    yield pending.popleft().result()
            while pending:
                yield pending.popleft().result()
        finally:
            for future in pending:
                future.cancel()
