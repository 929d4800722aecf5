"""Parts of the engine with a contract of their own."""

from __future__ import annotations

import decimal
import doctest
import math
import threading

import numpy as np
import pytest
import threadpoolctl
from hypothesis import given
from hypothesis import strategies as st

from lightly.selection import counts, coverage, engine
from lightly.selection.blas import hold_blas_to_one_thread
from lightly.selection.portable_math import take_exp, take_log
from lightly.selection.ranking import take_top

VALUES = st.lists(st.sampled_from([-math.inf, 0.0, 1.0, 1.5, 2.0, math.inf]), max_size=30)


@given(VALUES, st.integers(0, 35))
def test_top_rows_are_the_first_of_a_stable_sort(values, n_rows):
    numbers = np.array(values)

    top = take_top(numbers, n_rows)

    ranked = [r for r in np.argsort(-numbers, kind="stable") if numbers[r] > -math.inf][:n_rows]
    assert top.rows.tolist() == sorted(ranked)


@given(VALUES, st.integers(1, 35))
def test_exactly_the_top_rows_are_ahead_of_the_others(values, n_rows):
    numbers = np.array(values)

    top = take_top(numbers, n_rows)

    ahead = [r for r, v in enumerate(values) if v > -math.inf and top.is_ahead(v, r)]
    assert ahead == top.rows.tolist()


@given(st.lists(st.floats(-800.0, 0.0), min_size=1, max_size=50))
def test_exponential_is_within_two_units_in_the_last_place(exponents):
    results = take_exp(np.array(exponents))

    context = decimal.Context(prec=40)
    for exponent, result in zip(exponents, results.tolist(), strict=True):
        exact = context.exp(decimal.Decimal(exponent))
        off = abs(decimal.Decimal(result) - exact)
        assert off <= 2 * decimal.Decimal(math.ulp(float(exact)))


def test_exponential_of_zero_is_one():
    assert take_exp(np.array([0.0, -0.0])).tolist() == [1.0, 1.0]


@pytest.mark.parametrize("value", [0.0, -3.0, -math.inf])
def test_logarithm_of_nothing_is_that_of_a_tiny_number(value):
    assert float(take_log(value)) == pytest.approx(-708.396)


def count_blas_threads():
    pools = threadpoolctl.ThreadpoolController().select(user_api="blas").info()
    return [pool["num_threads"] for pool in pools]


def test_blas_has_one_thread_inside_and_what_it_had_outside():
    with threadpoolctl.threadpool_limits(2, user_api="blas"):
        before = count_blas_threads()
        with hold_blas_to_one_thread():
            inside = count_blas_threads()
        after = count_blas_threads()

    assert set(before) == {2}
    assert set(inside) == {1}
    assert after == before


def test_overlapping_holds_restore_what_was_before_the_first():
    entered, leave = threading.Event(), threading.Event()

    def overlap():
        with hold_blas_to_one_thread():
            entered.set()
            leave.wait(10)

    with threadpoolctl.threadpool_limits(2, user_api="blas"):
        with hold_blas_to_one_thread():
            other = threading.Thread(target=overlap)
            other.start()
            assert entered.wait(10)
        leave.set()
        other.join(10)
        after = count_blas_threads()

    assert set(after) == {2}


@pytest.mark.parametrize("module", [engine, coverage, counts])
def test_examples_of_docstrings_run(module):
    results = doctest.testmod(module)

    assert results.attempted > 0
    assert results.failed == 0
