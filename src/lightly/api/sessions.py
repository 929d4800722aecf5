"""HTTP sessions that are kept open and lent to one thread at a time."""

from __future__ import annotations

import logging
import os
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.cookiejar import DefaultCookiePolicy

import requests
from requests.adapters import BaseAdapter, HTTPAdapter
from requests.auth import AuthBase
from requests.cookies import RequestsCookieJar

from lightly._kit.redaction import MASK, RedactingFilter

# The library logs the path of every request at level DEBUG, signatures of signed URLs included.
for _name in ("urllib3.connectionpool", "urllib3.util.retry"):
    logging.getLogger(_name).addFilter(RedactingFilter())


class Secret:
    """A text that shows itself only when asked to."""

    def __init__(self, text: str) -> None:
        self.__text = text

    def __repr__(self) -> str:
        return MASK

    def replace(self, text: str) -> None:
        """Hold another text from now on."""
        self.__text = text

    def reveal(self) -> str:
        """Return the text; keep it out of everything that people read."""
        return self.__text


class BearerToken(AuthBase):
    """Puts the API token into the `Authorization` header of a request."""

    def __init__(self, token: Secret) -> None:
        self._token = token

    def __call__(self, request: requests.PreparedRequest) -> requests.PreparedRequest:
        """Add the header."""
        request.headers["Authorization"] = f"Bearer {self._token.reveal()}"
        return request


class SessionPool:
    """Sessions of one client; as many as there were calls at the same time.

    Environment variables are not consulted by the sessions themselves: they would look at every
    request again, and send passwords of a `.netrc` file in place of the token.

    Args:
        verify: Trusted certificates, as `requests` takes them.
        user_agent: How the client introduces itself.
        make_adapter: Returns what moves the bytes of one session; a test passes its own.
    """

    def __init__(
        self,
        *,
        verify: str | bool,
        user_agent: str,
        make_adapter: Callable[[], BaseAdapter] | None = None,
    ) -> None:
        self._make_adapter = make_adapter or open_adapter
        self._verify = verify
        self._user_agent = user_agent
        self._idle: deque[requests.Session] = deque()
        self._process = os.getpid()
        self._proxies: dict[str, dict[str, str]] = {}

    @contextmanager
    def borrow(self) -> Iterator[requests.Session]:
        """Lend a session until the block ends."""
        if self._process != os.getpid():
            # A forked child must not talk on its parent's connections.
            self._idle, self._process = deque(), os.getpid()
        try:
            session = self._idle.pop()
        except IndexError:
            session = self._open()
        try:
            yield session
        finally:
            self._idle.append(session)

    def find_proxies(self, origin: str) -> dict[str, str]:
        """Return the proxies for an origin such as `https://host:1234`."""
        if origin not in self._proxies:
            self._proxies[origin] = dict(requests.utils.get_environ_proxies(origin))
        return self._proxies[origin]

    def close(self) -> None:
        """Close all idle sessions."""
        while self._idle:
            self._idle.pop().close()

    def _open(self) -> requests.Session:
        session = requests.Session()
        session.trust_env = False
        session.verify = self._verify
        session.headers["User-Agent"] = self._user_agent
        cookies = RequestsCookieJar()
        cookies.set_policy(DefaultCookiePolicy(allowed_domains=[]))
        session.cookies = cookies
        adapter = self._make_adapter()
        session.mount("http://", adapter)
        session.mount("https://", adapter)
        return session


def open_adapter() -> BaseAdapter:
    """Return an adapter for one thread at a time: a connection to each of a few hosts."""
    return HTTPAdapter(pool_connections=4, pool_maxsize=1, max_retries=0)
