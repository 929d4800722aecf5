"""Whose requests are answered: pages of which origins, and under which names of this machine.

Source: threat T12 of the project's threat list.
"""

from __future__ import annotations

import ipaddress
import socket
from collections.abc import Collection, Mapping
from functools import lru_cache
from urllib.parse import urlsplit

_LOOPBACK_NAMES = frozenset({"localhost", "127.0.0.1", "::1"})
_EXPOSED = "Access-Control-Expose-Headers: Accept-Ranges, Content-Length, Content-Range, ETag\r\n"


class Visitors:
    """Decides whose requests are answered.

    On loopback a name that is none of this machine's means a page that has rebound its own name,
    so it is refused. On other addresses the machine may have any name; it is only asked for where
    reading is narrowed at all.

    Args:
        host: What the server listens on.
        allowed_origins: Web origins such as `http://localhost:8000` whose pages may read; None
            allows all. Credentials are never asked for.
        allowed_hosts: Further names under which browsers may reach the server.
    """

    def __init__(
        self,
        host: str,
        allowed_origins: Collection[str] | None,
        allowed_hosts: Collection[str] = (),
    ) -> None:
        self._origins = None if allowed_origins is None else frozenset(allowed_origins)
        host = host.lower()
        is_loopback = host in _LOOPBACK_NAMES
        self._are_addresses_fine = not is_loopback
        self._hosts = None
        if is_loopback or allowed_hosts or allowed_origins is not None:
            names = {name.lower() for name in (host, socket.gethostname(), *allowed_hosts)}
            self._hosts = _LOOPBACK_NAMES | names

    def may_read(self, headers: Mapping[str, str]) -> bool:
        """Tell whether a request with these headers is answered."""
        origin = headers.get("origin")
        if self._origins is not None and origin is not None and origin not in self._origins:
            return False
        return self._hosts is None or self._is_ours(_read_name(headers.get("host", "")))

    def describe(self, origin: str | None) -> str:
        """Return the headers that tell a browser whether a page may read the answer."""
        if self._origins is None:
            return f"Access-Control-Allow-Origin: *\r\n{_EXPOSED}"
        if origin in self._origins:
            return f"Access-Control-Allow-Origin: {origin}\r\n{_EXPOSED}Vary: Origin\r\n"
        return "Vary: Origin\r\n"

    def _is_ours(self, name: str | None) -> bool:
        if name is None or self._hosts is None:
            return False
        # Nobody can rebind a number.
        return name in self._hosts or (self._are_addresses_fine and _is_address(name))


@lru_cache(maxsize=64)
def _read_name(host: str) -> str | None:
    try:
        return urlsplit(f"//{host}").hostname
    except ValueError:
        return None


def _is_address(name: str) -> bool:
    try:
        ipaddress.ip_address(name)
    except ValueError:
        return False
    return True
