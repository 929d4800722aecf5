"""Paths, queries and heads that no honest client sends, and clients that never finish: T33."""

from __future__ import annotations

import time
from contextlib import ExitStack

import pytest
import requests

from lightly._kit.ids import make_id
from tests.support.contract import ContractClient
from tests.support.errors import assert_refused
from tests.support.parameters import list_parameters
from tests.support.platforms import TOKEN, run_process
from tests.support.raw_http import RawConnection, send_raw
from tests.support.routes import list_routes
from tests.support.valid_requests import make_valid_request

ROUTES = [route for route in sorted(set(list_routes())) if route[0] not in {"DELETE", "HEAD"}]
HOSTILE_TEXTS = [
    " ", "\x00", "a\x00", "-1", "0", "1e5", "9" * 5_000, "99999999999999999999", "yes", "NaN",
    "null", "[]", "{}", "..", "../..", "%", "%zz", "%2e%2e%2f", "é", "🦜", "\r\nX-Evil: 1", "'",
    '"', "\\", ";", ",", "a&b", "#", "?", "x" * 5_000, "(a+)+$", "${7*7}", "\u202e", "*",
]  # fmt: skip
IDLE_TIMEOUT_S = 2
MAX_HEAD_BYTES = 64 * 1024
#: A refusal that needs no patience comes within this time, on a busy machine either.
AT_ONCE_S = 4.0

HEADERS = f"Authorization: Bearer {TOKEN}\r\nHost: localhost\r\nConnection: close\r\n".encode()


def name_route(route: tuple[str, str]) -> str:
    return " ".join(route)


@pytest.fixture(scope="module")
def impatient_server(tmp_path_factory):
    """A real server with two threads that waits two seconds for what a client has begun."""
    settings = {
        "LIGHTLY_SERVER_IDLE_TIMEOUT_S": str(IDLE_TIMEOUT_S),
        "LIGHTLY_SERVER_THREAD_COUNT": "2",
    }
    with run_process(tmp_path_factory.mktemp("impatient") / "data", **settings) as server:
        yield server


@pytest.mark.parametrize("route", ROUTES, ids=name_route)
def test_any_text_in_path_and_query_is_understood_or_refused(route, population):
    client = ContractClient(population.bob.client)
    request = make_valid_request(*route, population.bob.first)
    names = [(p.place, p.name) for p in list_parameters(*route) if p.place != "body"]
    # Bodies stay away, so that nothing is written that other texts would meet.
    content = b"" if request.method != "GET" else None

    for place, name in names:
        for text in HOSTILE_TEXTS:
            tried = request.with_value(place, name, text)
            response = client.request(
                route[0], tried.url, params=tried.query, content=content, follow_redirects=False
            )

            if response.status_code >= 400:
                assert_refused(response)


@pytest.mark.parametrize(
    "head",
    [
        # not the alphabet of HTTP
        b"GET /v1/datasets/\xff\xfe HTTP/1.1\r\n",
        b"GET /v1/datasets?pageSize=\xff\xfe HTTP/1.1\r\n",
        b"GET /v1/datasets/\x00 HTTP/1.1\r\n",
        # escapes that are none, or of no text
        b"GET /v1/datasets/%zz HTTP/1.1\r\n",
        b"GET /v1/datasets/%c0%af HTTP/1.1\r\n",
        b"GET /v1/datasets/%ed%a0%80 HTTP/1.1\r\n",
        b"GET /v1/datasets?pageSize=%zz HTTP/1.1\r\n",
        b"GET /v1/datasets?pageSize=%ff HTTP/1.1\r\n",
        # methods
        b"BREW" * 1000 + b" /v1/datasets HTTP/1.1\r\n",
        b"PATCH /v1/datasets HTTP/1.1\r\n",
        b"TRACE /v1/datasets HTTP/1.1\r\n",
        b"CONNECT x:1 HTTP/1.1\r\n",
        b"OPTIONS * HTTP/1.1\r\n",
        # lengths
        b"POST /v1/datasets HTTP/1.1\r\nContent-Length: -1\r\n",
        b"POST /v1/datasets HTTP/1.1\r\nContent-Length: 67108865\r\n",
        b"POST /v1/datasets HTTP/1.1\r\nContent-Length: " + b"9" * 100 + b"\r\n",
        b"POST /v1/datasets HTTP/1.1\r\nContent-Length: 1\r\nContent-Length: 2\r\n",
        b"POST /v1/datasets HTTP/1.1\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n",
        # another protocol
        b"PRI * HTTP/2.0\r\n",
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03 HTTP/1.1\r\n",
        # a header without a name, and one with a line break in it
        b"GET /v1/datasets HTTP/1.1\r\n: x\r\n",
        b"GET /v1/datasets HTTP/1.1\r\nX-A: x\rX-B: y\r\n",
    ],
)
def test_heads_that_are_no_request_are_refused_at_once(impatient_server, head):
    started = time.monotonic()

    answer = send_raw(impatient_server.port, head + HEADERS + b"\r\n")

    assert_refused(answer)
    assert time.monotonic() - started < AT_ONCE_S


@pytest.mark.parametrize(
    "head",
    [
        b"GET /v1/datasets?name=" + b"x" * 1_000_000 + b" HTTP/1.1\r\n",
        b"GET /v1/datasets?" + b"a=1&" * 4_000_000 + b" HTTP/1.1\r\n",
        b"GET /v1/" + b"x" * 1_000_000 + b" HTTP/1.1\r\n",
        b"GET /" + b"/" * 1_000_000 + b" HTTP/1.1\r\n",
        b"GET /v1/datasets HTTP/1.1\r\nX-Long: " + b"x" * 20_000_000 + b"\r\n",
        b"GET /v1/datasets HTTP/1.1\r\n" + b"X-Many: 1\r\n" * 100_000,
    ],
    ids=["query", "parameters", "path", "slashes", "header", "headers"],
)
def test_a_head_that_does_not_end_is_refused_before_it_is_kept(impatient_server, head):
    answer = send_raw(impatient_server.port, head + HEADERS + b"\r\n")

    # Whoever goes on sending may not get to read the answer.
    if answer.status_code:
        assert answer.status_code == 431
        assert_refused(answer)
    assert requests.get(f"{impatient_server.url}/healthz", timeout=10).status_code == 200


def test_a_head_below_the_limit_is_served(impatient_server):
    head = b"GET /healthz HTTP/1.1\r\nX-Long: " + b"x" * (MAX_HEAD_BYTES - 1_000) + b"\r\n"

    assert send_raw(impatient_server.port, head + HEADERS + b"\r\n").status_code == 200


@pytest.mark.parametrize(
    "start",
    [
        b"GET /v1/data",
        b"GET /v1/datasets HTTP/1.1\r\nX-A: ",
        b"POST /v1/datasets HTTP/1.1\r\n" + HEADERS + b"Content-Length: 100\r\n\r\n{",
        b"POST /v1/datasets HTTP/1.1\r\n" + HEADERS + b"Transfer-Encoding: chunked\r\n\r\n5\r\n{",
    ],
    ids=["path", "header", "body", "chunk"],
)
def test_a_request_that_stops_is_given_up(impatient_server, start):
    with RawConnection(impatient_server.port) as connection:
        connection.send(start)
        answer = connection.read_answer()

    assert answer.status_code == 408
    assert_refused(answer)


def test_a_connection_that_says_nothing_is_let_go_without_a_word(impatient_server):
    with RawConnection(impatient_server.port) as connection:
        answer = connection.read_answer()

    assert (answer.status_code, answer.content) == (0, b"")


def test_a_slow_request_that_goes_on_is_served(impatient_server):
    body = b'{"name": "slow and steady"}'
    head = b"POST /v1/datasets HTTP/1.1\r\n" + HEADERS + b"Content-Length: %d\r\n\r\n" % len(body)

    with RawConnection(impatient_server.port) as connection:
        connection.send(head)
        # Longer altogether than the server would wait for one piece.
        for start in range(0, len(body), 7):
            time.sleep(IDLE_TIMEOUT_S / 3)
            connection.send(body[start : start + 7])
        answer = connection.read_answer()

    assert answer.status_code == 201


def test_slow_uploads_take_no_thread_from_others(impatient_server):
    session = requests.Session()
    session.headers["Authorization"] = f"Bearer {TOKEN}"
    datasets = f"{impatient_server.url}/v1/datasets"
    dataset_id = session.post(datasets, json={"name": "slow uploads"}, timeout=10).json()["id"]
    samples = f"{datasets}/{dataset_id}/samples"
    sample_id = session.post(samples, json={"fileName": "a.jpg"}, timeout=10).json()["id"]
    url = session.get(f"{samples}/{sample_id}/writeurls", timeout=10).json()["full"]
    path = url.removeprefix(impatient_server.url).encode()

    with ExitStack() as stack:
        uploads = [stack.enter_context(RawConnection(impatient_server.port)) for _ in range(6)]
        for upload in uploads:
            upload.send(
                b"PUT " + path + b" HTTP/1.1\r\nHost: localhost\r\nContent-Length: 9\r\n\r\nab"
            )
        started = time.monotonic()
        status = session.get(datasets, timeout=10).status_code
        waited_s = time.monotonic() - started
        statuses = {upload.read_answer().status_code for upload in uploads}

    assert (status, statuses) == (200, {408})
    assert waited_s < IDLE_TIMEOUT_S
    assert session.get(f"{samples}/{sample_id}/readurl", timeout=10).status_code == 404


def test_a_client_that_goes_away_while_sending_leaves_one_line_in_the_log(impatient_server):
    path = f"/v1/datasets/{make_id()}/tags"
    head = f"POST {path} HTTP/1.1\r\nContent-Length: 9\r\n".encode()

    with RawConnection(impatient_server.port) as connection:
        connection.send(head + HEADERS + b"\r\n")
    deadline = time.monotonic() + 10
    while path not in impatient_server.read_log() and time.monotonic() < deadline:
        time.sleep(0.02)

    log = impatient_server.read_log()
    assert sum(path in line for line in log.splitlines()) == 1
    assert "Traceback" not in log
