"""Sharing what there is too little of: in turns, bounded, without losing a place."""

from __future__ import annotations

import anyio
import pytest
from hypothesis import given
from hypothesis import strategies as st
from starlette.responses import PlainTextResponse

from lightly._kit.ids import make_id
from lightly.server.auth.users import User
from lightly.server.http.fairness import FairLimiter, FairShareMiddleware

GREEDY, MODEST = "greedy", "modest"


async def hold_all(limiter: FairLimiter, users: list[str], order: list[str]) -> None:
    """Let each user ask once, in order, while one slot is taken; note who gets it when."""

    async def ask(user: str) -> None:
        async with limiter.take(user):
            order.append(user)

    async with anyio.create_task_group() as tasks, limiter.take("first"):
        for user in users:
            tasks.start_soon(ask, user)
            await anyio.wait_all_tasks_blocked()


def test_a_modest_user_is_next_however_much_a_greedy_one_has_asked_for():
    order: list[str] = []

    anyio.run(hold_all, FairLimiter(1), [GREEDY] * 10 + [MODEST], order)

    assert order.index(MODEST) == 1


@given(st.lists(st.sampled_from("abc"), max_size=20))
def test_everybody_gets_in_and_nobody_twice_while_others_wait(users):
    order: list[str] = []

    anyio.run(hold_all, FairLimiter(1), users, order)

    assert sorted(order) == sorted(users)
    waiting = list(users)
    for position, user in enumerate(order[:-1]):
        waiting.remove(user)
        if order[position + 1] == user:
            assert set(waiting) == {user}


@given(total=st.integers(1, 4), n_tasks=st.integers(0, 12))
def test_never_more_run_than_may(total, n_tasks):
    active, most = 0, 0

    async def work(limiter: FairLimiter, user: str) -> None:
        nonlocal active, most
        async with limiter.take(user):
            active += 1
            most = max(most, active)
            await anyio.lowlevel.checkpoint()
            active -= 1

    async def run() -> None:
        limiter = FairLimiter(total)
        async with anyio.create_task_group() as tasks:
            for number in range(n_tasks):
                tasks.start_soon(work, limiter, str(number % 3))

    anyio.run(run)

    assert most == min(total, n_tasks)


def test_who_gives_up_waiting_takes_nobody_s_turn():
    order: list[str] = []

    async def run() -> None:
        limiter = FairLimiter(1)

        async def ask(user: str) -> None:
            async with limiter.take(user):
                order.append(user)

        async with anyio.create_task_group() as tasks, limiter.take("first"):
            with anyio.CancelScope() as scope:
                async with anyio.create_task_group() as inner:
                    inner.start_soon(ask, "gives up")
                    await anyio.wait_all_tasks_blocked()
                    scope.cancel()
            tasks.start_soon(ask, "stays")
            await anyio.wait_all_tasks_blocked()

    anyio.run(run)

    assert order == ["stays"]


class _Site:
    """An application that answers when it is told to."""

    def __init__(self, max_active: int, max_waiting: int) -> None:
        self.begun: list[str] = []
        self.go_on = anyio.Event()
        self.statuses: list[int] = []
        self._site = FairShareMiddleware(self._answer, max_active, max_waiting)

    async def _answer(self, scope, receive, send):
        self.begun.append(scope["path"])
        await self.go_on.wait()
        await PlainTextResponse("done")(scope, receive, send)

    async def ask(self, user: User | None, path: str) -> None:
        scope = {"type": "http", "path": path, "method": "GET", "headers": [], "caller": user}
        headers = {}

        async def send(message):
            if message["type"] == "http.response.start":
                self.statuses.append(message["status"])
                headers.update(message["headers"])

        await self._site(scope, None, send)
        if self.statuses[-1] == 429:
            assert headers[b"retry-after"] == b"10"


def make_user() -> User:
    return User(make_id(), "a@example.com", is_admin=False)


@pytest.mark.parametrize(
    ("n_requests", "n_begun", "n_refused"), [(2, 2, 0), (3, 2, 0), (5, 2, 0), (6, 2, 1)]
)
def test_of_one_user_some_are_worked_on_some_wait_and_the_rest_is_refused(
    n_requests, n_begun, n_refused
):
    async def run() -> _Site:
        site, user = _Site(max_active=2, max_waiting=3), make_user()
        async with anyio.create_task_group() as tasks:
            for number in range(n_requests):
                tasks.start_soon(site.ask, user, f"/{number}")
                await anyio.wait_all_tasks_blocked()
            assert len(site.begun) == n_begun
            assert site.statuses == [429] * n_refused
            site.go_on.set()
        return site

    site = anyio.run(run)

    assert sorted(site.statuses) == [200] * (n_requests - n_refused) + [429] * n_refused


def test_others_and_requests_without_a_user_do_not_wait_for_a_greedy_one():
    async def run() -> list[str]:
        site, greedy = _Site(max_active=2, max_waiting=3), make_user()
        async with anyio.create_task_group() as tasks:
            for number in range(5):
                tasks.start_soon(site.ask, greedy, f"/greedy{number}")
                await anyio.wait_all_tasks_blocked()
            tasks.start_soon(site.ask, make_user(), "/modest")
            tasks.start_soon(site.ask, None, "/blobs")
            await anyio.wait_all_tasks_blocked()
            begun = list(site.begun)
            site.go_on.set()
        return begun

    assert {"/modest", "/blobs"} < set(anyio.run(run))
