"""Lists are sent in pieces: whole, or visibly cut."""

from __future__ import annotations

import json

import anyio
import pytest

from lightly.server.errors import Unavailable
from lightly.server.samples.listing import stream_pieces


def read_stream(response):
    async def read():
        return b"".join([part async for part in response.body_iterator])

    return anyio.run(read)


@pytest.mark.parametrize(
    "pieces",
    [
        [],
        [[]],
        [["a"]],
        [["a", "b"], ["c"]],
        [[{"a": 1}], [None], [[]]],
    ],
)
def test_the_pieces_make_one_list(pieces):
    text = read_stream(stream_pieces(iter(pieces)))

    assert json.loads(text) == [item for piece in pieces for item in piece]


def test_what_fails_at_once_is_an_error_before_anything_is_sent():
    def fail():
        raise Unavailable
        yield []

    with pytest.raises(Unavailable):
        stream_pieces(fail())


def test_what_fails_later_cuts_the_answer():
    def fail_later():
        yield ["a"]
        raise Unavailable

    response = stream_pieces(fail_later())

    with pytest.raises(Unavailable):
        read_stream(response)
