"""Entity ids: unique, growing, 24 hex digits."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from lightly._kit import ids
from lightly._kit.ids import is_id, make_id, make_ids


def test_an_id_has_the_form_of_the_contract():
    assert is_id(make_id())


@pytest.mark.parametrize(
    "text",
    ["", "65f0", "65f0c0ffee65f0c0ffee123", "65f0c0ffee65f0c0ffee12345", "65F0C0FFEE65F0C0FFEE1234",
     "g" * 24, " 65f0c0ffee65f0c0ffee123", "65f0c0ffee65f0c0ffee1234\n", "\u0661" * 24],
)  # fmt: skip
def test_other_texts_are_no_ids(text):
    assert not is_id(text)


def test_ids_grow_one_by_one_and_in_batches():
    made = [make_id(), *make_ids(1000), make_id(), *make_ids(3)]

    assert made == sorted(set(made))


def test_no_ids_can_be_asked_for():
    assert make_ids(0) == []


@pytest.mark.parametrize("count", [-1, 1 << 24])
def test_a_batch_has_a_limit(count):
    with pytest.raises(ValueError, match=r"count must be in \[0, 16777216\)"):
        make_ids(count)


def test_ids_of_many_threads_differ():
    with ThreadPoolExecutor(8) as pool:
        batches = list(pool.map(make_ids, [500] * 40))

    made = [id_ for batch in batches for id_ in batch]
    assert len(set(made)) == len(made)
    assert all(batch == sorted(batch) for batch in batches)


def test_ids_grow_even_when_the_clock_goes_back(monkeypatch):
    before = make_id()
    monkeypatch.setattr(ids.time, "time", lambda: 1.0)

    assert make_id() > before


def test_ids_grow_when_the_counter_starts_again(monkeypatch):
    source = ids._IdSource()
    source._counter = (1 << 24) - 2

    made = [source.take(1)[0] for _ in range(4)]

    assert made == sorted(set(made))
    assert {len(id_) for id_ in made} == {24}


def test_a_batch_is_never_torn_by_the_counter():
    source = ids._IdSource()
    source._counter = (1 << 24) - 5

    made = source.take(10)

    assert made == sorted(set(made))


FORK_WHILE_BUSY = """
import os, threading
from lightly._kit.ids import make_id, make_ids
from lightly._kit import ids

busy = threading.Thread(target=lambda: [make_ids(200_000) for _ in range(20)], daemon=True)
busy.start()
before = make_id()
# The other thread may hold the lock just now; the child must not wait for it.
ids._SOURCE._lock.acquire()
child = os.fork()
if child == 0:
    print(make_id(), flush=True)
    os._exit(0)
ids._SOURCE._lock.release()
_, status = os.waitpid(child, 0)
print(before, make_id(), status)
"""


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork on this system")
def test_a_forked_process_makes_ids_of_its_own():
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", FORK_WHILE_BUSY],
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )

    of_child, before, after, status = done.stdout.split()
    assert status == "0"
    assert of_child[8:18] != before[8:18] == after[8:18]


def test_the_lock_is_not_held_after_use():
    make_ids(10)

    taken = threading.Thread(target=make_id)
    taken.start()
    taken.join(10)
    assert not taken.is_alive()
