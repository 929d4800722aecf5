"""What the environment tells a client."""

import pickle

import pytest

from lightly._kit.errors import BadInput
from lightly.api.api_workflow_client import ApiWorkflowClient
from lightly.api.configuration import (
    DEFAULT_SERVER_LOCATION,
    is_default_location,
    make_user_agent,
    read_ca_certificates,
    read_server_location,
    read_token,
)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", DEFAULT_SERVER_LOCATION),
        ("  ", DEFAULT_SERVER_LOCATION),
        ("http://host:1", "http://host:1"),
        (" http://host:1/ ", "http://host:1"),
        ("https://host/lightly//", "https://host/lightly"),
    ],
)
def test_server_location_is_stripped(monkeypatch, text, expected):
    monkeypatch.setenv("LIGHTLY_SERVER_LOCATION", text)

    assert read_server_location() == expected


def test_server_location_has_a_default():
    assert is_default_location()
    assert read_server_location() == "http://127.0.0.1:8000"


@pytest.mark.parametrize(
    "text",
    [
        "host:8000",
        "ftp://host",
        "http://",
        "http://user:pass@host",
        "http://host?token=x",
        "http://host#x",
    ],
)
def test_server_location_must_be_a_plain_address(monkeypatch, text):
    monkeypatch.setenv("LIGHTLY_SERVER_LOCATION", text)

    with pytest.raises(ValueError, match="LIGHTLY_SERVER_LOCATION"):
        read_server_location()


def test_token_of_the_caller_wins(monkeypatch):
    monkeypatch.setenv("LIGHTLY_TOKEN", "from-environment")

    assert (read_token(" given\n"), read_token(None)) == ("given", "from-environment")


def test_client_without_token_says_where_to_put_it():
    with pytest.raises(ValueError, match="LIGHTLY_TOKEN"):
        ApiWorkflowClient()


@pytest.mark.parametrize("token", ["two\nlines", "umläut", "nul\0", "x" * 5000])
def test_token_that_no_header_takes_is_refused_without_repeating_it(token):
    with pytest.raises(BadInput) as caught:
        read_token(token)

    assert token[:8] not in str(caught.value)


def test_certificates_must_exist(monkeypatch, tmp_path):
    monkeypatch.setenv("LIGHTLY_CA_CERTS", str(tmp_path / "missing.pem"))

    with pytest.raises(BadInput, match="LIGHTLY_CA_CERTS"):
        read_ca_certificates()


def test_certificates_are_the_usual_ones_by_default(monkeypatch):
    for name in ("REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE"):
        monkeypatch.delenv(name, raising=False)

    assert read_ca_certificates() is True


def test_user_agent_has_the_form_that_servers_look_for():
    assert make_user_agent().startswith("Lightly/2.")


def test_making_a_client_sends_nothing(monkeypatch):
    monkeypatch.setenv("LIGHTLY_SERVER_LOCATION", "http://nobody.invalid")

    assert "nobody.invalid" in repr(ApiWorkflowClient(token="TOKEN"))


def test_a_client_can_cross_processes():
    client = ApiWorkflowClient(token="TOKEN", dataset_id="0" * 24)

    copy = pickle.loads(pickle.dumps(client))

    assert (copy.token, copy.dataset_id) == ("TOKEN", "0" * 24)
