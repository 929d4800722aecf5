"""A proxy in front of a store that lets requests fail as real stores and networks do."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import requests

_HOP_HEADERS = {"connection", "transfer-encoding", "content-length", "keep-alive"}


@dataclass(frozen=True)
class Fault:
    """What happens to a request instead of being answered.

    Attributes:
        status: That it is answered with; 0 to pass it on.
        body: Of the answer.
        headers: Of the answer.
        delay_s: Passes before anything is sent.
        resets: The connection is reset.
        loses_answer: The store gets the request; then the connection is reset.
        cut_bytes: So many bytes of the real answer are sent, then the connection is closed.
    """

    status: int = 0
    body: bytes = b""
    headers: dict[str, str] = field(default_factory=dict)
    delay_s: float = 0.0
    resets: bool = False
    loses_answer: bool = False
    cut_bytes: int | None = None


@dataclass(frozen=True)
class Request:
    """A request that came by.

    Attributes:
        method: Of it.
        path: With its query.
        body: Of it.
    """

    method: str
    path: str
    body: bytes = b""


#: Given the number of a request (from 1) and itself, what happens to it; None for nothing.
Plan = Callable[[int, Request], Fault | None]


class FaultStore:
    """Passes requests on to a store, except for those that are to fail.

    Args:
        target: Endpoint of the store.
    """

    def __init__(self, target: str) -> None:
        self.target = target
        self.plan: Plan = lambda _number, _request: None
        self.requests: list[Request] = []
        self._lock = threading.Lock()
        self._server = _FaultServer(self)
        self._thread = threading.Thread(target=self._server.serve_forever, daemon=True)
        self._thread.start()

    @property
    def endpoint(self) -> str:
        """Where it listens."""
        return f"http://127.0.0.1:{self._server.server_address[1]}"

    def fail(self, fault: Fault, *, first: int = 1, last: int = 10**9, method: str = "") -> None:
        """Let requests from one number to another fail, those of one method where it is given."""
        self.requests.clear()

        def plan(number: int, request: Request) -> Fault | None:
            is_meant = first <= number <= last and method in {"", request.method}
            return fault if is_meant else None

        self.plan = plan

    def stop(self) -> None:
        """Stop listening."""
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    def find_fault(self, request: Request) -> Fault | None:
        """Note a request and return what happens to it."""
        with self._lock:
            self.requests.append(request)
            return self.plan(len(self.requests), request)


class _FaultServer(ThreadingHTTPServer):
    """Knows the store that it stands in front of."""

    daemon_threads = True

    def __init__(self, store: FaultStore) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.store = store


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: _FaultServer

    def log_message(self, *arguments: Any) -> None:
        """Say nothing."""

    def handle_one_request(self) -> None:
        """Serve whatever is asked for, once per connection."""
        self.raw_requestline = self.rfile.readline(65537)
        self.close_connection = True
        if self.raw_requestline and self.parse_request():
            self.close_connection = True
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            fault = self.server.store.find_fault(Request(self.command, self.path, body))
            self._serve(body, fault or Fault())

    def _serve(self, body: bytes, fault: Fault) -> None:
        time.sleep(fault.delay_s)
        if fault.loses_answer:
            self._ask(body)
        if fault.resets or fault.loses_answer:
            # Lingering for no time sends a reset rather than an end.
            linger = b"\1\0\0\0\0\0\0\0"
            self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
            self.connection.close()
        elif fault.status:
            self._send(fault.status, fault.headers, fault.body, None)
        else:
            self._pass_on(body, fault.cut_bytes)

    def _ask(self, body: bytes) -> requests.Response:
        # The signature covers the host that the client has seen.
        headers = {k: v for k, v in self.headers.items() if k.lower() not in _HOP_HEADERS}
        return requests.request(
            self.command,
            self.server.store.target + self.path,
            data=body,
            headers=headers,
            timeout=60,
            allow_redirects=False,
        )

    def _pass_on(self, body: bytes, cut_bytes: int | None) -> None:
        answer = self._ask(body)
        kept = {k: v for k, v in answer.headers.items() if k.lower() not in _HOP_HEADERS}
        if self.command == "HEAD":
            kept["Content-Length"] = answer.headers.get("Content-Length", "0")
        self._send(answer.status_code, kept, answer.content, cut_bytes)

    def _send(self, status: int, headers: dict[str, str], content: bytes, cut: int | None) -> None:
        self.send_response_only(status)
        for name, value in headers.items():
            self.send_header(name, value)
        if "Content-Length" not in headers:
            self.send_header("Content-Length", str(len(content)))
        self.send_header("Connection", "close")
        self.end_headers()
        with suppress(ConnectionError):
            self.wfile.write(content if cut is None else content[:cut])
        self.wfile.flush()
