"""Addresses in the form in which they are compared."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lightly.server.auth.addresses import (
    MAX_ADDRESS_CHARACTERS,
    is_of_service_account,
    normalise_address,
)


@given(st.text(max_size=400))
def test_the_form_is_stable_and_bounded(text):
    normal = normalise_address(text)

    if normal is not None:
        assert normalise_address(normal) == normal
        assert 3 <= len(normal) <= MAX_ADDRESS_CHARACTERS


@given(st.emails())
def test_addresses_differ_in_no_case(email):
    assert normalise_address(email.upper()) == normalise_address(email.lower())


@pytest.mark.parametrize("length", [MAX_ADDRESS_CHARACTERS, MAX_ADDRESS_CHARACTERS + 1])
def test_the_length_is_bounded(length):
    email = "x" * (length - 4) + "@y.z"

    assert (normalise_address(email) is not None) is (length == MAX_ADDRESS_CHARACTERS)


@pytest.mark.parametrize("text", ["", "@", "a@", "@b", "a b@c", "a\t@b", "a@b\0", "a@b\u202e"])
def test_what_is_no_address_has_no_form(text):
    assert normalise_address(text) is None


def test_service_accounts_have_a_domain_of_their_own():
    assert is_of_service_account("x@service-accounts.invalid")
    assert not is_of_service_account("service-accounts.invalid@example.com")
