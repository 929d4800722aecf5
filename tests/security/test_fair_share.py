"""One user cannot keep the server from others: T37."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator

import pytest

from tests.support.platforms import InProcessServer, run_in_process

#: As many threads as a server of this size has, and what one user may have of them.
THREADS, PER_USER, WAITING = 4, 2, 3
N_GREEDY = 12


@pytest.fixture
def small_server(tmp_path) -> Iterator[InProcessServer]:
    limits = {
        "thread_count": THREADS,
        "requests_per_user": PER_USER,
        "waiting_requests_per_user": WAITING,
    }
    with run_in_process(tmp_path / "data", **limits) as running:
        yield running


def test_a_modest_user_is_answered_while_a_greedy_one_takes_all_there_is(small_server):
    greedy = small_server.add_user("greedy@example.com")
    modest = small_server.add_user("modest@example.com")
    answers = []

    def create(number: int) -> None:
        answers.append(greedy.post("/v1/datasets", json={"name": f"set {number}"}))

    threads = [threading.Thread(target=create, args=(number,)) for number in range(N_GREEDY)]
    # As slow as a request can be: each of them waits for the one writer that the database takes.
    with small_server.platform.database.write():
        for thread in threads:
            thread.start()
        await_count(answers, N_GREEDY - PER_USER - WAITING)
        started = time.monotonic()
        answered = modest.get("/v1/datasets")
        took_s = time.monotonic() - started
        refused = list(answers)
    for thread in threads:
        thread.join(timeout=30)

    assert answered.status_code == 200
    assert took_s < 2
    assert [answer.status_code for answer in refused] == [429] * len(refused)
    assert {answer.headers["Retry-After"] for answer in refused} == {"10"}
    statuses = sorted(answer.status_code for answer in answers)
    assert statuses == [201] * (PER_USER + WAITING) + [429] * len(refused)


def await_count(answers: list[object], count: int) -> None:
    deadline = time.monotonic() + 20
    while len(answers) < count:
        assert time.monotonic() < deadline, f"{len(answers)} of {count} were refused"
        time.sleep(0.01)
