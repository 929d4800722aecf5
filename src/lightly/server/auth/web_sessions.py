"""Sessions of the web app: begun with an API token, carried by a cookie that scripts cannot read.

A cookie goes along with every request that any page makes to this server, so it counts only where
the browser says that the app itself is asking. API tokens are looked at first and alone: a request
that carries one is never judged by its cookie.
"""

from __future__ import annotations

from http.cookies import CookieError, SimpleCookie
from urllib.parse import urlsplit

from starlette.types import Scope

from lightly.server.auth import session_repository
from lightly.server.auth.service import MAX_TOKEN_LENGTH, make_token
from lightly.server.auth.users import User
from lightly.server.errors import Forbidden, NotAuthenticated
from lightly.server.platform import PlatformState
from lightly.server.settings import Settings

#: How long a browser stays signed in.
SESSION_TTL_S = 14 * 24 * 3600
_SAFE_METHODS = frozenset({"GET", "HEAD"})
#: What browsers say of requests of the page itself, and of addresses that were typed in.
_OWN_SITES = frozenset({"same-origin", "none"})
_HASH_PREFIX = "session "


def name_cookie(settings: Settings) -> str:
    """Return the cookie's name: browsers share cookies between the ports of a host."""
    return f"lightly_session_{urlsplit(settings.base_url).port or settings.port}"


def is_secure(settings: Settings) -> bool:
    """Tell whether browsers reach the server by https only."""
    return settings.public_url.startswith("https://")


def read_session_cookie(scope: Scope, settings: Settings) -> str | None:
    """Return the secret of the session that a request belongs to, None when there is none."""
    header = _read_header(scope, b"cookie")
    if header is None:
        return None
    cookies: SimpleCookie = SimpleCookie()
    try:
        cookies.load(header)
    except CookieError:
        return None
    morsel = cookies.get(name_cookie(settings))
    return morsel.value if morsel is not None and morsel.value else None


def require_own_page(scope: Scope, settings: Settings, *, uses_session: bool = True) -> None:
    """Raise `Forbidden` unless it is the app that asks.

    Args:
        scope: The request.
        settings: Of the server, which may have a public address.
        uses_session: The request does something with the rights of a session. Then a browser has
            to say who asks; without one, whoever is no browser may be silent.
    """
    site = _read_header(scope, b"sec-fetch-site")
    if site is not None and site not in _OWN_SITES:
        raise Forbidden("Another site cannot use the session of the web app.")
    origin = _read_header(scope, b"origin")
    if origin is not None:
        if not _is_own_origin(origin, scope, settings):
            raise Forbidden("Another site cannot use the session of the web app.")
    elif uses_session and scope["method"] not in _SAFE_METHODS and site != "same-origin":
        raise Forbidden("A change needs the header Origin, which browsers send by themselves.")


def _is_own_origin(origin: str, scope: Scope, settings: Settings) -> bool:
    parts = urlsplit(origin)
    if parts.scheme not in {"http", "https"} or not parts.netloc:
        return False
    own = {(_read_header(scope, b"host") or "").lower()}
    if settings.public_url:
        own.add(urlsplit(settings.public_url).netloc.lower())
    return parts.netloc.lower() in own


def _read_header(scope: Scope, wanted: bytes) -> str | None:
    for name, value in scope["headers"]:
        if name == wanted:
            return str(value.decode("latin-1"))
    return None


def hash_session(platform: PlatformState, secret: str) -> str:
    """Return what is stored of a session's secret."""
    return platform.keys.hash_token(_HASH_PREFIX + secret)


def begin_session(platform: PlatformState, user: User, token: str) -> str:
    """Return the secret of a new session of a user.

    Args:
        platform: The server.
        user: Found by `token`.
        token: The API token; when it is revoked, the session ends.

    Raises:
        NotAuthenticated: If the token was revoked this very moment, or is one that this process
            lent to a worker.
    """
    secret = make_token()
    now_ms = platform.clock.now_ms()
    with platform.database.write() as connection:
        token_hash = platform.keys.hash_token(token)
        if not session_repository.has_token(connection, token_hash, user.id):
            raise NotAuthenticated
        session_repository.delete_expired(connection, now_ms)
        session_repository.insert_session(
            connection,
            session_hash=hash_session(platform, secret),
            user_id=user.id,
            token_hash=token_hash,
            now_ms=now_ms,
            expires_at_ms=now_ms + 1000 * SESSION_TTL_S,
        )
    return secret


def find_session_user(platform: PlatformState, secret: str) -> User:
    """Return the user of a session.

    Raises:
        NotAuthenticated: If it has ended, or never was one.
    """
    if len(secret) > MAX_TOKEN_LENGTH:
        raise NotAuthenticated
    session_hash = hash_session(platform, secret)
    known = platform.token_cache.recall(session_hash)
    if known is not None:
        return known
    generation = platform.token_cache.generation
    with platform.database.read() as connection:
        user = session_repository.find_user(connection, session_hash, platform.clock.now_ms())
    if user is None:
        raise NotAuthenticated
    platform.token_cache.note(session_hash, user, generation)
    return user


def end_session(platform: PlatformState, secret: str) -> None:
    """Forget a session."""
    session_hash = hash_session(platform, secret)
    with platform.database.write() as connection:
        user_id = session_repository.delete_session(connection, session_hash)
    if user_id is not None:
        platform.token_cache.forget_user(user_id)
