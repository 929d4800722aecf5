"""Clients of stores that were made a moment ago: their connections are used again."""

from __future__ import annotations

import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Hashable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from lightly.server.datasources.buckets.store import BucketStore

#: Addresses of endpoints are looked at again, and sessions of roles made anew, this often.
STORE_TTL_S = 600.0
_MAX_STORES = 256


class StoreCache:
    """Keeps stores by the revision of their datasource: a change acts at once.

    Args:
        monotonic: Tells the time; a test passes its own.
    """

    def __init__(self, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._monotonic = monotonic
        self._lock = threading.Lock()
        self._known: OrderedDict[Hashable, tuple[BucketStore, float]] = OrderedDict()

    def get(self, key: Hashable, make: Callable[[], BucketStore]) -> BucketStore:
        """Return the store of a revision, made when there is none that is fresh."""
        now_s = self._monotonic()
        with self._lock:
            known = self._known.get(key)
            if known is not None and known[1] > now_s and not known[0].is_stale:
                self._known.move_to_end(key)
                return known[0]
        # Not under the lock: it may take a while. Two at once make two, and one is kept.
        made = make()
        with self._lock:
            self._known[key] = (made, now_s + STORE_TTL_S)
            self._known.move_to_end(key)
            while len(self._known) > _MAX_STORES:
                self._known.popitem(last=False)
        return made
