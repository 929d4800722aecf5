"""How the server reaches the stores of datasources: through the checking proxy, with limits."""

from __future__ import annotations

import datetime as dt
import ssl
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import SplitResult, urlsplit

import requests
import uvloop
from requests.adapters import HTTPAdapter

from lightly._kit.egress import EgressPolicy, EgressRefused, shorten_host
from lightly._kit.egress_proxy import EgressProxy, get_egress_proxy
from lightly.server.errors import DatasourceUnreachable
from lightly.server.settings import Settings

if TYPE_CHECKING:
    # The library has these names for type checkers only.
    from obstore.store import ClientConfig, RetryConfig

CONNECT_TIMEOUT_S = 5.0
#: A store that has begun to answer and stays silent for this long is taken for dead.
READ_TIMEOUT_S = 10.0
#: Requests of the server wait for the store, so it gives up long before clients do.
REQUEST_TIMEOUT_S = 30.0
RETRY_FOR_S = 20.0
MAX_RETRIES = 6
_INIT_BACKOFF_S = 0.1
_MAX_BACKOFF_S = 4.0


@dataclass(frozen=True)
class Network:
    """The way to stores.

    Attributes:
        policy: What may be connected to.
        proxy: Enforces it.
        ca_file: Private authorities that are trusted as well; empty for none.
    """

    policy: EgressPolicy
    proxy: EgressProxy
    ca_file: str = ""

    @classmethod
    def open(cls, settings: Settings) -> Network:
        """Return the way that the operator's settings leave open."""
        policy = EgressPolicy.parse(settings.egress_allow)
        # All that listings read passes by the proxy: this loop halves what that costs.
        proxy = get_egress_proxy(policy, uvloop.new_event_loop)
        return cls(policy, proxy, settings.datasource_ca_file)

    def check_reachable(self, url: str, field: str) -> None:
        """Raise unless a store may be connected to.

        What a name leads to is checked at each connection as well; here it makes a clear answer.

        Args:
            url: Of the store.
            field: Where it comes from, for the message.

        Raises:
            DatasourceUnreachable: If it leads nowhere, or where it may not.
        """
        parts = split_endpoint(url, field)
        is_encrypted = parts.scheme == "https"
        port = parts.port or (443 if is_encrypted else 80)
        try:
            self.policy.resolve(str(parts.hostname), port, is_encrypted=is_encrypted)
        except EgressRefused as error:
            raise DatasourceUnreachable(f"{field}: {error}") from error
        except (OSError, UnicodeError) as error:
            raise DatasourceUnreachable(
                f"{field}: the name {shorten_host(str(parts.hostname))} cannot be resolved by the "
                "server. Look for a slip of the pen, or at the name service of the server."
            ) from error

    def make_client_options(self) -> ClientConfig:
        """Return what the library of object stores takes for its connections."""
        options: ClientConfig = {
            "proxy_url": self.proxy.url,
            # The proxy decides: without encryption only where the operator has opened it.
            "allow_http": True,
            "connect_timeout": dt.timedelta(seconds=CONNECT_TIMEOUT_S),
            "read_timeout": dt.timedelta(seconds=READ_TIMEOUT_S),
            "timeout": dt.timedelta(seconds=REQUEST_TIMEOUT_S),
        }
        if self.ca_file:
            options["root_certificate"] = Path(self.ca_file).read_bytes()
        return options

    def make_session(self) -> requests.Session:
        """Return a session for requests that the library cannot make."""
        session = requests.Session()
        session.trust_env = False
        session.proxies = {"http": self.proxy.url, "https": self.proxy.url}
        if self.ca_file:
            session.mount("https://", _TrustingAdapter(self.ca_file))
        return session


class _TrustingAdapter(HTTPAdapter):
    """Trusts private authorities besides the public ones, instead of in place of them.

    Args:
        ca_file: Their certificates.
    """

    def __init__(self, ca_file: str) -> None:
        self._ca_file = ca_file
        super().__init__()

    def init_poolmanager(self, *arguments: Any, **options: Any) -> None:
        """Prepare connections without a proxy."""
        super().init_poolmanager(*arguments, **options, ssl_context=self._make_context())

    def proxy_manager_for(self, proxy: str, **options: Any) -> Any:
        """Prepare connections through a proxy."""
        return super().proxy_manager_for(proxy, **options, ssl_context=self._make_context())

    def _make_context(self) -> ssl.SSLContext:
        # The public ones join when a connection is made, as `requests` has them.
        return ssl.create_default_context(cafile=self._ca_file)


def make_retry_config() -> RetryConfig:
    """Return how often and how long the library tries: exponential, bounded, with jitter."""
    return {
        "max_retries": MAX_RETRIES,
        "retry_timeout": dt.timedelta(seconds=RETRY_FOR_S),
        "backoff": {
            "init_backoff": dt.timedelta(seconds=_INIT_BACKOFF_S),
            "max_backoff": dt.timedelta(seconds=_MAX_BACKOFF_S),
            "base": 2,
        },
    }


def split_endpoint(url: str, field: str) -> SplitResult:
    """Return the parts of an endpoint, without asking anybody.

    Args:
        url: The endpoint.
        field: Where it comes from, for the message.

    Raises:
        DatasourceUnreachable: If it is no plain URL.
    """
    try:
        parts = urlsplit(url)
        # Reading the port is what finds one that is none.
        is_plain = bool(
            parts.scheme in {"http", "https"}
            and parts.hostname
            and parts.port != 0
            and not (parts.username or parts.password or parts.query or parts.fragment)
        )
    except ValueError:
        is_plain = False
    if not is_plain:
        raise DatasourceUnreachable(
            f"{field}: must look like https://HOST or https://HOST:PORT, without user, password, "
            "query and fragment."
        )
    return parts
