"""The reference of the SDK names everything that is public."""

import inspect
from pathlib import Path

import pytest

from lightly.api import ApiWorkflowClient, download, errors, upload, utils
from lightly.api.configuration import CA_CERTS_VARIABLE, SERVER_LOCATION_VARIABLE, TOKEN_VARIABLE
from lightly.api.sending import TransportSettings

REFERENCE = (Path(__file__).resolve().parents[3] / "docs/reference/sdk.md").read_text("utf-8")


def list_public(owner: object, module: str = "") -> list[str]:
    """Return the public names of a class, or those that a module itself defines."""
    return [
        name
        for name, value in inspect.getmembers(owner)
        if not name.startswith("_")
        and (not module or getattr(value, "__module__", module) == module)
        and (not module or inspect.isfunction(value))
    ]


@pytest.mark.parametrize("name", list_public(ApiWorkflowClient))
def test_public_member_of_the_client_is_documented(name):
    assert f"`{name}`" in REFERENCE


@pytest.mark.parametrize(
    "name",
    [name for module in (upload, download, utils) for name in list_public(module, module.__name__)],
)
def test_function_for_older_scripts_is_documented(name):
    assert f"`{name}`" in REFERENCE


@pytest.mark.parametrize(
    "name",
    [
        name
        for name, value in inspect.getmembers(errors, inspect.isclass)
        if value.__module__ == errors.__name__ and not issubclass(value, Warning)
    ],
)
def test_error_is_documented(name):
    assert f"`{name}`" in REFERENCE


@pytest.mark.parametrize("name", [SERVER_LOCATION_VARIABLE, TOKEN_VARIABLE, CA_CERTS_VARIABLE])
def test_variable_is_documented(name):
    assert f"`{name}`" in REFERENCE


def test_times_are_documented_as_they_are():
    settings = TransportSettings()

    assert f"up to {settings.policy.attempts} attempts" in REFERENCE
    assert f"double up to {settings.policy.cap_s:.0f} s" in REFERENCE
    assert settings.outage_s == 5 * 60
    assert settings.first_contact_s == 10
