"""HTTP sessions that are lent to one thread at a time."""

import logging
import os
import pickle
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import pytest

from lightly.api.sessions import Secret, SessionPool, open_adapter


def make_pool() -> SessionPool:
    return SessionPool(verify=True, user_agent="test")


def test_a_session_is_used_again():
    pool = make_pool()

    with pool.borrow() as first:
        pass
    with pool.borrow() as second:
        pass

    assert first is second


def test_threads_never_share_a_session():
    pool, barrier = make_pool(), Barrier(4)

    def borrow() -> int:
        with pool.borrow() as session:
            barrier.wait(timeout=30)
            return id(session)

    with ThreadPoolExecutor(4) as executor:
        borrowed = [executor.submit(borrow) for _ in range(4)]

    assert len({future.result() for future in borrowed}) == 4


def test_a_session_comes_back_from_a_block_that_fails():
    pool = make_pool()

    with pytest.raises(KeyError), pool.borrow() as first:
        raise KeyError
    with pool.borrow() as second:
        pass

    assert first is second


def test_a_forked_child_opens_sessions_of_its_own(monkeypatch):
    pool = make_pool()
    with pool.borrow() as parents:
        pass
    monkeypatch.setattr(os, "getpid", lambda: -1)

    with pool.borrow() as childs:
        assert childs is not parents


def test_a_closed_pool_opens_new_sessions():
    pool = make_pool()
    with pool.borrow() as first:
        pass
    pool.close()

    with pool.borrow() as second:
        assert first is not second


def test_adapters_never_repeat_by_themselves():
    assert open_adapter().max_retries.total == 0  # type: ignore[attr-defined]


def test_secrets_are_masked_in_every_text():
    secret = Secret("hidden")

    assert "hidden" not in f"{secret} {secret!r} {[secret]}"
    assert pickle.loads(pickle.dumps(secret)).reveal() == "hidden"


def test_the_http_library_logs_no_signatures(caplog):
    caplog.set_level(logging.DEBUG)

    logging.getLogger("urllib3.connectionpool").debug('"PUT %s"', "/blobs/a?signature=hidden")

    assert "hidden" not in caplog.text
    assert "/blobs/a?signature=" in caplog.text
