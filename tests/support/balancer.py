"""A load balancer for tests: every connection goes to the next server in turn."""

from __future__ import annotations

import asyncio
import itertools
import ssl
import threading
from collections.abc import Sequence
from contextlib import suppress
from typing import Self

_PIECE_BYTES = 64 * 1024
_TURNS_TO_END = 3


class Balancer:
    """Listens on one port and hands connections on, round robin.

    Args:
        port: Where to listen on the loopback address.
        backends: Ports of the servers behind it.
        tls: Has the balancer speak TLS, to clients only.
    """

    def __init__(
        self, port: int, backends: Sequence[int], tls: ssl.SSLContext | None = None
    ) -> None:
        self._port = port
        self._tls = tls
        self._backends = itertools.cycle(backends)
        self._loop = asyncio.new_event_loop()
        self._is_listening = threading.Event()
        self._thread = threading.Thread(target=self._run, name="balancer", daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        assert self._is_listening.wait(10)
        return self

    def __exit__(self, *_exception: object) -> None:
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(10)
        self._loop.close()

    def _run(self) -> None:
        asyncio.set_event_loop(self._loop)
        listening = asyncio.start_server(self._hand_on, "127.0.0.1", self._port, ssl=self._tls)
        server = self._loop.run_until_complete(listening)
        self._is_listening.set()
        self._loop.run_forever()
        server.close()
        tasks = asyncio.all_tasks(self._loop)
        for task in tasks:
            task.cancel()
        self._loop.run_until_complete(asyncio.gather(*tasks, return_exceptions=True))
        # Connections end one turn after they are closed.
        for _ in range(_TURNS_TO_END):
            self._loop.run_until_complete(asyncio.sleep(0))

    async def _hand_on(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        ends = [writer]
        try:
            connecting = asyncio.open_connection("127.0.0.1", next(self._backends))
            back_reader, back_writer = await connecting
            ends.append(back_writer)
            await asyncio.gather(_pump(reader, back_writer), _pump(back_reader, writer))
        finally:
            for end in ends:
                # TLS would wait for the other side to say good-bye.
                end.transport.abort() if self._tls else end.close()


async def _pump(source: asyncio.StreamReader, target: asyncio.StreamWriter) -> None:
    with suppress(ConnectionError, asyncio.CancelledError):
        while piece := await source.read(_PIECE_BYTES):
            target.write(piece)
            await target.drain()
    with suppress(OSError):
        if target.can_write_eof():
            target.write_eof()
        else:
            target.close()
