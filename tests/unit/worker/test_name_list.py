"""Many names in little memory."""

from __future__ import annotations

import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lightly.worker.runs.name_list import NameList, NamesByPosition


@given(st.lists(st.text(max_size=20)))
def test_names_come_back_as_they_were_in_their_order(names: list[str]) -> None:
    found = NameList(name.encode("utf-8", "surrogatepass").decode("utf-8", "replace")
                     for name in names)  # fmt: skip
    expected = [name.encode("utf-8", "surrogatepass").decode("utf-8", "replace") for name in names]
    assert list(found) == expected
    assert found[1:] == expected[1:]
    assert len(found) == len(names)


def test_names_that_are_no_unicode_come_back_too() -> None:
    assert NameList(["a\udcff.jpg"])[-1] == "a\udcff.jpg"


def test_a_name_that_is_not_there_is_an_error() -> None:
    with pytest.raises(IndexError):
        NameList(["a"])[1]


def test_names_take_a_few_bytes_more_than_their_letters() -> None:
    found = NameList(f"{number:08d}.jpg" for number in range(10_000))
    n_bytes = sum(map(sys.getsizeof, vars(found).values()))
    assert n_bytes < 10_000 * (12 + 12)


def test_positions_count_from_a_place() -> None:
    found = NamesByPosition(NameList("abcd"), 2)
    assert dict(found) == {0: "c", 1: "d"}
    assert 2 not in found
    assert -1 not in found
