"""Listings of a bucket lose nothing, whichever way the store sorts its keys."""

from dataclasses import dataclass

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lightly.server.datasources.buckets.ordering import choose_order, is_split_safe
from lightly.server.datasources.buckets.splitting import split_keys

KEYS = st.sets(st.text("a-./0", min_size=1, max_size=6), max_size=25).map(
    lambda keys: sorted(key for key in keys if "" not in key.split("/"))
)


@dataclass(frozen=True)
class Place:
    is_sorted_by_bytes: bool = False


def sort_as_tree(key):
    return key.split("/")


def sort_by_bytes(key):
    return key


def list_behind(keys, after, sort):
    return [key for key in sorted(keys, key=sort) if not after or sort(key) > sort(after)]


def walk(keys, sort, page_size, place):
    """Return what a listing of pages comes to."""
    found, after = [], ""
    while True:
        page = list_behind(keys, after, sort)
        is_behind = choose_order(page[0], after, place) if page else None
        page = [key for key in page if is_behind(key, after)][:page_size]
        found += page
        if len(page) < page_size:
            return found
        after = page[-1]


@given(keys=KEYS, page_size=st.integers(1, 4))
def test_a_store_that_sorts_as_a_tree_loses_nothing(keys, page_size):
    assert sorted(walk(keys, sort_as_tree, page_size, Place())) == keys


@given(keys=KEYS, page_size=st.integers(1, 4), is_known=st.booleans())
def test_a_store_that_sorts_by_bytes_loses_nothing(keys, page_size, is_known):
    assert walk(keys, sort_by_bytes, page_size, Place(is_known)) == keys


def test_a_store_that_begins_anew_is_not_listed_for_ever():
    is_behind = choose_order("a", "b/c", Place())

    assert [key for key in ("a", "b/c", "b/d") if is_behind(key, "b/c")] == ["b/d"]


@given(keys=KEYS, count=st.integers(2, 5))
def test_parts_of_a_store_that_sorts_by_bytes_are_safe(keys, count):
    def find_next(prefix, after):
        return next(
            (key for key in list_behind(keys, after, sort_by_bytes) if key.startswith(prefix)), None
        )

    assert is_split_safe(find_next, "", split_keys(find_next, "", count), Place())


@pytest.mark.parametrize(
    "keys", [["cam-2/1", "cam/1", "cam/2"], ["a/1", "b/1", "c/1"], ["a/b/c", "a/b-/c"]]
)
def test_parts_of_a_store_that_sorts_as_a_tree_are_found_out(keys):
    def find_next(prefix, after):
        listed = list_behind(keys, after, sort_as_tree)
        return next((key for key in listed if key.startswith(prefix)), None)

    assert not is_split_safe(find_next, "", ["b"], Place())
    assert is_split_safe(find_next, "", [], Place())
