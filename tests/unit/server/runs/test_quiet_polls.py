"""Polls that found nothing are answered from memory until something changes."""

from __future__ import annotations

import anyio
import pytest

from lightly.server.auth.users import User
from lightly.server.runs import quiet_polls
from lightly.server.runs.quiet_polls import Poll, QuietPolls

ANN = User("a" * 24, "ann@example.com", is_admin=False)
BOB = User("b" * 24, "bob@example.com", is_admin=False)
POLL = Poll(ANN, "1" * 24, ())


class Stamps:
    """Stamps that a test changes; `is_known` as on databases that tell them without waiting."""

    stamp = 1
    is_known = True

    def peek(self):
        return self.stamp if self.is_known else None

    def read(self):
        return self.stamp


class Queue:
    """A queue that counts how often it is looked at."""

    def __init__(self, *, found=None):
        self.found = found
        self.n_looks = 0

    def look(self):
        self.n_looks += 1
        return self.found


@pytest.fixture
def stamps():
    return Stamps()


def ask(polls, stamps, queue, poll=POLL):
    return anyio.run(polls.ask, stamps, poll, queue.look)


@pytest.mark.parametrize("is_known", [True, False])
def test_an_empty_queue_is_looked_at_once(stamps, is_known):
    polls, queue = QuietPolls(), Queue()
    stamps.is_known = is_known

    assert [ask(polls, stamps, queue) for _ in range(3)] == [None] * 3

    assert queue.n_looks == 1


def test_after_any_change_the_queue_is_looked_at_again(stamps):
    polls, queue = QuietPolls(), Queue()
    ask(polls, stamps, queue)

    queue.found = "run"
    stamps.stamp = 2

    assert ask(polls, stamps, queue) == "run"


def test_what_was_found_is_not_remembered(stamps):
    polls, queue = QuietPolls(), Queue(found="run")
    ask(polls, stamps, queue)

    queue.found = None

    assert ask(polls, stamps, queue) is None
    assert queue.n_looks == 2


@pytest.mark.parametrize(
    "other",
    [Poll(BOB, POLL.worker_id, ()), Poll(ANN, "2" * 24, ()), Poll(ANN, POLL.worker_id, ("V4",))],
)
def test_an_answer_to_one_poll_is_none_to_another(stamps, other):
    polls, queue = QuietPolls(), Queue()
    ask(polls, stamps, queue)

    ask(polls, stamps, queue, other)

    assert queue.n_looks == 2


def test_a_change_during_the_look_counts(stamps):
    polls, queue = QuietPolls(), Queue()

    def look():
        stamps.stamp += 1
        return queue.look()

    for _ in range(2):
        anyio.run(polls.ask, stamps, POLL, look)

    assert queue.n_looks == 2


def test_a_refused_poll_is_refused_again(stamps):
    polls = QuietPolls()

    def refuse():
        raise PermissionError

    for _ in range(2):
        with pytest.raises(PermissionError):
            anyio.run(polls.ask, stamps, POLL, refuse)


def test_remembered_polls_are_bounded(stamps, monkeypatch):
    monkeypatch.setattr(quiet_polls, "_MAX_POLLS", 2)
    polls, queue = QuietPolls(), Queue()

    for worker in "abc":
        ask(polls, stamps, queue, Poll(ANN, worker, ()))
    ask(polls, stamps, queue, Poll(ANN, "a", ()))

    assert queue.n_looks == 4
