"""Bad requests leave one short line each, whatever is in them: T39."""

from __future__ import annotations

import time

import pytest

from tests.support.platforms import TOKEN, run_process
from tests.support.raw_http import RawConnection, send_raw

N_REQUESTS = 10_000
#: Sent before the first answer is read, so that no time goes into waiting.
BATCH = 50
#: A time, a path cut at 200 characters, a status and a request id.
MAX_LINE_CHARACTERS = 320
#: Most requests have short paths; measured: 171.
MEAN_LINE_CHARACTERS = 220
TOKEN_HEADER = f"Authorization: Bearer {TOKEN}\r\n".encode()

BAD_REQUESTS = [
    # a long path
    b"GET /v1/" + b"x" * 8_000 + b" HTTP/1.1\r\n" + TOKEN_HEADER + b"\r\n",
    # line breaks and pictures in it
    b"GET /v1/" + b"%0A%F0%9F%A6%9C" * 500 + b" HTTP/1.1\r\n" + TOKEN_HEADER + b"\r\n",
    # a long query
    b"GET /v1/nothing?name=" + b"x" * 8_000 + b" HTTP/1.1\r\n" + TOKEN_HEADER + b"\r\n",
    # a wrong token, and none
    b"GET /v1/datasets HTTP/1.1\r\nAuthorization: Bearer " + b"x" * 8_000 + b"\r\n\r\n",
    b"GET /v1/datasets?token= HTTP/1.1\r\n\r\n",
    # long headers, with what a terminal would obey
    b"GET /v1/nothing HTTP/1.1\r\nUser-Agent: " + b"x" * 8_000 + b"\r\n" + TOKEN_HEADER + b"\r\n",
    # an odd method
    b"PROPFIND /v1/datasets HTTP/1.1\r\n" + TOKEN_HEADER + b"\r\n",
    # a bad id, which the answer repeats in part
    b"DELETE /v1/datasets/" + b"z" * 8_000 + b" HTTP/1.1\r\n" + TOKEN_HEADER + b"\r\n",
    # a bad body
    b"POST /v1/datasets HTTP/1.1\r\nContent-Length: 8000\r\n" + TOKEN_HEADER + b"\r\n"
    + b'{"name":"' + b"\xff" * 7_991,
    # a bad signature
    b"PUT /blobs/" + b"x" * 4_000 + b"?signature=" + b"y" * 4_000 + b" HTTP/1.1\r\n\r\n",
]  # fmt: skip

#: Each is sent on a connection of its own, since nothing can follow it.
LAST_REQUESTS = [
    # another protocol
    b"GET /v1/nothing HTTP/1.1\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
    b"Sec-WebSocket-Key: eA==\r\nSec-WebSocket-Version: 13\r\n" + TOKEN_HEADER + b"\r\n",
    # no HTTP
    b"\x00" * 8_000 + b"\r\n\r\n",
    # a head without an end
    b"GET /v1/datasets HTTP/1.1\r\nX-Long: " + b"x" * 200_000,
    # a body that breaks off
    b"POST /v1/datasets HTTP/1.1\r\nTransfer-Encoding: chunked\r\n" + TOKEN_HEADER
    + b"\r\n" + b"f" * 17 + b"\r\n",
]  # fmt: skip
N_LAST = 100


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    with run_process(tmp_path_factory.mktemp("flooded") / "data") as running:
        yield running


def wait_for_quiet(server) -> list[str]:
    """Return the lines of the log once no more are added."""
    size, deadline = -1, time.monotonic() + 30
    while (text := server.read_log()) and len(text) != size and time.monotonic() < deadline:
        size = len(text)
        time.sleep(0.2)
    return text.splitlines()


def test_ten_thousand_bad_requests_leave_as_many_short_lines(server):
    n_before = len(wait_for_quiet(server))
    n_batches = N_REQUESTS // len(BAD_REQUESTS) // BATCH
    statuses = set()

    with RawConnection(server.port) as connection:
        for request in BAD_REQUESTS * n_batches:
            connection.send(request * BATCH)
            statuses |= {connection.read_answer().status_code for _ in range(BATCH)}

    lines = wait_for_quiet(server)[n_before:]
    assert statuses <= {400, 401, 403, 404, 405, 429}
    assert len(lines) == N_REQUESTS
    assert max(map(len, lines)) <= MAX_LINE_CHARACTERS
    assert sum(map(len, lines)) <= MEAN_LINE_CHARACTERS * N_REQUESTS


@pytest.mark.parametrize("request_bytes", LAST_REQUESTS, ids=["upgrade", "no HTTP", "head", "body"])
def test_requests_that_end_the_connection_leave_few_short_lines(server, request_bytes):
    n_before = len(wait_for_quiet(server))

    for _ in range(N_LAST):
        send_raw(server.port, request_bytes)

    lines = wait_for_quiet(server)[n_before:]
    assert len(lines) <= 2 * N_LAST
    assert max(map(len, lines), default=0) <= MAX_LINE_CHARACTERS
