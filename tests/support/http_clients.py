"""A client of a server process with the interface of the in-process one."""

from __future__ import annotations

from typing import Any

import requests

from tests.support.platforms import ServerProcess


class RemoteClient:
    """Calls a server process as its administrator, over connections of its own.

    Args:
        server: The process.
    """

    def __init__(self, server: ServerProcess) -> None:
        self._url = server.url
        self._session = requests.Session()
        self._session.headers["Authorization"] = f"Bearer {server.token}"

    def request(self, method: str, path: str, **options: Any) -> requests.Response:
        """Send a request."""
        return self._session.request(method, self._url + path, timeout=60, **options)

    def get(self, path: str, **options: Any) -> requests.Response:
        """Send a GET."""
        return self.request("GET", path, **options)

    def post(self, path: str, **options: Any) -> requests.Response:
        """Send a POST."""
        return self.request("POST", path, **options)

    def put(self, path: str, **options: Any) -> requests.Response:
        """Send a PUT."""
        return self.request("PUT", path, **options)
