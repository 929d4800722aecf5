"""JSON as the client sends it."""

import json
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lightly._kit.errors import BadInput
from lightly.api.encoding import encode_json

JSON_VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**63), 2**63)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(st.characters(exclude_categories=["Cs"])),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.text(st.characters(exclude_categories=["Cs"])), inner, max_size=3)
    ),
    max_leaves=8,
)


@given(JSON_VALUES)
def test_what_is_encoded_reads_back(value):
    assert json.loads(encode_json(value)) == value


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (np.float32(0.5), b"0.5"),
        (np.int64(3), b"3"),
        (np.array([[1, 2]]), b"[[1,2]]"),
        (np.bool_(True), b"true"),
    ],
)
def test_numbers_of_numpy_become_plain_ones(value, expected):
    assert encode_json({"v": value}) == b'{"v":' + expected + b"}"


@pytest.mark.parametrize(
    "value",
    [float("nan"), [float("inf")], {"a": -float("inf")}, np.float32("nan"), np.array([np.nan])],
)
def test_numbers_that_json_lacks_are_refused(value):
    with pytest.raises(BadInput):
        encode_json(value)


def test_words_that_look_like_such_numbers_are_text():
    assert encode_json(["NaN", "Infinity"]) == b'["NaN","Infinity"]'


@pytest.mark.parametrize("value", [object(), {"a": "\ud800"}, Path])
def test_values_that_are_no_json_are_refused(value):
    with pytest.raises(BadInput, match="cannot be sent as JSON"):
        encode_json(value)
