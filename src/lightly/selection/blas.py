"""One BLAS thread while a selection runs.

The engine issues thousands of small matrix products. A BLAS that splits each of them over threads
spends its time waiting for those threads: two threads were measured 3 to 9 times slower than one.
Only speed is at stake, since no pick depends on how a product is rounded.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache

import threadpoolctl  # type: ignore[import-untyped]  # ships no type information

_holder = threading.Lock()


@contextmanager
def hold_blas_to_one_thread() -> Iterator[None]:
    """Limit BLAS to one thread inside the block and restore the limit afterwards.

    The limit belongs to the process. When selections overlap, the first one holds and restores it
    and the others change nothing, so that overlapping restores cannot leave a wrong limit behind.
    """
    if not _holder.acquire(blocking=False):
        yield
        return
    limits = [(library, library.get_num_threads()) for library in _find_blas()]
    limited = [(library, limit) for library, limit in limits if limit not in (None, 1)]
    try:
        for library, _ in limited:
            library.set_num_threads(1)
        yield
    finally:
        for library, limit in limited:
            library.set_num_threads(limit)
        _holder.release()


@cache
def _find_blas() -> list[threadpoolctl.LibController]:
    # Its own context manager asks every library about everything, which takes ten microseconds.
    found = threadpoolctl.ThreadpoolController().lib_controllers
    return [library for library in found if library.user_api == "blas"]
