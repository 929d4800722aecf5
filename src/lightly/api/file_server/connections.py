"""Connections: a thread for each, with bounds on how many there are and how long they take.

Threads because everything here waits for the disk and for the other side, TLS included, which one
loop could not without threads for the disk. A file goes from the page cache to the socket without
passing through this process.
"""

from __future__ import annotations

import os
import select
import socket
import ssl
import threading
import time
from contextlib import suppress
from http import HTTPStatus

from lightly.api.file_server.answers import Answer, Answers
from lightly.api.file_server.requests import (
    HEAD_END,
    MAX_HEAD_BYTES,
    RequestRefused,
    parse_request,
)

#: A browser has 6 connections to a server, a worker some dozens.
MAX_CONNECTIONS = 128
#: A caller that sends or takes nothing for longer has gone.
IDLE_TIMEOUT_S = 60.0
#: From the first byte of a head to its last.
HEAD_TIMEOUT_S = 10.0
#: Who takes a file more slowly than this, after the idle timeout, holds a thread for nothing.
MIN_BYTES_PER_S = 8 * 1024
#: Unfinished answers get this long when the server stops.
DRAIN_S = 5.0
_RECEIVE_BYTES = 16 * 1024
_SEND_BYTES = 4 * 1024 * 1024
_CHUNK_BYTES = 256 * 1024
# An image fits, so it is handed over in one call; pages of the file are lent to it, not copied.
_SOCKET_BYTES = 512 * 1024
_MORE_FOLLOWS = getattr(socket, "MSG_MORE", 0)


class Connections:
    """The open connections of a server.

    Args:
        answers: Makes the answers.
        max_connections: If there are as many, the one that waits longest for a request is closed
            in favour of a new one; if none waits, the new one is.
    """

    def __init__(self, answers: Answers, *, max_connections: int = MAX_CONNECTIONS) -> None:
        self._answers = answers
        self._max_connections = max_connections
        self._lock = threading.Lock()
        self._open: dict[Connection, threading.Thread] = {}

    def start(self, accepted: socket.socket) -> None:
        """Serve a connection in a thread of its own."""
        connection = Connection(accepted, self._answers)
        thread = threading.Thread(target=self._run, args=(connection,), daemon=True)
        with self._lock:
            if len(self._open) >= self._max_connections and not self._end_longest_waiting():
                connection.close()
                return
            self._open[connection] = thread
        thread.start()

    def close(self, *, drain_s: float = DRAIN_S) -> None:
        """End waiting connections at once, busy ones after their answer or when time is up."""
        deadline = time.monotonic() + drain_s
        with self._lock:
            threads = dict(self._open)
        for connection in threads:
            connection.end_after_answer()
        for thread in threads.values():
            thread.join(max(0.0, deadline - time.monotonic()))
        for connection, thread in threads.items():
            connection.end()
            thread.join(1.0)

    def _run(self, connection: Connection) -> None:
        try:
            # Callers that go away or speak http to https.
            with suppress(OSError):
                connection.serve()
        finally:
            with self._lock:
                del self._open[connection]
            connection.close()

    def _end_longest_waiting(self) -> bool:
        waiting = [connection for connection in self._open if connection.waiting_since is not None]
        longest = min(waiting, key=lambda each: each.waiting_since or 0.0, default=None)
        if longest is None:
            return False
        # It ends in its own time, and only once.
        longest.waiting_since = None
        longest.end()
        return True


class Connection:
    """One connection.

    Attributes:
        waiting_since: Since when it waits for a request; None while it answers one.
    """

    def __init__(self, accepted: socket.socket, answers: Answers) -> None:
        self._socket = accepted
        self._answers = answers
        self._received = b""
        self._is_ending = False
        self.waiting_since: float | None = time.monotonic()

    def serve(self) -> None:
        """Answer requests until one side has enough.

        Raises:
            OSError: If the caller goes away or is too slow.
        """
        self._socket.settimeout(IDLE_TIMEOUT_S)
        with suppress(OSError):
            self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, _SOCKET_BYTES)
        is_last = False
        while not is_last:
            self.waiting_since = time.monotonic()
            if self._is_ending:
                return
            try:
                head = self._receive_head()
                self.waiting_since = None
                if head is None:
                    return
                answer = self._answers.make(parse_request(head))
            except RequestRefused as refused:
                answer = self._answers.refuse(refused)
            is_last = answer.is_last
            self._send(answer)
        self._end_politely()

    def end_after_answer(self) -> None:
        """Take no further request."""
        self._is_ending = True
        if self.waiting_since is not None:
            self.end()

    def end(self) -> None:
        """Break off, from any thread."""
        with suppress(OSError):
            self._socket.shutdown(socket.SHUT_RDWR)

    def close(self) -> None:
        """Give the socket back."""
        with suppress(OSError):
            self._socket.shutdown(socket.SHUT_WR)
        with suppress(OSError):
            self._socket.close()

    def _receive_head(self) -> bytes | None:
        """Return the next head without its end; None if the caller has closed.

        Raises:
            RequestRefused: If it is too long.
            TimeoutError: If it does not come.
        """
        if not self._received:
            self._received = self._socket.recv(_RECEIVE_BYTES)
        deadline = time.monotonic() + HEAD_TIMEOUT_S
        while (end := self._received.find(HEAD_END)) < 0:
            if len(self._received) > MAX_HEAD_BYTES:
                raise RequestRefused(HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE)
            self._socket.settimeout(max(0.001, deadline - time.monotonic()))
            more = self._socket.recv(_RECEIVE_BYTES)
            if not more:
                return None
            self._received += more
            self._socket.settimeout(IDLE_TIMEOUT_S)
        if end > MAX_HEAD_BYTES:
            raise RequestRefused(HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE)
        head, self._received = self._received[:end], self._received[end + len(HEAD_END) :]
        return head

    def _send(self, answer: Answer) -> None:
        if answer.descriptor < 0:
            self._socket.sendall(answer.head)
            return
        try:
            if isinstance(self._socket, ssl.SSLSocket) or not hasattr(os, "sendfile"):
                self._socket.sendall(answer.head)
                self._copy(answer)
            else:
                self._socket.sendall(answer.head, _MORE_FOLLOWS)
                self._send_file(answer)
        finally:
            os.close(answer.descriptor)

    def _send_file(self, answer: Answer) -> None:
        target, position = self._socket.fileno(), answer.start
        end = answer.start + answer.size_bytes
        started = time.monotonic()
        while position < end:
            try:
                size_bytes = min(_SEND_BYTES, end - position)
                n_sent = os.sendfile(target, answer.descriptor, position, size_bytes)
            except BlockingIOError:
                self._await_space(started, position - answer.start)
                continue
            if n_sent == 0:
                raise _shrunk()
            position += n_sent

    def _copy(self, answer: Answer) -> None:
        os.lseek(answer.descriptor, answer.start, os.SEEK_SET)
        n_left, started = answer.size_bytes, time.monotonic()
        while n_left:
            chunk = os.read(answer.descriptor, min(_CHUNK_BYTES, n_left))
            if not chunk:
                raise _shrunk()
            self._socket.sendall(chunk)
            n_left -= len(chunk)
            _check_pace(started, answer.size_bytes - n_left)

    def _await_space(self, started: float, n_sent: int) -> None:
        """Wait until the caller has taken something."""
        _check_pace(started, n_sent)
        waiter = select.poll()
        waiter.register(self._socket, select.POLLOUT)
        if not waiter.poll(IDLE_TIMEOUT_S * 1000):
            raise TimeoutError

    def _end_politely(self) -> None:
        """Let the caller read the last answer before what it still sends resets the connection."""
        self._socket.shutdown(socket.SHUT_WR)
        self._socket.settimeout(1.0)
        for _ in range(4):
            if not self._socket.recv(_RECEIVE_BYTES):
                return


def _check_pace(started: float, n_sent: int) -> None:
    spent_s = time.monotonic() - started
    if spent_s > IDLE_TIMEOUT_S and n_sent < (spent_s - IDLE_TIMEOUT_S) * MIN_BYTES_PER_S:
        raise TimeoutError


def _shrunk() -> OSError:
    """A file has become shorter: its length is promised, so only closing tells."""
    return ConnectionAbortedError()
