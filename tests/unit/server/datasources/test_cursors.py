"""Cursors say all that is needed to go on, and only to who may."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lightly.server.datasources.cursors import Cursor, read_cursor, write_cursor
from lightly.server.datasources.stores import Span
from lightly.server.errors import CursorInvalid
from lightly.server.secrets.keys import ServerKeys

KEYS = ServerKeys(bytes(32))
NAMES = st.text(st.characters(codec="utf-8"), max_size=1024)
SECONDS = st.integers(0, 2**53)


@given(NAMES, NAMES, SECONDS, st.none() | SECONDS)
def test_a_cursor_comes_back_as_it_was(after, last, from_s, to_s):
    cursor = Cursor(Span(after, last), from_s, to_s)

    text = write_cursor(KEYS, "listing", cursor)

    assert read_cursor(KEYS, "listing", text) == cursor
    assert text.isascii()


@pytest.mark.parametrize("keys", [ServerKeys(b"1" * 32), KEYS])
def test_a_cursor_of_another_server_or_listing_is_refused(keys):
    text = write_cursor(keys, "other", Cursor(Span("a", ""), 0, None))

    with pytest.raises(CursorInvalid):
        read_cursor(KEYS, "listing", text)


@given(st.text(max_size=200))
def test_no_text_is_a_cursor_by_chance(text):
    with pytest.raises(CursorInvalid):
        read_cursor(KEYS, "listing", text)
