"""One retry policy for everything of ours that crosses a network."""

from __future__ import annotations

import random
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC
from email.utils import parsedate_to_datetime

#: Answers that say "later", not "no".
RETRIED_STATUSES = frozenset({408, 425, 429, 500, 502, 503, 504})


@dataclass(frozen=True)
class RetryPolicy:
    """How often and how long to wait: exponential, bounded, the later half of it by chance.

    Attributes:
        attempts: How often a call is made at most, the first time included.
        base_s: Upper bound of the first wait in seconds; it doubles each time.
        cap_s: Longest wait in seconds, for `Retry-After` too.
        sleep: Waits; a test passes its own.
        jitter: Returns a number in [0, 1).
    """

    attempts: int = 8
    base_s: float = 0.5
    cap_s: float = 30.0
    sleep: Callable[[float], None] = time.sleep
    jitter: Callable[[], float] = field(default=random.random)

    def wait_s(self, attempt: int, retry_after: str | None = None) -> float:
        """Return the seconds to wait after attempt number `attempt` (from 1) failed.

        Args:
            attempt: Number of the attempt that failed.
            retry_after: The answer's `Retry-After` header; it is a lower bound on the wait.
        """
        # Doubling more often than this passes every cap, and at some point every number.
        doublings = min(attempt - 1, 64)
        bound: float = min(self.cap_s, self.base_s * 2**doublings)
        asked = min(self.cap_s, parse_retry_after(retry_after))
        return max(asked, bound * (0.5 + 0.5 * self.jitter()))


def parse_retry_after(value: str | None, *, now_s: float | None = None) -> float:
    """Return the seconds that a `Retry-After` header asks for, 0 when it asks for nothing.

    >>> parse_retry_after("7"), parse_retry_after(None), parse_retry_after("soon")
    (7.0, 0.0, 0.0)
    """
    if not value:
        return 0.0
    try:
        return max(0.0, float(value))
    except ValueError:
        pass
    try:
        moment = parsedate_to_datetime(value)
    except (TypeError, ValueError):
        return 0.0
    if moment.tzinfo is None:
        # "-0000" stands for UTC without saying so.
        moment = moment.replace(tzinfo=UTC)
    return max(0.0, moment.timestamp() - (time.time() if now_s is None else now_s))
