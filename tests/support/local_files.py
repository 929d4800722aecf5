"""The file server of the user's machine, in this process on a free port."""

from __future__ import annotations

import http.client
import socket
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from lightly.api.file_server.connections import MAX_CONNECTIONS
from lightly.api.serve import FileServer


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

    def connect(self) -> socket.socket:
        """Return a connection on which anything can be sent."""
        return socket.create_connection(("127.0.0.1", self.port), timeout=10)

    def send_raw(self, request: bytes) -> bytes:
        """Send bytes and return everything that comes until the server closes."""
        with self.connect() as connection:
            connection.sendall(request)
            return b"".join(iter(lambda: connection.recv(65_536), b""))


@contextmanager
def run_file_server(
    *folders: Path,
    host: str = "127.0.0.1",
    allowed_origins: Sequence[str] | None = None,
    allowed_hosts: Sequence[str] = (),
    max_connections: int = MAX_CONNECTIONS,
) -> Iterator[FileClient]:
    """Yield a client of a server of these folders."""
    server = FileServer(
        (host, 0),
        folders,
        allowed_origins,
        allowed_hosts=allowed_hosts,
        max_connections=max_connections,
    )
    thread = threading.Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    try:
        yield FileClient(server.server_address[1])
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
