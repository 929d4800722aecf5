"""A proxy on loopback through which libraries connect that resolve names by themselves.

It resolves each name once, refuses what `EgressPolicy` refuses, and connects to the address that
it has checked. Redirects come back to it as new requests, so they are checked like any other.
"""

from __future__ import annotations

import asyncio
import base64
import hmac
import secrets
import socket
import threading
from collections.abc import Callable, Coroutine
from dataclasses import dataclass
from functools import lru_cache
from urllib.parse import urlsplit

from lightly._kit.egress import EgressPolicy, EgressRefused, list_addresses

_CONNECT_TIMEOUT_S = 10.0
#: Stores answer within their own limits; nothing that is used stays silent for this long.
_IDLE_TIMEOUT_S = 300.0
_MAX_HEAD_BYTES = 64 * 1024
_PIECE_BYTES = 256 * 1024
_MAX_REFUSALS = 256

#: What clients of the proxy get when a place is refused.
REFUSED_STATUS = 470
MakeLoop = Callable[[], asyncio.AbstractEventLoop]


@dataclass(frozen=True)
class _Request:
    """The head of a request to the proxy."""

    method: str
    host: str
    port: int
    head: bytes
    credentials: str

    @property
    def is_tunnel(self) -> bool:
        return self.method == "CONNECT"


class EgressProxy:
    """Listens from its creation on until the process ends.

    Args:
        policy: What may be connected to.
        make_loop: Makes the loop that it runs on.
    """

    def __init__(self, policy: EgressPolicy, make_loop: MakeLoop = asyncio.new_event_loop) -> None:
        self._policy = policy
        self._secret = secrets.token_urlsafe(24)
        self._refusals: dict[str, str] = {}
        self._socket = socket.create_server(("127.0.0.1", 0))
        self._loop = make_loop()
        self._thread = threading.Thread(target=self._run, name="egress-proxy", daemon=True)
        self._thread.start()

    @property
    def url(self) -> str:
        """What libraries take as the URL of a proxy; holds a secret."""
        return f"http://lightly:{self._secret}@127.0.0.1:{self._socket.getsockname()[1]}"

    def find_refusal(self, host: str) -> str | None:
        """Return why a host was refused the last time; None if it was not."""
        return self._refusals.get(host.lower())

    def _run(self) -> None:
        asyncio.set_event_loop(self._loop)
        self._loop.run_until_complete(self._listen())

    async def _listen(self) -> None:
        server = await asyncio.start_server(self._accept, sock=self._socket, limit=_MAX_HEAD_BYTES)
        async with server:
            await server.serve_forever()

    async def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            await self._serve(reader, writer)
        except (OSError, EOFError, TimeoutError, ValueError, asyncio.LimitOverrunError):
            pass
        finally:
            writer.close()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = await asyncio.wait_for(reader.readuntil(b"\r\n\r\n"), _CONNECT_TIMEOUT_S)
        request = _read_request(head)
        if not self._is_known(request.credentials):
            await _answer(writer, 407, "Proxy Authentication Required")
            return
        try:
            far_reader, far_writer = await self._connect(request)
        except EgressRefused as error:
            self._note(request.host, str(error))
            await _answer(writer, REFUSED_STATUS, "Refused")
            return
        except (OSError, TimeoutError):
            await _answer(writer, 502, "Bad Gateway")
            return
        try:
            if request.is_tunnel:
                writer.write(b"HTTP/1.1 200 Connected\r\n\r\n")
                await _join(_pump(reader, far_writer), _pump(far_reader, writer))
            else:
                far_writer.write(request.head)
                await _join(_pump(reader, far_writer), _pump_answer(far_reader, writer))
        finally:
            far_writer.close()

    async def _connect(
        self, request: _Request
    ) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        """Connect to the first address of a host that may be connected to and answers."""
        async with asyncio.timeout(_CONNECT_TIMEOUT_S):
            found = await self._loop.getaddrinfo(
                request.host, request.port, type=socket.SOCK_STREAM
            )
        addresses = self._policy.check(
            request.host, list_addresses(found), is_encrypted=request.is_tunnel
        )
        self._refusals.pop(request.host.lower(), None)
        for number, address in enumerate(addresses, 1):
            try:
                async with asyncio.timeout(_CONNECT_TIMEOUT_S):
                    return await asyncio.open_connection(address, request.port, limit=_PIECE_BYTES)
            except (OSError, TimeoutError):
                if number == len(addresses):
                    raise
        raise OSError("no address")

    def _is_known(self, credentials: str) -> bool:
        wanted = base64.b64encode(f"lightly:{self._secret}".encode()).decode()
        return hmac.compare_digest(credentials.encode(), f"Basic {wanted}".encode())

    def _note(self, host: str, reason: str) -> None:
        while len(self._refusals) >= _MAX_REFUSALS:
            del self._refusals[next(iter(self._refusals))]
        self._refusals[host.lower()] = reason


@lru_cache(maxsize=8)
def get_egress_proxy(
    policy: EgressPolicy, make_loop: MakeLoop = asyncio.new_event_loop
) -> EgressProxy:
    """Return the proxy of a policy; it starts when it is first asked for."""
    return EgressProxy(policy, make_loop)


def _read_request(head: bytes) -> _Request:
    """Return what a client asks the proxy for.

    Plain requests are passed on one per connection: so the rest of it goes where this one goes.

    Raises:
        ValueError: If it is nothing that a proxy is asked.
    """
    first, *lines = head[:-4].decode("latin-1").split("\r\n")
    method, target, version = first.split(" ")
    fields = [line.partition(":") for line in lines]
    credentials = next(
        (value.strip() for name, _, value in fields if name.lower() == "proxy-authorization"), ""
    )
    if method == "CONNECT":
        parts = urlsplit(f"//{target}")
        return _Request(method, parts.hostname or "", parts.port or 443, b"", credentials)
    parts = urlsplit(target)
    if parts.scheme != "http" or not parts.hostname:
        raise ValueError("not a target of a proxy")
    path = target[target.index("//") + 2 :].partition("/")[2]
    dropped = {"proxy-authorization", "proxy-connection", "connection"}
    kept = [
        line
        for line, (name, _, _) in zip(lines, fields, strict=True)
        if name.lower() not in dropped
    ]
    rest = [f"{method} /{path} {version}", *kept, "Connection: close", "", ""]
    return _Request(
        method, parts.hostname, parts.port or 80, "\r\n".join(rest).encode("latin-1"), credentials
    )


async def _answer(writer: asyncio.StreamWriter, status: int, reason: str) -> None:
    head = f"HTTP/1.1 {status} {reason}\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"
    writer.write(head.encode())
    await writer.drain()


async def _pump(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Pass bytes on until there are no more."""
    while True:
        async with asyncio.timeout(_IDLE_TIMEOUT_S):
            piece = await reader.read(_PIECE_BYTES)
            if not piece:
                break
            writer.write(piece)
            await writer.drain()
    if writer.can_write_eof():
        writer.write_eof()


async def _pump_answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Pass an answer on, saying that it is the last one of its connection.

    Some servers close without a word when they are asked to, and who sends another request on a
    connection that is about to close is told that the store broke off.
    """
    is_interim = True
    while is_interim:
        try:
            async with asyncio.timeout(_IDLE_TIMEOUT_S):
                head = await reader.readuntil(b"\r\n\r\n")
        except asyncio.IncompleteReadError as error:
            writer.write(error.partial)
            break
        except asyncio.LimitOverrunError:
            break
        line, _, rest = head.partition(b"\r\n")
        is_interim = line.partition(b" ")[2].startswith(b"1")
        writer.write(head if is_interim else line + b"\r\nConnection: close\r\n" + rest)
    await _pump(reader, writer)


async def _join(up: Coroutine[None, None, None], down: Coroutine[None, None, None]) -> None:
    """Pass bytes both ways; over when the far side has ended, or either one breaks."""
    tasks = [asyncio.ensure_future(up), asyncio.ensure_future(down)]
    try:
        done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        if tasks[1] not in done:
            # The near side has sent everything; the answer is still to come.
            await tasks[1]
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
