"""The file server of the user's machine, in this process on a free port."""

from __future__ import annotations

import http.client
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from lightly.api.serve import get_server


@dataclass(frozen=True)
class FileAnswer:
    """An answer; header names are in lower case."""

    status: int
    headers: dict[str, str]
    body: bytes


class FileClient:
    """Sends requests exactly as they are given, with paths that a browser would tidy up."""

    def __init__(self, port: int) -> None:
        self.port = port

    def send(
        self, path: str, method: str = "GET", *, host: str | None = None, **headers: str
    ) -> FileAnswer:
        """Send a request on a connection of its own; `_` in header names stands for `-`."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=10)
        try:
            connection.putrequest(method, path, skip_host=True, skip_accept_encoding=True)
            connection.putheader("Host", host or f"127.0.0.1:{self.port}")
            for name, value in headers.items():
                connection.putheader(name.replace("_", "-"), value)
            connection.endheaders()
            answer = connection.getresponse()
            names: Mapping[str, str] = {name.lower(): value for name, value in answer.getheaders()}
            return FileAnswer(answer.status, dict(names), answer.read())
        finally:
            connection.close()


@contextmanager
def run_file_server(
    *folders: Path, allowed_origins: Sequence[str] | None = None
) -> Iterator[FileClient]:
    """Yield a client of a server of these folders."""
    server = get_server(folders, "127.0.0.1", 0, allowed_origins=allowed_origins)
    thread = threading.Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    try:
        yield FileClient(server.server_address[1])
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
