"""Small HTTP servers on a socket that do whatever a test wants, to whoever connects."""

from __future__ import annotations

import ssl
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


@dataclass
class Answer:
    """What is sent back. `body` may be longer or shorter than a `Content-Length` in `headers`."""

    status: int = 200
    body: bytes = b""
    headers: dict[str, str] = field(default_factory=dict)
    delay_s: float = 0.0


@dataclass(frozen=True)
class Request:
    """What arrived."""

    method: str
    path: str
    headers: dict[str, str]
    body: bytes


@dataclass
class LocalServer:
    """A server that is running.

    Attributes:
        url: Where.
        requests: What arrived so far.
    """

    url: str
    requests: list[Request]


@contextmanager
def serve(
    answer: Callable[[Request], Answer], tls: ssl.SSLContext | None = None
) -> Iterator[LocalServer]:
    """Serve on a free port of the loopback address while the block runs."""
    requests: list[Request] = []
    stopping = threading.Event()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def _handle(self) -> None:
            length = int(self.headers.get("Content-Length") or 0)
            body = self.rfile.read(length)
            request = Request(self.command, self.path, dict(self.headers), body)
            requests.append(request)
            made = answer(request)
            stopping.wait(made.delay_s)
            headers = {"Content-Length": str(len(made.body)), **made.headers}
            try:
                self.send_response(made.status)
                for name, value in headers.items():
                    self.send_header(name, value)
                self.end_headers()
                if self.command != "HEAD":
                    self.wfile.write(made.body)
            except OSError:
                pass
            # What follows a body of another length than announced would be misread.
            self.close_connection = headers["Content-Length"] != str(len(made.body))

        do_GET = do_HEAD = do_PUT = do_POST = do_DELETE = _handle  # noqa: N815  named by the library

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002  named by the library
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    if tls is not None:
        server.socket = tls.wrap_socket(server.socket, server_side=True)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    try:
        scheme = "http" if tls is None else "https"
        yield LocalServer(f"{scheme}://127.0.0.1:{server.server_port}", requests)
    finally:
        stopping.set()
        server.shutdown()
        thread.join()
        server.server_close()
