"""Heads of requests to the file server."""

from __future__ import annotations

from http import HTTPStatus

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lightly.api.file_server.requests import RequestRefused, parse_request

HOST = "Host: localhost"


def parse(*lines):
    return parse_request("\r\n".join(lines).encode())


def test_a_request_is_read():
    request = parse("GET /a%20b.png?x=1 HTTP/1.1", HOST, "X-Empty:", "Range:\tbytes=0-1 ")

    assert (request.method, request.target) == ("GET", "/a%20b.png?x=1")
    assert request.headers == {"host": "localhost", "x-empty": "", "range": "bytes=0-1"}


@pytest.mark.parametrize(
    ("lines", "is_kept_alive"),
    [
        (["GET / HTTP/1.1", HOST], True),
        (["GET / HTTP/1.1", HOST, "Connection: keep-alive"], True),
        (["GET / HTTP/1.1", HOST, "Connection: Close"], False),
        (["GET / HTTP/1.0", HOST], False),
        (["GET / HTTP/1.1", HOST, "Content-Length: 0"], True),
        (["GET / HTTP/1.1", HOST, "Content-Length: 1"], False),
        (["GET / HTTP/1.1", HOST, "Transfer-Encoding: chunked"], False),
    ],
)
def test_a_connection_goes_on_if_both_sides_know_where_the_request_ends(lines, is_kept_alive):
    assert parse(*lines).is_kept_alive == is_kept_alive


@pytest.mark.parametrize(
    ("lines", "status"),
    [
        ([""], HTTPStatus.BAD_REQUEST),
        (["GET /"], HTTPStatus.BAD_REQUEST),
        (["GET / HTTP/1.1"], HTTPStatus.BAD_REQUEST),
        (["GET / HTTP/3", HOST], HTTPStatus.HTTP_VERSION_NOT_SUPPORTED),
        (["GET http://localhost/ HTTP/1.1", HOST], HTTPStatus.BAD_REQUEST),
        (["GET / HTTP/1.1", HOST, HOST], HTTPStatus.BAD_REQUEST),
        (["GET / HTTP/1.1", "Host : localhost"], HTTPStatus.BAD_REQUEST),
        (["GET / HTTP/1.1", HOST, " folded"], HTTPStatus.BAD_REQUEST),
        (["GET / HTTP/1.1", HOST, "X: a\0b"], HTTPStatus.BAD_REQUEST),
        (["GET /" + "a" * 8_192 + " HTTP/1.1", HOST], HTTPStatus.REQUEST_URI_TOO_LONG),
    ],
)
def test_what_breaks_a_rule_is_refused(lines, status):
    with pytest.raises(RequestRefused) as refused:
        parse(*lines)

    assert refused.value.status == status


def test_the_longest_target_is_read():
    target = "/" + "a" * 8_191

    assert parse(f"GET {target} HTTP/1.1", HOST).target == target


@given(st.binary(max_size=300) | st.text("GET /:HTP1.\r\nhos \0\t", max_size=80).map(str.encode))
def test_whatever_arrives_is_read_or_refused(head):
    try:
        request = parse_request(head)
    except RequestRefused:
        return
    assert request.target.startswith("/") or request.target == "*"
    assert not any(c in value for value in request.headers.values() for c in "\r\n\0")
