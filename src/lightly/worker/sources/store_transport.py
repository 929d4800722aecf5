"""How a worker speaks to stores: straight with its own server, else only where it is allowed to.

URLs of datasources lead to addresses that users have given, at once or by a redirect. They are
opened through the proxy that looks at each address; nothing that a user says makes a worker
connect into the network that it stands in.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from urllib.parse import urlsplit

import requests
from requests.adapters import HTTPAdapter

from lightly._kit.egress import EgressPolicy, EgressRefused
from lightly._kit.egress_proxy import REFUSED_STATUS, EgressProxy, get_egress_proxy
from lightly.api.sending import TransportSettings
from lightly.api.transport import Transport

#: Longest silence of a store before it is asked again: one object shall not hold up all others.
_READ_TIMEOUT_S = 60.0
_DEFAULT_PORTS = {"http": 80, "https": 443}

Origin = tuple[str, str, int | None]


def open_store_transport(
    server_url: str, token: str, *, server_urls: Collection[str], egress: EgressPolicy
) -> Transport:
    """Return a transport for signed URLs.

    Args:
        server_url: Address of the worker's server.
        token: Of the worker.
        server_urls: Under which addresses the server hands out URLs of its own: always allowed.
        egress: Which other addresses may be connected to.
    """
    origins = frozenset(find_place(url) for url in (server_url, *server_urls) if url)
    return Transport(
        server_url,
        token,
        settings=TransportSettings(read_timeout_s=_READ_TIMEOUT_S),
        make_adapter=lambda: StoreAdapter(origins, egress),
    )


class StoreAdapter(HTTPAdapter):
    """Moves the bytes of one session; redirects come to it as requests of their own.

    Args:
        origins: Of the server, as `find_place` has them.
        egress: Which other addresses may be connected to.
    """

    def __init__(self, origins: frozenset[Origin], egress: EgressPolicy) -> None:
        super().__init__(pool_connections=4, pool_maxsize=1, max_retries=0)
        self._origins = origins
        self._egress = egress

    def send(
        self,
        request: requests.PreparedRequest,
        stream: bool = False,
        timeout: float | tuple[float, float] | tuple[float, None] | None = None,
        verify: bool | str = True,
        cert: bytes | str | tuple[bytes | str, bytes | str] | None = None,
        proxies: Mapping[str, str] | None = None,
    ) -> requests.Response:
        """Send a request.

        Raises:
            EgressRefused: If it goes where a worker may not connect to.
        """
        place = find_place(request.url or "")
        if place in self._origins:
            return super().send(request, stream, timeout, verify, cert, proxies)
        proxy = get_egress_proxy(self._egress)
        # Proxies of the environment would connect for us, to whatever a name means to them.
        checked = {"http": proxy.url, "https": proxy.url}
        try:
            response = super().send(request, stream, timeout, verify, cert, checked)
        except requests.exceptions.ProxyError:
            _raise_if_refused(proxy, place)
            raise
        if response.status_code == REFUSED_STATUS:
            response.close()
            _raise_if_refused(proxy, place)
        return response


def find_place(url: str) -> Origin:
    """Return scheme, host and port of a URL, however it spells them.

    >>> find_place("HTTPS://Store.example/a") == find_place("https://store.example:443")
    True
    """
    try:
        parts = urlsplit(url)
        host, port = parts.hostname or "", parts.port
    except ValueError:
        return "", "", None
    return parts.scheme, host, port or _DEFAULT_PORTS.get(parts.scheme)


def _raise_if_refused(proxy: EgressProxy, place: Origin) -> None:
    reason = proxy.find_refusal(place[1])
    if reason is not None:
        raise EgressRefused(reason) from None
