"""Tokens that live in the memory of this process: for workers that it has started itself."""

from __future__ import annotations

import secrets
import threading

from lightly.server.auth.users import User
from lightly.server.secrets.keys import ServerKeys


class LentTokens:
    """Tokens by which a child process acts for a user, until they are taken back."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._user_ids: dict[str, str] = {}

    def lend(self, keys: ServerKeys, user: User) -> str:
        """Return a new token of a user."""
        token = secrets.token_hex(32)
        with self._lock:
            self._user_ids[keys.hash_token(token)] = user.id
        return token

    def take_back(self, keys: ServerKeys, token: str) -> None:
        """Refuse a token from now on."""
        with self._lock:
            self._user_ids.pop(keys.hash_token(token), None)

    def find_user_id(self, token_hash: str) -> str | None:
        """Return whose token this is; None if it was not lent here."""
        return self._user_ids.get(token_hash)
