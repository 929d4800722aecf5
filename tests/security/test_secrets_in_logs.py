"""A planted token must not appear in anything the server prints: T09."""

from __future__ import annotations

import socket

import pytest
import requests

from tests.support.platforms import run_process

CANARY = "canary0123456789canary0123456789"


def send_raw(port: int, request: bytes) -> None:
    with socket.create_connection(("127.0.0.1", port), timeout=10) as connection:
        connection.sendall(request)
        connection.recv(4096)


@pytest.fixture(scope="module")
def noisy_server(tmp_path_factory):
    """A server that has seen the canary in every way that a request can carry it."""
    with run_process(tmp_path_factory.mktemp("noisy") / "data") as server:
        server.token = CANARY
        get = f"{server.url}/v1/datasets"
        requests.get(get, params={"token": CANARY}, timeout=10)
        requests.get(get, params={"publicToken": CANARY, "secret": CANARY}, timeout=10)
        requests.get(get, headers={"Authorization": f"Bearer {CANARY}"}, timeout=10)
        requests.get(f"{server.url}/v1/nothing", params={"token": CANARY}, timeout=10)
        requests.post(get, params={"token": CANARY}, data=b"{broken", timeout=10)
        requests.put(f"{server.url}/blobs/x", params={"signature": CANARY}, timeout=10)
        send_raw(server.port, f"GET /v1?token={CANARY} HTTP/9.9\r\n\r\n".encode())
        send_raw(server.port, f"BREW /v1?token={CANARY}\r\n\r\n".encode())
        yield server


def test_the_log_has_lines_but_no_canary(noisy_server):
    log = noisy_server.read_log()

    assert "GET /v1/datasets" in log
    assert CANARY not in log


def test_error_bodies_have_no_canary(noisy_server):
    for path in ("/v1/datasets", "/v1/nothing", "/v1/datasets/x"):
        response = requests.get(noisy_server.url + path, params={"token": CANARY}, timeout=10)

        assert CANARY not in response.text
        assert CANARY not in str(response.headers)


def test_answers_tell_browsers_to_keep_addresses_to_themselves(noisy_server):
    response = requests.get(f"{noisy_server.url}/healthz", timeout=10)

    assert response.headers["Referrer-Policy"] == "no-referrer"
    assert response.headers["X-Content-Type-Options"] == "nosniff"
