"""Tokens that were found good a moment ago."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

from lightly.server.auth.users import User

#: A token that was good is not looked up again for this long. Revoking it in this process acts at
#: once; in another one (a second server, `lightly admin`) it acts within this time.
CACHE_TTL_S = 2.0
_CACHE_SIZE = 10_000


class TokenCache:
    """Remembers the users of tokens, by the tokens' hashes, for a moment."""

    def __init__(self, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._monotonic = monotonic
        self._lock = threading.Lock()
        self._known: dict[str, tuple[User, float]] = {}
        self._generation = 0

    @property
    def generation(self) -> int:
        """How often users were forgotten. To be read before a token is looked up."""
        return self._generation

    def recall(self, token_hash: str) -> User | None:
        """Return the user of a token that was found good a moment ago."""
        known = self._known.get(token_hash)
        if known is None or known[1] < self._monotonic():
            return None
        return known[0]

    def note(self, token_hash: str, user: User, generation: int) -> None:
        """Remember a good token, unless users were forgotten while it was looked up.

        Args:
            token_hash: The token.
            user: Whose it is.
            generation: What `generation` was before the look-up.
        """
        with self._lock:
            if generation != self._generation:
                return
            if len(self._known) >= _CACHE_SIZE:
                self._known.clear()
            self._known[token_hash] = (user, self._monotonic() + CACHE_TTL_S)

    def forget_user(self, user_id: str) -> None:
        """Look the tokens of a user up again from now on; to be called after the commit."""
        with self._lock:
            self._generation += 1
            for token_hash in [key for key, (user, _) in self._known.items() if user.id == user_id]:
                del self._known[token_hash]
