"""The order in which a store lists its keys.

That of the large providers is the order of bytes. Stores that keep keys as a tree of folders list a
folder where its name alone belongs: `cam/1` before `cam-2/1`, although `/` comes behind `-`.
"""

from __future__ import annotations

import operator
from collections.abc import Callable
from typing import Protocol

from lightly.server.datasources.buckets.splitting import FindNext
from lightly.server.datasources.stores import find_stop


class SortedPlace(Protocol):
    """What is known of a store's order."""

    @property
    def is_sorted_by_bytes(self) -> bool:
        """Whether it is known to be that of bytes."""


def choose_order(first: str, after: str, place: SortedPlace) -> Callable[[str, str], bool]:
    """Return what tells whether a listed key lies behind the one that a listing goes on behind.

    Args:
        first: The first key that the store has listed.
        after: What it was asked to go on behind.
        place: The store.
    """
    begins_anew = first <= after and _sort_as_tree(first) <= _sort_as_tree(after)
    if place.is_sorted_by_bytes or begins_anew:
        return operator.gt
    # The store went on in an order of its own, whichever that is.
    return operator.ne


def is_split_safe(find_next: FindNext, prefix: str, bounds: list[str], place: SortedPlace) -> bool:
    """Tell whether parts of a listing between texts share nothing and are all of it.

    They are if the store sorts by bytes. Where that is not known, one question tells: what comes
    behind everything that a folder's name can go on with but for its slash?
    """
    if place.is_sorted_by_bytes or not bounds:
        return True
    for start in ("", *bounds):
        key = find_next(prefix, start)
        folder, slash, _ = (key or "")[len(prefix) :].partition("/")
        if slash:
            found = find_next(prefix, find_stop(f"{prefix}{folder}."))
            return found is not None and found.startswith(f"{prefix}{folder}/")
    return True


def _sort_as_tree(key: str) -> str:
    return key.replace("/", "\0")
