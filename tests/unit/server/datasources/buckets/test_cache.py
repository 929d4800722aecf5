"""Clients of stores are used again for a while, and never longer."""

from __future__ import annotations

from types import SimpleNamespace

from lightly.server.datasources.buckets.cache import STORE_TTL_S, StoreCache


def test_a_store_is_made_anew_for_another_revision_and_after_its_time():
    now_s, made = [0.0], []
    cache = StoreCache(lambda: now_s[0])

    def make():
        made.append(SimpleNamespace(is_stale=False))
        return made[-1]

    first = cache.get(("a", 1), make)
    assert cache.get(("a", 1), make) is first
    assert cache.get(("a", 2), make) is not first
    now_s[0] = STORE_TTL_S + 1
    assert cache.get(("a", 1), make) is not first
    assert len(made) == 3


def test_a_store_whose_credentials_have_ended_is_made_anew():
    cache = StoreCache(lambda: 0.0)
    first = cache.get("a", lambda: SimpleNamespace(is_stale=False))

    first.is_stale = True

    assert cache.get("a", lambda: SimpleNamespace(is_stale=False)) is not first


def test_only_so_many_stores_are_kept():
    cache = StoreCache(lambda: 0.0)
    for number in range(1000):
        cache.get(number, lambda: SimpleNamespace(is_stale=False))

    assert len(cache._known) < 1000
