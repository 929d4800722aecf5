"""Servers that are killed while somebody works with them, and started again."""

from __future__ import annotations

import random
import socket
import threading
import time
import traceback
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from enum import Enum
from pathlib import Path

import requests

from tests.support.platforms import ServerProcess


class Moment(Enum):
    """When a server is killed, seen from one request of a client."""

    BEFORE = "before the request is sent"
    DURING = "while it is under way"
    AFTER = "after it was answered, but before the client hears of it"


#: Bulk requests take some ten milliseconds, files of images a few.
_LONGEST_DURING_S = 0.02
#: Below what operating systems give to connections.
_LISTENING_PORTS = range(20_000, 32_000)


class Killer:
    """Kills a server at certain requests of a client, and starts it again after a while.

    Args:
        server: A running server.
        moments: When to kill it, by the number of uploading requests that were answered before.
        generator: Chooses what is left to chance.
        on_restart: Called whenever the server is back, before it can be killed again.

    Attributes:
        n_kills: How often the server was killed.
    """

    def __init__(
        self,
        server: ServerProcess,
        moments: dict[int, Moment],
        generator: random.Random,
        on_restart: Callable[[], None] = lambda: None,
    ) -> None:
        self._server = server
        self._moments = sorted(moments.items())
        self._generator = generator
        self._on_restart = on_restart
        self._choosing = threading.Lock()
        self._is_up = threading.Lock()
        self._threads: list[threading.Thread] = []
        self._failures: list[BaseException] = []
        self._n_answered = 0
        self.n_kills = 0

    def disturb(self, send: Callable[[], requests.Response]) -> requests.Response:
        """Let a request pass, or kill the server at its moment."""
        moment = self._choose_moment()
        if moment is Moment.BEFORE:
            self._kill()
        if moment is Moment.DURING:
            self._begin(lambda: self._kill_after(self._draw(_LONGEST_DURING_S)))
        answer = send()
        with self._choosing:
            self._n_answered += 1
        if moment is Moment.AFTER:
            self._kill()
            answer.close()
            raise requests.ConnectionError("the answer got lost")
        return answer

    def _choose_moment(self) -> Moment | None:
        with self._choosing:
            if self._moments and self._moments[0][0] <= self._n_answered:
                return self._moments.pop(0)[1]
        return None

    def finish(self) -> None:
        """Wait until the server runs again for good; raise what went wrong on the way."""
        # A thread may begin another one before it ends, never after.
        for thread in self._threads:
            thread.join(timeout=120)
        if self._failures:
            raise self._failures[0]

    def _kill_after(self, delay_s: float) -> None:
        time.sleep(delay_s)
        self._kill()

    def _kill(self) -> None:
        """Kill the server; it comes back while the client already tries again."""
        self._is_up.acquire()
        self._server.kill()
        self.n_kills += 1
        self._begin(self._restart)

    def _restart(self) -> None:
        try:
            time.sleep(self._draw(0.3))
            self._server.start()
            self._on_restart()
        finally:
            self._is_up.release()

    def _begin(self, work: Callable[[], None]) -> None:
        def run() -> None:
            try:
                work()
            except BaseException as error:  # noqa: BLE001  raised again by `finish`
                traceback.print_exc()
                self._failures.append(error)

        thread = threading.Thread(target=run)
        self._threads.append(thread)
        thread.start()

    def _draw(self, longest_s: float) -> float:
        return self._generator.uniform(0.0, longest_s)


@contextmanager
def run_killable_server(data_dir: Path, database_url: str = "") -> Iterator[ServerProcess]:
    """Yield a running server process whose port is still free after it was killed.

    Connections to anywhere begin at ports of their own range, so that one of those could be taken
    when the server comes back.
    """
    server = ServerProcess(data_dir, database_url)
    server.port = find_listening_port()
    server.start()
    try:
        yield server
    finally:
        server.kill()


def find_listening_port() -> int:
    """Return a free port that no outgoing connection can take."""
    for port in random.sample(_LISTENING_PORTS, len(_LISTENING_PORTS)):
        with socket.socket() as probe, suppress(OSError):
            probe.bind(("127.0.0.1", port))
            return port
    raise RuntimeError("All ports are in use.")


def choose_moments(
    generator: random.Random, numbers: Iterable[int], count: int
) -> dict[int, Moment]:
    """Return `count` of some numbers of requests, well apart, each with another kind of moment."""
    kinds = list(Moment)
    generator.shuffle(kinds)
    everywhere = list(numbers)
    share = len(everywhere) // count
    chosen = [generator.choice(everywhere[n * share : (n + 1) * share]) for n in range(count)]
    return {number: kinds[n % len(kinds)] for n, number in enumerate(chosen)}


def choose_seed() -> int:
    """Return a new seed and print it, so that a failure can be made again."""
    seed = random.SystemRandom().randrange(2**32)
    print(f"seed {seed}")  # noqa: T201  shown by pytest when the test fails
    return seed
