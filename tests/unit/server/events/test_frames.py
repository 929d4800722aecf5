"""Server-sent events as text."""

from __future__ import annotations

import pytest

from lightly.server.errors import RunUnknown
from lightly.server.events.frames import read_mark, write_event, write_gone
from lightly.server.events.topics import Event, Mark


def test_an_event_is_one_block_with_its_mark():
    event = Event("log", b'{"start":3}', 5, log_start=3, log_end=7)

    text = write_event(event, Mark(5, 7))

    assert text == b'id: 5-7\nevent: log\ndata: {"start":3}\n\n'


def test_what_is_gone_has_no_mark_to_go_on_from():
    text = write_gone(RunUnknown())

    assert text.startswith(b"event: gone\ndata: {")
    assert b"DOCKER_RUN_UNKNOWN" in text


@pytest.mark.parametrize("text", ["", "1", "1-", "a-1", "1-1-1", f"{'9' * 16}-1", "-1-1", "1-1\n"])
def test_other_ids_are_no_marks(text):
    assert read_mark(text) is None


def test_a_mark_is_read_as_it_was_written():
    written = write_event(Event("run", b"{}", 1), Mark(1_700_000_000_000, 42))

    assert read_mark(written.split(b"\n")[0].removeprefix(b"id: ").decode()) == Mark(
        1_700_000_000_000, 42
    )
