"""The fence around what a worker writes: whoever has lost the lease changes nothing any more.

A worker sends the token of its lease with each request, in the header `Lightly-Lease`. Every write
of such a request, on any route, first looks in its own transaction whether the lease still lives,
and keeps it from being taken away before the commit. So samples, tags, embeddings and whatever
else a worker makes are fenced without knowing about it. Source: threats T40 and T41.
"""

from __future__ import annotations

import re
from contextvars import ContextVar
from functools import partial

import sqlalchemy as sa
from starlette.types import ASGIApp, Receive, Scope, Send

from lightly.server.db.engine import write_guard
from lightly.server.errors import LeaseLost, RunStateRefused
from lightly.server.jobs.repository import read_database_ms
from lightly.server.runs import lease_repository, repository
from lightly.server.runs.models import Lease, Run
from lightly.server.runs.states import is_end

LEASE_HEADER = "Lightly-Lease"
_HEADER_BYTES = LEASE_HEADER.lower().encode()
_TOKEN = re.compile(r"[a-f0-9]{64}")
_token: ContextVar[str | None] = ContextVar("lease_token", default=None)


class FencingMiddleware:
    """Guards the writes of requests that carry a lease."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on, with its guard."""
        token = _read_token(scope) if scope["type"] == "http" else None
        if token is None:
            await self._app(scope, receive, send)
            return
        token_before = _token.set(token)
        guard_before = write_guard.set(partial(check_lease, token=token))
        try:
            await self._app(scope, receive, send)
        finally:
            write_guard.reset(guard_before)
            _token.reset(token_before)


def _read_token(scope: Scope) -> str | None:
    for name, value in scope["headers"]:
        if name == _HEADER_BYTES:
            return str(value.decode("latin-1"))
    return None


def get_token() -> str | None:
    """Return the token of the lease that the present request carries."""
    return _token.get()


def check_lease(connection: sa.Connection, token: str) -> Lease:
    """Return the lease of a token and hold it until the commit.

    Args:
        connection: An open write transaction.
        token: What the worker sent.

    Raises:
        LeaseLost: If the lease has ended, or there is none of this token.
    """
    lease = lease_repository.hold_lease(connection, token) if _TOKEN.fullmatch(token) else None
    if lease is None or lease.expires_at_ms < read_database_ms(connection):
        raise LeaseLost
    return lease


def hold_run(connection: sa.Connection, run: Run) -> Run:
    """Return a run as it is now if the present request may write in its name.

    Until the commit nobody else ends it. Where the guard of the request holds its lease already,
    nothing more is locked: two requests of one worker would wait for each other.

    Args:
        connection: An open write transaction.
        run: Loaded for the caller.

    Raises:
        LeaseLost: If a worker holds the run and the request does not carry its lease.
        RunStateRefused: If the run is over.
    """
    token = get_token()
    lease = lease_repository.find_lease_of_run(connection, run.id)
    if lease is not None and lease.token is None:
        lease = lease_repository.lock_lease(connection, lease.id)
    held_by = lease.token if lease is not None else None
    if held_by is not None and token is None:
        raise LeaseLost(
            "A worker holds this run. Only requests that carry its lease in the header "
            f"{LEASE_HEADER} may write in the name of the run."
        )
    if held_by != token:
        raise LeaseLost
    fresh = repository.find_run(connection, run.id) or run
    if is_end(fresh.state):
        raise RunStateRefused(
            f"The run has ended as {fresh.state}: nothing is added to it any more."
        )
    return fresh
