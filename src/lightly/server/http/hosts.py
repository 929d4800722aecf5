"""Which names this server answers to.

A web page whose own name was made to point at this machine (DNS rebinding) would reach a server on
loopback from the user's browser. It cannot choose the `Host` header, so a foreign one is refused.
"""

from __future__ import annotations

import ipaddress
from urllib.parse import urlsplit

from starlette.types import ASGIApp, Receive, Scope, Send

from lightly.server.errors import Forbidden
from lightly.server.http.responses import error_response
from lightly.server.settings import Settings

_LOOPBACK_NAMES = frozenset({"localhost", "127.0.0.1", "::1"})


class HostMiddleware:
    """Refuses requests to other names.

    Args:
        app: What is behind.
        allowed: Host names without ports; None allows all.
    """

    def __init__(self, app: ASGIApp, allowed: frozenset[str] | None) -> None:
        self._app = app
        self._allowed = allowed

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Let the request through, or refuse it."""
        if scope["type"] == "http" and self._allowed is not None:
            host = _read_host(scope)
            # Browsers always send one; what does not is no browser.
            if host is not None and host not in self._allowed:
                error = Forbidden(
                    f"This server does not answer to {ascii(host)[:60]}. "
                    "Add it to LIGHTLY_SERVER_ALLOWED_HOSTS."
                )
                await error_response(error, scope)(scope, receive, send)
                return
        await self._app(scope, receive, send)


def choose_allowed_hosts(settings: Settings) -> frozenset[str] | None:
    """Return the names that the server answers to; None for any.

    Without a setting, a server on loopback answers to loopback and its public URL. One that other
    machines reach cannot know what they call it.
    """
    if settings.allowed_hosts:
        given = {_normalise(part) for part in settings.allowed_hosts.split(",") if part.strip()}
        return None if "*" in given else frozenset(given)
    if not _is_loopback(settings.host):
        return None
    public = urlsplit(settings.public_url).hostname if settings.public_url else None
    return _LOOPBACK_NAMES | {_normalise(settings.host)} | ({public} if public else set())


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def _read_host(scope: Scope) -> str | None:
    for name, value in scope["headers"]:
        if name == b"host":
            return _normalise(value.decode("latin-1"))
    return None


def _normalise(host: str) -> str:
    """Return a host without its port, its brackets and its letters' case.

    >>> _normalise("[::1]:8000"), _normalise("LocalHost:80"), _normalise("a.b.")
    ('::1', 'localhost', 'a.b')
    """
    text = host.strip().lower()
    if text.startswith("["):
        return text[1:].partition("]")[0]
    name, colon, _ = text.rpartition(":")
    # More than one colon is an address of version 6 without a port.
    return (name if colon and ":" not in name else text).rstrip(".")
