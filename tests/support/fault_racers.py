"""Clients in processes of their own that do the same thing at the same moment."""

from __future__ import annotations

import multiprocessing
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from threading import Barrier
from typing import TYPE_CHECKING, Any

import requests

if TYPE_CHECKING:
    # Not in the racing processes: they have to be there quickly.
    from tests.support.platforms import ServerProcess

_BARRIER_TIMEOUT_S = 120.0


@dataclass(frozen=True)
class Request:
    """What one client sends in one round.

    Attributes:
        method: The HTTP method.
        path: The path with its query.
        body: Sent as JSON; None sends none.
    """

    method: str
    path: str
    body: Any = None


@dataclass(frozen=True)
class Outcome:
    """What one client was answered in one round.

    Attributes:
        status: The HTTP status.
        content: The decoded answer; None if it was empty.
    """

    status: int
    content: Any

    @property
    def code(self) -> str:
        """The error's code, empty after a success."""
        return str(self.content.get("code", "")) if isinstance(self.content, dict) else ""


def race(
    server: ServerProcess, rounds: Sequence[Request], *, n_clients: int = 2
) -> list[list[Outcome]]:
    """Let clients make the same requests, each one at the same moment as all others.

    Returns:
        For each round the outcomes of the clients.
    """
    return race_between(server, [rounds] * n_clients)


def race_between(
    server: ServerProcess, scripts: Sequence[Sequence[Request]]
) -> list[list[Outcome]]:
    """Let clients make requests of their own, all at the same moments; result as of `race`."""
    context = multiprocessing.get_context("spawn")
    with context.Manager() as manager:
        barrier = manager.Barrier(len(scripts))
        with ProcessPoolExecutor(len(scripts), mp_context=context) as executor:
            racing = [
                executor.submit(_run, server.url, server.token, script, barrier)
                for script in scripts
            ]
            outcomes = [future.result() for future in racing]
    return [list(of_round) for of_round in zip(*outcomes, strict=True)]


def _run(url: str, token: str, rounds: Sequence[Request], barrier: Barrier) -> list[Outcome]:
    outcomes = []
    with requests.Session() as session:
        session.headers["Authorization"] = f"Bearer {token}"
        for request in rounds:
            barrier.wait(_BARRIER_TIMEOUT_S)
            answer = session.request(
                request.method, url + request.path, json=request.body, timeout=120
            )
            outcomes.append(Outcome(answer.status_code, answer.json() if answer.content else None))
    return outcomes
