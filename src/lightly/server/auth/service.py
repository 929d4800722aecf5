"""Making users and tokens, and telling whose token this is."""

from __future__ import annotations

import secrets
import threading
import time
from collections.abc import Callable
from pathlib import Path

import sqlalchemy as sa

from lightly._kit.atomic_files import write_atomic
from lightly._kit.clock import Clock
from lightly._kit.errors import BadInput
from lightly._kit.ids import make_id
from lightly.server.auth import repository
from lightly.server.auth.addresses import is_of_service_account, normalise_address
from lightly.server.auth.lent_tokens import LentTokens
from lightly.server.auth.token_cache import TokenCache
from lightly.server.auth.users import User
from lightly.server.db.engine import Database
from lightly.server.errors import NotAuthenticated, TooManyRequests
from lightly.server.secrets.keys import ServerKeys

#: The address of the first user.
FIRST_USER_EMAIL = "admin@localhost"
#: Where the first token is kept when the server made it itself.
FIRST_TOKEN_FILE = "admin-token"  # noqa: S105  a file name
MIN_TOKEN_LENGTH = 8
RECOMMENDED_TOKEN_LENGTH = 32
MAX_TOKEN_LENGTH = 512
_MAX_ADDRESSES = 10_000
_WINDOW_S = 60.0


class Authenticator:
    """Finds the user of a token, remembers good ones briefly, slows down guessing."""

    def __init__(
        self,
        database: Database,
        keys: ServerKeys,
        *,
        failures_per_minute: int,
        cache: TokenCache | None = None,
        lent: LentTokens | None = None,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._database = database
        self._keys = keys
        self._failures_per_minute = failures_per_minute
        self._monotonic = monotonic
        self._lock = threading.Lock()
        self._cache = cache or TokenCache(monotonic)
        self._lent = lent or LentTokens()
        self._failures: dict[str, tuple[int, float]] = {}

    def recall(self, token: str) -> User | None:
        """Return the user of a token that was found good a moment ago, without any query."""
        return self._cache.recall(self._keys.hash_token(token))

    def authenticate(self, token: str | None, address: str) -> User:
        """Return the user of `token`.

        Args:
            token: What the caller sent, None when nothing was.
            address: Where the request comes from; wrong tokens are counted per address.

        Raises:
            NotAuthenticated: If the token is missing or not valid.
            TooManyRequests: If too many wrong tokens came from this address.
        """
        if not token or len(token) > MAX_TOKEN_LENGTH:
            raise NotAuthenticated
        self._refuse_guessing(address)
        token_hash = self._keys.hash_token(token)
        generation = self._cache.generation
        lent_to = self._lent.find_user_id(token_hash)
        with self._database.read() as connection:
            user = (
                repository.find_user_by_token_hash(connection, token_hash)
                if lent_to is None
                else repository.find_enabled_user(connection, lent_to)
            )
        if user is None:
            self._count_failure(address)
            raise NotAuthenticated
        self._cache.note(token_hash, user, generation)
        return user

    def _refuse_guessing(self, address: str) -> None:
        count, until = self._failures.get(address, (0, 0.0))
        if count >= self._failures_per_minute and self._monotonic() < until:
            raise TooManyRequests

    def _count_failure(self, address: str) -> None:
        with self._lock:
            now = self._monotonic()
            count, until = self._failures.get(address, (0, 0.0))
            if now >= until:
                count, until = 0, now + _WINDOW_S
            if len(self._failures) >= _MAX_ADDRESSES:
                self._failures.clear()
            self._failures[address] = (count + 1, until)


def make_token() -> str:
    """Return a new random token of 256 bits."""
    return secrets.token_hex(32)


def check_token(token: str) -> str:
    """Return a token chosen by the operator if it is usable.

    Raises:
        BadInput: If it is too short, too long or not printable ASCII.
    """
    if not MIN_TOKEN_LENGTH <= len(token) <= MAX_TOKEN_LENGTH:
        raise BadInput(
            f"LIGHTLY_TOKEN must have {MIN_TOKEN_LENGTH} to {MAX_TOKEN_LENGTH} characters."
        )
    if not (token.isascii() and token.isprintable()) or " " in token:
        raise BadInput("LIGHTLY_TOKEN must consist of printable ASCII characters without blanks.")
    return token


def add_user(
    database: Database,
    keys: ServerKeys,
    clock: Clock,
    email: str,
    *,
    is_admin: bool = False,
    token: str | None = None,
) -> str:
    """Add a user and return the new API token.

    Raises:
        BadInput: If the address is not one, or is taken.
    """
    normal = normalise_address(email)
    if normal is None or is_of_service_account(normal):
        raise BadInput(f"This is not an e-mail address: {ascii(email)[:80]}.")
    token = token or make_token()
    now_ms = clock.now_ms()
    with database.write() as connection:
        user_id = repository.reserve_id(connection, normal, make_id(), now_ms)
        if repository.find_user_by_email(connection, normal) is not None:
            raise BadInput(f"There is already a user {normal}. See `lightly admin token rotate`.")
        repository.forget_invitation(connection, normal)
        user = User(user_id, normal, is_admin)
        repository.insert_user(connection, user, now_ms)
        repository.insert_token(connection, keys.hash_token(token), user.id, now_ms)
    return token


def rotate_token(database: Database, keys: ServerKeys, clock: Clock, email: str) -> str:
    """Make a new token for a user, revoke all old ones, return the new one."""
    with database.write() as connection:
        user = find_user(connection, email)
        return replace_tokens(connection, keys, user.id, clock.now_ms())


def replace_tokens(connection: sa.Connection, keys: ServerKeys, user_id: str, now_ms: int) -> str:
    """Revoke all tokens of a user and return a new one. After the commit the cache must forget."""
    token = make_token()
    repository.delete_tokens(connection, user_id)
    repository.insert_token(connection, keys.hash_token(token), user_id, now_ms)
    return token


def disable_user(database: Database, clock: Clock, email: str) -> None:
    """Refuse all tokens of a user from now on."""
    with database.write() as connection:
        user = find_user(connection, email)
        repository.disable_user(connection, user.id, clock.now_ms())
        repository.delete_tokens(connection, user.id)


def find_user(connection: sa.Connection, email: str) -> User:
    """Return the user with this address.

    Raises:
        BadInput: If there is none.
    """
    normal = normalise_address(email)
    user = None if normal is None else repository.find_user_by_email(connection, normal)
    if user is None:
        raise BadInput(f"There is no user {ascii(email)[:80]}. See `lightly admin user list`.")
    return user


def ensure_first_user(
    database: Database, keys: ServerKeys, clock: Clock, data_dir: Path, token: str | None
) -> str | None:
    """Make `admin@localhost` when there is no administrator yet.

    Args:
        database: Where users live.
        keys: The server's keys.
        clock: The time.
        data_dir: A token that the server makes itself is kept here, readable by its owner only.
        token: What the operator chose, None for a random one.

    Returns:
        The token if it was made at random just now, else None.
    """
    with database.read() as connection:
        if repository.has_admin(connection):
            return None
    chosen = None if token is None else check_token(token)
    made = chosen or make_token()
    if chosen is None:
        # Written first: a token that exists only as a hash would lock the operator out.
        write_atomic(data_dir / FIRST_TOKEN_FILE, made.encode() + b"\n", mode=0o600)
    add_user(database, keys, clock, FIRST_USER_EMAIL, is_admin=True, token=made)
    return made if chosen is None else None
