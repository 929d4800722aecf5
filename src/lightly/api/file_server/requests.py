"""The head of an HTTP request: read strictly, so that nobody else can read it differently.

The standard library's reader parses headers as those of an e-mail, which takes longer than all the
rest of an answer.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from http import HTTPStatus

#: A browser sends its cookies of all ports of localhost along.
MAX_HEAD_BYTES = 32 * 1024
#: A name of 1,024 bytes with all of them escaped, and a query.
MAX_TARGET_CHARS = 8 * 1024
HEAD_END = b"\r\n\r\n"

_METHOD = re.compile(r"[A-Z]{1,20}")
_HEADER_NAME = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
# Twice, and two readers could take different ones.
_ONLY_ONCE = frozenset({"host", "content-length", "range", "origin", "if-range"})


class RequestRefused(Exception):
    """The request is not served.

    Attributes:
        status: What it is answered with.
        reason: One line for people; never anything of the request.
    """

    def __init__(self, status: HTTPStatus, reason: str | None = None) -> None:
        super().__init__(status)
        self.status = status
        self.reason = reason or status.phrase


@dataclass(frozen=True, slots=True)
class Request:
    """A request without its body.

    Attributes:
        method: In upper case.
        target: Path and query, as sent.
        headers: By name in lower case.
        is_kept_alive: Whether another request may follow on the connection.
    """

    method: str
    target: str
    headers: Mapping[str, str]
    is_kept_alive: bool


def parse_request(head: bytes) -> Request:
    r"""Return the request of a head, which ends before its empty line.

    Raises:
        RequestRefused: If it breaks a rule of HTTP/1.1 or crosses a limit.

    >>> parse_request(b"GET /a.png HTTP/1.1\r\nHost: localhost").target
    '/a.png'
    """
    lines = head.decode("latin-1").split("\r\n")
    method, target, version = _split_request_line(lines[0])
    headers = _parse_headers(lines)
    is_current = version == "HTTP/1.1"
    if is_current and "host" not in headers:
        raise RequestRefused(HTTPStatus.BAD_REQUEST)
    # The body of a request is never read, so nothing can follow it.
    has_body = "transfer-encoding" in headers or headers.get("content-length", "0") != "0"
    wants_close = "close" in headers.get("connection", "").lower()
    return Request(method, target, headers, is_current and not has_body and not wants_close)


def _split_request_line(line: str) -> tuple[str, str, str]:
    parts = line.split(" ")
    if len(parts) != 3 or not _METHOD.fullmatch(parts[0]):
        raise RequestRefused(HTTPStatus.BAD_REQUEST)
    method, target, version = parts
    if version not in {"HTTP/1.1", "HTTP/1.0"}:
        raise RequestRefused(HTTPStatus.HTTP_VERSION_NOT_SUPPORTED)
    if len(target) > MAX_TARGET_CHARS:
        raise RequestRefused(HTTPStatus.REQUEST_URI_TOO_LONG)
    # Whole addresses are for proxies.
    if not target.startswith("/") and (method, target) != ("OPTIONS", "*"):
        raise RequestRefused(HTTPStatus.BAD_REQUEST)
    return method, target, version


def _parse_headers(lines: list[str]) -> dict[str, str]:
    headers: dict[str, str] = {}
    for line in lines[1:]:
        name, colon, value = line.partition(":")
        key = name.lower()
        is_bad = not colon or not _HEADER_NAME.fullmatch(name) or "\n" in value or "\r" in value
        if is_bad or "\0" in value or (key in headers and key in _ONLY_ONCE):
            raise RequestRefused(HTTPStatus.BAD_REQUEST)
        headers[key] = value.strip(" \t")
    return headers
