"""Entity ids: 24 lower-case hex digits that grow with time.

Source: wire contract section 6. A growing prefix keeps inserts into the unique index local,
which is what makes bulk registration cheap. Ids are names, not secrets: every object is reached
through an access check.
"""

from __future__ import annotations

import os
import re
import threading
import time

ID_PATTERN = re.compile(r"^[a-f0-9]{24}$")
_COUNTER_SIZE = 1 << 24


class _IdSource:
    """Per process: 4 bytes of seconds, 5 random bytes, 3 bytes of counter."""

    def __init__(self) -> None:
        self._restart()
        os.register_at_fork(after_in_child=self._restart)

    def _restart(self) -> None:
        # A new lock, because another thread of the parent may have held the old one at the fork.
        self._lock = threading.Lock()
        self._process_part = os.urandom(5).hex()
        self._counter = int.from_bytes(os.urandom(2))
        self._second = 0

    def take(self, count: int) -> list[str]:
        with self._lock:
            # The second never goes back within a process, so ids grow even when the clock jumps.
            self._second = max(self._second, int(time.time()))
            first = self._counter
            if first + count >= _COUNTER_SIZE:
                self._second += 1
                first = 0
            self._counter = first + count
            prefix = f"{self._second:08x}{self._process_part}"
        return [f"{prefix}{number:06x}" for number in range(first, first + count)]


_SOURCE = _IdSource()


def make_id() -> str:
    """Return a new id.

    >>> len(make_id())
    24
    """
    return _SOURCE.take(1)[0]


def make_ids(count: int) -> list[str]:
    """Return `count` new ids in growing order; at most 2**24 at once.

    >>> ids = make_ids(3)
    >>> ids == sorted(set(ids))
    True
    """
    if not 0 <= count < _COUNTER_SIZE:
        raise ValueError(f"count must be in [0, {_COUNTER_SIZE}), got {count}.")
    return _SOURCE.take(count)


def is_id(text: str) -> bool:
    """Tell whether `text` has the form of an entity id.

    >>> is_id("65f0c0ffee65f0c0ffee1234"), is_id("nope")
    (True, False)
    """
    return ID_PATTERN.fullmatch(text) is not None
