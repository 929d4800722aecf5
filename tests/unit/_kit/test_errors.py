"""The root of all errors, and the clock."""

from __future__ import annotations

import time

import pytest

from lightly._kit.clock import SystemClock
from lightly._kit.errors import BadInput, LightlyError, LimitExceeded


class NoWords(LightlyError):
    code = "no_words"


def test_the_description_of_a_class_is_its_message():
    assert str(LimitExceeded()) == "A named limit was crossed."


def test_a_message_of_ones_own_comes_first():
    assert str(LimitExceeded("Too many tags.")) == "Too many tags."


def test_a_class_without_description_says_its_code():
    NoWords.__doc__ = None

    assert str(NoWords()) == "no_words"


def test_an_error_carries_its_context():
    assert LimitExceeded("Too many tags.", count=3).context == {"count": 3}


def test_bad_input_is_a_value_error():
    with pytest.raises(ValueError, match="breaks a rule"):
        raise BadInput


def test_the_clock_counts_milliseconds():
    before_ms = time.time() * 1000

    assert before_ms - 1 <= SystemClock().now_ms() <= time.time() * 1000 + 1
