"""One user does not starve others: shares of what all have to share."""

from __future__ import annotations

from collections import OrderedDict, deque
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import anyio
from starlette.types import ASGIApp, Receive, Scope, Send

from lightly.server.auth.users import User
from lightly.server.errors import TooManyAtOnce
from lightly.server.http.responses import error_response

#: Streams last as long as a page is open and take no thread; they have a limit of their own.
UNCOUNTED_PATHS = frozenset({"/ext/v1/events"})


class FairLimiter:
    """Lets so many tasks run at once; those that wait are taken from each user in turn.

    For one event loop.

    Args:
        total: How many may run at once.
    """

    def __init__(self, total: int) -> None:
        self._free = total
        self._waiting: OrderedDict[str, deque[anyio.Event]] = OrderedDict()

    @asynccontextmanager
    async def take(self, user_id: str) -> AsyncIterator[None]:
        """Wait for the user's turn and hold it for the length of the block."""
        if self._free > 0:
            self._free -= 1
        else:
            await self._wait(user_id)
        try:
            yield
        finally:
            self._pass_on()

    async def _wait(self, user_id: str) -> None:
        turn = anyio.Event()
        self._waiting.setdefault(user_id, deque()).append(turn)
        try:
            await turn.wait()
        except BaseException:
            # Cancelled: whoever has the turn already passes it on, others leave the queue.
            if turn.is_set():
                self._pass_on()
            else:
                self._leave(user_id, turn)
            raise

    def _leave(self, user_id: str, turn: anyio.Event) -> None:
        queue = self._waiting[user_id]
        queue.remove(turn)
        if not queue:
            del self._waiting[user_id]

    def _pass_on(self) -> None:
        if not self._waiting:
            self._free += 1
            return
        user_id, queue = next(iter(self._waiting.items()))
        turn = queue.popleft()
        if queue:
            self._waiting.move_to_end(user_id)
        else:
            del self._waiting[user_id]
        turn.set()


class _Share:
    """The requests of one user: how many there are, and who of them may run."""

    def __init__(self, max_active: int) -> None:
        self.n_requests = 0
        self.slots = FairLimiter(max_active)


class FairShareMiddleware:
    """Works on a bounded number of requests of one user at once, lets more wait, refuses the rest.

    All users share the threads that requests are worked on in. With less than all of them for one
    user, others find a free one; of those who wait for threads nobody has more than a few.

    Args:
        app: The application.
        max_active: Requests of one user that are worked on at once.
        max_waiting: Further ones that wait.
    """

    def __init__(self, app: ASGIApp, max_active: int, max_waiting: int) -> None:
        self._app = app
        self._max_active = max_active
        self._max_waiting = max_waiting
        self._shares: dict[str, _Share] = {}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle one request, perhaps after others of the same user."""
        caller = scope.get("caller")
        if not isinstance(caller, User) or scope["path"] in UNCOUNTED_PATHS:
            await self._app(scope, receive, send)
            return
        share = self._shares.get(caller.id)
        if share is None:
            share = self._shares[caller.id] = _Share(self._max_active)
        if share.n_requests >= self._max_active + self._max_waiting:
            await error_response(TooManyAtOnce(), scope)(scope, receive, send)
            return
        share.n_requests += 1
        try:
            async with share.slots.take(caller.id):
                await self._app(scope, receive, send)
        finally:
            share.n_requests -= 1
            if not share.n_requests:
                self._shares.pop(caller.id, None)
