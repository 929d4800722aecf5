"""Bytes to a server as they are: what HTTP libraries would refuse to send."""

from __future__ import annotations

import json
import re
import socket
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, Self

_TIMEOUT_S = 30


@dataclass(frozen=True)
class RawAnswer:
    """One answer, taken apart.

    Attributes:
        status_code: Of HTTP; 0 when the connection ended without an answer.
        headers: Names in lower case.
        content: The body.
    """

    status_code: int
    headers: dict[str, str]
    content: bytes

    @property
    def text(self) -> str:
        """The body as text."""
        return self.content.decode("utf-8", "replace")

    def json(self) -> Any:
        """Return the body as JSON."""
        return json.loads(self.content)


class RawConnection:
    """A connection to a server on this machine; answers are read one after the other."""

    def __init__(self, port: int) -> None:
        self._socket = socket.create_connection(("127.0.0.1", port), timeout=_TIMEOUT_S)
        self._received = b""

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_exc: object) -> None:
        self._socket.close()

    def send(self, content: bytes) -> None:
        """Send bytes; a server that has hung up before it was told everything may do so."""
        with suppress(BrokenPipeError, ConnectionResetError):
            self._socket.sendall(content)

    def read_answer(self) -> RawAnswer:
        """Return the next answer with a length; interim answers are passed over."""
        while (answer := self._take_answer()) is None:
            chunk = b""
            with suppress(ConnectionResetError):
                chunk = self._socket.recv(65536)
            if not chunk:
                return RawAnswer(0, {}, self._received)
            self._received += chunk
        return answer

    def _take_answer(self) -> RawAnswer | None:
        head, end, rest = self._received.partition(b"\r\n\r\n")
        found = re.match(rb"HTTP/1\.1 (\d+)", head)
        if not end or found is None:
            return None
        if found[1] == b"100":
            self._received = rest
            return self._take_answer()
        lines = [line.partition(b":") for line in head.split(b"\r\n")[1:]]
        headers = {name.decode().lower(): value.strip().decode() for name, _, value in lines}
        length = int(headers.get("content-length", 0))
        if len(rest) < length:
            return None
        self._received = rest[length:]
        return RawAnswer(int(found[1]), headers, rest[:length])


def send_raw(port: int, request: bytes) -> RawAnswer:
    """Send bytes on a new connection and return the answer."""
    with RawConnection(port) as connection:
        connection.send(request)
        return connection.read_answer()
