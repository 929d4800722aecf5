"""How long something will take that tells how far it is."""

from __future__ import annotations

from collections import deque

#: The pace is that of the last part of what was done: early picks take longer than later ones.
_RECENT_SHARE = 1 / 3
#: Steps that are remembered.
_MOST_STEPS = 512


class RemainingTime:
    """Estimates the time that is left from the pace of late.

    Example:
        >>> estimate = RemainingTime()
        >>> estimate.note(0, 100, now_s=10.0)
        >>> estimate.note(50, 100, now_s=20.0)
        10.0
    """

    def __init__(self) -> None:
        self._steps: deque[tuple[float, int]] = deque()

    def note(self, done: int, total: int, *, now_s: float) -> float | None:
        """Take note of how far it is; return the seconds that are left, None if nobody knows yet.

        Args:
            done: Of ``total``.
            total: All there is to do.
            now_s: The time, of a clock that only grows.
        """
        if self._steps and self._steps[-1][1] == done:
            started_s = self._steps[0][0]
        else:
            self._steps.append((now_s, done))
            if len(self._steps) > _MOST_STEPS:
                # Every other one is enough: the pace is over a third of all that was done.
                self._steps = deque(list(self._steps)[::2])
            started_s = self._steps[0][0]
        if done >= total:
            return 0.0
        begun = self._steps[0][1]
        since = done - (done - begun) * _RECENT_SHARE
        started_s, first = max(
            (step for step in self._steps if step[1] <= since), default=self._steps[0]
        )
        if done <= first or now_s <= started_s:
            return None
        return (total - done) * (now_s - started_s) / (done - first)
