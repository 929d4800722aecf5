"""Noticing that a cluster is gone, and saying what its failures mean."""

from __future__ import annotations

import os
import socket
import threading
from concurrent.futures import CancelledError
from pathlib import Path

import pytest

from lightly._kit.errors import BadInput
from lightly.worker.errors import RunFailed
from lightly.worker.shards import cluster_watch
from lightly.worker.shards.cluster_watch import ClusterPlace, ClusterWatch, explain_failure
from lightly.worker.shards.executors import _find_place, _offer_ray_token
from tests.support.ports import find_free_port


class Clock:
    """A clock that is moved by hand."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.now_s = 1_000.0
        monkeypatch.setattr(cluster_watch.time, "monotonic", lambda: self.now_s)


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    """The clock of the watch."""
    return Clock(monkeypatch)


def test_a_cluster_that_does_not_answer_is_gone_after_a_while(clock: Clock) -> None:
    place = ClusterPlace("Ray", "127.0.0.1", find_free_port())
    watch = ClusterWatch(place, place.answers, lambda: 1)
    watch.check()
    clock.now_s += 10
    watch.check()
    clock.now_s += 10
    with pytest.raises(RunFailed, match=r"The Ray cluster at 127\.0\.0\.1:\d+ is gone"):
        watch.check()


def test_a_cluster_may_be_without_processes_for_some_minutes(clock: Clock) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        n_cores = 0
        place = ClusterPlace("Dask", *server.getsockname())
        watch = ClusterWatch(place, place.answers, lambda: n_cores)
        clock.now_s += 290
        watch.check()
        n_cores = 1
        clock.now_s += 100
        watch.check()
        n_cores = 0
        clock.now_s += 310
        with pytest.raises(RunFailed, match="no process that works for 300 seconds"):
            watch.check()


def test_an_engine_that_waits_for_its_cluster_does_not_keep_it_from_being_missed(
    clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(cluster_watch, "_CONNECT_TIMEOUT_S", 0.05)
    ended, answers = threading.Event(), [True]

    def wait_for_ever() -> int:
        ended.wait()
        return 0

    place = ClusterPlace("Ray", "127.0.0.1", find_free_port())
    watch = ClusterWatch(place, lambda: answers[0], wait_for_ever)
    try:
        watch.check()
        answers[0] = False
        clock.now_s += 10
        watch.check()
        clock.now_s += 10
        with pytest.raises(RunFailed, match="is gone"):
            watch.check()
    finally:
        ended.set()


def test_a_failure_of_ours_keeps_its_words() -> None:
    class Wrapped(Exception):
        cause = RunFailed("The store refuses.")

    assert explain_failure(Wrapped("a long trace"), "Ray") is Wrapped.cause
    fault = ValueError("x")
    assert explain_failure(fault, "Dask") is fault


def test_a_failure_of_the_engine_says_what_to_do() -> None:
    explained = explain_failure(CancelledError(), "Dask")
    assert isinstance(explained, RunFailed)
    assert "The Dask cluster has dropped the work" in str(explained)
    killed = type("KilledWorker", (Exception,), {"__module__": "distributed.scheduler"})
    explained = explain_failure(killed("shard 3\nwas tried"), "Dask")
    assert isinstance(explained, RunFailed)
    assert "could not do its work (KilledWorker: shard 3 was tried)." in str(explained)


@pytest.mark.parametrize(
    ("address", "host", "port"),
    [
        ("10.0.0.5:6379", "10.0.0.5", 6379),
        ("tcp://head:8786", "head", 8786),
        ("ray://[::1]:10001", "::1", 10001),
    ],
)
def test_addresses_may_have_a_scheme(address: str, host: str, port: int) -> None:
    place = _find_place("Ray", address)
    assert (place.host, place.port) == (host, port)


@pytest.mark.parametrize("address", ["head", "head:", "tcp://:1", "head:x", "head:99999"])
def test_an_address_without_host_or_port_is_refused(address: str) -> None:
    with pytest.raises(BadInput, match="--executor-address must have a host and a port"):
        _find_place("Dask", address)


@pytest.mark.parametrize(
    ("variable", "mode", "expected"),
    [
        ("", None, None),
        ("HOME", None, "token"),
        ("RAY_AUTH_TOKEN_PATH", None, "token"),
        ("RAY_AUTH_TOKEN", None, "token"),
        ("HOME", "disabled", "disabled"),
    ],
)
def test_a_token_of_ray_is_shown_where_there_is_one(
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
    variable: str,
    mode: str | None,
    expected: str | None,
) -> None:
    home, file = tmp_path / "home", tmp_path / "token"
    (home / ".ray").mkdir(parents=True)
    for name in ("RAY_AUTH_TOKEN", "RAY_AUTH_TOKEN_PATH", "RAY_AUTH_MODE"):
        monkeypatch.setenv(name, "")
        monkeypatch.delenv(name)
    monkeypatch.setenv("HOME", str(home))
    if variable == "HOME":
        (home / ".ray" / "auth_token").write_text("secret")
    elif variable:
        file.write_text("secret")
        monkeypatch.setenv(variable, str(file))
    if mode is not None:
        monkeypatch.setenv("RAY_AUTH_MODE", mode)
    _offer_ray_token()
    assert os.environ.get("RAY_AUTH_MODE") == expected
