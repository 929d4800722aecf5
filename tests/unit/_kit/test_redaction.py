"""Secrets in texts and in log records."""

from __future__ import annotations

import io
import json
import logging
import time
from urllib.parse import quote, urlencode

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lightly._kit.redaction import MASK, RedactingFilter, redact

SECRET = "canary0123456789"


@pytest.mark.parametrize(
    "text",
    [
        # the contract's own parameters
        f"GET /v1/datasets?token={SECRET}",
        f"GET /v1/datasets?shared=False&token={SECRET} HTTP/1.1",
        f"/readurlRedirect?type=full&publicToken={SECRET}",
        f"?secret={SECRET}",
        f"/blobs/x?method=PUT&expires=1&signature={SECRET}",
        # case
        f"?TOKEN={SECRET}",
        # other stores
        f"?X-Amz-Signature={SECRET}&x=1",
        f"?X-Amz-Credential={SECRET}%2F20260101",
        f"?X-Amz-Security-Token={SECRET}",
        f"?X-Goog-Signature={SECRET}",
        f"?sv=2024&sig={SECRET}",
        # an address within an address
        f"?next=%2Fa%3Ftoken%3D{SECRET}",
        # reprs and JSON
        str({"token": SECRET, "sample": {}}),
        f"Client(token='{SECRET}')",
        json.dumps({"token": SECRET}),
        json.dumps({"body": json.dumps({"token": SECRET})}),
        json.dumps({"body": json.dumps({"body": json.dumps({"token": SECRET})})}),
        str({"s3SecretAccessKey": SECRET}),
        str({"accountKey": SECRET, "gcsCredentials": SECRET}),
        f'{{"token": "{SECRET}',
        f"token='it\\'s {SECRET}'",
        # headers
        f"Authorization: Bearer {SECRET}",
        f"Authorization: bearer   {SECRET}",
        f"authorization: Basic {SECRET}",
        str({"Authorization": f"Bearer {SECRET}"}),
        f"Authorization={SECRET}",
        f"Cookie: a=1; session={SECRET}",
        f"Set-Cookie: session={SECRET}; HttpOnly",
        # environment
        f"LIGHTLY_TOKEN={SECRET}",
        f"AWS_SECRET_ACCESS_KEY={SECRET}",
        f"api_key: {SECRET}",
        # databases
        f"postgresql://lightly:{SECRET}@db.example.com/lightly",
    ],
)
def test_secrets_are_masked(text):
    assert SECRET not in redact(text)
    assert MASK in redact(text)


@pytest.mark.parametrize(
    "text",
    [
        "GET /v1/datasets?shared=False&pageSize=5000",
        "The token is missing or not valid. Pass a valid one.",
        "max_token_count=5",
        "design=round",
        "http://localhost:8000/v1/datasets",
        "sent to a@b.example at 12:30:05",
        "sqlite:///lightly.sqlite",
        "",
    ],
)
def test_other_texts_stay_as_they_are(text):
    assert redact(text) == text


@given(st.text(st.characters(codec="utf-8"), min_size=1))
def test_any_token_in_a_query_is_masked(token):
    text = f"GET /v1/jobs?{urlencode({'token': token})}&x=1"

    assert redact(text) == f"GET /v1/jobs?token={MASK}&x=1"


@given(st.text(st.characters(codec="utf-8"), min_size=1))
def test_any_token_in_json_is_masked(token):
    assert redact(json.dumps({"token": token, "x": 1})) == f'{{"token": {MASK}, "x": 1}}'


@given(st.text(max_size=200))
def test_redacting_twice_is_redacting_once(text):
    once = redact(f"{text} token={quote(text)}")

    assert redact(once) == once


@pytest.mark.parametrize(
    "unit", ["token", "a-", "bearer ", "://a:", '"', "authorization ", "token  ", "token='\\"]
)
def test_long_texts_take_linear_time(unit):
    started = time.perf_counter()

    redact(unit * (500_000 // len(unit)))

    assert time.perf_counter() - started <= 5


@pytest.fixture
def log():
    """A logger whose redacted output can be read."""
    output = io.StringIO()
    handler = logging.StreamHandler(output)
    handler.setFormatter(logging.Formatter("%(levelname)s %(message)s"))
    handler.addFilter(RedactingFilter())
    logger = logging.getLogger("test_redaction")
    logger.propagate = False
    logger.addHandler(handler)
    logger.output = output  # type: ignore[attr-defined]  # carried along for the test
    yield logger
    logger.removeHandler(handler)


def test_arguments_of_a_log_line_are_masked(log):
    log.warning("%s failed after %d s", f"GET /v1?token={SECRET}", 3)

    assert log.output.getvalue() == f"WARNING GET /v1?token={MASK} failed after 3 s\n"


def test_other_log_lines_keep_their_arguments(log):
    log.warning("%d of %d", 1, 2)

    assert log.output.getvalue() == "WARNING 1 of 2\n"


def fail(cause: Exception | None = None) -> None:
    raise ConnectionError(f"no answer from http://h/v1?token={SECRET}") from cause


def test_tracebacks_are_masked(log):
    try:
        fail()
    except ConnectionError:
        log.exception("request failed")

    assert "ConnectionError: no answer" in log.output.getvalue()
    assert SECRET not in log.output.getvalue()


def test_causes_of_exceptions_are_masked(log):
    try:
        fail(ValueError(f"token={SECRET}"))
    except ConnectionError:
        log.exception("request failed")

    assert "direct cause" in log.output.getvalue()
    assert SECRET not in log.output.getvalue()


def test_stacks_are_masked(log):
    log.warning("here", stack_info=True)

    assert "Stack (most recent call last)" in log.output.getvalue()


def test_an_exception_as_message_is_masked(log):
    log.warning(ValueError(f"token={SECRET}"))

    assert log.output.getvalue() == f"WARNING token={MASK}\n"


@pytest.mark.parametrize(
    ("message", "arguments"), [("%d items", (f"token={SECRET}",)), ("%s %s", (f"token={SECRET}",))]
)
def test_a_wrong_log_line_stops_nothing_and_shows_nothing(log, capsys, message, arguments):
    log.warning(message, *arguments)

    everything = log.output.getvalue() + "".join(capsys.readouterr())
    assert "does not fit its arguments" in everything
    assert SECRET not in everything
