"""The same call for many items."""

import threading

import pytest

from lightly.api.parallel import iterate_in_parallel, run_in_parallel


def test_results_come_in_the_order_of_the_items():
    assert run_in_parallel(lambda n: n * n, range(50), max_workers=8) == [n * n for n in range(50)]


def test_no_items_are_no_calls():
    assert run_in_parallel(lambda _: 1 / 0, [], max_workers=3) == []


def test_calls_are_made_at_the_same_time():
    barrier = threading.Barrier(3, timeout=20)

    assert len(run_in_parallel(lambda _: barrier.wait(), range(3), max_workers=3)) == 3


def test_the_first_error_keeps_later_calls_from_being_made():
    made = []

    def call(number: int) -> None:
        made.append(number)
        if number == 0:
            raise ValueError("first")
        threading.Event().wait(0.01)

    with pytest.raises(ValueError, match="first"):
        run_in_parallel(call, range(1000), max_workers=2)

    assert len(made) < 1000


def test_items_are_taken_only_a_little_ahead():
    taken = []

    def take():
        for number in range(1_000):
            taken.append(number)
            yield number

    results = iterate_in_parallel(str, take(), max_workers=2)

    assert [next(results) for _ in range(3)] == ["0", "1", "2"]
    assert len(taken) < 20
    results.close()


def test_the_first_error_ends_an_iteration():
    def refuse_two(number):
        if number == 2:
            raise ValueError("two")
        return number

    results = iterate_in_parallel(refuse_two, range(100), max_workers=3)

    assert [next(results), next(results)] == [0, 1]
    with pytest.raises(ValueError, match="two"):
        next(results)
