"""Sealed secrets open where they were sealed for, with the keys that the operator has named."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lightly._kit.errors import BadInput
from lightly.server.secrets.keys import ServerKeys
from lightly.server.secrets.sealing import (
    KEYS_FILE,
    KEYS_VARIABLE,
    SecretBox,
    SecretUnreadable,
    open_secret_box,
)

OLD, NEW = b"1" * 32, b"2" * 32


@given(st.binary(max_size=500), st.text(st.characters(codec="utf-8"), max_size=50))
def test_a_secret_opens_in_its_place(secret, place):
    box = SecretBox((NEW,))

    assert box.open(box.seal(secret, place), place) == secret


def test_a_secret_does_not_open_in_another_place():
    box = SecretBox((NEW,))

    with pytest.raises(SecretUnreadable):
        box.open(box.seal(b"secret", "here"), "there")


def test_an_older_key_opens_but_does_not_seal():
    sealed = SecretBox((OLD,)).seal(b"secret", "here")
    box = SecretBox((NEW, OLD))

    assert box.open(sealed, "here") == b"secret"
    assert not box.is_current(sealed)
    assert box.is_current(box.seal(b"secret", "here"))


@pytest.mark.parametrize("text", ["", "v1", "v1..", "v2.a.b", "v1.zz.!!", "nonsense"])
def test_what_is_no_sealed_secret_does_not_open(text):
    with pytest.raises(SecretUnreadable):
        SecretBox((NEW,)).open(text, "here")


def test_without_named_keys_the_servers_own_key_counts(tmp_path):
    boxes = [open_secret_box(ServerKeys(root), tmp_path) for root in (OLD, OLD, NEW)]

    assert boxes[0] == boxes[1] != boxes[2]


def test_the_variable_goes_before_the_file(tmp_path, monkeypatch):
    (tmp_path / KEYS_FILE).write_text("11" * 32)
    from_file = open_secret_box(ServerKeys(OLD), tmp_path)
    monkeypatch.setenv(KEYS_VARIABLE, "22" * 32 + "," + "33" * 32)
    from_variable = open_secret_box(ServerKeys(OLD), tmp_path)

    assert [len(from_file.keys), len(from_variable.keys)] == [2, 3]
    assert from_file.keys[0] == bytes.fromhex("11" * 32)
    assert from_variable.keys[0] == bytes.fromhex("22" * 32)


@pytest.mark.parametrize("text", ["abc", "1" * 63, "g" * 64, "11" * 32 + ",short"])
def test_a_key_of_another_form_is_refused_and_not_shown(tmp_path, monkeypatch, text):
    monkeypatch.setenv(KEYS_VARIABLE, text)

    with pytest.raises(BadInput, match=KEYS_VARIABLE) as raised:
        open_secret_box(ServerKeys(OLD), tmp_path)
    assert text not in str(raised.value)


def test_keys_do_not_show():
    assert "2222" not in repr(SecretBox((NEW,)))
