"""Bit masks: the wire form, the packed form, and operations on them."""

from __future__ import annotations

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lightly._kit import bitmask
from lightly._kit.bitmask import (
    build_bitmask,
    combine_bitmasks,
    count_bits,
    count_bytes,
    fill_bitmask,
    fits_bitmask,
    format_bitmask,
    is_bitmask,
    is_subset,
    iterate_indices,
    parse_bitmask,
    resize_bitmask,
)
from lightly._kit.errors import BadInput

#: Ten million samples: the largest dataset that masks are meant for in one request.
N_LARGE = 10_000_000
#: What any one operation on them may take. They take a few hundredths; something quadratic,
#: such as turning digits into a decimal number, takes minutes.
LARGE_LIMIT_S = 2.0

sets_of_indices = st.sets(st.integers(0, 300))
masks = st.binary(max_size=40)


@pytest.mark.parametrize(
    ("text", "n_bits", "expected"),
    [
        # the contract's example
        ("0x59", 10, [0, 3, 4, 6]),
        # empty tag
        ("0x0", 0, []),
        # highest sample
        ("0x80", 8, [7]),
        # leading zeros are accepted
        ("0x0003", 8, [0, 1]),
        # more zeros than the dataset has samples
        ("0x" + "0" * 1000 + "1", 1, [0]),
        # an odd number of digits
        ("0x100", 9, [8]),
    ],
)
def test_a_wire_mask_names_samples(text, n_bits, expected):
    mask = parse_bitmask(text, n_bits)

    assert list(iterate_indices(mask)) == expected
    assert len(mask) == count_bytes(n_bits)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "0",
        "0x",
        "59",
        # upper case, in the digits or in front
        "0x5F",
        "0X5",
        # binary
        "0b101",
        # a sign
        "-0x5",
        "0x-5",
        "+0x5",
        # white space
        " 0x5",
        "0x5 ",
        "0x5\n",
        # what Python's own parser takes
        "0x_5",
        "0x5_5",
        # digits of another script
        "0x\u0665",
        "0x\uff15",
        # NUL
        "0x5\0",
    ],
)
def test_other_forms_are_refused(text):
    assert not is_bitmask(text)
    with pytest.raises(BadInput, match="lower-case hex digits"):
        parse_bitmask(text, 100)


@pytest.mark.parametrize(
    ("text", "n_bits", "highest"),
    [
        ("0x1", 0, 0),
        ("0x2", 1, 1),
        ("0x400", 10, 10),
        ("0x100", 8, 8),
        ("0x" + "f" * 1000, 3999, 3999),
    ],
)
def test_samples_beyond_the_dataset_are_refused(text, n_bits, highest):
    with pytest.raises(BadInput, match=f"names sample {highest}, but the dataset has {n_bits} "):
        parse_bitmask(text, n_bits)


@pytest.mark.parametrize("text", ["0x" + "deadbeef" * 1000, "deadbeef" * 1000, "0xX" + "dead" * 99])
def test_errors_do_not_repeat_the_digits(text):
    with pytest.raises(BadInput) as caught:
        parse_bitmask(text, 10)

    assert "dead" not in str(caught.value)
    assert len(str(caught.value)) < 200


@given(sets_of_indices)
def test_a_mask_survives_the_wire(indices):
    mask = build_bitmask(indices, 301)

    assert parse_bitmask(format_bitmask(mask), 301) == mask
    assert set(iterate_indices(mask)) == indices


@given(st.integers(0, 2**300))
def test_the_wire_form_is_that_of_python(number):
    mask = parse_bitmask(hex(number), 301)

    assert format_bitmask(mask) == hex(number)


@given(masks, st.integers(0, 10))
def test_output_is_canonical(mask, n_zero_bytes):
    text = format_bitmask(mask + bytes(n_zero_bytes))

    assert text == format_bitmask(mask)
    assert text == "0x0" or not text.startswith("0x0")


@given(masks)
def test_indices_grow(mask):
    indices = list(iterate_indices(mask))

    assert indices == sorted(set(indices))
    assert len(indices) == count_bits(mask)


@given(masks)
def test_building_from_the_indices_gives_the_mask(mask):
    assert build_bitmask(iterate_indices(mask), 8 * len(mask)) == mask


@pytest.mark.parametrize("index", [-1, 10, 11, 10**30])
def test_only_samples_of_the_dataset_can_be_set(index):
    with pytest.raises(BadInput, match=r"is not in \[0, 10\)"):
        build_bitmask([0, index], 10)


@given(st.integers(0, 300))
def test_a_filled_mask_has_all_bits_and_no_other(n_bits):
    mask = fill_bitmask(n_bits)

    assert list(iterate_indices(mask)) == list(range(n_bits))
    assert len(mask) == count_bytes(n_bits)
    assert fits_bitmask(mask, n_bits)


@given(sets_of_indices, sets_of_indices)
@pytest.mark.parametrize(
    ("operation", "reference"),
    [
        ("UNION", set.union),
        ("INTERSECTION", set.intersection),
        ("DIFFERENCE", set.difference),
    ],
)
def test_operations_are_those_of_sets(operation, reference, first, second):
    combined = combine_bitmasks(build_bitmask(first, 301), build_bitmask(second, 301), operation)

    assert set(iterate_indices(combined)) == reference(first, second)


@given(masks, masks, st.sampled_from(["UNION", "INTERSECTION", "DIFFERENCE"]))
def test_masks_of_different_lengths_combine(first, second, operation):
    n_bits = 8 * max(len(first), len(second))

    combined = combine_bitmasks(first, second, operation)

    resized = [resize_bitmask(mask, n_bits) for mask in (first, second)]
    assert combined == combine_bitmasks(*resized, operation)
    assert len(combined) == count_bytes(n_bits)


def test_an_unknown_operation_is_refused():
    with pytest.raises(BadInput, match="must be UNION, INTERSECTION or DIFFERENCE, got 'XOR'"):
        combine_bitmasks(b"", b"", "XOR")


@given(sets_of_indices, sets_of_indices)
def test_subsets_are_those_of_sets(inner, outer):
    masks = [build_bitmask(indices, 301) for indices in (inner, outer)]

    assert is_subset(*masks) == (inner <= outer)


@given(masks, st.integers(0, 400))
def test_a_mask_fits_if_its_highest_bit_does(mask, n_bits):
    assert fits_bitmask(mask, n_bits) == all(index < n_bits for index in iterate_indices(mask))


@given(masks, st.integers(0, 400))
def test_a_mask_only_ever_grows(mask, n_bits):
    resized = resize_bitmask(mask, n_bits)

    assert list(iterate_indices(resized)) == list(iterate_indices(mask))
    assert len(resized) == max(len(mask), count_bytes(n_bits))


class TestTenMillionBits:
    """Everything stays linear in the number of digits."""

    TEXT = "0x" + "9" * (N_LARGE // 4)
    MASK = parse_bitmask(TEXT, N_LARGE)

    @pytest.mark.parametrize(
        "work",
        [
            lambda mask, text: parse_bitmask(text, N_LARGE),
            lambda mask, text: parse_bitmask("0x" + 2 * text[2:].replace("9", "0") + "1", N_LARGE),
            lambda mask, text: is_bitmask(text + "X"),
            lambda mask, text: format_bitmask(mask),
            lambda mask, text: count_bits(mask),
            lambda mask, text: fill_bitmask(N_LARGE),
            lambda mask, text: resize_bitmask(mask, N_LARGE + 8),
            lambda mask, text: combine_bitmasks(mask, mask, "DIFFERENCE"),
            lambda mask, text: is_subset(mask, mask),
            lambda mask, text: fits_bitmask(mask, N_LARGE),
        ],
    )
    def test_operations_stay_within_the_budget(self, work):
        started = time.perf_counter()

        work(self.MASK, self.TEXT)

        assert time.perf_counter() - started <= LARGE_LIMIT_S

    def test_a_refusal_stays_within_the_budget(self):
        started = time.perf_counter()

        with pytest.raises(BadInput):
            parse_bitmask(self.TEXT, N_LARGE - 1)

        assert time.perf_counter() - started <= LARGE_LIMIT_S

    def test_the_digits_come_back(self):
        assert format_bitmask(self.MASK) == self.TEXT
        assert count_bits(self.MASK) == N_LARGE // 2


def test_nothing_turns_a_mask_into_decimal_digits():
    # Python refuses that beyond 4,300 digits, so an error that tried would fail itself.
    with pytest.raises(BadInput):
        parse_bitmask("0x" + "f" * 1_000_000, 10)
    assert bitmask.count_bits(fill_bitmask(100_000)) == 100_000
