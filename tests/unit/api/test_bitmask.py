"""Bit masks of tags behave as the sets of indices that they stand for."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lightly.api.bitmask import BitMask

INDICES = st.frozensets(st.integers(0, 200))


def make_mask(indices: frozenset[int]) -> BitMask:
    return BitMask(sum(1 << index for index in indices))


@given(INDICES)
def test_texts_lead_back_to_the_same_mask(indices):
    mask = make_mask(indices)

    assert BitMask.from_hex(mask.to_hex()) == mask
    assert BitMask.from_bin(mask.to_bin()) == mask
    assert mask.to_indices() == sorted(indices)


@given(INDICES, INDICES)
def test_operations_are_those_of_sets(first, second):
    for operation, expected in (
        ("union", first | second),
        ("intersection", first & second),
        ("difference", first - second),
    ):
        mask = make_mask(first)
        getattr(mask, operation)(make_mask(second))
        assert mask.to_indices() == sorted(expected)


@given(INDICES, st.integers(201, 300))
def test_inverting_takes_the_others(indices, total):
    mask = make_mask(indices)

    mask.invert(total)

    assert mask.to_indices() == sorted(set(range(total)) - indices)


@given(INDICES, st.integers(0, 200))
def test_single_bits_are_read_and_changed(indices, index):
    mask = make_mask(indices)
    assert mask.get_kth_bit(index) == (index in indices)

    mask.set_kth_bit(index)
    assert mask.to_indices() == sorted(indices | {index})
    mask.unset_kth_bit(index)
    assert mask.to_indices() == sorted(indices - {index})


def test_a_mask_selects_from_a_list():
    assert BitMask.from_hex("0x59").masked_select_from_list(list("abcdefg")) == list("adeg")


def test_a_mask_minus_another_is_a_third():
    mask, other = BitMask(0b1101), BitMask(0b0111)

    assert mask - other == BitMask(0b1000)
    assert (mask, other) == (BitMask(0b1101), BitMask(0b0111))


def test_a_mask_of_a_length_holds_everything():
    assert BitMask.from_length(4).to_indices() == [0, 1, 2, 3]


def test_the_complement_of_a_mask_ends_at_its_highest_sample():
    mask = BitMask(0b1001)

    mask.complement()

    assert mask == BitMask(0b0110)


def test_a_negative_number_is_no_mask():
    with pytest.raises(ValueError, match="from 0 on"):
        BitMask(-1)


def test_a_mask_equals_masks_only():
    assert BitMask(3) != 3
    assert repr(BitMask(0x59)) == "BitMask(0x59)"
    with pytest.raises(TypeError):
        hash(BitMask(1))
