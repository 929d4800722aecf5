"""What one page is told, and what not twice."""

from __future__ import annotations

import asyncio

from lightly.server.events.feed import MAX_PENDING, Stream
from lightly.server.events.topics import Event, Mark


def make_stream(log_end: int = 0) -> Stream:
    return Stream("user", Mark(0, log_end), opened_at_s=0.0)


def make_log(start: int, end: int) -> Event:
    return Event("log", b"%d-%d" % (start, end), 1, log_start=start, log_end=end)


def test_entries_that_were_told_are_not_told_again():
    async def tell() -> bytes:
        stream = make_stream(log_end=5)
        stream.push([make_log(0, 5), make_log(5, 8), make_log(5, 8)])
        return stream.take()

    assert asyncio.run(tell()).count(b"event: log") == 1


def test_marks_go_forward_only():
    async def tell() -> Mark:
        stream = make_stream()
        stream.push([Event("run", b"{}", 9), make_log(0, 4), Event("run", b"{}", 3)])
        stream.take()
        return stream.mark

    assert asyncio.run(tell()) == Mark(9, 4)


def test_a_page_that_takes_nothing_has_to_begin_again():
    async def tell() -> bool:
        stream = make_stream()
        stream.push([Event("run", b"{}", 1)] * (MAX_PENDING + 1))
        return stream.is_over

    assert asyncio.run(tell())
