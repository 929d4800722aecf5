"""Time, passed in so that tests need no sleeping."""

from __future__ import annotations

import time
from typing import Protocol


class Clock(Protocol):
    """What needs the time takes one of these."""

    def now_ms(self) -> int:
        """Return milliseconds since the epoch."""


class SystemClock:
    """The clock of this machine."""

    def now_ms(self) -> int:
        """Return milliseconds since the epoch."""
        return time.time_ns() // 1_000_000
