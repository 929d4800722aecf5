"""What a row of the table is: two callables that do the same work, and the ratio wanted of them.

A module of rows has one function ``list_rows() -> list[Row]``, named in ``listing.MODULES``.
Nothing is made before the row runs: ``prepare`` makes the data and returns the contest. Every row
runs in a process of its own, on one thread.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

Work = Callable[[], object]


@dataclass(frozen=True)
class Contest:
    """Two ways to do one thing.

    Attributes:
        ours: Runs this engine.
        peer: Runs the peer.
        peer_share: Share of the work that ``peer`` does; its time is divided by it.
        agree: Takes both answers; raises if they are not of one quality.
    """

    ours: Work
    peer: Work
    peer_share: float = 1.0
    agree: Callable[[object, object], None] | None = None


@dataclass(frozen=True)
class Row:
    """A row of the table.

    Attributes:
        what: Strategies and peer, such as ``diversity vs lightly-mundig``.
        data: Such as ``clustered 50k x 128, n = 5,000``.
        at_least: Least ratio of the peer's CPU seconds over ours; None to report it only.
        aim: Ratio that would be better still.
        prepare: Makes the data and returns the contest.
        is_quick: Whether the row is part of the minute-long run.
        rounds: Interleaved runs of each, of which the medians count.
        most_s: Most CPU seconds ours may take, if that matters too.
        by_wall: Compare wall-clock time instead of CPU time: for runs on several threads.
        measure: Measures the row instead of a contest, given the rounds: for rows that are the
            worst of many contests, or not of time.
    """

    what: str
    data: str
    at_least: float | None
    aim: float | None
    prepare: Callable[[], Contest] | None = None
    is_quick: bool = False
    rounds: int = 3
    most_s: float | None = None
    by_wall: bool = False
    measure: Callable[[int], Measured] | None = None


@dataclass(frozen=True)
class Measured:
    """What came out.

    Attributes:
        ours_s: Median of CPU (or wall) seconds of this engine.
        peer_s: Median of the peer's.
        ratio: Median of the rounds' ratios.
        note: What else there is to say, such as which of many contests it was.
    """

    ours_s: float
    peer_s: float
    ratio: float
    note: str = ""
