"""Settings from variables and flags."""

from __future__ import annotations

from dataclasses import fields
from pathlib import Path

import pytest

from lightly._kit.errors import BadInput
from lightly.server.settings import Settings, read_settings


def test_defaults_are_an_embedded_server_on_loopback():
    settings = read_settings({})

    assert settings.host == "127.0.0.1"
    assert settings.effective_database_url.startswith("sqlite:///")
    assert settings.blob_root == Path("lightly-data").resolve() / "blobs"


def test_variables_override_defaults_and_flags_override_variables():
    environment = {"LIGHTLY_SERVER_PORT": "9000", "LIGHTLY_SERVER_HOST": "0.0.0.0"}

    settings = read_settings(environment, port=9001, host=None)

    assert (settings.port, settings.host) == (9001, "0.0.0.0")


@pytest.mark.parametrize(("text", "expected"), [("1", True), ("true", True), ("0", False)])
def test_switches_are_read(text, expected):
    assert read_settings({"LIGHTLY_SERVER_NO_WORKER": text}).no_worker is expected


@pytest.mark.parametrize(
    ("name", "text"), [("LIGHTLY_SERVER_PORT", "http"), ("LIGHTLY_SERVER_NO_WORKER", "maybe")]
)
def test_a_value_that_cannot_be_read_names_its_variable(name, text):
    with pytest.raises(BadInput, match=name):
        read_settings({name: text})


def test_the_clients_variable_is_no_setting():
    assert "location" not in {field.name for field in fields(Settings)}


def test_a_storage_that_is_not_supported_is_refused():
    with pytest.raises(BadInput, match="storage URL"):
        _ = Settings(storage_url="ftp://bucket").blob_root
