"""2-D coordinates at rest and on the wire."""

from __future__ import annotations

import json

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from lightly.server.embeddings import coordinates
from lightly.server.embeddings.coordinates import (
    iterate_json,
    pack_coordinates,
    unpack_coordinates,
)

FINITE = st.floats(width=32, allow_nan=False, allow_infinity=False)


@settings(deadline=None)
@given(arrays.arrays(np.float32, st.tuples(st.integers(1, 50), st.just(2)), elements=FINITE))
def test_coordinates_come_back_as_they_were(points):
    columns = unpack_coordinates(pack_coordinates(points))

    assert np.array_equal(columns, points.T)


@settings(deadline=None)
@given(st.lists(FINITE, max_size=50))
def test_the_json_reads_back_to_the_same_numbers(numbers):
    column = np.array(numbers, dtype=np.float32)

    text = b"".join(iterate_json(column))

    assert np.array_equal(np.array(json.loads(text), dtype=np.float32), column)


@pytest.mark.parametrize("length", [0, 1, 9, 10, 11, 25])
def test_pieces_make_one_list(length, monkeypatch):
    monkeypatch.setattr(coordinates, "_CHUNK", 10)

    text = b"".join(iterate_json(np.arange(length, dtype=np.float32)))

    assert json.loads(text) == list(range(length))
