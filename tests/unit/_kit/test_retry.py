"""How long to wait before trying again."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lightly._kit.retry import RETRIED_STATUSES, RetryPolicy, parse_retry_after

NOW_S = 1_700_000_000.0
#: 120 seconds later.
LATER = "Tue, 14 Nov 2023 22:15:20"


@pytest.mark.parametrize(
    ("value", "expected_s"),
    [
        # nothing asked for
        (None, 0),
        ("", 0),
        # seconds
        ("7", 7),
        ("0", 0),
        ("1.5", 1.5),
        (" 3 ", 3),
        # moments
        (f"{LATER} GMT", 120),
        (f"{LATER} +0000", 120),
        # a zone that says nothing is UTC, wherever this machine is
        (f"{LATER} -0000", 120),
        ("Tue, 14 Nov 2023 23:15:20 +0100", 120),
        # in the past
        ("Wed, 21 Oct 2015 07:28:00 GMT", 0),
        ("-5", 0),
        # nonsense
        ("soon", 0),
        ("nan", 0),
        ("Tue, 99 Nov 2023 99:99:99 GMT", 0),
        (f"{LATER.replace('2023', '99999999')} GMT", 0),
    ],
)
def test_retry_after_is_understood(value, expected_s):
    assert parse_retry_after(value, now_s=NOW_S) == expected_s


def test_a_zone_that_says_nothing_is_utc_on_any_machine(monkeypatch):
    import time

    monkeypatch.setenv("TZ", "Pacific/Auckland")
    time.tzset()
    try:
        assert parse_retry_after(f"{LATER} -0000", now_s=NOW_S) == 120
    finally:
        monkeypatch.undo()
        time.tzset()


@given(st.text(max_size=60) | st.from_regex(r"\w{3}, \d+ \w{3} \d+ \d+:\d+:\d+ \S*"))
def test_no_header_breaks_anything(value):
    asked_s = parse_retry_after(value, now_s=NOW_S)

    assert asked_s >= 0
    assert 0 < RetryPolicy().wait_s(1, value) <= RetryPolicy().cap_s


@pytest.mark.parametrize(
    ("attempt", "shortest_s", "longest_s"),
    [
        (1, 0.25, 0.5),
        (2, 0.5, 1),
        (3, 1, 2),
        # at the cap
        (8, 15, 30),
        (10_000, 15, 30),
    ],
)
def test_waits_double_up_to_a_cap(attempt, shortest_s, longest_s):
    waits = [RetryPolicy(jitter=lambda chance=c: chance).wait_s(attempt) for c in (0.0, 1.0)]

    assert waits == [shortest_s, longest_s]


def test_waits_of_different_clients_differ():
    policy = RetryPolicy()

    assert len({policy.wait_s(5) for _ in range(20)}) == 20


@pytest.mark.parametrize(
    ("retry_after", "expected_s"),
    [
        # longer than one would wait anyway
        ("10", 10),
        # shorter
        ("0.1", 0.5),
        # longer than anyone waits
        ("86400", 30),
        ("inf", 30),
    ],
)
def test_a_server_can_ask_for_a_longer_wait(retry_after, expected_s):
    policy = RetryPolicy(jitter=lambda: 1.0)

    assert policy.wait_s(1, retry_after) == expected_s


@given(st.integers(1, 10**6), st.floats(0, 1, exclude_max=True))
def test_waits_are_finite(attempt, chance):
    wait_s = RetryPolicy(jitter=lambda: chance).wait_s(attempt)

    assert math.isfinite(wait_s)
    assert 0 < wait_s <= 30


@pytest.mark.parametrize("status", [400, 401, 402, 403, 404, 409, 413, 422, 501])
def test_answers_that_say_no_are_final(status):
    assert status not in RETRIED_STATUSES


@pytest.mark.parametrize("status", [429, 502, 503, 504])
def test_answers_that_say_later_are_not(status):
    assert status in RETRIED_STATUSES
