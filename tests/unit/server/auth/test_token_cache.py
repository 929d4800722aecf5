"""What is remembered of tokens, and what is not any more."""

from __future__ import annotations

from lightly.server.auth.token_cache import CACHE_TTL_S, TokenCache
from lightly.server.auth.users import User

ANN, BOB = User("a" * 24, "ann@x.y", is_admin=False), User("b" * 24, "bob@x.y", is_admin=False)


class _Watch:
    def __init__(self) -> None:
        self.now_s = 100.0

    def __call__(self) -> float:
        return self.now_s


def test_a_token_is_remembered_for_a_moment():
    watch = _Watch()
    cache = TokenCache(watch)
    cache.note("hash", ANN, cache.generation)

    watch.now_s += CACHE_TTL_S
    before = cache.recall("hash")
    watch.now_s += 0.001

    assert (before, cache.recall("hash")) == (ANN, None)


def test_a_user_is_forgotten_at_once_and_others_are_not():
    cache = TokenCache(_Watch())
    for token_hash, user in (("one", ANN), ("two", ANN), ("other", BOB)):
        cache.note(token_hash, user, cache.generation)

    cache.forget_user(ANN.id)

    assert [cache.recall(key) for key in ("one", "two", "other")] == [None, None, BOB]


def test_a_token_that_was_looked_up_before_it_was_revoked_is_not_remembered():
    cache = TokenCache(_Watch())
    generation = cache.generation

    cache.forget_user(ANN.id)
    cache.note("hash", ANN, generation)

    assert cache.recall("hash") is None
